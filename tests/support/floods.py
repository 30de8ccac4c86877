"""Floods: what strangers and members of their own libraries do to a relay that hears everybody.

Each is a coroutine that floods without end, in a process of its own. ``besieged`` runs one against
a relay process, lets an honest newcomer through meanwhile, and gives what it cost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.support.processes import running_relay
from tests.support.relay_client import RelayClient, SharedLibrary, created
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from bifolio import limits
from bifolio.crypto.blob import SEAL_BYTES
from bifolio.wire.messages import Chunk, Pull, PullMembers

MIB = 1024 * 1024

#: What goes wrong for who is turned away or cut off: what floods live with.
TURNED_AWAY = (
    OSError,
    EOFError,
    TimeoutError,
    WebSocketException,
    InvalidHandshake,
    AssertionError,
)

#: A flood: told where the relay is, how many connections it makes, and when it is under way.
Flood = Callable[[str, int, asyncio.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Siege:
    """What a flood cost: the relay's memory at its peak, and what the newcomer needed."""

    before_bytes: int
    peak_bytes: int
    quiet_s: float
    newcomer_s: float

    def __str__(self) -> str:
        return (
            f"peak {self.peak_bytes / MIB:.0f} MiB ({self.before_bytes / MIB:.0f} before), "
            f"newcomer {self.newcomer_s:.2f} s ({self.quiet_s:.2f} without)"
        )


async def besieged(
    folder: Path, flood: str, connections: int, *, lasts_s: float, newcomer_within_s: float
) -> Siege:
    """Run a flood for so long, and let a newcomer create, push and pull in the middle of it."""
    with running_relay(folder / "relay") as relay:
        quiet_s = await newcomer(relay.url, seed=1)
        before_bytes = relay.peak_bytes()
        # A process of its own, so that the newcomer waits for the relay and not for the flood.
        flooding = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.floods", flood, relay.url, str(connections)),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert flooding.stdout is not None
        try:
            async with asyncio.timeout(60):
                assert await flooding.stdout.readline() == b"under way\n"
            await asyncio.sleep(lasts_s / 2)
            async with asyncio.timeout(newcomer_within_s):
                newcomer_s = await persistent_newcomer(relay.url, seed=2)
            await asyncio.sleep(lasts_s / 2)
            assert flooding.returncode is None, "the flood ended by itself"
            return Siege(before_bytes, relay.peak_bytes(), quiet_s, newcomer_s)
        finally:
            if flooding.returncode is None:
                flooding.kill()
            await flooding.wait()


async def newcomer(url: str, *, seed: int) -> float:
    """Create a library, push and pull; how long that took."""
    begun = time.monotonic()
    library = SharedLibrary(seed)
    await created(url, library)
    envelopes = library.author().envelopes(5, bytes(20_000))
    async with RelayClient(url, library.id, library.owner) as client:
        await client.pushed(*envelopes)
    async with RelayClient(url, library.id, library.owner) as client:
        assert await client.pull_all() == [envelope.raw for envelope in envelopes]
    return time.monotonic() - begun


async def persistent_newcomer(url: str, *, seed: int) -> float:
    """The same, coming back as an honest client does when it is turned away."""
    begun = time.monotonic()
    while True:
        try:
            await newcomer(url, seed=seed)
        except TURNED_AWAY:
            await asyncio.sleep(0.25)
            seed += 100
        else:
            return time.monotonic() - begun


async def for_each(
    count: int, one: Callable[[int, asyncio.Event], Awaitable[None]], under_way: asyncio.Event
) -> None:
    """So many at once, each begun again when it is turned away."""

    async def again(number: int) -> None:
        while True:
            with contextlib.suppress(*TURNED_AWAY):
                await one(number, under_way)
            await asyncio.sleep(0.05)

    await asyncio.gather(*(again(number) for number in range(count)))


# --- floods ---------------------------------------------------------------------------------


async def half_open(url: str, connections: int, under_way: asyncio.Event) -> None:
    """Opening handshakes that never end: a header line now and then."""
    host, _, port = url.removeprefix("ws://").partition(":")

    async def one(_: int, started: asyncio.Event) -> None:
        _reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(b"GET / HTTP/1.1\r\nHost: relay\r\n")
            for number in range(1_000):
                writer.write(f"X-{number}: {'x' * 7_000}\r\n".encode())
                await writer.drain()
                started.set()
                await asyncio.sleep(0.5)
        finally:
            writer.close()

    await for_each(connections, one, under_way)


