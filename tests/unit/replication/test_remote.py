"""A replica and its relay: what a running watch, an attach and a join do when one goes wrong."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.errors import Next, NextStep, RelayRefusedError, RelayUnreachableError
from bifolio.home import Home
from bifolio.replica.membership import LibraryMembership
from bifolio.replication.remote import Remote
from bifolio.results import Refusal, RelayStatus
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
        assert (after.relay, after.refusals) == (before.relay, before.refusals)
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
