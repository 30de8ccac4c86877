"""Who waits for growth is told how far a library has come, once."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from tests.support.relay_client import SharedLibrary

from bifolio.errors import RelayStorageError
from bifolio_relay.storage import Growth
from bifolio_relay.storage.sqlite import SqliteLogStorage
from bifolio_relay.storage.sqlite_file import FILE_NAME
from bifolio_relay.storage.watchers import Watchers

ONE, TWO = b"1" * 16, b"2" * 16


def test_growths_that_nobody_asked_about_yet_come_as_one() -> None:
    async def scenario() -> None:
        watchers = Watchers()
        watcher = watchers.add(ONE)
        watchers.report({ONE: Growth(n=3), TWO: Growth(n=9)})
        watchers.report({ONE: Growth(n=2, members=4)})
        assert await watcher.wait() == Growth(3, 4, 0)
        watchers.report({ONE: Growth(n=3)})  # known already
        waiting = asyncio.create_task(watcher.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        watchers.report({ONE: Growth(blobs=1)})
        assert await waiting == Growth(3, 4, 1)

    asyncio.run(scenario())


def test_who_waits_no_longer_is_forgotten() -> None:
    async def scenario() -> None:
        watchers = Watchers()
        first, second = watchers.add(ONE), watchers.add(ONE)
        watchers.remove(ONE, first)
        assert list(watchers.libraries) == [ONE]
        watchers.remove(ONE, second)
        assert not list(watchers.libraries)

    asyncio.run(scenario())


def test_a_store_that_fails_tells_all_who_wait() -> None:
    async def scenario() -> None:
        watchers = Watchers()
        waiting = [watchers.add(library) for library in (ONE, TWO)]
        watchers.fail(RelayStorageError(Path("relay"), reason="gone", next_step=""))
        for watcher in waiting:
            with pytest.raises(RelayStorageError):
                await watcher.wait()

    asyncio.run(scenario())


def test_a_write_whose_caller_was_cancelled_is_seen_by_who_watches(tmp_path: Path) -> None:
    async def scenario() -> None:
        storage, library = SqliteLogStorage(tmp_path), SharedLibrary()
        growths = storage.watch(library.id)
        assert await anext(growths) == Growth()
        busy = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
        busy.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(
            storage.create_library(
                library.id, epoch=b"e" * 16, genesis=library.genesis, head=b"h" * 32
            )
        )
        await asyncio.sleep(0.1)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        busy.rollback()
        async with asyncio.timeout(10):
            assert await anext(growths) == Growth(members=1)
        await growths.aclose()
        busy.close()
        await storage.close()

    asyncio.run(scenario())
