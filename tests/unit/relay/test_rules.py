"""What may enter a log, decided from envelope, membership and chain head alone."""

from __future__ import annotations

import pytest
from tests.support.newer_membership import make_record
from tests.support.relay_client import Author, SharedLibrary, seeded

from bifolio import limits
from bifolio.crypto.envelope import Envelope
from bifolio.crypto.keys import new_device_keys
from bifolio.crypto.membership import Role, invite_keys
from bifolio.ids import content_hash
from bifolio.wire.messages import Code
from bifolio_relay.member_rules import judge_record
from bifolio_relay.quotas import entry_cost
from bifolio_relay.requests import Appended, AppendMember, MembersPart, Rejected
from bifolio_relay.rules import (
    Again,
    Carried,
    Decision,
    Earlier,
    Next,
    check_envelope,
    head_after,
    judge_earlier,
    judge_envelope,
    judge_envelopes,
    prove_fork,
)
from bifolio_relay.storage import ChainHead, Place

ROOM = 1 << 30


@pytest.fixture
def library() -> SharedLibrary:
    return SharedLibrary()


def judge(
    library: SharedLibrary,
    envelope: Envelope,
    *,
    head: ChainHead | None = None,
    carrier: bytes | None = None,
    room_bytes: int = ROOM,
) -> Decision:
    carried = Carried(envelope, carrier or library.owner.sign_public)
    return judge_envelope(carried, membership=library.membership, head=head, room_bytes=room_bytes)


def code_of(decision: object) -> Code:
    assert isinstance(decision, Rejected), decision
    return decision.code


def test_an_envelope_passes_by_its_bytes_alone_if_its_author_made_it(
    library: SharedLibrary,
) -> None:
    envelope = library.author().envelope()
    assert check_envelope(library.id, envelope.raw) == envelope
    forged = envelope.raw[:-1] + bytes([envelope.raw[-1] ^ 1])
    elsewhere = SharedLibrary(2).author().envelope().raw
    for raw in (forged, elsewhere, b"garbage", b""):
        rejected = check_envelope(library.id, raw)
        assert code_of(rejected) is Code.INVALID
        assert isinstance(rejected, Rejected)
        assert rejected.subject == content_hash(raw)
    big = check_envelope(library.id, bytes(limits.ENVELOPE_BYTES_MAX + 1))
    assert code_of(big) is Code.TOO_BIG


def test_the_first_of_a_chain_and_the_one_after_its_head_come_next(library: SharedLibrary) -> None:
    first, second = library.author().envelopes(2)
    assert judge(library, first) == Next()
    assert judge(library, second, head=head_after(first)) == Next()


def test_what_is_early_or_does_not_link_is_told_where_the_chain_ends(
    library: SharedLibrary,
) -> None:
    author = library.author()
    first, _, third = author.envelopes(3)
    head = head_after(first)
    gap = judge(library, third, head=head)
    assert isinstance(gap, Rejected)
    assert (gap.code, gap.subject, gap.seq, gap.head) == (Code.GAP, third.hash, 1, first.hash)
    author.seq, author.previous = 1, b"x" * 32
    fork = judge(library, author.envelope(), head=head)
    assert isinstance(fork, Rejected)
    assert (fork.code, fork.seq, fork.head) == (Code.FORK, 1, first.hash)
    unknown = judge(library, third)
    assert isinstance(unknown, Rejected)
    assert (unknown.code, unknown.seq, unknown.head) == (Code.GAP, 0, bytes(32))


def test_what_has_its_place_taken_is_the_same_envelope_or_a_fork(library: SharedLibrary) -> None:
    first, second = library.author().envelopes(2)
    head = head_after(second)
    assert judge(library, first, head=head) == Earlier()
    same = judge_earlier(first, Place(7, first.hash), head)
    assert same == Appended(first.hash, 7, fresh=False)
    fork = judge_earlier(first, Place(7, second.hash), head)
    assert isinstance(fork, Rejected)
    assert (fork.code, fork.seq, fork.head) == (Code.FORK, 2, second.hash)


def test_a_fork_whose_other_envelope_went_under_a_snapshot_is_told_as_that(
    library: SharedLibrary,
) -> None:
    first, second = library.author().envelopes(2)
    head = head_after(second)
    fork = judge_earlier(first, Place(7, second.hash), head)
    assert isinstance(fork, Rejected)
    told = prove_fork(fork, ())
    assert (told.code, told.subject, told.proof) == (Code.NEED_SNAPSHOT, first.hash, b"")
    assert (told.seq, told.head) == (2, second.hash)
    shown = prove_fork(fork, (second.raw,))
    assert shown.code is Code.FORK
    assert shown.proof


