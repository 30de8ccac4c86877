"""Who may do what with a library's files: the relay's rules over a real store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.relay_client import SharedLibrary, seeded

from bifolio import limits
from bifolio.crypto.blob import SEAL_BYTES, sealed_chunk_length, sealed_size
from bifolio.crypto.keys import new_device_keys
from bifolio.crypto.membership import Role
from bifolio.ids import content_hash
from bifolio.wire.messages import BlobState, Code
from bifolio_relay.blob_rules import (
    BlobStates,
    ChunkPart,
    DropBlobs,
    LookForBlobs,
    ReadChunk,
    StoreChunk,
)
from bifolio_relay.rules import AppendMember, CreateLibrary, Ledger, Look, MembersPart
from bifolio_relay.storage import Refused
from bifolio_relay.storage.sqlite import SqliteLogStorage

ONE = b"1" * 32
SIZE = sealed_size(limits.CHUNK_BYTES + 5)
ROOM = 100 * SIZE


class Bench:
    """A relay with one library, its owner, a reader and a stranger."""

    def __init__(self, store: SqliteLogStorage) -> None:
        self.store = store
        self.ledger = Ledger(store, seeded(7), file_bytes_max=ROOM)
        self.library = SharedLibrary()
        self.owner = self.library.owner.sign_public
        self.reader = self.library.with_member(Role.READER).sign_public
        self.stranger = new_device_keys("stranger", seeded(9)).sign_public
        look = Look(self.library.id, self.owner, 0, None)
        self.ledger.answer(CreateLibrary(look, self.library.genesis))
        expected = content_hash(self.library.genesis)
        for record in self.library.membership.records[1:]:
            part = self.ledger.answer(AppendMember(self.library.id, expected, record))
            assert isinstance(part, MembersPart)
            expected = part.head

    def put(
        self, number: int, *, device: bytes | None = None, carrier: bytes = b"a", size: int = SIZE
    ) -> object:
        sealed = bytes(sealed_chunk_length(size, number))
        return self.ledger.answer(
            StoreChunk(self.library.id, device or self.owner, ONE, size, number, sealed, carrier)
        )

    def states(self, state: BlobState, drops: int, *, news: bool = False) -> BlobStates:
        """What is answered now."""
        return BlobStates((state,), drops, self.store.blobs.tally(self.library.id), news)

    def look(self, device: bytes) -> object:
        return self.ledger.answer(LookForBlobs(self.library.id, device, (ONE,)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = SqliteLogStorage(tmp_path)
    yield Bench(store)
    store.close()


def code_of(answer: object) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_members_ask_and_read_and_strangers_do_not(bench: Bench) -> None:
    bench.put(0)
    for device in (bench.owner, bench.reader):
        assert bench.look(device) == bench.states(BlobState(ONE, SIZE, 1, False), 0)
        part = bench.ledger.answer(ReadChunk(bench.library.id, device, ONE, 0))
        assert isinstance(part, ChunkPart)
        assert (part.size_bytes, len(part.sealed)) == (SIZE, limits.CHUNK_BYTES + SEAL_BYTES)
    assert code_of(bench.look(bench.stranger)) is Code.FORBIDDEN
    asked = ReadChunk(bench.library.id, bench.stranger, ONE, 0)
    assert code_of(bench.ledger.answer(asked)) is Code.FORBIDDEN


def test_only_who_may_write_stores_and_drops(bench: Bench) -> None:
    for device in (bench.reader, bench.stranger):
        refused = bench.put(0, device=device)
        assert isinstance(refused, Refused)
        assert (refused.code, refused.subject) == (Code.FORBIDDEN, ONE)
        drop = DropBlobs(bench.library.id, device, (ONE,))
        assert code_of(bench.ledger.answer(drop)) is Code.FORBIDDEN
    bench.put(0)
    dropped = bench.ledger.answer(DropBlobs(bench.library.id, bench.owner, (ONE,)))
    assert dropped == bench.states(BlobState(ONE, 0, 0, False), 1, news=True)


def test_a_complete_blob_is_news_and_an_unfinished_one_is_not(bench: Bench) -> None:
    assert bench.put(0) == bench.states(BlobState(ONE, SIZE, 1, False), 0, news=False)
    assert bench.put(1) == bench.states(BlobState(ONE, SIZE, 2, True), 0, news=True)
    assert bench.put(1) == bench.states(BlobState(ONE, SIZE, 2, True), 0, news=True)


def test_a_blob_comes_through_one_connection_until_that_one_ends(bench: Bench) -> None:
    bench.put(0, carrier=b"a")
    assert code_of(bench.put(1, carrier=b"b")) is Code.TAKEN
    bench.ledger.connection_gone(b"a")
    assert isinstance(bench.put(1, carrier=b"b"), BlobStates)


def test_what_is_refused_is_held_by_no_connection(bench: Bench) -> None:
    too_big = sealed_size(2 * ROOM)
    assert code_of(bench.put(0, carrier=b"a", size=too_big)) is Code.QUOTA
    assert isinstance(bench.put(0, carrier=b"b"), BlobStates)


def test_a_connection_that_names_blobs_and_brings_nothing_of_them_is_not_remembered(
    bench: Bench,
) -> None:
    assert bench.put(1, carrier=b"a") == bench.states(BlobState(ONE, 0, 0, False), 0)
    assert isinstance(bench.put(0, carrier=b"b"), BlobStates)
    assert code_of(bench.put(1, carrier=b"a")) is Code.TAKEN


def test_a_blob_whose_bytes_were_cleared_away_is_asked_for_anew(
    bench: Bench, tmp_path: Path
) -> None:
    bench.put(0)
    bench.put(1)
    for path in (tmp_path / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    asked = ReadChunk(bench.library.id, bench.owner, ONE, 0)
    assert bench.ledger.answer(asked) == bench.states(BlobState(ONE, 0, 0, False), 1)


def test_a_library_that_is_not_held_has_no_files(bench: Bench) -> None:
    asked = LookForBlobs(b"u" * 16, bench.owner, (ONE,))
    assert code_of(bench.ledger.answer(asked)) is Code.UNKNOWN_LIBRARY


def test_a_killed_relay_has_all_whole_blobs_and_nearly_all_of_an_unfinished_one(
    bench: Bench, tmp_path: Path
) -> None:
    chunks = limits.CHUNKS_PER_SAVE + 4
    size = sealed_size(chunks * limits.CHUNK_BYTES)
    for number in range(chunks - 1):
        bench.put(number, size=size)
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path, killed, ignore=shutil.ignore_patterns("killed", "*.lock"))
    store = SqliteLogStorage(killed)
    assert store.blobs.states(bench.library.id, [ONE]) == (
        BlobState(ONE, size, limits.CHUNKS_PER_SAVE, False),
    )
    store.close()
    assert bench.put(chunks - 1, size=size) == bench.states(
        BlobState(ONE, size, chunks, True), 0, news=True
    )
    again = tmp_path / "again"
    shutil.copytree(tmp_path, again, ignore=shutil.ignore_patterns("killed", "again", "*.lock"))
    store = SqliteLogStorage(again)
    assert store.blobs.states(bench.library.id, [ONE]) == (BlobState(ONE, size, chunks, True),)
    store.close()
