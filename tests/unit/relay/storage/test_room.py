"""A relay's disk that fills up: files leave room for the logs, and give way to them."""

from __future__ import annotations

import asyncio
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.in_loop import InLoop
from tests.support.relay_client import SharedLibrary

from bifolio import limits
from bifolio.crypto.blob import sealed_chunk_length, sealed_size
from bifolio.errors import RelayFullError
from bifolio_relay.storage import Batch, BatchResult, BlobView, Room, Stop, UploadLease
from bifolio_relay.storage.sqlite import SqliteLogStorage

Usage = namedtuple("Usage", "total used free")

ONE = b"1" * 32
SIZE = sealed_size(3 * limits.CHUNK_BYTES)


class Bench:
    """A store with one library, on a disk of which the test says what is free."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.storage = SqliteLogStorage(folder)
        self.store: Any = InLoop(self.runner, self.storage)
        self.blobs: Any = InLoop(self.runner, self.storage.blobs)
        self.library = SharedLibrary()
        self.author = self.library.author(self.library.owner)
        self.free_bytes = 1 << 40
        assert self.store.create_library(
            self.library.id,
            epoch=b"e" * 16,
            genesis=self.library.genesis,
            head=self.library.membership.head,
        )

    def put(self, number: int) -> Stop | None:
        """Send a chunk of the file; None where it is held."""
        stored = self.blobs.store_chunk(
            self.library.id,
            ONE,
            size_bytes=SIZE,
            number=number,
            sealed=bytes(sealed_chunk_length(SIZE, number)),
            lease=UploadLease(b"d" * 32, 0, 1000),
        )
        return None if isinstance(stored, BlobView) else stored

    @property
    def held(self) -> int:
        view: BlobView = self.blobs.look(self.library.id, [ONE], now_ms=0)
        return view.states[0].held

    def write(self, text: bytes = b"x") -> BatchResult:
        """Append a change to the log."""
        envelope = self.author.envelope(text)
        heads = self.store.read_heads(self.library.id, [envelope.header.author_chain])
        batch = Batch(self.library.id, heads.library.members_head, heads.chains, (envelope,))
        (result,) = self.store.append([batch])
        assert isinstance(result, BatchResult)
        return result


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, bench.free_bytes))
    yield bench
    bench.runner.run(bench.storage.close())
    bench.runner.close()


def test_a_file_larger_than_the_free_disk_does_not_stop_the_log(bench: Bench) -> None:
    reserve = bench.store.room().reserve_bytes
    assert reserve == limits.RELAY_RESERVE_BYTES
    bench.free_bytes = reserve + limits.SEALED_CHUNK_BYTES_MAX
    assert bench.put(0) is None
    bench.free_bytes = reserve
    assert bench.put(1) is Stop.FULL
    assert bench.held == 1
    assert bench.write().positions == (1,)
    assert bench.store.room() == Room(reserve, reserve)
    assert not bench.store.room().has_for_files
    assert bench.store.room().has_for_logs
    bench.free_bytes = 1 << 40
    assert [bench.put(number) for number in (1, 2)] == [None, None]


def test_of_a_small_disk_only_a_part_is_reserved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = limits.RELAY_RESERVE_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(total, 0, total))
    assert bench.store.room() == Room(total, total // limits.RELAY_RESERVE_PART)


@pytest.mark.parametrize("frees", [True, False])
def test_on_a_full_disk_unfinished_files_give_way_to_the_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, frees: bool
) -> None:
    assert bench.put(0) is None
    connection = bench.storage._file.connection
    folder = bench.storage._blobs.folder
    drop_unfinished = folder.drop_unfinished

    def dropped() -> int:
        if frees:
            connection.execute("PRAGMA max_page_count = 1000000")
        return drop_unfinished()

    monkeypatch.setattr(folder, "drop_unfinished", dropped)
    # SQLite says then what it says of a full disk: it takes no page more than it has.
    bench.runner.run(bench.storage._work.run(connection.execute, "PRAGMA max_page_count = 1"))
    content = bench.library.random(1 << 20)
    if frees:
        assert bench.write(content).positions == (1,)
    else:
        with pytest.raises(RelayFullError):
            bench.write(content)
    assert bench.held == 0
