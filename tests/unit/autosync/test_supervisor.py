"""The process of automatic sync, with a real relay: what one library does never stops another."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.deadlines import until
from tests.support.relay_process import RelayProcess

from bifolio import Library, limits
from bifolio.autosync import control, log
from bifolio.autosync import state as states
from bifolio.autosync.lock import process_lock
from bifolio.autosync.registry import LOCK, LOG, Registry
from bifolio.autosync.state import LibraryState
from bifolio.autosync.supervisor import Supervisor, run
from bifolio.errors import Next, next_step
from bifolio.home import Home
from bifolio.results import Link


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(tmp_path_factory.mktemp("relay")) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", device_name="office")


def attached(home: Home, path: Path, relay: RelayProcess) -> Path:
    with Library.create(path, home=home) as library:
        library.add({"title": "On Sync", "citation-key": "sync"})
        library.attach(relay.url, backup=False)
    return path


@contextmanager
def running(home: Home) -> Iterator[None]:
    """The process, in a thread of the test."""
    stopping = threading.Event()
    thread = threading.Thread(target=run, args=(home, stopping))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()


def link(home: Home, path: Path) -> Link | None:
    found = states.read(Registry(home), path)
    return found.link if found else None


def until_link(home: Home, path: Path, wanted: Link) -> LibraryState:
    def look() -> bool:
        return link(home, path) is wanted

    until(look, what=f"{path.name} is {wanted}")
    found = states.read(Registry(home), path)
    assert found is not None
    return found


def unsent(home: Home, path: Path) -> int:
    with Library.open(path, home=home) as library:
        return library.status().unsent


def test_libraries_that_fail_in_every_way_do_not_stop_the_one_that_works(
    home: Home, tmp_path: Path, relay: RelayProcess
) -> None:
    well = attached(home, tmp_path / "Well.bifolio", relay)
    faulty = attached(home, tmp_path / "Faulty.bifolio", relay)
    damaged = attached(home, tmp_path / "Damaged.bifolio", relay)
    gone = attached(home, tmp_path / "Gone.bifolio", relay)
    with sqlite3.connect(faulty / "library.sqlite") as file:
        # Bytes that no message pack begins with: not foreseen, so a fault of our own.
        file.execute("UPDATE meta SET value = x'c1' WHERE key = 'cursor'")
    file.close()
    (damaged / "library.sqlite").write_bytes(b"no SQLite file" * 100)
    gone.rename(tmp_path / "Moved.bifolio")
    registry = Registry(home)
    for path in (faulty, damaged, gone, well):
        registry.add(path)
    with running(home):
        connected = until_link(home, well, Link.CONNECTED)
        assert connected.connected_since
        assert "has a fault" in until_link(home, faulty, Link.TROUBLED).reason
        assert "damaged" in until_link(home, damaged, Link.TROUBLED).reason
        missing = until_link(home, gone, Link.TROUBLED)
        assert "nothing is there any more" in missing.reason
        assert missing.next == next_step(Next.PUT_LIBRARY_BACK, path=str(gone))

        with Library.open(well, home=home) as library:
            library.edit("sync", [])
            library.add({"title": "Made meanwhile"})
        until(lambda: unsent(home, well) == 0, what="the edit is sent")

        (tmp_path / "Moved.bifolio").rename(gone)
        until_link(home, gone, Link.CONNECTED)
    said = (registry.folder / LOG).read_text()
    assert "fault" in said
    for secret in ("Well", "Faulty", "Sync", "office", str(tmp_path), relay.url):
        assert secret not in said


def test_a_library_that_is_replaced_while_it_is_open_is_opened_anew(
    home: Home, tmp_path: Path, relay: RelayProcess
) -> None:
    """PITFALLS 3: an open file that was moved away can be written to, and nobody would see it."""
    path = attached(home, tmp_path / "Work.bifolio", relay)
    Registry(home).add(path)
    with running(home):
        until_link(home, path, Link.CONNECTED)
        path.rename(tmp_path / "Elsewhere.bifolio")
        until_link(home, path, Link.TROUBLED)
        other = attached(home, tmp_path / "Other.bifolio", relay)
        other.rename(path)
        state = until_link(home, path, Link.CONNECTED)
        with Library.open(path, home=home) as library:
            assert state.library == library.id
            library.add({"title": "In the other one"})
        until(lambda: unsent(home, path) == 0, what="the edit is sent")


def test_a_library_that_another_program_holds_is_waited_for_by_itself_alone(
    home: Home, tmp_path: Path, relay: RelayProcess
) -> None:
    held = attached(home, tmp_path / "Held.bifolio", relay)
    free = attached(home, tmp_path / "Free.bifolio", relay)
    for path in (held, free):
        Registry(home).add(path)
    holder = sqlite3.connect(held / "library.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with running(home):
        until_link(home, free, Link.CONNECTED)
        with Library.open(free, home=home) as library:
            library.add({"title": "Made meanwhile"})
        until(lambda: unsent(home, free) == 0, what="the edit of the free one is sent")
        holder.execute("ROLLBACK")
        holder.close()
        until_link(home, held, Link.CONNECTED)


def test_the_process_ends_by_itself_with_the_last_library(
    home: Home, tmp_path: Path, relay: RelayProcess
) -> None:
    path = attached(home, tmp_path / "Work.bifolio", relay)
    thread = threading.Thread(target=run, args=(home, threading.Event()))
    control.turn_on(home, path, thread.start)
    assert control.status(home).running
    assert not run(home, threading.Event()), "a second one ends at once"
    assert control.turn_off(home, path)
    assert control.await_end(home)
    thread.join(20)
    assert not control.turn_off(home, path)
    assert states.read(Registry(home), path) is None


def test_a_second_process_ends_at_once(home: Home) -> None:
    registry = Registry(home)
    with process_lock(registry.folder / LOCK) as mine:
        assert mine
        assert not run(home, threading.Event())


def test_a_library_that_goes_to_another_relay_is_followed_there(
    home: Home, tmp_path: Path, relay: RelayProcess
) -> None:
    path = attached(home, tmp_path / "Work.bifolio", relay)
    Registry(home).add(path)
    with RelayProcess(tmp_path) as other, running(home):
        until_link(home, path, Link.CONNECTED)
        with Library.open(path, home=home) as library:
            ticket = library.attach(other.url, backup=False).ticket
            library.add({"title": "For the other relay", "citation-key": "other"})
        until(lambda: unsent(home, path) == 0, what="the edit is sent")
        laptop = Home(tmp_path / "laptop", device_name="laptop")
        with Library.attach_new(ticket, tmp_path / "Laptop.bifolio", home=laptop) as there:
            assert there.show("other").fields["title"] == "For the other relay"
            there.add({"title": "From there", "citation-key": "from"})
            there.sync()

        def arrived() -> bool:
            with Library.open(path, home=home) as library:
                return any(one.key == "from" for one in library.list())

        until(arrived, what="an edit comes from the other relay")


def test_after_a_sleep_the_connections_are_made_anew(
    home: Home, tmp_path: Path, relay: RelayProcess
) -> None:
    path = attached(home, tmp_path / "Work.bifolio", relay)
    registry = Registry(home)
    registry.add(path)
    slept_s = [0.0]
    logger = log.open_log(registry.folder / LOG)
    process = Supervisor(
        registry,
        logger,
        threading.Event(),
        wall_s=lambda: 1_700_000_000.0 + slept_s[0],
        monotonic_s=lambda: 1000.0,
    )
    try:
        until(lambda: process.step() and link(home, path) is Link.CONNECTED, what="connected")
        states.forget(registry, path)
        slept_s[0] = 3600.0
        until(lambda: process.step() and link(home, path) is Link.CONNECTED, what="again")
    finally:
        process.end()
        for handler in logger.handlers:
            handler.close()


def test_the_log_is_bounded(tmp_path: Path) -> None:
    logger = log.open_log(tmp_path / "log.txt")
    for _ in range(limits.AUTOSYNC_LOG_BYTES_MAX // 400):
        logger.info("library 12345678: connected" + " and so on" * 90)
    for handler in logger.handlers:
        handler.close()
    files = list(tmp_path.iterdir())
    assert len(files) == 2
    assert all(file.stat().st_size <= limits.AUTOSYNC_LOG_BYTES_MAX for file in files)


def test_a_nudged_watch_sends_at_once_and_an_unneeded_nudge_sends_nothing(
    home: Home, tmp_path: Path, relay: RelayProcess
) -> None:
    path = attached(home, tmp_path / "Work.bifolio", relay)

    async def watch() -> list[int]:
        nudge = asyncio.Event()
        pushed = []
        with Library.open(path, home=home) as watching, Library.open(path, home=home) as other:
            rounds = watching.watch(nudge=nudge)
            pushed.append((await anext(rounds)).pushed)
            nudge.set()
            other.add({"title": "One more"})
            nudge.set()
            pushed.append((await anext(rounds)).pushed)
            await rounds.aclose()
        return pushed

    assert asyncio.run(asyncio.wait_for(watch(), 20)) == [0, 1]
