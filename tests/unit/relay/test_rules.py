"""The relay's rules: who may enter what, over a real store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.relay_client import SharedLibrary, seeded

from bifolio import limits
from bifolio.crypto.keys import new_device_keys
from bifolio.crypto.membership import Role
from bifolio.errors import MembershipError
from bifolio.wire.messages import AttestedPosition, Code
from bifolio_relay.rules import (
    AppendMember,
    CreateLibrary,
    Ledger,
    LogPart,
    Look,
    MembersPart,
    ReadLog,
    ReadMembers,
    Seen,
    Submission,
)
from bifolio_relay.storage import Outcome, Placed, Refused, Unavailable
from bifolio_relay.storage.sqlite import SqliteLogStorage


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteLogStorage]:
    made = SqliteLogStorage(tmp_path)
    yield made
    made.close()


@pytest.fixture
def ledger(store: SqliteLogStorage) -> Ledger:
    return Ledger(store, seeded(7), libraries_max=400)


def look(library: SharedLibrary, device: bytes | None = None) -> Look:
    return Look(library.id, device or library.owner.sign_public, 0, None)


def create(ledger: Ledger, library: SharedLibrary) -> None:
    answer = ledger.answer(CreateLibrary(look(library), library.genesis))
    assert isinstance(answer, Seen)
    head = hashlib.blake2b(library.genesis, digest_size=32).digest()
    for record in library.membership.records[1:]:
        part = ledger.answer(AppendMember(library.id, head, record))
        assert isinstance(part, MembersPart)
        head = part.head


def push(
    ledger: Ledger, library: SharedLibrary, *raws: bytes, carrier: bytes | None = None
) -> tuple[Outcome, ...]:
    submission = Submission(library.id, carrier or library.owner.sign_public, raws)
    return ledger.commit([submission]).outcomes[0]


def code_of(answer: object) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_creating_twice_is_creating_once(ledger: Ledger) -> None:
    library = SharedLibrary()
    first = ledger.answer(CreateLibrary(look(library), library.genesis))
    assert ledger.answer(CreateLibrary(look(library), library.genesis)) == first
    assert isinstance(first, Seen)
    assert first.role == "owner"
    assert ledger.libraries == 1


def test_a_genesis_makes_no_other_library(ledger: Ledger) -> None:
    library, other = SharedLibrary(1), SharedLibrary(2)
    answer = ledger.answer(CreateLibrary(look(library), other.genesis))
    assert code_of(answer) is Code.INVALID
    assert ledger.answer(look(library)) == Seen(None)


def test_the_relay_holds_only_so_many_libraries(store: SqliteLogStorage) -> None:
    ledger = Ledger(store, seeded(7), libraries_max=1)
    create(ledger, SharedLibrary(1))
    library = SharedLibrary(2)
    answer = ledger.answer(CreateLibrary(look(library), library.genesis))
    assert code_of(answer) is Code.QUOTA


def test_whoever_holds_the_records_may_rebuild_a_wiped_relay(ledger: Ledger) -> None:
    library = SharedLibrary()
    keys = library.with_member()
    author = library.author()
    lost = author.envelopes(3)
    answer = ledger.answer(CreateLibrary(look(library, keys.sign_public), library.genesis))
    assert isinstance(answer, Seen)
    assert answer.role is None
    create(ledger, library)
    outcomes = push(ledger, library, *(envelope.raw for envelope in lost), carrier=keys.sign_public)
    assert all(isinstance(outcome, Placed) for outcome in outcomes)


def test_a_member_carries_another_members_envelopes(ledger: Ledger) -> None:
    library = SharedLibrary()
    reader = library.with_member(Role.READER)
    create(ledger, library)
    envelope = library.author().envelope()
    (outcome,) = push(ledger, library, envelope.raw, carrier=reader.sign_public)
    assert outcome == Placed(envelope.hash, 1, fresh=True)


def test_a_stranger_carries_nothing_and_reads_nothing(ledger: Ledger) -> None:
    library = SharedLibrary()
    create(ledger, library)
    stranger = new_device_keys("stranger", seeded(5)).sign_public
    (outcome,) = push(ledger, library, library.author().envelope().raw, carrier=stranger)
    assert code_of(outcome) is Code.FORBIDDEN
    assert code_of(ledger.answer(ReadLog(library.id, stranger, 0))) is Code.FORBIDDEN


def test_a_readers_envelope_is_refused(ledger: Ledger) -> None:
    library = SharedLibrary()
    reader = library.with_member(Role.READER)
    create(ledger, library)
    (outcome,) = push(ledger, library, library.author(reader).envelope().raw)
    assert code_of(outcome) is Code.FORBIDDEN


def test_an_envelope_from_before_its_authors_join_is_refused(ledger: Ledger) -> None:
    library = SharedLibrary()
    before = library.membership
    keys = library.with_member()
    create(ledger, library)
    author = library.author(keys)
    author.membership = before
    assert code_of(push(ledger, library, author.envelope().raw)[0]) is Code.FORBIDDEN


def test_an_unknown_membership_head_asks_for_the_records_first(ledger: Ledger) -> None:
    library = SharedLibrary()
    create(ledger, library)
    secret, invite = library.invite()
    envelope = library.author().envelope()
    assert code_of(push(ledger, library, envelope.raw)[0]) is Code.UNKNOWN_HEAD
    genesis_head = hashlib.blake2b(library.genesis, digest_size=32).digest()
    ledger.answer(AppendMember(library.id, genesis_head, invite))
    assert isinstance(push(ledger, library, envelope.raw)[0], Placed)
    assert secret


def test_a_forged_damaged_or_misdirected_envelope_is_refused(ledger: Ledger) -> None:
    library, other = SharedLibrary(1), SharedLibrary(2)
    create(ledger, library)
    raw = library.author().envelope().raw
    forged = raw[:-1] + bytes([raw[-1] ^ 1])
    outcomes = push(ledger, library, forged, b"garbage", b"", other.author().envelope().raw)
    assert [code_of(outcome) for outcome in outcomes] == [Code.INVALID] * 4
    assert isinstance(outcomes[1], Refused)
    assert outcomes[1].subject == hashlib.blake2b(b"garbage", digest_size=32).digest()


def test_an_envelope_over_the_limit_is_too_big(ledger: Ledger) -> None:
    library = SharedLibrary()
    create(ledger, library)
    (outcome,) = push(ledger, library, bytes(limits.ENVELOPE_BYTES_MAX + 1))
    assert code_of(outcome) is Code.TOO_BIG


def test_a_record_appended_again_is_answered_as_at_first(ledger: Ledger) -> None:
    library = SharedLibrary()
    create(ledger, library)
    head = library.membership.head
    _, record = library.invite()
    first = ledger.answer(AppendMember(library.id, head, record))
    assert isinstance(first, MembersPart)
    again = ledger.answer(AppendMember(library.id, head, record))
    assert isinstance(again, MembersPart)
    assert (again.start, again.records, again.head) == (1, (record,), first.head)
    assert again.grown is None


def test_a_rival_record_learns_that_the_head_moved(ledger: Ledger) -> None:
    library = SharedLibrary()
    create(ledger, library)
    before = library.membership
    _, record = library.invite()
    ledger.answer(AppendMember(library.id, before.head, record))
    library.membership = before
    _, rival = library.invite()
    answer = ledger.answer(AppendMember(library.id, before.head, rival))
    assert code_of(answer) is Code.HEAD_MOVED


def test_a_record_that_breaks_the_rules_is_refused(ledger: Ledger) -> None:
    library = SharedLibrary()
    create(ledger, library)
    for record in (b"garbage", library.genesis):
        answer = ledger.answer(AppendMember(library.id, library.membership.head, record))
        assert code_of(answer) is Code.INVALID
    huge = bytes(limits.MEMBERSHIP_RECORD_BYTES_MAX + 1)
    answer = ledger.answer(AppendMember(library.id, library.membership.head, huge))
    assert code_of(answer) is Code.TOO_BIG


def test_the_hashes_at_cursor_and_attested_position_are_told(
    ledger: Ledger, store: SqliteLogStorage
) -> None:
    library = SharedLibrary()
    create(ledger, library)
    push(ledger, library, *(envelope.raw for envelope in library.author().envelopes(3)))
    head = store.library_head(library.id)
    assert head is not None
    device = library.owner.sign_public
    seen = ledger.answer(Look(library.id, device, 2, AttestedPosition(head.epoch, 3)))
    assert isinstance(seen, Seen)
    assert seen.cursor_hash == store.chain_hash(library.id, 2)
    assert seen.attested_hash == head.chain_hash
    seen = ledger.answer(Look(library.id, device, 4, AttestedPosition(b"another epoch 16", 1)))
    assert isinstance(seen, Seen)
    assert seen.cursor_hash is None
    assert seen.attested_hash is None


def test_reading_past_the_end_tells_where_the_end_is(ledger: Ledger) -> None:
    library = SharedLibrary()
    create(ledger, library)
    device = library.owner.sign_public
    assert ledger.answer(ReadLog(library.id, device, 9)) == LogPart(0, (), 0)
    part = ledger.answer(ReadMembers(library.id, 9))
    assert isinstance(part, MembersPart)
    assert (part.start, part.records, part.total) == (1, (), 1)


def test_what_a_commit_added_is_told_in_order(ledger: Ledger) -> None:
    library = SharedLibrary()
    keys = library.with_member()
    create(ledger, library)
    ours, theirs = library.author().envelopes(2), library.author(keys, seed=2).envelopes(2)
    commit = ledger.commit(
        [
            Submission(library.id, library.owner.sign_public, (ours[0].raw, ours[1].raw)),
            Submission(library.id, keys.sign_public, (theirs[0].raw, ours[0].raw, theirs[1].raw)),
        ]
    )
    raws = tuple(envelope.raw for envelope in (*ours, *theirs))
    assert commit.grown == {library.id: LogPart(0, raws, 4)}
    assert commit.outcomes[1][1] == Placed(ours[0].hash, 1, fresh=False)


def test_idle_libraries_do_not_stay_in_memory(ledger: Ledger) -> None:
    libraries = [SharedLibrary(seed) for seed in range(limits.RELAY_MEMBERSHIPS_CACHED_MAX + 20)]
    for library in libraries:
        create(ledger, library)
        push(ledger, library, library.author().envelope().raw)
    assert len(ledger._memberships) == limits.RELAY_MEMBERSHIPS_CACHED_MAX
    assert isinstance(
        push(ledger, libraries[0], libraries[0].author(seed=2).envelope().raw)[0], Placed
    )


def test_a_damaged_membership_log_stops_its_own_library_only(store: SqliteLogStorage) -> None:
    broken, sound = SharedLibrary(1), SharedLibrary(2)
    for library in (broken, sound):
        create(Ledger(store, seeded(7)), library)
    store._connection.execute("UPDATE member SET record = x'00' WHERE library = 1")
    ledger = Ledger(store, seeded(7))
    commit = ledger.commit(
        [
            Submission(library.id, library.owner.sign_public, (library.author().envelope().raw,))
            for library in (broken, sound)
        ]
    )
    assert [type(row[0]) for row in commit.outcomes] == [Unavailable, Placed]
    with pytest.raises(MembershipError):
        ledger.answer(look(broken))
