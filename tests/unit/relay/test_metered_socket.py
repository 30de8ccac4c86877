"""What strangers and members may send, to a relay with real sockets in this process."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.cases import each
from tests.support.relay_client import RelayClient, SharedLibrary, created
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from bifolio import limits
from bifolio.wire.messages import Ack, Pull, Push
from bifolio_relay.config import Config, parse_network
from bifolio_relay.server import serve

HEADER_OF_24_MIB = b"\x82\xff" + struct.pack("!Q", limits.ENVELOPE_BYTES_MAX) + bytes(4)


@contextlib.asynccontextmanager
async def running(data: Path, **options: object) -> AsyncIterator[str]:
    """A relay; its address."""
    stop = asyncio.Event()
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    config = replace(Config(data=data, port=0), **options)  # type: ignore[arg-type]
    task = asyncio.create_task(serve(config, url.set_result, stop=stop))
    task.add_done_callback(lambda _: url.done() or url.cancel())
    try:
        yield await url
    finally:
        stop.set()
        await task


def code_after(raw: bytes, *, reads: bool = True) -> int | None:
    """How a connection ends on which a stranger sends these bytes."""

    async def scenario(data: Path) -> int | None:
        async with running(data) as url, connect(url, compression=None) as socket:
            await socket.recv()
            if not reads:
                socket.transport.pause_reading()
            socket.transport.write(raw)
            with contextlib.suppress(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 5)
            return socket.close_code

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(scenario(Path(folder)))


def test_a_stranger_sends_nothing_large() -> None:
    assert code_after(HEADER_OF_24_MIB) == 1009


@each(
    "raw",
    [
        b"\x02\x80" + bytes(4) + (b"\x00\x80" + bytes(4)) * 100,  # empty fragments
        (b"\x82\x80" + bytes(4)) * 100,  # empty messages
        (b"\x89\x80" + bytes(4)) * 200,  # pings
        (b"\x8a\x80" + bytes(4)) * 200,  # pongs that nobody asked for
    ],
)
def test_many_tiny_frames_end_the_connection(raw: bytes) -> None:
    assert code_after(raw) == 1002


def test_one_who_greeted_and_is_no_member_sends_nothing_large(tmp_path: Path) -> None:
    async def scenario() -> None:
        library, stranger = SharedLibrary(1), SharedLibrary(2)
        async with running(tmp_path) as url:
            await created(url, library)
            async with RelayClient(url, library.id, stranger.owner) as client:
                assert client.welcome.role is None
                client.socket.transport.write(HEADER_OF_24_MIB)
                with pytest.raises(ConnectionClosed) as closed:
                    await client.socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1009

    asyncio.run(scenario())


@pytest.mark.parametrize("pieces", [1, 3, 200])
def test_a_member_sends_large_messages_whole_and_in_fragments(tmp_path: Path, pieces: int) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        envelopes = [library.author().envelope(library.random(3_000_000))]
        async with running(tmp_path) as url:
            await created(url, library)
            async with RelayClient(url, library.id, library.owner) as client:
                raw = client.wire.send(Push((envelopes[0].raw,)))
                step = -(-len(raw) // pieces)
                parts = [raw[at : at + step] for at in range(0, len(raw), step)]
                await client.socket.send(raw if pieces == 1 else parts)
                await client.receive(Ack)
                assert await client.pull_all() == [envelopes[0].raw]

    asyncio.run(scenario())


def _masked(raw: bytes, first: int = 0x82) -> bytes:
    """A client's frame; a mask of zeros leaves the payload as it is."""
    length = struct.pack("!BH", 0xFE, len(raw)) if len(raw) > 125 else bytes([0x80 | len(raw)])
    return bytes([first]) + length + bytes(4) + raw


@pytest.mark.parametrize("step", [1, 7, 500, 100_000])
def test_pushes_arrive_once_and_in_order_however_they_are_cut_and_what_is_between(
    tmp_path: Path, step: int
) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        envelopes = library.author().envelopes(6)
        pushes = [Push((one.raw,)).serialize() for one in envelopes]
        large = library.author(seed=2).envelope(library.random(70_000))
        raw = b"".join(
            (
                _masked(pushes[0]),
                _masked(pushes[1]),
                _masked(b"ping", 0x89),
                _masked(pushes[2][:100], 0x02),
                _masked(b"pong", 0x8A),
                _masked(pushes[2][100:], 0x80),
                _masked(pushes[3]),
                b"\x82\xff" + struct.pack("!Q", len(pushes[4])) + bytes(4) + pushes[4],
                _masked(Pull(0, 100).serialize()),
                _masked(pushes[5]),
            )
        )
        async with running(tmp_path) as url:
            await created(url, library)
            async with RelayClient(url, library.id, library.owner) as client:
                await client.pushed(large)
                for at in range(0, len(raw), step):
                    client.socket.transport.write(raw[at : at + step])
                    if step < 100_000:
                        await asyncio.sleep(0)
                acknowledged: list[bytes] = []
                while len(acknowledged) < len(envelopes):
                    message = await client.next()
                    if isinstance(message, Ack):
                        acknowledged += [one.hash for one in message.positions]
                assert acknowledged == [one.hash for one in envelopes]
            async with RelayClient(url, library.id, library.owner) as client:
                stored = await client.pull_all()
                assert stored == [large.raw, *(one.raw for one in envelopes)]

    asyncio.run(scenario())


