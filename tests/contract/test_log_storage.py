"""What every store of logs must do, alone and next to another one on the same data.

Each one that claims to be a store is in ``STORES``. With two, every call goes to the other one of
two instances: what one wrote, the other must know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.in_loop import InLoop
from tests.support.relay_client import SharedLibrary
from tests.support.stored_changes import log_hash

from bifolio.crypto.envelope import Envelope
from bifolio.wire.log_chain import log_start
from bifolio_relay.storage import (
    Batch,
    BatchResult,
    ChainHead,
    Growth,
    LogSlice,
    LogStorage,
    Place,
    Standing,
    Stop,
    TokenFacts,
)
from bifolio_relay.storage.sqlite import SqliteLogStorage
from bifolio_relay.storage.sqlite_admin import SqliteAdmin
from bifolio_relay.storage.sqlite_file import SqliteFile
from bifolio_relay.storage.sqlite_log import SqliteLogs

EPOCH = b"e" * 16
ROOM = 1 << 30


def shared_sqlite(folder: Path) -> LogStorage:
    return SqliteLogStorage(folder, shared=True)


def part_of_a_relay(folder: Path) -> LogStorage:
    return SqliteLogStorage(folder, shared=True, is_part=True)


STORES: dict[str, Callable[[Path], LogStorage]] = {
    "sqlite": shared_sqlite,
    "part of a relay": part_of_a_relay,
}


class Bench:
    """Stores on the same data that can be closed and opened again, with libraries made in them."""

    def __init__(self, opening: Callable[[Path], LogStorage], folder: Path, count: int) -> None:
        self._opening, self._folder, self._count = opening, folder, count
        self._runner = asyncio.Runner()
        self._open()

    def _open(self) -> None:
        self.instances = [self._opening(self._folder) for _ in range(self._count)]
        self.store: Any = InLoop(self._runner, *self.instances)

    def run(self, scenario: Any) -> None:
        self._runner.run(scenario)

    def close(self) -> None:
        for instance in self.instances:
            self._runner.run(instance.close())
        self._runner.close()

    def reopen(self) -> Any:
        for instance in self.instances:
            self._runner.run(instance.close())
        self._open()
        return self.store

    def library(self, seed: int = 1) -> SharedLibrary:
        library = SharedLibrary(seed)
        assert self.store.create_library(
            library.id, epoch=EPOCH, genesis=library.genesis, head=library.membership.head
        )
        return library

    def append(self, *envelopes: Envelope, **expected: Any) -> BatchResult:
        """Append to one library, by what the store has now unless told."""
        (result,) = self.store.append([self.batch(*envelopes, **expected)])
        assert isinstance(result, BatchResult)
        return result

    def batch(self, *envelopes: Envelope, **expected: Any) -> Batch:
        library = envelopes[0].header.library
        chains = list({envelope.header.author_chain for envelope in envelopes})
        heads = self.store.read_heads(library, chains)
        assert heads is not None
        batch = Batch(library, heads.library.members_head, heads.chains, envelopes)
        return replace(batch, **expected)


@pytest.fixture(params=[(name, count) for name in STORES for count in (1, 2)], ids=str)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    name, count = request.param
    made = Bench(STORES[name], tmp_path, count)
    yield made
    made.close()


def test_an_unknown_library_is_missing_everywhere(bench: Bench) -> None:
    store, unknown = bench.store, SharedLibrary(9)
    assert store.read_head(unknown.id) is None
    assert store.read_heads(unknown.id, [bytes(16)]) is None
    assert store.read_chain_hashes(unknown.id, [0, 1]) == (None, None)
    assert store.find_places(unknown.id, [(bytes(16), 1)]) == (None,)
    assert store.read_members(unknown.id, start=0, limit=10) == ()
    assert store.read(unknown.id, after=0, bytes_max=100, count_max=10) == LogSlice((), 0)
    assert not append_member(store, unknown, b"r", expected=bytes(32), head=b"h" * 32)
    envelope = unknown.author().envelope()
    (result,) = store.append([Batch(unknown.id, b"h" * 32, {}, (envelope,))])
    assert (result.positions, result.stop) == ((), Stop.MOVED)
    store.prune(unknown.id, floor=1)
    assert store.count_libraries() == 0


def test_a_new_library_is_empty_and_holds_its_genesis(bench: Bench) -> None:
    library = bench.library()
    head = bench.store.read_head(library.id)
    assert (head.epoch, head.n, head.size_bytes, head.floor) == (EPOCH, 0, 0, 0)
    assert head.chain_hash == log_start(library.id, EPOCH)
    assert bench.store.read_chain_hashes(library.id, [0]) == (head.chain_hash,)
    assert (head.members, head.members_head) == (1, library.membership.head)
    assert bench.store.read_members(library.id, start=0, limit=10) == (library.genesis,)
    assert bench.store.count_libraries() == 1


def test_a_library_that_is_held_is_not_made_again(bench: Bench) -> None:
    library = bench.library()
    assert not bench.store.create_library(
        library.id, epoch=b"f" * 16, genesis=b"other", head=b"h" * 32
    )
    assert bench.store.read_head(library.id).epoch == EPOCH
    assert bench.store.count_libraries() == 1


def test_membership_records_follow_the_expected_head_only(bench: Bench) -> None:
    library = bench.library()
    first, second = library.membership.head, b"2" * 32
    assert append_member(bench.store, library, b"invite", expected=first, head=second)
    assert not append_member(bench.store, library, b"rival", expected=first, head=b"3" * 32)
    read = bench.store.read_members
    assert read(library.id, start=0, limit=10) == (library.genesis, b"invite")
    assert read(library.id, start=1, limit=10) == (b"invite",)
    assert read(library.id, start=0, limit=1) == (library.genesis,)
    assert read(library.id, start=2, limit=10) == ()
    head = bench.reopen().read_head(library.id)
    assert (head.members, head.members_head) == (2, second)


def test_a_membership_log_is_replaced_at_its_expected_head_and_only_grows(bench: Bench) -> None:
    library = bench.library()
    first, second, third = library.membership.head, b"2" * 32, b"3" * 32
    assert append_member(bench.store, library, b"lost", expected=first, head=second)

    def replace_members(expected: bytes, kept: int, *records: bytes) -> bool:
        replaced: bool = bench.store.replace_members(
            library.id, expected_head=expected, kept=kept, records=records, head=third
        )
        return replaced

    assert not replace_members(first, 1, b"won", b"carry")
    assert not replace_members(second, 1)
    assert not replace_members(second, 0, b"another", b"won", b"carry")
    assert not replace_members(second, 2, b"won", b"carry")
    assert replace_members(second, 1, b"won", b"carry")
    read = bench.store.read_members
    assert read(library.id, start=0, limit=10) == (library.genesis, b"won", b"carry")
    head = bench.reopen().read_head(library.id)
    size_bytes = len(library.genesis) + len(b"won") + len(b"carry")
    assert (head.members, head.members_head, head.members_bytes) == (3, third, size_bytes)
    unknown = SharedLibrary(seed=2)
    assert not bench.store.replace_members(
        unknown.id, expected_head=third, kept=1, records=(b"a", b"b", b"c"), head=third
    )


def test_a_membership_record_is_taken_only_while_chains_end_where_it_says(bench: Bench) -> None:
    library = bench.library()
    author = library.author()
    first, second = author.envelopes(2)
    bench.append(first)
    ended: dict[bytes, ChainHead | None] = {author.author_chain: chain_head(first)}
    bench.append(second)
    old = library.membership.head
    taken = append_member(bench.store, library, b"cut", expected=old, head=b"2" * 32, chains=ended)
    assert not taken
    unbegun: dict[bytes, ChainHead | None] = {
        b"c" * 16: None,
        author.author_chain: chain_head(second),
    }
    assert append_member(bench.store, library, b"cut", expected=old, head=b"2" * 32, chains=unbegun)


def test_envelopes_take_the_next_positions_and_chain_their_hashes(bench: Bench) -> None:
    library = bench.library()
    author = library.author()
    first, second = author.envelopes(3), author.envelopes(2)
    assert bench.append(*first).positions == (1, 2, 3)
    result = bench.append(*second)
    assert (result.positions, result.stop) == ((4, 5), None)
    hashes = [envelope.hash for envelope in (*first, *second)]
    expected = [log_hash(log_start(library.id, EPOCH), hashes[:n]) for n in range(6)]
    assert bench.store.read_chain_hashes(library.id, range(7)) == (*expected, None)
    head = bench.store.read_head(library.id)
    assert head == result.head
    assert (head.n, head.chain_hash) == (5, expected[5])
    assert head.size_bytes == sum(len(envelope.raw) for envelope in (*first, *second))
    heads = bench.store.read_heads(library.id, [author.author_chain, b"c" * 16])
    assert heads.chains == {author.author_chain: chain_head(second[-1]), b"c" * 16: None}
    assert heads.library == head


def test_what_was_appended_is_there_after_reopening(bench: Bench) -> None:
    library = bench.library()
    envelopes = library.author().envelopes(4)
    bench.append(*envelopes)
    before = bench.store.read_head(library.id)
    assert bench.reopen().read_head(library.id) == before
    assert bench.store.read(library.id, after=0, bytes_max=ROOM, count_max=10) == LogSlice(
        tuple(envelope.raw for envelope in envelopes), 4
    )


def test_a_chain_that_has_moved_takes_nothing_more_of_a_batch(bench: Bench) -> None:
    library = bench.library()
    moved, still = library.author(seed=1), library.author(seed=2)
    first, second = moved.envelopes(2)
    ours = still.envelopes(3)
    batch = bench.batch(ours[0], first, ours[1], second, ours[2])
    bench.append(first)
    (result,) = bench.store.append([batch])
    assert (result.positions, result.stop) == ((2,), Stop.MOVED)
    heads = bench.store.read_heads(library.id, [moved.author_chain, still.author_chain]).chains
    assert heads == {moved.author_chain: chain_head(first), still.author_chain: chain_head(ours[0])}
    assert bench.append(second, *ours[1:]).positions == (3, 4, 5)


def test_nothing_is_kept_that_was_decided_by_another_membership(bench: Bench) -> None:
    library = bench.library()
    envelope = library.author().envelope()
    batch = bench.batch(envelope)
    old = library.membership.head
    assert append_member(bench.store, library, b"removal", expected=old, head=b"2" * 32)
    (result,) = bench.store.append([batch])
    assert (result.positions, result.stop) == ((), Stop.MOVED)
    assert result.head == bench.store.read_head(library.id)
    assert bench.append(envelope).positions == (1,)


def test_many_libraries_share_a_commit_and_one_that_moved_stops_no_other(bench: Bench) -> None:
    first, second = bench.library(1), bench.library(2)
    ours, theirs = first.author().envelopes(2), second.author().envelopes(2)
    batches = [bench.batch(*ours, members_head=b"m" * 32), bench.batch(*theirs)]
    moved, kept = bench.store.append(batches)
    assert (moved.positions, moved.stop) == ((), Stop.MOVED)
    assert (kept.positions, kept.stop) == ((1, 2), None)
    assert bench.store.read(second.id, after=0, bytes_max=ROOM, count_max=9) == LogSlice(
        tuple(envelope.raw for envelope in theirs), 2
    )
    assert bench.store.read_head(first.id).n == 0


def test_what_stands_at_a_place_of_a_chain_can_be_found(bench: Bench) -> None:
    library = bench.library()
    author = library.author()
    first, second = author.envelopes(2)
    bench.append(first, second)
    links = [
        (author.author_chain, 2),
        (author.author_chain, 3),
        (b"c" * 16, 1),
        (author.author_chain, 1),
    ]
    assert bench.store.find_places(library.id, links) == (
        Place(2, second.hash),
        None,
        None,
        Place(1, first.hash),
    )


def test_reading_goes_on_where_it_stopped_without_a_gap(bench: Bench) -> None:
    library = bench.library()
    envelopes = library.author().envelopes(10, b"x" * 100)
    bench.append(*envelopes)
    read, size_bytes = bench.store.read, len(envelopes[0].raw)
    found: list[bytes] = []
    while part := read(
        library.id, after=len(found), bytes_max=3 * size_bytes, count_max=9
    ).envelopes:
        assert len(part) <= 3
        found.extend(part)
    assert found == [envelope.raw for envelope in envelopes]
    assert len(read(library.id, after=0, bytes_max=1, count_max=9).envelopes) == 1
    assert len(read(library.id, after=0, bytes_max=ROOM, count_max=4).envelopes) == 4
    assert read(library.id, after=10, bytes_max=ROOM, count_max=9) == LogSlice((), 10)
    assert read(library.id, after=99, bytes_max=ROOM, count_max=9) == LogSlice((), 10)


def test_pruning_lets_envelopes_go_and_keeps_hashes_and_places(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bifolio.limits.RELAY_PRUNED_AT_ONCE", 2)
    library = bench.library()
    author = library.author()
    envelopes = author.envelopes(6)
    bench.append(*envelopes)
    hashes = bench.store.read_chain_hashes(library.id, range(7))
    before = bench.store.read_head(library.id)
    bench.store.prune(library.id, floor=5)
    bench.store.prune(library.id, floor=3)
    head = bench.reopen().read_head(library.id)
    size_bytes = len(envelopes[5].raw)
    assert head == replace(before, floor=5, size_bytes=size_bytes)
    assert bench.store.read_chain_hashes(library.id, range(7)) == hashes
    read = bench.store.read
    assert read(library.id, after=4, bytes_max=ROOM, count_max=9) == LogSlice((), 6)
    rest = read(library.id, after=5, bytes_max=ROOM, count_max=9)
    assert rest == LogSlice((envelopes[5].raw,), 6)
    (place,) = bench.store.find_places(library.id, [(author.author_chain, 2)])
    assert place == Place(2, envelopes[1].hash)
    assert bench.append(author.envelope()).positions == (7,)
    bench.store.prune(library.id, floor=99)
    head = bench.store.read_head(library.id)
    assert (head.floor, head.size_bytes) == (7, 0)


def test_who_watches_learns_of_all_that_anybody_writes(bench: Bench) -> None:
    library, unknown = SharedLibrary(1), SharedLibrary(2)
    author, other = library.author(), bench.instances[-1]

    async def scenario() -> None:
        async with (
            aclosing(bench.instances[0].watch(library.id)) as growths,
            aclosing(bench.instances[0].watch(unknown.id)) as nothing,
        ):
            assert await anext(nothing) == Growth()
            assert await anext(growths) == Growth()
            await other.create_library(
                library.id, epoch=EPOCH, genesis=library.genesis, head=library.membership.head
            )
            assert await growth_to(growths, members=1) == Growth(0, 1, 0)
            for n in range(1, 4):
                heads = await other.read_heads(library.id, [author.author_chain])
                assert heads is not None
                head, envelope = heads.library.members_head, author.envelope()
                await other.append([Batch(library.id, head, heads.chains, (envelope,))])
                assert await growth_to(growths, n=n) == Growth(n, 1, 0)
            await other.append_member(
                library.id,
                expected_head=library.membership.head,
                expected_chain_heads={},
                record=b"record",
                head=b"2" * 32,
            )
            assert await growth_to(growths, members=2) == Growth(3, 2, 0)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await anext(nothing)

    bench.run(scenario())


async def growth_to(growths: Any, *, n: int = 0, members: int = 0) -> Growth:
    """The first growth that has come so far."""
    async with asyncio.timeout(10):
        async for growth in growths:
            assert isinstance(growth, Growth)
            if growth.n >= n and growth.members >= members:
                return growth
    raise AssertionError("the watch ended")


def chain_head(envelope: Envelope) -> ChainHead:
    return ChainHead(envelope.header.device, envelope.header.seq, envelope.hash)


def append_member(
    store: Any,
    library: SharedLibrary,
    record: bytes,
    *,
    expected: bytes,
    head: bytes,
    chains: dict[bytes, ChainHead | None] | None = None,
) -> bool:
    appended: bool = store.append_member(
        library.id,
        expected_head=expected,
        expected_chain_heads=chains or {},
        record=record,
        head=head,
    )
    return appended


# --- who came, by what right, and what goes ------------------------------------------------------


def test_a_role_is_told_by_the_index_and_follows_records(bench: Bench) -> None:
    library = SharedLibrary()
    owner, editor = library.owner.sign_public, b"e" * 32
    store = bench.store
    first = library.membership.head
    assert store.create_library(
        library.id, epoch=EPOCH, genesis=library.genesis, head=first, roles={owner: "owner"}
    )
    assert store.read_standing(library.id, owner) == Standing(True, "owner")
    assert store.read_standing(library.id, editor) == Standing(True, None)
    assert store.read_standing(b"another library.", owner) == Standing(True, None)

    def append(before: bytes, after: bytes, roles: Any) -> None:
        assert store.append_member(
            library.id,
            expected_head=before,
            expected_chain_heads={},
            record=b"r" + after,
            head=after,
            roles=roles,
        )

    append(first, b"2" * 32, {editor: "editor"})
    bench.reopen()
    assert bench.store.read_standing(library.id, editor) == Standing(True, "editor")
    store = bench.store
    append(b"2" * 32, b"3" * 32, {editor: None})
    assert store.read_standing(library.id, editor) == Standing(True, None)
    # Who does not say what a record changed leaves no index behind.
    append(b"3" * 32, b"4" * 32, None)
    assert not store.read_standing(library.id, owner).is_known
    append(b"4" * 32, b"5" * 32, {editor: "editor"})
    assert not store.read_standing(library.id, owner).is_known
    assert not store.write_roles(library.id, head=b"4" * 32, roles={owner: "owner"})
    assert store.write_roles(library.id, head=b"5" * 32, roles={owner: "owner"})
    assert store.read_standing(library.id, owner) == Standing(True, "owner")
    assert store.read_standing(library.id, editor) == Standing(True, None)
    head = store.read_head(library.id)
    assert head.members_bytes == len(library.genesis) + 4 * 33


def test_what_is_unused_goes_and_nothing_else(bench: Bench) -> None:
    """Old ones without a token go, unless anything is in them or they were used since."""
    names = ("unused", "allowed", "used", "written", "joined")
    libraries = {name: SharedLibrary(number) for number, name in enumerate(names, 1)}
    store = bench.store
    for name, library in libraries.items():
        assert store.create_library(
            library.id,
            epoch=EPOCH,
            genesis=library.genesis,
            head=library.membership.head,
            token=b"token" if name == "allowed" else None,
            now_ms=1000,
        )
    store.note_use(libraries["used"].id, now_ms=5000)
    author = libraries["written"].author()
    bench.append(author.envelope())
    joined = libraries["joined"]
    assert store.append_member(
        joined.id,
        expected_head=joined.membership.head,
        expected_chain_heads={},
        record=b"record",
        head=b"h" * 32,
    )
    assert store.remove_unused(before_ms=1000, count_max=10) == ()
    assert store.remove_unused(before_ms=4000, count_max=10) == (libraries["unused"].id,)
    assert store.remove_unused(before_ms=4000, count_max=10) == ()
    assert store.count_libraries() == 4
    assert store.read_head(libraries["unused"].id) is None
    # It may come again.
    again = libraries["unused"]
    assert store.create_library(
        again.id, epoch=EPOCH, genesis=again.genesis, head=again.membership.head
    )
    assert store.read_head(again.id).n == 0


def test_a_token_has_so_many_uses_and_a_library_counts_once(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path)
    admin = SqliteAdmin(file)
    admin.add_token(TokenFacts(b"once", b"p" * 32, "Ada", 1, 0, 5, None, None))
    admin.add_token(TokenFacts(b"always", b"q" * 32, "", None, 0, 6, 99, None))
    assert admin.use_token(b"once", b"first library", 10)
    assert admin.use_token(b"once", b"first library", 11)
    assert not admin.use_token(b"once", b"second library", 12)
    assert not admin.use_token(b"nobody's", b"first library", 12)
    assert all(admin.use_token(b"always", b"library %d" % number, 12) for number in range(5))
    admin.revoke(b"always", 20)
    admin.revoke(b"always", 30)
    assert not admin.use_token(b"always", b"library 1", 21)
    assert [(one.label, one.used, one.revoked_ms) for one in admin.tokens()] == [
        ("Ada", 1, None),
        ("", 5, 20),
    ]
    assert admin.read_token(b"nobody's") is None
    file.close()


def test_a_library_is_removed_with_all_that_is_held_of_it(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path)
    admin, logs = SqliteAdmin(file), SqliteLogs(file)
    kept, gone = SharedLibrary(1), SharedLibrary(2)
    for library in (kept, gone):
        head = library.membership.head
        logs.create_library(library.id, EPOCH, library.genesis, head, {}, None, 0)
        author = library.author()
        heads = {author.author_chain: None}
        logs.append([Batch(library.id, head, heads, (author.envelope(),))])
        folder = tmp_path / "blobs" / library.id.hex()
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x")
    assert admin.remove(gone.id)
    assert not admin.remove(gone.id)
    assert [one.library for one in admin.libraries()] == [kept.id]
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == [kept.id.hex()]
    tables = ("entry", "chain", "member", "library")
    counts = [
        file.connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables
    ]
    assert counts == [1, 1, 1, 1]
    file.close()