async def unfinished_frames(url: str, connections: int, under_way: asyncio.Event) -> None:
    """Messages of 24 MiB that lack their last byte, from members of the floods' own libraries."""
    libraries = [SharedLibrary(100 + number) for number in range(8)]
    for library in libraries:
        await created(url, library)

    async def one(number: int, started: asyncio.Event) -> None:
        library = libraries[number % len(libraries)]
        async with RelayClient(url, library.id, library.owner) as client:
            transport = client.socket.transport
            size_bytes = limits.ENVELOPE_BYTES_MAX
            transport.write(b"\x82\xff" + struct.pack("!Q", size_bytes) + bytes(4))
            piece = bytes(64 * 1024)
            for _ in range(size_bytes // len(piece) - 1):
                transport.write(piece)
                started.set()
                await client.socket.drain()
            await client.socket.wait_closed()

    await for_each(connections, one, under_way)


async def empty_fragments(url: str, connections: int, under_way: asyncio.Event) -> None:
    """One message of empty fragments without end, and pings whose answers nobody reads."""

    async def one(number: int, started: asyncio.Event) -> None:
        async with connect(url, compression=None, close_timeout=0.1) as socket:
            transport = socket.transport
            transport.pause_reading()
            if number % 2:
                transport.write(b"\x02\x80" + bytes(4))
            piece = (b"\x00\x80" + bytes(4) if number % 2 else b"\x89\x80" + bytes(4)) * 2_000
            while not transport.is_closing():
                transport.write(piece)
                started.set()
                await asyncio.sleep(0.01)
                await socket.drain()

    await for_each(connections, one, under_way)


async def unread_answers(url: str, connections: int, under_way: asyncio.Event) -> None:
    """PULL after PULL of a log of 16 MiB, and no answer is read."""
    libraries = [SharedLibrary(200 + number) for number in range(4)]
    for library in libraries:
        await created(url, library)
        author = library.author()
        async with RelayClient(url, library.id, library.owner) as client:
            for _ in range(16):
                await client.pushed(*author.envelopes(4, os.urandom(250_000)))

    async def one(number: int, started: asyncio.Event) -> None:
        library = libraries[number % len(libraries)]
        async with RelayClient(url, library.id, library.owner) as client:
            client.socket.transport.pause_reading()
            for _ in range(200):
                await client.send(Pull(0))
                started.set()
            await asyncio.sleep(3600)

    await for_each(connections, one, under_way)


async def greetings(url: str, connections: int, under_way: asyncio.Event) -> None:
    """Strangers that greet for a library that is held, and for others, again and again."""
    library = SharedLibrary(300)
    await created(url, library)

    async def one(number: int, started: asyncio.Event) -> None:
        stranger = SharedLibrary(10_000 + number)
        asked = library.id if number % 2 else stranger.id
        while True:
            async with RelayClient(url, asked, stranger.owner):
                started.set()

    await for_each(connections, one, under_way)


async def creations(url: str, connections: int, under_way: asyncio.Event) -> None:
    """One new library after the other."""
    numbers = iter(range(1_000_000))

    async def one(_: int, started: asyncio.Event) -> None:
        library = SharedLibrary(1_000_000 + next(numbers))
        async with RelayClient(url, library.id, library.owner) as client:
            started.set()
            await client.create(library.genesis)

    await for_each(connections, one, under_way)


async def tiny_blobs(url: str, connections: int, under_way: asyncio.Event) -> None:
    """Files of no bytes, as many as the relay takes."""
    libraries = [SharedLibrary(400 + number) for number in range(4)]
    for library in libraries:
        await created(url, library)

    async def one(number: int, started: asyncio.Event) -> None:
        library = libraries[number % len(libraries)]
        async with RelayClient(url, library.id, library.owner) as client:
            while True:
                await client.send(Chunk(os.urandom(32), SEAL_BYTES, 0, bytes(SEAL_BYTES)))
                await client.next()
                started.set()

    await for_each(connections, one, under_way)


async def crowd_at_one_library(url: str, connections: int, under_way: asyncio.Event) -> None:
    """Strangers that stay connected to one library, and ask for its members without reading."""
    library = SharedLibrary(500)
    for _ in range(20):
        library.with_member()
    await created(url, library)

    async def one(number: int, started: asyncio.Event) -> None:
        stranger = SharedLibrary(20_000 + number)
        async with RelayClient(url, library.id, stranger.owner) as client:
            client.socket.transport.pause_reading()
            for _ in range(100):
                await client.send(PullMembers(0))
                started.set()
            await asyncio.sleep(3600)

    await for_each(connections, one, under_way)


FLOODS: dict[str, Flood] = {
    "half-open handshakes": half_open,
    "unfinished frames": unfinished_frames,
    "empty fragments and pings": empty_fragments,
    "unread answers": unread_answers,
    "greetings": greetings,
    "creations": creations,
    "tiny blobs": tiny_blobs,
    "a crowd at one library": crowd_at_one_library,
}


async def main(name: str, url: str, connections: int) -> None:
    """Flood until killed; says when it is under way."""
    under_way = asyncio.Event()
    flooding = asyncio.ensure_future(FLOODS[name](url, connections, under_way))
    waiting = asyncio.create_task(under_way.wait())
    await asyncio.wait({flooding, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        print("under way", flush=True)
    await flooding


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