@pytest.mark.parametrize("begun", [b"", b"a beginning"])
def test_a_push_inside_of_a_message_in_fragments_ends_the_connection(
    tmp_path: Path, begun: bytes
) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        raw = Push((library.author().envelope().raw,)).serialize()
        async with running(tmp_path) as url:
            await created(url, library)
            async with RelayClient(url, library.id, library.owner) as client:
                client.socket.transport.write(_masked(begun, 0x02))
                await asyncio.sleep(0.05)
                client.socket.transport.write(_masked(raw))
                with pytest.raises(ConnectionClosed) as closed:
                    await client.socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1002
            async with RelayClient(url, library.id, library.owner) as client:
                assert await client.pull_all() == []

    asyncio.run(scenario())


def test_messages_wait_for_room_and_all_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight libraries push at once where there is room for one message."""
    monkeypatch.setattr(limits, "RELAY_BATCH_FRAMES_BYTES_MAX", 400_000)
    monkeypatch.setattr(limits, "RELAY_SMALL_FRAME_BYTES", 1000)

    async def scenario() -> None:
        libraries = [SharedLibrary(number) for number in range(8)]
        async with running(tmp_path) as url:
            for library in libraries:
                await created(url, library)

            async def push(library: SharedLibrary) -> None:
                author = library.author()
                async with RelayClient(url, library.id, library.owner) as client:
                    for _ in range(4):
                        await client.pushed(author.envelope(library.random(300_000)))

            await asyncio.gather(*map(push, libraries))

    asyncio.run(scenario())


def test_whose_message_has_stopped_goes_when_others_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RELAY_LARGE_FRAMES_BYTES_MAX", limits.ENVELOPE_BYTES_MAX)
    monkeypatch.setattr(limits, "RELAY_SWEEP_S", 0.05)
    monkeypatch.setattr(limits, "RELAY_PRESSED_S", 0.3)

    async def scenario() -> None:
        stopped, honest = SharedLibrary(1), SharedLibrary(2)
        large = honest.author().envelope(honest.random(3_000_000))
        async with running(tmp_path) as url:
            for library in (stopped, honest):
                await created(url, library)
            async with RelayClient(url, stopped.id, stopped.owner) as first:
                first.socket.transport.write(HEADER_OF_24_MIB + bytes(1000))
                await asyncio.sleep(0.6)
                assert not first.socket.transport.is_closing()  # nobody waits
                async with RelayClient(url, honest.id, honest.owner) as second:
                    await second.pushed(large)
                with pytest.raises(ConnectionClosed):
                    await asyncio.wait_for(first.socket.recv(), 5)

    asyncio.run(scenario())


def test_who_reads_no_answers_goes_when_others_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RELAY_QUEUES_BYTES_MAX", 6_000_000)
    monkeypatch.setattr(limits, "RELAY_LIBRARY_QUEUES_BYTES_MAX", 6_000_000)
    monkeypatch.setattr(limits, "RELAY_SWEEP_S", 0.05)
    monkeypatch.setattr(limits, "RELAY_PRESSED_S", 0.5)

    async def scenario() -> None:
        library, other = SharedLibrary(1), SharedLibrary(2)
        author = library.author()
        raws = []
        async with running(tmp_path) as url:
            for one in (library, other):
                await created(url, one)
            async with RelayClient(url, library.id, library.owner) as client:
                for _ in range(4):
                    envelope = author.envelope(library.random(900_000))
                    raws.append(envelope.raw)
                    await client.pushed(envelope)
            async with contextlib.AsyncExitStack() as stack:
                idle = []
                for _ in range(10):
                    client = RelayClient(url, library.id, library.owner)
                    await stack.enter_async_context(client)
                    client.socket.transport.pause_reading()
                    for _ in range(30):
                        await client.send(Pull(0))
                    idle.append(client)
                await asyncio.sleep(0.2)
                async with (
                    asyncio.timeout(15),
                    RelayClient(url, other.id, other.owner) as newcomer,
                ):
                    assert await newcomer.pull_all() == []
                for client in idle:
                    client.socket.transport.abort()

    asyncio.run(scenario())


def test_an_opening_handshake_is_small(tmp_path: Path) -> None:
    async def scenario() -> None:
        headers = {f"X-{number}": "x" * 7_000 for number in range(4)}
        async with running(tmp_path) as url:
            with pytest.raises((InvalidMessage, OSError, EOFError)):
                await connect(url, additional_headers=headers)

    asyncio.run(scenario())


def test_behind_a_trusted_proxy_addresses_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RELAY_ADDRESS_OPENINGS_AT_ONCE", 3)
    monkeypatch.setattr(limits, "RELAY_ADDRESS_OPENINGS_PER_S", 0.001)

    async def scenario() -> None:
        proxy = parse_network("127.0.0.1")
        async with running(tmp_path, trusted_proxies=proxy) as url:

            async def reach(address: str) -> None:
                headers = {"X-Forwarded-For": address}
                async with connect(url, additional_headers=headers) as socket:
                    await socket.recv()

            for _ in range(3):
                await reach("203.0.113.7")
            with pytest.raises(InvalidStatus, match="429"):
                await reach("6.6.6.6, 203.0.113.7")
            await reach("203.0.113.8")

    asyncio.run(scenario())
