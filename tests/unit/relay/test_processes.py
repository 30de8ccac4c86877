"""A relay of several processes: who meets where, and what happens when one of them dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.relay_client import RelayClient, SharedLibrary, created
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bifolio import limits
from bifolio.errors import RelayStorageError, UsageError
from bifolio.wire.messages import Bye, Challenge, Envelopes, parse_message
from bifolio_relay import handover
from bifolio_relay.config import Config
from bifolio_relay.handover import Begun, Channel, Cut, Take, Told
from bifolio_relay.server import serve
from bifolio_relay.storage.sqlite import SqliteLogStorage

RELAY = (sys.executable, "-m", "bifolio_relay.server")


def libraries_of_both() -> tuple[SharedLibrary, SharedLibrary]:
    """Two libraries that two processes have one each."""
    found: dict[int, SharedLibrary] = {}
    seed = 1
    while len(found) < 2:
        library = SharedLibrary(seed)
        found.setdefault(int.from_bytes(library.id[:8], "big") % 2, library)
        seed += 1
    return found[0], found[1]


def health_of(url: str, path: str = "/healthz") -> dict[str, Any]:
    address = url.replace("ws://", "http://") + path
    with urllib.request.urlopen(address, timeout=20) as answer:
        facts: dict[str, Any] = json.load(answer)
        return facts


@contextlib.contextmanager
def relay_of_two(
    data: Path, *options: str, port: int = 0
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A relay of two processes and its address."""
    process = subprocess.Popen(
        [*RELAY, "--port", str(port), "--data", str(data), "--processes", "2", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on ws://127.0.0.1:"), line
        yield process, line.removeprefix("listening on ").strip()
    finally:
        process.kill()
        process.communicate()


def workers_of(pid: int) -> dict[int, int]:
    """The process ids of those that serve, by their numbers."""
    found: dict[int, int] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                if b"bifolio_relay.worker" in words:
                    number = words[words.index(b"bifolio_relay.worker") + 2]
                    found[int(number)] = int(child)
    return found


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def come_back(url: str, library: SharedLibrary) -> RelayClient:
    """Connect, as clients do it: again, where the process is not there yet."""
    deadline = time.monotonic() + 60
    while True:
        client = RelayClient(url, library.id, library.owner)
        try:
            return await client.__aenter__()
        except (ConnectionClosed, InvalidStatus, OSError, TimeoutError, AssertionError):
            assert time.monotonic() < deadline
            if hasattr(client, "socket"):
                await client.socket.close()
            await asyncio.sleep(0.05)


def test_a_process_that_is_killed_loses_nothing_and_comes_again_and_the_other_goes_on(
    tmp_path: Path,
) -> None:
    first, second = libraries_of_both()
    acknowledged: dict[bytes, list[bytes]] = {first.id: [], second.id: []}

    async def push(client: RelayClient, author: Any, library: SharedLibrary) -> None:
        envelope = author.envelope()
        await client.pushed(envelope)
        acknowledged[library.id].append(envelope.raw)

    async def scenario(url: str, workers: dict[int, int]) -> None:
        authors = {one.id: one.author() for one in (first, second)}
        for library in (first, second):
            await created(url, library)
        staying = await RelayClient(url, second.id, second.owner).__aenter__()
        going = await RelayClient(url, first.id, first.owner).__aenter__()
        for _ in range(3):
            await push(going, authors[first.id], first)
        facts = await asyncio.to_thread(health_of, url)
        assert (facts["processes"], facts["connections"], facts["libraries"]) == (2, 2, 2)
        os.kill(workers[0], signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            await going.next()
        await push(staying, authors[second.id], second)
        again = await come_back(url, first)
        assert await again.pull_all() == acknowledged[first.id]
        await push(again, authors[first.id], first)
        await push(staying, authors[second.id], second)
        for client in (again, staying):
            await client.socket.close()

    with relay_of_two(tmp_path) as (process, url):
        workers = workers_of(process.pid)
        assert sorted(workers) == [0, 1]
        asyncio.run(scenario(url, workers))
        assert workers_of(process.pid)[1] == workers[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    stored = asyncio.run(read_all(tmp_path, (first, second)))
    assert stored == acknowledged


async def read_all(folder: Path, libraries: Sequence[SharedLibrary]) -> dict[bytes, list[bytes]]:
    """What the store has, which is open to one relay again."""
    storage = SqliteLogStorage(folder)
    try:
        found: dict[bytes, list[bytes]] = {}
        for library in libraries:
            stored: list[bytes] = found.setdefault(library.id, [])
            while True:
                after = len(stored)
                part = await storage.read(library.id, after=after, bytes_max=1 << 20, count_max=999)
                stored += part.envelopes
                if len(stored) == part.n:
                    break
        return found
    finally:
        await storage.close()


@pytest.mark.heavy
def test_twenty_kills_of_busy_processes_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    libraries = libraries_of_both()
    acknowledged: dict[bytes, list[bytes]] = {one.id: [] for one in libraries}

    async def write(url: str, library: SharedLibrary, done: asyncio.Event) -> None:
        author = library.author()
        waiting = [author.envelope()]
        while not done.is_set():
            client = await come_back(url, library)
            with contextlib.suppress(ConnectionClosed, TimeoutError, AssertionError):
                while not done.is_set():
                    await client.pushed(*waiting)
                    acknowledged[library.id] += [one.raw for one in waiting]
                    waiting = author.envelopes(3)
            await client.__aexit__(None, None, None)

    async def scenario(url: str, pid: int) -> None:
        for library in libraries:
            await created(url, library)
        done = asyncio.Event()
        writers = [asyncio.create_task(write(url, one, done)) for one in libraries]
        for kill in range(20):
            before = {one: len(raw) for one, raw in acknowledged.items()}
            while any(len(acknowledged[one]) < count + 4 for one, count in before.items()):
                await asyncio.sleep(0.02)
            workers = workers_of(pid)
            while kill % 2 not in workers:
                await asyncio.sleep(0.02)
                workers = workers_of(pid)
            os.kill(workers[kill % 2], signal.SIGKILL)
        done.set()
        await asyncio.gather(*writers)

    with relay_of_two(tmp_path) as (process, url):
        asyncio.run(scenario(url, process.pid))
    # What was not acknowledged may be there as well: the connection was lost before.
    for one, stored in asyncio.run(read_all(tmp_path, libraries)).items():
        assert set(acknowledged[one]) <= set(stored)


@pytest.mark.heavy
def test_those_that_serve_end_when_the_one_in_front_is_killed(tmp_path: Path) -> None:
    with relay_of_two(tmp_path) as (process, _):
        workers = workers_of(process.pid)
        process.kill()
        process.wait(10)
        deadline = time.monotonic() + 20
        while not all(map(has_ended, workers.values())):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with relay_of_two(tmp_path):
        pass


@pytest.mark.heavy
def test_another_relay_is_kept_off_the_folder_of_several_processes(tmp_path: Path) -> None:
    with relay_of_two(tmp_path):
        for more in ((), ("--shared",), ("--processes", "2")):
            other = subprocess.run(
                [*RELAY, "--port", "0", "--data", str(tmp_path), *more],
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert other.returncode != 0
            assert "another relay uses it" in other.stderr


class InOneLoop:
    """A relay of two processes, all of it in this process: what they tell each other is real."""

    def __init__(self, url: str, stop: asyncio.Event) -> None:
        self.url, self.stop = url, stop


@contextlib.asynccontextmanager
async def in_one_loop(
    data: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[InOneLoop]:
    """The relay, whose processes are tasks: quick to begin."""
    from bifolio_relay import supervisor, worker

    async def keep(keeper: supervisor.Keeper) -> None:
        line, config = keeper._line, keeper._config
        ours, theirs = handover.pair()
        line.connect(Channel(ours, line.take, lambda: None))
        try:
            await worker.work(config, theirs, line.number)
        finally:
            line.lose()

    monkeypatch.setattr(supervisor.Keeper, "keep_forever", keep)
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    config = Config(data=data, port=0, processes=2, **settings)
    task = asyncio.create_task(serve(config, url.set_result, stop=stop))
    task.add_done_callback(lambda _: url.done() or url.cancel())
    try:
        yield InOneLoop(await url, stop)
    finally:
        stop.set()
        await task


def test_sessions_of_a_library_meet_in_one_process_whoever_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with in_one_loop(tmp_path, monkeypatch) as relay:
            for library in libraries_of_both():
                await created(relay.url, library)
                async with (
                    RelayClient(relay.url, library.id, library.owner) as desktop,
                    RelayClient(relay.url, library.id, library.owner) as laptop,
                ):
                    for client in (desktop, laptop):
                        await client.pull_all()
                    envelope = library.author().envelope()
                    await desktop.pushed(envelope)
                    told = await laptop.receive(Envelopes)
                    assert told.envelopes == (envelope.raw,)

    asyncio.run(scenario())


def test_numbers_are_added_up_and_strangers_stay_in_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        first, second = libraries_of_both()
        async with in_one_loop(tmp_path, monkeypatch) as relay:
            for library in (first, second):
                await created(relay.url, library)
            async with (
                RelayClient(relay.url, first.id, first.owner) as one,
                RelayClient(relay.url, second.id, second.owner) as other,
                connect(relay.url) as stranger,
            ):
                assert isinstance(
                    parse_message(bytes(await stranger.recv(decode=False))), Challenge
                )
                await one.pushed(first.author().envelope())
                await other.pushed(*second.author().envelopes(2))
                facts = await asyncio.to_thread(health_of, relay.url)
                # The stranger, and who asks for the numbers.
                assert facts["strangers"] == 2
                assert (facts["processes"], facts["connections"]) == (2, 2)
                assert (facts["libraries"], facts["envelopes"]) == (2, 3)
                ready = await asyncio.to_thread(health_of, relay.url, "/readyz")
                assert ready["ready"] == "ok"

    asyncio.run(scenario())


def test_what_is_no_greeting_is_refused_in_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with in_one_loop(tmp_path, monkeypatch) as relay, connect(relay.url) as stranger:
            await stranger.recv()
            await stranger.send(b"no greeting")
            assert isinstance(parse_message(bytes(await stranger.recv(decode=False))), Bye)
            with pytest.raises(ConnectionClosed):
                await stranger.recv()

    asyncio.run(scenario())


def test_an_address_has_its_share_of_all_processes_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes through a proxy is counted by what it says, also after it was handed over."""
    import ipaddress

    monkeypatch.setattr(limits, "RELAY_ADDRESS_CONNECTIONS_MAX", 2)
    headers = {"X-Forwarded-For": "203.0.113.7"}

    async def enter(url: str, library: SharedLibrary) -> Any:
        client = RelayClient(url, library.id, library.owner)
        real = connect

        def through_proxy(*positional: Any, **named: Any) -> Any:
            return real(*positional, additional_headers=headers, **named)

        with monkeypatch.context() as patched:
            patched.setattr("tests.support.relay_client.connect", through_proxy)
            return await client.__aenter__()

    async def scenario() -> None:
        first, second = libraries_of_both()
        proxies = ipaddress.ip_network("127.0.0.1/32")
        async with in_one_loop(tmp_path, monkeypatch, trusted_proxies=proxies) as relay:
            for library in (first, second):
                await created(relay.url, library)
            clients = [await enter(relay.url, library) for library in (first, second)]
            with pytest.raises(InvalidStatus):
                await enter(relay.url, first)
            await clients[0].socket.close()
            # Its place is free again, once the process that had it has told so.
            for _ in range(200):
                with contextlib.suppress(InvalidStatus):
                    clients[0] = await enter(relay.url, first)
                    break
                await asyncio.sleep(0.01)
            for client in clients:
                await client.socket.close()

    asyncio.run(scenario())


def test_a_channel_brings_messages_and_sockets_in_their_order_and_tells_of_its_end() -> None:
    async def scenario() -> None:
        ours, theirs = handover.pair()
        came: list[tuple[Told, bytes]] = []
        ended = asyncio.Event()

        def take(message: Told, descriptor: int | None) -> None:
            read = b""
            if descriptor is not None:
                read = os.read(descriptor, 10)
                os.close(descriptor)
            came.append((message, read))

        sender = Channel(ours, lambda *_: None, lambda: None)
        receiver = Channel(theirs, take, ended.set)
        sent: list[Take] = []
        for number in range(300):  # more than the system holds at once
            reading, writing = os.pipe()
            os.write(writing, b"%d" % number)
            message = Take(number, b"owner", bytes(32), bytes(5_000))
            sent.append(message)
            assert sender.send(message, reading)
            os.close(reading)
            os.close(writing)
        assert sender.send(Cut(7))
        while len(came) < 301:
            await asyncio.sleep(0.001)
        assert came == [*((one, b"%d" % one.number) for one in sent), (Cut(7), b"")]
        sender.close()
        await asyncio.wait_for(ended.wait(), 5)
        assert not receiver.send(Begun())

    asyncio.run(scenario())


def test_a_part_of_a_relay_leaves_the_lock_to_the_one_in_front(tmp_path: Path) -> None:
    async def scenario() -> None:
        whole = SqliteLogStorage(tmp_path)
        part = SqliteLogStorage(tmp_path, is_part=True)
        assert await part.count_libraries() == 0
        with pytest.raises(RelayStorageError):
            SqliteLogStorage(tmp_path)
        await part.close()
        await whole.close()

    asyncio.run(scenario())


def test_a_number_of_processes_is_refused_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count in (0, -1, 65):
        with pytest.raises(UsageError):
            Config(data=tmp_path, processes=count)
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="need Linux"):
        Config(data=tmp_path, processes=2)
