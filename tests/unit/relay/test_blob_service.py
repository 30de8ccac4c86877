"""Who may do what with a library's files: the relay's rules over a real store."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.in_loop import InLoop
from tests.support.relay_client import SharedLibrary, seeded

from bifolio import limits
from bifolio.crypto.blob import SEAL_BYTES, sealed_chunk_length, sealed_size
from bifolio.crypto.keys import new_device_keys
from bifolio.crypto.membership import Role
from bifolio.ids import content_hash
from bifolio.wire.messages import BlobState, Code
from bifolio_relay.log_service import LogService
from bifolio_relay.quotas import Quotas
from bifolio_relay.requests import (
    AppendMember,
    BlobStates,
    ChunkPart,
    CreateLibrary,
    DropBlobs,
    LookForBlobs,
    MembersPart,
    OpenLibrary,
    ReadChunk,
    Rejected,
    StoreChunk,
)
from bifolio_relay.storage.sqlite import SqliteLogStorage

ONE = b"1" * 32
SIZE = sealed_size(limits.CHUNK_BYTES + 5)
ROOM = 100 * SIZE
LEASE_MS = int(limits.RELAY_UPLOAD_LEASE_S * 1000)


class Bench:
    """A relay with one library, its owner, an editor, a reader and a stranger."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._storage = SqliteLogStorage(folder)
        self.blobs: Any = InLoop(self._runner, self._storage.blobs)
        self.now_ms = 0
        self.service: Any = InLoop(
            self._runner,
            LogService(
                self._storage,
                random_bytes=seeded(7),
                now_ms=lambda: self.now_ms,
                quotas=Quotas(file_bytes=ROOM),
            ),
        )
        self.library = SharedLibrary()
        self.owner = self.library.owner.sign_public
        self.editor = self.library.with_member(Role.EDITOR).sign_public
        self.reader = self.library.with_member(Role.READER).sign_public
        self.stranger = new_device_keys("stranger", seeded(9)).sign_public
        opening = OpenLibrary(self.library.id, self.owner, 0, None)
        self.answer(CreateLibrary(opening, self.library.genesis))
        expected = content_hash(self.library.genesis)
        for record in self.library.membership.records[1:]:
            part = self.answer(AppendMember(self.library.id, self.owner, expected, record))
            assert isinstance(part, MembersPart)
            expected = part.head

    def answer(self, question: object) -> Any:
        return self.service.answer(question)

    def close(self) -> None:
        self._runner.run(self._storage.close())
        self._runner.close()

    def put(self, number: int, *, device: bytes | None = None, size: int = SIZE) -> Any:
        sealed = bytes(sealed_chunk_length(size, number))
        return self.answer(
            StoreChunk(self.library.id, device or self.owner, ONE, size, number, sealed)
        )

    def states(self, state: BlobState, drops: int, *, news: bool = False) -> BlobStates:
        """What is answered now."""
        tally = self.blobs.look(self.library.id, [], now_ms=0).tally
        return BlobStates((state,), drops, tally, news)

    def look(self, device: bytes) -> Any:
        return self.answer(LookForBlobs(self.library.id, device, (ONE,)))

    def states_in(self, folder: Path) -> tuple[BlobState, ...]:
        """What a relay that is started on a copy of the data holds."""
        storage = SqliteLogStorage(folder)
        view = self._runner.run(storage.blobs.look(self.library.id, [ONE], now_ms=0))
        self._runner.run(storage.close())
        return view.states


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def code_of(answer: object) -> Code:
    assert isinstance(answer, Rejected), answer
    return answer.code


def test_members_ask_and_read_and_strangers_do_not(bench: Bench) -> None:
    bench.put(0)
    for device in (bench.owner, bench.reader):
        assert bench.look(device) == bench.states(BlobState(ONE, SIZE, 1, False), 0)
        part = bench.answer(ReadChunk(bench.library.id, device, ONE, 0))
        assert isinstance(part, ChunkPart)
        assert (part.size_bytes, len(part.sealed)) == (SIZE, limits.CHUNK_BYTES + SEAL_BYTES)
    assert code_of(bench.look(bench.stranger)) is Code.FORBIDDEN
    asked = ReadChunk(bench.library.id, bench.stranger, ONE, 0)
    assert code_of(bench.answer(asked)) is Code.FORBIDDEN


def test_only_who_may_write_stores_and_drops(bench: Bench) -> None:
    for device in (bench.reader, bench.stranger):
        refused = bench.put(0, device=device)
        assert isinstance(refused, Rejected)
        assert (refused.code, refused.subject) == (Code.FORBIDDEN, ONE)
        drop = DropBlobs(bench.library.id, device, (ONE,))
        assert code_of(bench.answer(drop)) is Code.FORBIDDEN
    bench.put(0)
    dropped = bench.answer(DropBlobs(bench.library.id, bench.owner, (ONE,)))
    assert dropped == bench.states(BlobState(ONE, 0, 0, False), 1, news=True)


def test_a_complete_blob_is_news_and_an_unfinished_one_is_not(bench: Bench) -> None:
    assert bench.put(0) == bench.states(BlobState(ONE, SIZE, 1, False), 0, news=False)
    assert bench.put(1) == bench.states(BlobState(ONE, SIZE, 2, True), 0, news=True)
    assert bench.put(1) == bench.states(BlobState(ONE, SIZE, 2, True), 0, news=True)


