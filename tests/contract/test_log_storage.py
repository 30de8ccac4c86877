"""What every store of logs must do; each one that claims to be one stands in ``STORES``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.support.relay_client import Author, SharedLibrary

from bifolio.crypto.envelope import Envelope
from bifolio.wire.chain import log_follow, log_start
from bifolio.wire.messages import Code
from bifolio_relay.storage import LogStorage, Outcome, Placed, Refused
from bifolio_relay.storage.sqlite import SqliteLogStorage

EPOCH = b"e" * 16
ROOM = 1 << 30

STORES: dict[str, Callable[[Path], LogStorage]] = {"sqlite": SqliteLogStorage}


class Bench:
    """A store that can be closed and opened again, with libraries made in it."""

    def __init__(self, opening: Callable[[Path], LogStorage], folder: Path) -> None:
        self._opening, self._folder = opening, folder
        self.store = opening(folder)

    def reopen(self) -> LogStorage:
        self.store.close()
        self.store = self._opening(self._folder)
        return self.store

    def library(self, seed: int = 1) -> SharedLibrary:
        library = SharedLibrary(seed)
        assert self.store.create_library(
            library.id, epoch=EPOCH, genesis=library.genesis, head=library.membership.head
        )
        return library

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Outcome, ...]:
        return self.store.append(envelopes, library_bytes_max=ROOM)


@pytest.fixture(params=list(STORES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(STORES[request.param], tmp_path)
    yield made
    made.store.close()


def placed(envelopes: Sequence[Envelope], start: int = 1) -> tuple[Placed, ...]:
    return tuple(
        Placed(envelope.hash, position, fresh=True)
        for position, envelope in enumerate(envelopes, start)
    )


def code_of(outcome: Outcome) -> Code:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_an_unknown_library_is_missing_everywhere(bench: Bench) -> None:
    store, unknown = bench.store, SharedLibrary(9)
    assert store.library_head(unknown.id) is None
    assert store.chain_hash(unknown.id, 0) is None
    assert store.chain_head(unknown.id, bytes(16)) is None
    assert store.members(unknown.id, start=0, limit=10) == ()
    assert store.read(unknown.id, after=0, bytes_max=100, count_max=10) == ()
    assert not store.append_member(unknown.id, expected_head=bytes(32), record=b"r", head=b"h" * 32)
    (outcome,) = bench.append([unknown.author().envelope()])
    assert code_of(outcome) is Code.UNKNOWN_LIBRARY
    assert store.count_libraries() == 0


def test_a_new_library_is_empty_and_holds_its_genesis(bench: Bench) -> None:
    library = bench.library()
    head = bench.store.library_head(library.id)
    assert head is not None
    assert (head.epoch, head.n, head.size_bytes, head.floor) == (EPOCH, 0, 0, 0)
    assert head.chain_hash == bench.store.chain_hash(library.id, 0) == log_start(library.id, EPOCH)
    assert (head.members, head.members_head) == (1, library.membership.head)
    assert bench.store.members(library.id, start=0, limit=10) == (library.genesis,)
    assert bench.store.count_libraries() == 1


def test_a_library_that_is_held_is_not_made_again(bench: Bench) -> None:
    library = bench.library()
    assert not bench.store.create_library(
        library.id, epoch=b"f" * 16, genesis=b"other", head=b"h" * 32
    )
    head = bench.store.library_head(library.id)
    assert head is not None
    assert head.epoch == EPOCH
    assert bench.store.count_libraries() == 1


def test_membership_records_follow_the_expected_head_only(bench: Bench) -> None:
    library = bench.library()
    first, second = library.membership.head, b"2" * 32
    append = bench.store.append_member
    assert append(library.id, expected_head=first, record=b"invite", head=second)
    assert not append(library.id, expected_head=first, record=b"rival", head=b"3" * 32)
    assert bench.store.members(library.id, start=0, limit=10) == (library.genesis, b"invite")
    assert bench.store.members(library.id, start=1, limit=10) == (b"invite",)
    assert bench.store.members(library.id, start=0, limit=1) == (library.genesis,)
    assert bench.store.members(library.id, start=2, limit=10) == ()
    head = bench.reopen().library_head(library.id)
    assert head is not None
    assert (head.members, head.members_head) == (2, second)


def test_envelopes_take_the_next_positions_and_chain_their_hashes(bench: Bench) -> None:
    library = bench.library()
    author = library.author()
    first, second = author.envelopes(3), author.envelopes(2)
    assert bench.append(first) == placed(first)
    assert bench.append(second) == placed(second, 4)
    hashes = [envelope.hash for envelope in (*first, *second)]
    for n in range(6):
        expected = log_follow(log_start(library.id, EPOCH), hashes[:n])
        assert bench.store.chain_hash(library.id, n) == expected
    assert bench.store.chain_hash(library.id, 6) is None
    head = bench.store.library_head(library.id)
    assert head is not None
    assert (head.n, head.chain_hash) == (5, bench.store.chain_hash(library.id, 5))
    assert head.size_bytes == sum(len(envelope.raw) for envelope in (*first, *second))
    chain = bench.store.chain_head(library.id, author.chain)
    assert chain is not None
    assert (chain.device, chain.seq, chain.hash) == (library.owner.sign_public, 5, hashes[-1])


def test_what_was_placed_is_there_after_reopening(bench: Bench) -> None:
    library = bench.library()
    envelopes = library.author().envelopes(4)
    bench.append(envelopes)
    before = bench.store.library_head(library.id)
    assert bench.reopen().library_head(library.id) == before
    assert bench.store.read(library.id, after=0, bytes_max=ROOM, count_max=10) == tuple(
        envelope.raw for envelope in envelopes
    )


def test_the_same_envelope_again_keeps_its_place(bench: Bench) -> None:
    library = bench.library()
    envelopes = library.author().envelopes(3)
    bench.append(envelopes)
    again = bench.append([envelopes[1], envelopes[2], envelopes[0]])
    assert again == tuple(Placed(envelopes[at].hash, at + 1, fresh=False) for at in (1, 2, 0))
    head = bench.store.library_head(library.id)
    assert head is not None
    assert head.n == 3


def test_one_envelope_twice_in_one_commit_has_one_place(bench: Bench) -> None:
    library = bench.library()
    envelope = library.author().envelope()
    assert bench.append([envelope, envelope]) == (
        Placed(envelope.hash, 1, fresh=True),
        Placed(envelope.hash, 1, fresh=False),
    )


def test_another_envelope_at_a_taken_place_is_a_fork(bench: Bench) -> None:
    library = bench.library()
    author, clone = library.author(), library.author()
    envelopes = author.envelopes(3)
    bench.append(envelopes)
    clone.seq, clone.previous = 1, envelopes[0].hash
    (outcome,) = bench.append([clone.envelope(b"another change")])
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.seq, outcome.head) == (Code.FORK, 3, envelopes[2].hash)


def test_a_next_envelope_that_does_not_link_is_a_fork(bench: Bench) -> None:
    library = bench.library()
    author = library.author()
    bench.append(author.envelopes(2))
    author.previous = b"x" * 32
    assert code_of(bench.append([author.envelope()])[0]) is Code.FORK


def test_an_envelope_too_early_is_a_gap_and_so_is_all_that_follows(bench: Bench) -> None:
    library = bench.library()
    envelopes = library.author().envelopes(4)
    bench.append(envelopes[:1])
    outcomes = bench.append(envelopes[2:])
    assert [code_of(outcome) for outcome in outcomes] == [Code.GAP, Code.GAP]
    assert isinstance(outcomes[0], Refused)
    assert (outcomes[0].seq, outcomes[0].head) == (1, envelopes[0].hash)
    assert bench.append(envelopes[1:]) == placed(envelopes[1:], 2)


def test_a_gap_in_an_unknown_chain_names_nothing(bench: Bench) -> None:
    library = bench.library()
    _, second = library.author().envelopes(2)
    (outcome,) = bench.append([second])
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.seq, outcome.head) == (Code.GAP, 0, bytes(32))


def test_a_refused_chain_does_not_hold_up_another(bench: Bench) -> None:
    library = bench.library()
    gap = library.author(seed=1).envelopes(2)[1]
    good = library.author(seed=2).envelopes(2)
    outcomes = bench.append([good[0], gap, good[1]])
    assert code_of(outcomes[1]) is Code.GAP
    assert (outcomes[0], outcomes[2]) == placed(good)


def test_nobody_writes_into_another_devices_chain(bench: Bench) -> None:
    library = bench.library()
    victim = library.author()
    bench.append(victim.envelopes(1))
    intruder = library.author(library.with_member())
    intruder.chain, intruder.seq, intruder.previous = victim.chain, 1, victim.previous
    assert code_of(bench.append([intruder.envelope()])[0]) is Code.FORBIDDEN
    (outcome,) = bench.append([victim.envelope()])
    assert isinstance(outcome, Placed)


def test_many_libraries_share_a_commit_and_keep_apart(bench: Bench) -> None:
    first, second = bench.library(1), bench.library(2)
    ours, theirs = first.author().envelopes(2), second.author().envelopes(2)
    outcomes = bench.append([ours[0], theirs[0], ours[1], theirs[1]])
    assert (outcomes[0], outcomes[2]) == placed(ours)
    assert (outcomes[1], outcomes[3]) == placed(theirs)
    assert bench.store.read(second.id, after=0, bytes_max=ROOM, count_max=9) == tuple(
        envelope.raw for envelope in theirs
    )


def test_a_full_library_refuses_and_the_others_go_on(bench: Bench) -> None:
    full, other = bench.library(1), bench.library(2)
    author: Author = full.author()
    first = author.envelope()
    room = len(first.raw) + 10
    outcomes = bench.store.append(
        [first, author.envelope(), other.author().envelope()], library_bytes_max=room
    )
    assert isinstance(outcomes[0], Placed)
    assert code_of(outcomes[1]) is Code.QUOTA
    assert isinstance(outcomes[2], Placed)


def test_reading_goes_on_where_it_stopped_without_a_gap(bench: Bench) -> None:
    library = bench.library()
    envelopes = library.author().envelopes(10, b"x" * 100)
    bench.append(envelopes)
    read, size_bytes = bench.store.read, len(envelopes[0].raw)
    found: list[bytes] = []
    while part := read(library.id, after=len(found), bytes_max=3 * size_bytes, count_max=9):
        assert len(part) <= 3
        found.extend(part)
    assert found == [envelope.raw for envelope in envelopes]
    assert len(read(library.id, after=0, bytes_max=1, count_max=9)) == 1
    assert len(read(library.id, after=0, bytes_max=ROOM, count_max=4)) == 4
    assert read(library.id, after=10, bytes_max=ROOM, count_max=9) == ()
    assert read(library.id, after=99, bytes_max=ROOM, count_max=9) == ()
