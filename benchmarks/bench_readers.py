"""How long until an edit has reached everybody who is connected, after it was kept durably?

A real relay process with many connected members, one of whom pushes one edit after the other, each
when everybody has the one before. The baseline is a bare websocket server in a process of its own,
which keeps nothing and knows nobody: it sends what one socket brings to all others, in turns with
the relay. The same program reads at the other end of both, and its share is in both.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.processes import ProcessFailedError, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from tests.support.relay_client import RelayClient, SharedLibrary, created
from websockets.asyncio.client import ClientConnection, connect

from bifolio import limits
from bifolio.crypto.envelope import Envelope

#: What a short edit is before it is sealed.
_EDIT_BYTES = 200

#: Connections of one member: a relay allows a computer a few dozen.
_PER_DEVICE: Final = limits.RELAY_DEVICE_CONNECTIONS_MAX // 2

_BARE_SERVER = """
import asyncio
from websockets.asyncio.server import broadcast, serve

sockets = set()

async def handle(socket):
    sockets.add(socket)
    try:
        async for raw in socket:
            broadcast(sockets - {socket}, raw)
            await socket.send(b"kept")
    finally:
        sockets.discard(socket)

async def main():
    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Size:
    """Who listens, and how many edits in how many rounds."""

    readers: int
    edits: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Edit:
    """Seconds from the push until its acknowledgement, half of the readers and the last had it."""

    kept_s: float
    half_s: float
    last_s: float


def measure(size: Size, folder: Path) -> Measured:
    """Push the same edits through both, in turns."""
    _allow_files(4 * size.readers + 200)
    library = SharedLibrary()
    with running_relay(folder / "relay") as relay, _bare_server() as bare_url:
        return asyncio.run(_measure(size, library, relay.url, bare_url))


async def _measure(size: Size, library: SharedLibrary, url: str, bare_url: str) -> Measured:
    await created(url, library)
    envelopes = library.author().envelopes(size.edits * size.rounds, bytes(range(_EDIT_BYTES)))
    through: dict[str, list[_Edit]] = {"relay": [], "bare": []}
    async with (
        _relay_readers(url, library, size.readers) as clients,
        RelayClient(url, library.id, library.owner) as writer,
        _bare_sockets(bare_url, size.readers + 1) as bare,
    ):
        await writer.pull_all()

        async def push(envelope: Envelope) -> None:
            await writer.pushed(envelope)

        async def push_bare(envelope: Envelope) -> None:
            await bare[0].send(envelope.raw)
            await bare[0].recv()

        sockets = [client.socket for client in clients]
        for number in range(size.rounds):
            progress(f"round {number + 1}")
            part = envelopes[number * size.edits : (number + 1) * size.edits]
            for name, sends, readers in (("relay", push, sockets), ("bare", push_bare, bare[1:])):
                found = [await _edit(sends, readers, envelope) for envelope in part]
                through[name] += found
    stored = await _read_back(url, library)
    assert stored == [envelope.raw for envelope in envelopes]
    figures: dict[str, float | int] = {"readers": size.readers}
    for name, edits in through.items():
        figures[f"{name}_kept_ms"] = median(one.kept_s for one in edits) * 1000
        figures[f"{name}_half_ms"] = median(one.half_s for one in edits) * 1000
        figures[f"{name}_last_ms"] = median(one.last_s for one in edits) * 1000
    ratios = {
        f"{kind}_over_bare": figures[f"relay_{kind}_ms"] / figures[f"bare_{kind}_ms"]
        for kind in ("half", "last")
    }
    return Measured(figures, ratios, Computed.of(stored))


async def _edit(
    push: Callable[[Envelope], Awaitable[None]],
    readers: Sequence[ClientConnection],
    envelope: Envelope,
) -> _Edit:
    """Push one edit and wait until everybody has it."""
    arrivals: list[float] = []

    async def read(socket: ClientConnection) -> None:
        raw = await socket.recv()
        arrivals.append(time.perf_counter())
        assert envelope.raw in bytes(raw if isinstance(raw, bytes) else raw.encode())

    waiting = [asyncio.create_task(read(socket)) for socket in readers]
    await asyncio.sleep(0)
    began = time.perf_counter()
    await push(envelope)
    kept = time.perf_counter()
    async with asyncio.timeout(60):
        await asyncio.gather(*waiting)
    arrivals.sort()
    return _Edit(kept - began, arrivals[len(arrivals) // 2] - began, arrivals[-1] - began)


@asynccontextmanager
async def _relay_readers(
    url: str, library: SharedLibrary, count: int
) -> AsyncIterator[list[RelayClient]]:
    """Connected members that are told of everything."""
    devices = [library.owner]
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(RelayClient(url, library.id, library.owner))
        for _ in range(count // _PER_DEVICE):
            head = library.membership.head
            secret, invite = library.invite()
            await owner.append(head, invite)
            head = library.membership.head
            device, join = library.join(secret)
            await owner.append(head, join)
            devices.append(device)
        clients = []
        for number in range(count):
            device = devices[number // _PER_DEVICE]
            client = await stack.enter_async_context(RelayClient(url, library.id, device))
            await client.pull_all()
            clients.append(client)
        yield clients


@asynccontextmanager
async def _bare_sockets(url: str, count: int) -> AsyncIterator[list[ClientConnection]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(connect(url, compression=None)) for _ in range(count)
        ]


@contextmanager
def _bare_server() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-c", _BARE_SERVER], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port:
                raise ProcessFailedError("the bare server did not begin")
            yield f"ws://127.0.0.1:{port}"
        finally:
            process.terminate()


async def _read_back(url: str, library: SharedLibrary) -> list[bytes]:
    async with RelayClient(url, library.id, library.owner) as client:
        return await client.pull_all()


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))


BENCHMARK = Benchmark(
    name="readers",
    question="How long until an edit has reached everybody who is connected?",
    baseline="a bare websocket server that keeps nothing, with as many sockets",
    result="all envelopes as read back from the relay",
    smoke=Size(readers=4, edits=2, rounds=1),
    full=Size(readers=900, edits=10, rounds=3),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