def test_a_blob_comes_from_one_device_until_its_connection_ends(bench: Bench) -> None:
    bench.put(0, device=bench.owner)
    assert code_of(bench.put(1, device=bench.editor)) is Code.TAKEN
    bench.service.release_uploads(bench.library.id, bench.owner)
    assert isinstance(bench.put(1, device=bench.editor), BlobStates)


def test_a_device_that_lost_its_connection_goes_on_through_the_next_one(bench: Bench) -> None:
    bench.put(0, device=bench.owner)
    assert bench.put(1, device=bench.owner) == bench.states(
        BlobState(ONE, SIZE, 2, True), 0, news=True
    )


def test_a_device_that_sends_no_more_holds_others_up_for_as_long_as_its_lease(
    bench: Bench,
) -> None:
    bench.put(0, device=bench.owner)
    bench.now_ms = LEASE_MS - 1
    assert code_of(bench.put(1, device=bench.editor)) is Code.TAKEN
    bench.now_ms = LEASE_MS
    assert isinstance(bench.put(1, device=bench.editor), BlobStates)


def test_a_device_that_is_rejected_has_no_lease(bench: Bench) -> None:
    too_big = sealed_size(2 * ROOM)
    assert code_of(bench.put(0, device=bench.owner, size=too_big)) is Code.QUOTA
    assert isinstance(bench.put(0, device=bench.editor), BlobStates)


def test_a_device_that_names_blobs_and_brings_nothing_of_them_has_no_lease(bench: Bench) -> None:
    assert bench.put(1, device=bench.owner) == bench.states(BlobState(ONE, 0, 0, False), 0)
    assert isinstance(bench.put(0, device=bench.editor), BlobStates)
    assert code_of(bench.put(1, device=bench.owner)) is Code.TAKEN


def test_chunks_and_sizes_that_do_not_fit_are_invalid(bench: Bench) -> None:
    def store(number: int, sealed: bytes, size: int = SIZE) -> Any:
        question = StoreChunk(bench.library.id, bench.owner, ONE, size, number, sealed)
        return bench.answer(question)

    assert code_of(store(0, b"short")) is Code.INVALID
    assert code_of(store(3, b"x")) is Code.INVALID
    assert code_of(store(0, b"x", SEAL_BYTES - 1)) is Code.INVALID
    assert code_of(store(0, b"x", limits.BLOB_BYTES_MAX + 1)) is Code.TOO_BIG
    bench.put(0)
    other = sealed_size(limits.CHUNK_BYTES + 1)
    assert code_of(bench.put(1, size=other)) is Code.INVALID
    assert bench.look(bench.owner) == bench.states(BlobState(ONE, SIZE, 1, False), 0)


def test_a_blob_has_room_as_a_whole_or_none(bench: Bench) -> None:
    largest = ROOM - limits.RELAY_BLOB_BYTES - ROOM % limits.RELAY_BLOB_BLOCK_BYTES
    assert code_of(bench.put(0, size=ROOM)) is Code.QUOTA
    assert isinstance(bench.put(0, size=largest), BlobStates)
    sealed = bytes(SEAL_BYTES)
    small = StoreChunk(bench.library.id, bench.owner, b"2" * 32, SEAL_BYTES, 0, sealed)
    assert code_of(bench.answer(small)) is Code.QUOTA
    bench.answer(DropBlobs(bench.library.id, bench.owner, (ONE,)))
    assert isinstance(bench.answer(small), BlobStates)


def test_a_blob_whose_bytes_were_cleared_away_is_asked_for_anew(
    bench: Bench, tmp_path: Path
) -> None:
    bench.put(0)
    bench.put(1)
    for path in (tmp_path / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    asked = ReadChunk(bench.library.id, bench.owner, ONE, 0)
    assert bench.answer(asked) == bench.states(BlobState(ONE, 0, 0, False), 1)


def test_a_library_that_is_not_held_has_no_files(bench: Bench) -> None:
    asked = LookForBlobs(b"u" * 16, bench.owner, (ONE,))
    assert code_of(bench.answer(asked)) is Code.UNKNOWN_LIBRARY


def test_a_killed_relay_has_all_whole_blobs_and_nearly_all_of_an_unfinished_one(
    bench: Bench, tmp_path: Path
) -> None:
    chunks = limits.CHUNKS_PER_SAVE + 4
    size = sealed_size(chunks * limits.CHUNK_BYTES)
    for number in range(chunks - 1):
        bench.put(number, size=size)
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path, killed, ignore=shutil.ignore_patterns("killed", "*.lock"))
    assert bench.states_in(killed) == (BlobState(ONE, size, limits.CHUNKS_PER_SAVE, False),)
    assert bench.put(chunks - 1, size=size) == bench.states(
        BlobState(ONE, size, chunks, True), 0, news=True
    )
    again = tmp_path / "again"
    shutil.copytree(tmp_path, again, ignore=shutil.ignore_patterns("killed", "again", "*.lock"))
    assert bench.states_in(again) == (BlobState(ONE, size, chunks, True),)