def test_nobody_writes_into_another_devices_chain(library: SharedLibrary) -> None:
    """A chain is its author's: under another's id a device has a chain of its own, from 1 on."""
    victim = library.author()
    intruder = library.author(library.with_member())
    first = victim.envelope()
    intruder.chain, intruder.seq, intruder.previous = victim.chain, 1, first.hash
    (decision,) = judge_envelopes(
        [Carried(intruder.envelope(), intruder.keys.sign_public)],
        membership=library.membership,
        heads={first.header.author_chain: head_after(first)},
        room_bytes=1 << 20,
    )
    assert code_of(decision) is Code.GAP


def test_only_members_carry_and_only_who_may_write_is_an_author(library: SharedLibrary) -> None:
    reader = library.with_member(Role.READER)
    stranger = new_device_keys("stranger", seeded(5))
    envelope = library.author().envelope()
    assert judge(library, envelope, carrier=reader.sign_public) == Next()
    assert code_of(judge(library, envelope, carrier=stranger.sign_public)) is Code.FORBIDDEN
    assert code_of(judge(library, library.author(reader).envelope())) is Code.FORBIDDEN
    before = library.membership
    library.invite()
    unknown = library.author().envelope()
    library.membership = before
    assert code_of(judge(library, unknown)) is Code.UNKNOWN_HEAD


def test_envelopes_are_judged_each_on_top_of_those_before(library: SharedLibrary) -> None:
    author: Author = library.author()
    first, second, third = author.envelopes(3)
    clone = library.author()
    clone.seq, clone.previous = 1, first.hash
    rival = clone.envelope(b"another change")
    carried = [
        Carried(one, library.owner.sign_public) for one in (first, third, second, first, rival)
    ]
    decisions = judge_envelopes(carried, membership=library.membership, heads={}, room_bytes=ROOM)
    assert decisions[0] == Next()
    assert code_of(decisions[1]) is Code.GAP
    assert decisions[2:4] == [Next(), Again(0)]
    assert code_of(decisions[4]) is Code.FORK


def test_what_has_no_room_is_rejected_and_what_follows_it_in_its_chain_too(
    library: SharedLibrary,
) -> None:
    large = library.author(seed=1).envelopes(2, library.random(1000))
    small = library.author(seed=2).envelope()
    carried = [Carried(one, library.owner.sign_public) for one in (*large, small)]
    room_bytes = entry_cost(len(small.raw))
    decisions = judge_envelopes(
        carried, membership=library.membership, heads={}, room_bytes=room_bytes
    )
    assert [code_of(one) for one in decisions[:2]] == [Code.QUOTA, Code.GAP]
    assert decisions[2] == Next()


def test_a_record_follows_the_head_or_was_appended_before(library: SharedLibrary) -> None:
    before = library.membership
    _, invite = library.invite()
    question = AppendMember(library.id, library.owner.sign_public, before.head, invite)
    part = judge_record(before, question)
    assert part == MembersPart(1, (invite,), 2, library.membership.head, library.membership)
    again = judge_record(library.membership, question)
    assert again == MembersPart(1, (invite,), 2, library.membership.head)
    library.membership = before
    _, rival = library.invite()
    moved = judge_record(
        before.append(invite),
        AppendMember(library.id, library.owner.sign_public, before.head, rival),
    )
    assert code_of(moved) is Code.HEAD_MOVED
    garbage = AppendMember(library.id, library.owner.sign_public, before.head, b"garbage")
    assert code_of(judge_record(before, garbage)) is Code.INVALID


def test_what_cannot_be_judged_is_taken_from_whoever_was_known_before(
    library: SharedLibrary,
) -> None:
    """Behind a critical record of a kind that only a newer relay knows."""
    secret, _ = library.invite()
    library.membership = library.membership.append(
        make_record(library.membership, library.owner, "removal")
    )
    membership = library.membership
    stranger = new_device_keys("stranger", library.random)
    record = make_record(membership, stranger, "invite")

    def judged(carrier: bytes) -> MembersPart | Rejected:
        return judge_record(membership, AppendMember(library.id, carrier, membership.head, record))

    assert code_of(judged(stranger.sign_public)) is Code.FORBIDDEN
    for carrier in (library.owner.sign_public, invite_keys(secret).sign_public):
        assert isinstance(judged(carrier), MembersPart)


def test_an_envelope_that_only_a_newer_relay_could_judge_is_taken(library: SharedLibrary) -> None:
    library.membership = library.membership.append(
        make_record(library.membership, library.owner, "promotion")
    )
    assert judge(library, library.author().envelope()) == Next()
