"""A replica and its relay: what a running watch, an attach and a join do when one goes wrong."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

import msgspec
import pytest
from tests.support.relay_process import RelayProcess

from bifolio import Library, limits
from bifolio.errors import Next, NextStep, RelayRefusedError, RelayUnreachableError
from bifolio.home import Home
from bifolio.replica.membership import LibraryMembership
from bifolio.replication import moving
from bifolio.replication.remote import Remote
from bifolio.results import Refusal, RelayStatus
from bifolio.sync import backoff
from bifolio_relay.config import Config
from bifolio_relay.server import serve


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Library]:
    home = Home(tmp_path / "home", device_name="office")
    with Library.create(tmp_path / "Thesis.bifolio", home=home) as library:
        library.add({"title": "On Paper"})
        yield library


def again(office: Library, tmp_path: Path) -> Library:
    """The same replica, as another process has it open."""
    return Library.open(office.path, home=Home(tmp_path / "home", device_name="office"))


def folder(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.mkdir()
    return path


def test_a_command_that_the_relay_does_not_answer_is_to_be_given_again(office: Library) -> None:
    """A sync would not make the ticket or remove the member."""
    moving.leave(office._replica, "ws://127.0.0.1:1", by="office")
    for command in (office.invite, office.members.create_recovery, office.delete_at_relay):
        with pytest.raises(RelayUnreachableError) as refused:
            command()
        assert refused.value.next_step == NextStep(Next.COMMAND_AGAIN)
    with pytest.raises(RelayUnreachableError) as refused:
        office.sync()
    assert refused.value.next_step == NextStep(Next.CHECK_CONNECTION)


def test_a_watch_follows_a_library_that_left_a_dead_relay(office: Library, tmp_path: Path) -> None:
    def move(url: str) -> None:
        with again(office, tmp_path) as moving:
            moving.attach(url, backup=False)

    async def watched(first: RelayProcess, second: RelayProcess) -> int:
        unreached = asyncio.Event()
        async with aclosing(office.watch(lambda _: unreached.set())) as rounds:
            await anext(rounds)
            first.kill()
            following = asyncio.ensure_future(anext(rounds))
            await unreached.wait()
            await asyncio.to_thread(move, second.url)
            await following
            with again(office, tmp_path) as other:
                other.add({"title": "On Ink"})
            return (await anext(rounds)).pushed

    with (
        RelayProcess(folder(tmp_path, "a")) as first,
        RelayProcess(folder(tmp_path, "b")) as second,
    ):
        office.attach(first.url, backup=False)
        assert asyncio.run(asyncio.wait_for(watched(first, second), 60)) == 1
        relay = office.status().relay
        assert relay is not None
        assert (relay.url, relay.reachable) == (second.url, True)


def test_an_attach_that_the_relay_refuses_leaves_the_library_as_it_was(
    office: Library, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home", device_name="office")

    def attached(url: str) -> tuple[RelayStatus | None, Sequence[Refusal]]:
        with Library.create(tmp_path / "First.bifolio", home=home) as first:
            first.attach(url, backup=False)
        with again(office, tmp_path) as second:
            before = second.status()
            with pytest.raises(RelayRefusedError, match="quota") as caught:
                second.attach(url, backup=False)
            assert caught.value.next_step == NextStep(Next.ATTACH_ELSEWHERE)
            after = second.status()
        found = after.relay
        if found is not None and before.relay is not None:
            # What the relay so far had was fetched first.
            found = msgspec.structs.replace(found, last_sync=before.relay.last_sync)
        assert (found, after.refusals) == (before.relay, before.refusals)
        return after.relay, after.refusals

    async def full() -> tuple[RelayStatus | None, Sequence[Refusal]]:
        url, stop = asyncio.get_running_loop().create_future(), asyncio.Event()
        config = Config(data=tmp_path / "full", port=0, libraries_max=1)
        relay = asyncio.create_task(serve(config, url.set_result, stop=stop))
        try:
            return await asyncio.to_thread(attached, await url)
        finally:
            stop.set()
            await relay

    assert asyncio.run(full()) == (None, ())
    shutil.rmtree(tmp_path / "full")
    shutil.rmtree(tmp_path / "First.bifolio")
    with RelayProcess(folder(tmp_path, "a")) as relay:
        office.attach(relay.url, backup=False)
        kept, _ = asyncio.run(full())
        assert kept is not None
        assert kept.url == relay.url


@pytest.mark.parametrize("was_there", [False, True])
def test_a_ticket_that_cannot_be_used_leaves_the_place_as_it_was(
    office: Library, tmp_path: Path, was_there: bool
) -> None:
    with RelayProcess(folder(tmp_path, "a")) as relay:
        ticket = office.attach(relay.url, backup=False).ticket
    path = tmp_path / "Mine"
    if was_there:
        path.mkdir()
    with pytest.raises(RelayUnreachableError):
        Library.attach_new(ticket, path, home=Home(tmp_path / "laptop", device_name="laptop"))
    assert path.is_dir() is was_there
    assert not was_there or list(path.iterdir()) == []


def test_an_attach_that_is_cancelled_leaves_the_library_as_it_was(office: Library) -> None:
    remote = Remote(office._replica, LibraryMembership(office._replica))

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # to its end: it answers nothing
        writer.close()
        ended.set()

    ended = asyncio.Event()

    async def scenario() -> None:
        async with await asyncio.start_server(never, "127.0.0.1") as silent:
            port = silent.sockets[0].getsockname()[1]
            attaching = asyncio.ensure_future(remote.attach(f"ws://127.0.0.1:{port}", None))
            while not remote.url:
                await asyncio.sleep(0.01)
            attaching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attaching
            await ended.wait()

    asyncio.run(scenario())
    assert office.status().relay is None


def test_a_watch_waits_for_another_program_that_holds_the_library_and_says_so(
    office: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long: what came meanwhile is merged when the other program is through."""
    monkeypatch.setattr(limits, "BUSY_TIMEOUT_S", 0.2)
    monkeypatch.setattr(limits, "BUSY_RETRY_S", 0.05)

    def hold() -> sqlite3.Connection:
        holding = sqlite3.connect(office.path / "library.sqlite", isolation_level=None)
        holding.execute("BEGIN IMMEDIATE")
        return holding

    async def watched(watching: Library, other: Library) -> list[str]:
        said: list[str] = []
        async with aclosing(watching.watch(lambda outage: said.append(outage.code))) as rounds:
            await anext(rounds)
            holding = hold()
            following = asyncio.ensure_future(anext(rounds))
            other.add({"title": "On Ink"})
            await other.sync_async()
            while len(said) < 3:
                await asyncio.sleep(0.05)
            holding.close()
            assert (await asyncio.wait_for(following, 20)).pulled == 1
        return said

    with RelayProcess(folder(tmp_path, "a")) as relay:
        ticket = office.attach(relay.url, backup=False).ticket
        laptop_home = Home(tmp_path / "laptop", device_name="laptop")
        with (
            Library.attach_new(ticket, tmp_path / "Mine", home=laptop_home) as laptop,
            again(office, tmp_path) as watching,
        ):
            said = asyncio.run(asyncio.wait_for(watched(watching, laptop), 60))
    assert set(said) == {"busy-library"}


