"""What every store of blobs must do; it is the stores of logs that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.test_log_storage import EPOCH, STORES
from tests.support.relay_client import SharedLibrary

from bifolio import limits
from bifolio.crypto.blob import SEAL_BYTES, sealed_chunk_length, sealed_size
from bifolio.wire.chain import blobs_next, blobs_start
from bifolio.wire.messages import BlobState, BlobTally, Code
from bifolio_relay.storage import BlobStorage, LogStorage, Refused

ONE, TWO = b"1" * 32, b"2" * 32
SIZE = sealed_size(2 * limits.CHUNK_BYTES + 5)


class Bench:
    """A store that can be closed and opened again, with one library in it."""

    def __init__(self, opening: Callable[[Path], LogStorage], folder: Path) -> None:
        self._opening, self._folder = opening, folder
        self.store = opening(folder)
        library = SharedLibrary(1)
        self.library = library.id
        assert self.store.create_library(
            library.id, epoch=EPOCH, genesis=library.genesis, head=library.membership.head
        )

    @property
    def blobs(self) -> BlobStorage:
        return self.store.blobs

    def reopen(self) -> None:
        self.store.close()
        self.store = self._opening(self._folder)

    def put(
        self,
        number: int,
        *,
        blob: bytes = ONE,
        size: int = SIZE,
        sealed: bytes | None = None,
        room: int = 1 << 40,
        library: bytes | None = None,
    ) -> BlobState | Refused:
        if sealed is None:
            sealed = chunk(number, size)
        return self.blobs.store_chunk(
            self.library if library is None else library,
            blob,
            size_bytes=size,
            number=number,
            sealed=sealed,
            library_bytes_max=room,
        )

    def state(self, blob: bytes = ONE) -> BlobState:
        (state,) = self.blobs.states(self.library, [blob])
        return state


def chunk(number: int, size: int = SIZE) -> bytes:
    return bytes([number + 1]) * sealed_chunk_length(size, number)


def code_of(outcome: BlobState | Refused) -> Code:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


@pytest.fixture(params=list(STORES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(STORES[request.param], tmp_path)
    yield made
    made.store.close()


def test_what_is_not_held_is_nothing(bench: Bench) -> None:
    unknown = b"u" * 16
    assert bench.state() == BlobState(ONE, 0, 0, False)
    assert bench.blobs.read_chunk(bench.library, ONE, 0) is None
    assert bench.blobs.states(unknown, [ONE]) == (BlobState(ONE, 0, 0, False),)
    assert (bench.blobs.drops(unknown), bench.blobs.size_bytes(unknown)) == (0, 0)
    assert bench.blobs.drop(unknown, [ONE]) == 0
    assert code_of(bench.put(0, library=unknown)) is Code.UNKNOWN_LIBRARY


def test_chunks_are_held_from_the_first_on_and_after_reopening(bench: Bench) -> None:
    for number, whole in ((0, False), (1, False), (2, True)):
        assert bench.put(number) == BlobState(ONE, SIZE, number + 1, whole)
        bench.reopen()
        assert bench.state() == BlobState(ONE, SIZE, number + 1, whole)
    read = [bench.blobs.read_chunk(bench.library, ONE, number) for number in range(4)]
    assert read == [chunk(0), chunk(1), chunk(2), None]
    assert bench.blobs.size_bytes(bench.library) == SIZE


def test_a_chunk_again_or_too_early_changes_nothing(bench: Bench) -> None:
    assert bench.put(1) == BlobState(ONE, 0, 0, False)
    bench.put(0)
    again = bench.put(0, sealed=bytes(sealed_chunk_length(SIZE, 0)))
    assert again == BlobState(ONE, SIZE, 1, False)
    assert bench.put(2) == BlobState(ONE, SIZE, 1, False)
    assert bench.blobs.read_chunk(bench.library, ONE, 0) == chunk(0)
    assert bench.blobs.size_bytes(bench.library) == SIZE


def test_an_empty_content_is_one_chunk_of_the_seal_alone(bench: Bench) -> None:
    assert bench.put(0, size=SEAL_BYTES) == BlobState(ONE, SEAL_BYTES, 1, True)
    assert bench.blobs.read_chunk(bench.library, ONE, 0) == chunk(0, SEAL_BYTES)


def test_chunks_and_sizes_that_do_not_fit_are_invalid(bench: Bench) -> None:
    assert code_of(bench.put(0, sealed=b"short")) is Code.INVALID
    assert code_of(bench.put(3, sealed=b"x")) is Code.INVALID
    assert code_of(bench.put(0, size=SEAL_BYTES - 1, sealed=b"x")) is Code.INVALID
    bench.put(0)
    other = sealed_size(limits.CHUNK_BYTES + 1)
    assert code_of(bench.put(1, size=other)) is Code.INVALID
    assert bench.state() == BlobState(ONE, SIZE, 1, False)


def test_a_blob_has_room_as_a_whole_or_none(bench: Bench) -> None:
    assert code_of(bench.put(0, room=SIZE - 1)) is Code.QUOTA
    assert bench.blobs.size_bytes(bench.library) == 0
    bench.put(0, room=SIZE)
    assert code_of(bench.put(0, blob=TWO, size=SEAL_BYTES, room=SIZE)) is Code.QUOTA
    assert bench.put(1, room=SIZE) == BlobState(ONE, SIZE, 2, False)
    bench.blobs.drop(bench.library, [ONE])
    assert bench.put(0, blob=TWO, size=SEAL_BYTES, room=SIZE) == BlobState(TWO, SEAL_BYTES, 1, True)


def test_dropping_counts_once_for_each_time_that_anything_was_held(bench: Bench) -> None:
    assert bench.blobs.drop(bench.library, [ONE]) == 0
    bench.put(0)
    bench.put(0, blob=TWO, size=SEAL_BYTES)
    assert bench.blobs.drop(bench.library, [ONE, TWO]) == 1
    bench.reopen()
    assert bench.blobs.drops(bench.library) == 1
    assert bench.state() == BlobState(ONE, 0, 0, False)
    assert bench.blobs.read_chunk(bench.library, ONE, 0) is None
    assert bench.blobs.size_bytes(bench.library) == 0
    assert bench.put(0) == BlobState(ONE, SIZE, 1, False)


def test_a_tally_counts_what_is_completed_or_dropped_and_its_hash_tells_which(
    bench: Bench,
) -> None:
    assert bench.blobs.tally(bench.library) is None
    bench.put(0)
    bench.put(0, blob=TWO, size=SEAL_BYTES)
    bench.put(1)
    bench.put(2)
    bench.put(2)
    bench.blobs.drop(bench.library, [TWO])
    bench.blobs.drop(bench.library, [TWO])
    bench.reopen()
    hashes = [blobs_start(bench.library, EPOCH)]
    for blob, held in ((TWO, True), (ONE, True), (TWO, False)):
        hashes.append(blobs_next(hashes[-1], blob, held=held))
    assert bench.blobs.tally(bench.library) == BlobTally(3, hashes[3])
    told = [bench.blobs.tally_hash(bench.library, n) for n in range(5)]
    assert told == [None, *hashes[1:], None]
    assert bench.blobs.tally_hash(b"u" * 16, 1) is None
    assert bench.blobs.tally(b"u" * 16) is None


def test_blobs_of_one_library_are_not_another_ones(bench: Bench) -> None:
    other = SharedLibrary(2)
    bench.store.create_library(
        other.id, epoch=EPOCH, genesis=other.genesis, head=other.membership.head
    )
    bench.put(0, size=SEAL_BYTES)
    assert bench.blobs.states(other.id, [ONE]) == (BlobState(ONE, 0, 0, False),)
    assert bench.blobs.read_chunk(other.id, ONE, 0) is None
