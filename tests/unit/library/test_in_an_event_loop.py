"""A library in a program with an event loop: a notebook's cell, a server's handler."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.errors import RelayUnreachableError
from bifolio.home import Home
from bifolio.results import FileState, Policy
from bifolio_relay.config import Config
from bifolio_relay.server import serve


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Library]:
    home = Home(tmp_path / "desk", device_name="desk")
    with Library.create(tmp_path / "Desk.bifolio", home=home) as library:
        library.add({"title": "On Paper", "citation-key": "paper"})
        yield library


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    folder = tmp_path / "relay"
    folder.mkdir()
    with RelayProcess(folder) as process:
        yield process


@asynccontextmanager
async def relay_in_this_loop(data: Path) -> AsyncIterator[str]:
    """A relay that answers only while this loop runs; its address."""
    url, stop = asyncio.get_running_loop().create_future(), asyncio.Event()
    task = asyncio.create_task(serve(Config(data=data, port=0), url.set_result, stop=stop))
    try:
        yield await url
    finally:
        stop.set()
        await task


def a_file(folder: Path) -> Path:
    path = folder / "paper.pdf"
    path.write_bytes(b"content" * 1000)
    return path


def test_everything_that_needs_the_relay_has_a_coroutine_that_leaves_the_loop_free(
    desk: Library, tmp_path: Path
) -> None:
    """The relay runs in the same loop: whatever blocked it would wait for ever."""

    async def main() -> None:
        laptop_home = Home(tmp_path / "laptop", device_name="laptop")
        phone_home = Home(tmp_path / "phone", device_name="phone")
        desk.files.add("paper", [a_file(tmp_path)])
        async with relay_in_this_loop(tmp_path / "relay") as url:
            attached = await desk.attach_async(url)
            assert attached.backup is not None
            assert attached.backup.is_file()
            laptop = await Library.attach_new_async(
                attached.ticket, tmp_path / "Laptop.bifolio", home=laptop_home, files=Policy.NONE
            )
            with laptop:
                assert laptop.show("paper").fields["title"] == "On Paper"
                laptop.add({"title": "On Ink"})
                assert (await laptop.sync_async()).pushed == 1
                assert (await desk.sync_async()).pulled >= 1
                assert desk.status().state == laptop.status().state
                assert laptop.files.find("paper", "paper.pdf").state is FileState.ON_RELAY
                fetched = await laptop.files.fetch_async("paper", "paper.pdf")
                assert fetched.state is FileState.HERE
            with Library.create(tmp_path / "Phone.bifolio", home=phone_home) as phone:
                phone.add({"title": "Of the phone"})
                joined = await phone.join_async(await desk.invite_async())
                assert joined.backup is not None
                assert joined.references == 3

    asyncio.run(asyncio.wait_for(main(), 60))


def test_the_blocking_names_work_inside_a_loop_and_use_one_opening(
    desk: Library, relay: RelayProcess, tmp_path: Path
) -> None:
    laptop_home = Home(tmp_path / "laptop", device_name="laptop")

    async def main() -> None:
        ticket = desk.attach(relay.url).ticket
        with Library.attach_new(
            ticket, tmp_path / "Laptop.bifolio", home=laptop_home, files=Policy.NONE
        ) as laptop:
            desk.files.add("paper", [a_file(tmp_path)])
            for number in range(8):
                desk.add({"title": f"Title {number}"})
            assert desk.sync().pushed == 9
            assert laptop.sync().pulled == 9
            assert laptop.files.fetch("paper", "paper.pdf").state is FileState.HERE
            laptop.add({"title": "On Ink"})
            assert laptop.sync().state == desk.sync().state
            assert desk.invite() != ticket
            with Library.open(desk.path, home=Home(tmp_path / "desk"), sync=True) as again:
                assert again.notices == []

    asyncio.run(main())
    gc.collect()  # what a thread's loop made is let go of in this one


def test_an_error_in_the_helping_thread_is_raised_to_the_caller(desk: Library) -> None:
    async def main() -> None:
        with pytest.raises(RelayUnreachableError, match="nothing listens"):
            desk.attach("ws://127.0.0.1:9")

    asyncio.run(main())
    assert desk.status().relay is None


def test_a_cancelled_attach_leaves_the_library_as_it_was(desk: Library, tmp_path: Path) -> None:
    async def main() -> None:
        async with relay_in_this_loop(tmp_path / "relay") as url:
            begun = asyncio.Event()
            loop = asyncio.get_running_loop()

            def tell(*_: object) -> None:
                loop.call_soon_threadsafe(begun.set)
                time.sleep(0.05)

            attaching = asyncio.create_task(desk.attach_async(url, progress=tell))
            await begun.wait()
            attaching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attaching

    asyncio.run(main())
    assert desk.status().relay is None
    assert list((tmp_path / "desk" / "backups").glob("*")) == []


def test_a_watch_sends_what_the_same_opening_changes(desk: Library, relay: RelayProcess) -> None:
    async def main() -> int:
        async with aclosing(desk.watch()) as reports:
            await anext(reports)
            desk.add({"title": "On Ink"})
            return (await anext(reports)).pushed

    desk.attach(relay.url, backup=False)
    assert asyncio.run(asyncio.wait_for(main(), 30)) == 1