def test_a_relay_with_a_name_takes_no_greeting_for_another_one(
    office: Library, tmp_path: Path
) -> None:
    with (
        RelayProcess(folder(tmp_path, "a"), "--name", "relay.example") as relay,
        pytest.raises(RelayRefusedError, match="attach with its own address"),
    ):
        office.attach(relay.url, backup=False)
    with RelayProcess(folder(tmp_path, "b"), "--name", "relay.example,127.0.0.1:1") as relay:
        assert relay.port != 1
        with pytest.raises(RelayRefusedError, match="other names"):
            office.attach(relay.url, backup=False)
        relay.stop()
        relay.options = ("--name", f"127.0.0.1:{relay.port}")
        relay.start()
        assert office.attach(relay.url, backup=False).ticket


def test_a_watch_lives_through_everything_that_may_answer_in_place_of_its_relay(
    office: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hotel's login page, a web server whose relay is down, another program, nothing at all."""
    monkeypatch.setattr(backoff, "RECONNECT", backoff.Backoff(0.01, 1.0, 0.01))
    page = b"<html>Log in</html>"
    answers = [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(page) + page,
        b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"",
    ]

    async def front(
        relay: RelayProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if waiting:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(waiting.pop(0))
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", relay.port)

        async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while piece := await source.read(4096):
                target.write(piece)
            target.close()

        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))

    waiting: list[bytes] = []

    async def watched(relay: RelayProcess) -> list[str]:
        said: list[str] = []
        served = await asyncio.start_server(partial(front, relay), "127.0.0.1", 0)
        async with served:
            url = f"ws://127.0.0.1:{served.sockets[0].getsockname()[1]}"
            await office.attach_async(url, backup=False)
            waiting.extend(answers)
            async with aclosing(office.watch(lambda outage: said.append(outage.message))) as rounds:
                assert (await asyncio.wait_for(anext(rounds), 30)).state
        return said

    with RelayProcess(folder(tmp_path, "a")) as relay:
        said = asyncio.run(watched(relay))
    assert len(said) == len(answers)
    assert len(set(said)) >= 6
