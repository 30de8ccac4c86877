"""What every store of blobs must do; it is the stores of logs that hold them.

With two on the same data, the first is written to and the second is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_log_storage import EPOCH, STORES
from tests.support.in_loop import InLoop
from tests.support.relay_client import SharedLibrary

from bifolio import limits
from bifolio.crypto.blob import SEAL_BYTES, sealed_chunk_length, sealed_size
from bifolio.wire.log_chain import blobs_next, blobs_start
from bifolio.wire.messages import BlobState, BlobTally
from bifolio_relay.quotas import blob_cost
from bifolio_relay.storage import BlobView, LogStorage, Stop, StoredChunk, UploadLease

ONE, TWO = b"1" * 32, b"2" * 32
DESK, LAPTOP = b"d" * 32, b"l" * 32
SIZE = sealed_size(2 * limits.CHUNK_BYTES + 5)


class Bench:
    """Stores that can be closed and opened again, with one library in them."""

    def __init__(self, opening: Callable[[Path], LogStorage], folder: Path, count: int) -> None:
        self._opening, self._folder, self._count = opening, folder, count
        self._runner = asyncio.Runner()
        self._open()
        library = SharedLibrary(1)
        self.library = library.id
        assert self.store.create_library(
            library.id, epoch=EPOCH, genesis=library.genesis, head=library.membership.head
        )

    def _open(self) -> None:
        self.instances = [self._opening(self._folder) for _ in range(self._count)]
        self.store: Any = InLoop(self._runner, *self.instances)
        #: Which is written to, and which is asked.
        self.blobs: Any = InLoop(self._runner, self.instances[0].blobs)
        self.others: Any = InLoop(self._runner, self.instances[-1].blobs)

    def close(self) -> None:
        for instance in self.instances:
            self._runner.run(instance.close())
        self._runner.close()

    def reopen(self) -> None:
        for instance in self.instances:
            self._runner.run(instance.close())
        self._open()

    def put(
        self,
        number: int,
        *,
        blob: bytes = ONE,
        size: int = SIZE,
        sealed: bytes | None = None,
        library: bytes | None = None,
        device: bytes = DESK,
        now_ms: int = 0,
        through: Any = None,
    ) -> BlobState | Stop:
        stored = (through or self.blobs).store_chunk(
            self.library if library is None else library,
            blob,
            size_bytes=size,
            number=number,
            sealed=chunk(number, size) if sealed is None else sealed,
            lease=UploadLease(device, now_ms, now_ms + 1000),
        )
        if isinstance(stored, Stop):
            return stored
        assert isinstance(stored, BlobView)
        (state,) = stored.states
        return state

    def look(self, blob: bytes = ONE, *, now_ms: int = 0) -> BlobView:
        """What others see when the device that sends has ended its connection."""
        if self._count > 1:
            self.blobs.release_uploads(self.library, DESK)
        view = self.others.look(self.library, [blob], now_ms=now_ms)
        assert isinstance(view, BlobView)
        return view

    def state(self, blob: bytes = ONE) -> BlobState:
        return self.look(blob).states[0]

    def read(self, number: int, blob: bytes = ONE) -> bytes | None:
        found = self.others.read_chunk(self.library, blob, number)
        assert found is None or isinstance(found, StoredChunk)
        return None if found is None else found.sealed

    def drop(self, *blobs: bytes) -> int:
        view = self.others.drop(self.library, blobs, now_ms=0)
        assert isinstance(view, BlobView)
        return view.drops


def noted(bench: Bench) -> int:
    """What it costs to note that blobs were completed or dropped."""
    tally = bench.look().tally
    return 0 if tally is None else tally.n * limits.RELAY_TALLY_BYTES


def chunk(number: int, size: int = SIZE) -> bytes:
    return bytes([number + 1]) * sealed_chunk_length(size, number)


@pytest.fixture(params=[(name, count) for name in STORES for count in (1, 2)], ids=str)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    name, count = request.param
    made = Bench(STORES[name], tmp_path, count)
    yield made
    made.close()


def test_what_is_not_held_is_nothing(bench: Bench) -> None:
    unknown = b"u" * 16
    nothing = BlobState(ONE, 0, 0, False)
    assert bench.look() == BlobView((nothing,), (None,), 0, 0, None)
    assert bench.read(0) is None
    assert bench.others.look(unknown, [ONE], now_ms=0) == BlobView((nothing,), (None,), 0, 0, None)
    assert bench.others.drop(unknown, [ONE], now_ms=0).drops == 0
    assert bench.put(0, library=unknown) is Stop.MOVED


def test_chunks_are_held_from_the_first_on_and_after_reopening(bench: Bench) -> None:
    for number, whole in ((0, False), (1, False), (2, True)):
        assert bench.put(number) == BlobState(ONE, SIZE, number + 1, whole)
        bench.reopen()
        assert bench.state() == BlobState(ONE, SIZE, number + 1, whole)
    assert [bench.read(number) for number in range(4)] == [chunk(0), chunk(1), chunk(2), None]
    assert bench.look().cost_bytes == blob_cost(SIZE) + noted(bench)


def test_a_chunk_that_is_not_the_next_changes_nothing(bench: Bench) -> None:
    assert bench.put(1) is Stop.MOVED
    bench.put(0)
    assert bench.put(0, sealed=bytes(sealed_chunk_length(SIZE, 0))) is Stop.MOVED
    assert bench.put(2) is Stop.MOVED
    other = sealed_size(limits.CHUNK_BYTES + 1)
    assert bench.put(1, size=other) is Stop.MOVED
    assert bench.state() == BlobState(ONE, SIZE, 1, False)
    assert bench.read(0) == chunk(0)
    assert bench.look().cost_bytes == blob_cost(SIZE) + noted(bench)


def test_an_empty_content_is_one_chunk_of_the_seal_alone(bench: Bench) -> None:
    assert bench.put(0, size=SEAL_BYTES) == BlobState(ONE, SEAL_BYTES, 1, True)
    assert bench.read(0) == chunk(0, SEAL_BYTES)


def test_a_blob_comes_from_one_device_until_it_is_whole_or_the_lease_has_ended(
    bench: Bench,
) -> None:
    bench.put(0)
    view = bench.others.look(bench.library, [ONE], now_ms=999)
    assert view.senders == (DESK,)
    assert bench.put(1, device=LAPTOP, now_ms=999, through=bench.others) is Stop.MOVED
    assert bench.others.look(bench.library, [ONE], now_ms=1000).senders == (None,)
    state = bench.put(1, device=LAPTOP, now_ms=1000, through=bench.others)
    assert state == BlobState(ONE, SIZE, 2, False)
    assert bench.put(2, device=DESK, now_ms=1001) is Stop.MOVED
    assert bench.put(2, device=LAPTOP, now_ms=1001, through=bench.others) == BlobState(
        ONE, SIZE, 3, True
    )
    assert bench.look(now_ms=1001).senders == (None,)


def test_a_lease_lasts_as_long_as_chunks_come(bench: Bench) -> None:
    size = sealed_size(6 * limits.CHUNK_BYTES)
    for number in range(5):
        assert isinstance(bench.put(number, size=size, now_ms=number * 600), BlobState)
    view = bench.others.look(bench.library, [ONE], now_ms=2400 + 400)
    assert view.senders == (DESK,)


def test_others_go_on_where_a_device_stopped_that_sends_no_more(bench: Bench) -> None:
    bench.put(0)
    bench.put(1)
    bench.blobs.release_uploads(bench.library, DESK)
    assert bench.others.look(bench.library, [ONE], now_ms=1).senders == (None,)
    assert bench.put(2, device=LAPTOP, now_ms=1, through=bench.others) == BlobState(
        ONE, SIZE, 3, True
    )
    assert [bench.read(number) for number in range(3)] == [chunk(0), chunk(1), chunk(2)]


def test_what_one_had_not_saved_does_not_count_when_another_went_on(bench: Bench) -> None:
    size = sealed_size(limits.CHUNKS_PER_SAVE * limits.CHUNK_BYTES)
    bench.put(0, size=size)
    bench.put(1, size=size)
    held = bench.others.look(bench.library, [ONE], now_ms=1000).states[0].held
    for number in range(held, limits.CHUNKS_PER_SAVE):
        bench.put(number, size=size, device=LAPTOP, now_ms=1000, through=bench.others)
    bench.blobs.release_uploads(bench.library, DESK)
    for blobs in (bench.blobs, bench.others):
        (state,) = blobs.look(bench.library, [ONE], now_ms=1000).states
        assert state == BlobState(ONE, size, limits.CHUNKS_PER_SAVE, True)
    assert bench.look().cost_bytes == blob_cost(size) + noted(bench)


def test_dropping_counts_once_for_each_time_that_anything_was_held(bench: Bench) -> None:
    assert bench.drop(ONE) == 0
    bench.put(0)
    bench.put(0, blob=TWO, size=SEAL_BYTES)
    assert bench.drop(ONE, TWO) == 1
    bench.reopen()
    assert bench.look().drops == 1
    assert bench.state() == BlobState(ONE, 0, 0, False)
    assert bench.read(0) is None
    assert bench.look().cost_bytes == noted(bench) > 0
    assert bench.put(0) == BlobState(ONE, SIZE, 1, False)


def test_a_tally_counts_what_is_completed_or_dropped_and_its_hash_tells_which(
    bench: Bench,
) -> None:
    assert bench.look().tally is None
    bench.put(0)
    bench.put(0, blob=TWO, size=SEAL_BYTES)
    bench.put(1)
    bench.put(2)
    bench.put(2)
    bench.drop(TWO)
    bench.drop(TWO)
    bench.reopen()
    hashes = [blobs_start(bench.library, EPOCH)]
    for blob, held in ((TWO, True), (ONE, True), (TWO, False)):
        hashes.append(blobs_next(hashes[-1], blob, held=held))
    assert bench.look().tally == BlobTally(3, hashes[3])
    told = [bench.others.read_tally_hash(bench.library, n) for n in range(5)]
    assert told == [None, *hashes[1:], None]
    assert bench.others.read_tally_hash(b"u" * 16, 1) is None


def test_blobs_of_one_library_are_not_another_ones(bench: Bench) -> None:
    other = SharedLibrary(2)
    bench.store.create_library(
        other.id, epoch=EPOCH, genesis=other.genesis, head=other.membership.head
    )
    bench.put(0, size=SEAL_BYTES)
    view = bench.others.look(other.id, [ONE], now_ms=0)
    assert view.states == (BlobState(ONE, 0, 0, False),)
    assert bench.others.read_chunk(other.id, ONE, 0) is None
