"""Two logs of one library: both sides choose the same one, and what lost is made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.examples import examples
from tests.support.newer_membership import make_greeting, make_record
from tests.unit.crypto.builders import (
    CONTENT_KEY,
    NEXT_KEY,
    counting_bytes,
    cut_of,
    device,
    envelope_of,
    invited,
    joined,
    new_library,
    removed,
    secret,
    with_role,
)

from bifolio import limits
from bifolio.crypto.keys import DeviceKeys
from bifolio.crypto.membership import (
    Membership,
    MergedLogs,
    Permission,
    Role,
    find_keys,
    invite_keys,
    make_carry,
    make_earlier_keys,
    make_invite,
    make_join,
    make_keys,
    make_leave,
    make_remove,
    make_revoke,
    make_role,
    merge_logs,
)
from bifolio.crypto.membership.record_kinds import KINDS
from bifolio.crypto.membership.records import parse_record, sign_body
from bifolio.errors import MembershipError

OWNER, EDITOR, READER, SECOND, STRANGER, LATE = (
    device(name) for name in ("owner", "editor", "reader", "second", "other", "late")
)
EDITORS = joined(invited(new_library(OWNER), OWNER, "editor's"), EDITOR, "editor's")
READERS = joined(invited(EDITORS, OWNER, "reader's", Role.READER), READER, "reader's")
ALL = joined(invited(READERS, OWNER, "owner's", Role.OWNER), SECOND, "owner's")


def carried(merged: MergedLogs, carrier: DeviceKeys) -> Membership:
    """The winner with all that lost on top of it."""
    membership = merged.winner
    for raw in make_carry(membership, carrier, merged.lost) if merged.lost else ():
        membership = membership.append(raw)
    assert Membership.from_records(membership.records).members == membership.members
    return membership


def role(membership: Membership, keys: DeviceKeys) -> Role | None:
    return membership.role_of(keys.sign_public)


# --- the rule -------------------------------------------------------------------------------


def test_a_log_that_goes_on_wins_over_its_beginning() -> None:
    for merged in (merge_logs(ALL, READERS), merge_logs(READERS, ALL)):
        assert merged.winner == ALL
        assert merged.lost == ()
    assert merge_logs(ALL, ALL).ours_won


def test_logs_of_two_libraries_are_not_merged() -> None:
    with pytest.raises(MembershipError, match="another library"):
        merge_logs(ALL, new_library(OWNER, "another"))


def test_a_removal_comes_first_whatever_its_hash_is() -> None:
    without = removed(ALL, OWNER, EDITOR)
    for number in range(8):
        other = invited(ALL, SECOND, f"ticket {number}")
        assert merge_logs(without, other).winner == without
        assert merge_logs(other, without).winner == without


def test_of_two_others_the_lower_hash_comes_first() -> None:
    one, other = invited(ALL, OWNER, "one"), invited(ALL, OWNER, "other")
    first = min((one, other), key=lambda log: log.head)
    assert merge_logs(one, other).winner == first
    assert merge_logs(other, one).winner == first


def test_an_owner_who_was_removed_cannot_make_up_a_removal_of_those_before_it() -> None:
    """It can try as many hashes as it likes."""
    honest = removed(ALL, OWNER, SECOND)
    for number in range(8):
        raw = make_remove(
            ALL,
            SECOND,
            cuts={OWNER.sign_public: {}},
            content_key=NEXT_KEY,
            earlier={0: CONTENT_KEY},
            random_bytes=counting_bytes(f"try {number}"),
        )[0]
        merged = merge_logs(ALL.append(raw), honest)
        assert merged.winner == honest
        after = carried(merged, OWNER)
        assert role(after, OWNER) is Role.OWNER
        assert role(after, SECOND) is None


# --- what lost ------------------------------------------------------------------------------


def test_who_joined_on_the_side_that_lost_is_in_after_anybody_carried_it() -> None:
    without = removed(ALL, OWNER, EDITOR)
    there = joined(ALL, STRANGER, "reader's")
    merged = merge_logs(there, without)
    assert role(merged.winner, STRANGER) is None
    for carrier in (OWNER, READER):
        after = carried(merged, carrier)
        assert role(after, STRANGER) is Role.READER
        assert role(after, EDITOR) is None


def test_a_ticket_made_on_the_side_that_lost_lets_join_again_after_it_was_carried() -> None:
    without = removed(ALL, OWNER, EDITOR)
    there = joined(invited(ALL, SECOND, "new"), STRANGER, "new")
    after = carried(merge_logs(there, without), READER)
    assert role(after, STRANGER) is Role.EDITOR
    assert role(joined(after, LATE, "new"), LATE) is Role.EDITOR


def test_an_envelope_under_a_head_that_lost_is_judged_after_it_was_carried() -> None:
    without = removed(ALL, OWNER, READER)
    there = joined(ALL, STRANGER, "editor's")
    merged = merge_logs(there, without)
    envelope = envelope_of(STRANGER, there, b"x")
    assert merged.winner.permits(envelope) is Permission.UNKNOWN_HEAD
    assert carried(merged, EDITOR).permits(envelope) is Permission.PERMITTED


def test_who_was_removed_on_one_side_is_cut_on_the_heads_of_the_other() -> None:
    there = invited(ALL, SECOND, "new")
    chain = {"chain": b"c" * 16}
    inside = envelope_of(EDITOR, there, b"x", **chain)
    beyond = envelope_of(EDITOR, there, b"y", chain=b"d" * 16)
    without = removed(ALL, OWNER, EDITOR, cut=cut_of(inside))
    after = carried(merge_logs(there, without), READER)
    assert after.permits(inside) is Permission.PERMITTED
    assert after.permits(beyond) is Permission.FORBIDDEN


def test_two_removals_both_hold_and_the_owner_is_told_that_a_key_is_needed() -> None:
    one, other = removed(ALL, OWNER, EDITOR), removal_by(OWNER, ALL, READER)
    merged = merge_logs(one, other)
    after = carried(merged, SECOND)
    assert role(after, EDITOR) is None
    assert role(after, READER) is None
    assert after.needs_new_key
    owner_keys = {**find_keys(after, OWNER, known={0: CONTENT_KEY}).keys}
    assert len(owner_keys) == 3
    for raw in make_keys(
        after,
        OWNER,
        content_key=b"3" * 32,
        earlier=owner_keys,
        random_bytes=counting_bytes("three"),
    ):
        after = after.append(raw)
    assert not after.needs_new_key
    assert len(find_keys(after, SECOND).keys) == 4


def test_where_both_sides_removed_the_same_both_keys_are_found() -> None:
    """Found by seed 70 of the simulation: the removal that lost had nobody to remove any more, and
    what members had sealed under its key waited for that for ever, everywhere."""
    one, other = removed(ALL, OWNER, EDITOR), removal_by(OWNER, ALL, EDITOR)
    after = carried(merge_logs(one, other), SECOND)
    assert role(after, EDITOR) is None
    for member in (OWNER, SECOND, READER):
        assert len(find_keys(after, member).keys) == 3
    assert set(find_keys(after, EDITOR).keys) <= {0}
    assert not after.needs_new_key


def test_who_was_let_in_by_the_side_that_lost_alone_has_the_key_that_it_was_given_there() -> None:
    """Found by seed 283 of the simulation: its ticket was closed on the side that won, so that it
    is no member; and all went on sealing under a key that it has."""
    ticket = invite_keys(secret("reader's")).sign_public
    won, lost = (
        one.append(make_revoke(one, OWNER, sign_public=ticket))
        for one in (ALL, joined(ALL, STRANGER, "reader's"))
    )
    keys = {0: CONTENT_KEY}
    for number in (3, 4):  # two, so that the later one is the newest on both sides together
        key, draw = bytes([number]) * 32, counting_bytes(f"key {number}")
        for raw in make_keys(lost, OWNER, content_key=key, earlier=keys, random_bytes=draw):
            lost = lost.append(raw)
        keys[lost.generation] = key
    assert lost.generation in find_keys(lost, STRANGER).keys
    merged = merge_logs(won, lost)
    assert merged.ours_won
    after = carried(merged, SECOND)
    assert role(after, STRANGER) is None
    assert after.generation == lost.generation
    assert after.needs_new_key
    assert set(find_keys(after, STRANGER).keys) == set()


def two_keys() -> tuple[Membership, dict[int, bytes]]:
    """Two logs became one, each with a key of its own, and who has left had neither; the keys that
    an owner of both has."""
    left = ALL.append(make_leave(ALL, READER, cut={}))
    grown = []
    for key in (b"3" * 32, b"4" * 32):
        (raw,) = make_keys(
            left,
            OWNER,
            content_key=key,
            earlier={0: CONTENT_KEY},
            random_bytes=counting_bytes(f"key {key[0]}"),
        )
        grown.append(left.append(raw))
    after = carried(merge_logs(*grown), SECOND)
    keys = dict(find_keys(after, OWNER).keys)
    assert len(keys) == 3
    assert not after.needs_new_key
    return after, keys


def late_comer(membership: Membership, newest: bytes) -> Membership:
    """The log with somebody who comes with a ticket that holds the newest key."""
    invite = make_invite(
        membership,
        OWNER,
        ticket_secret=secret("late"),
        role=Role.EDITOR,
        generation=membership.generation,
        content_key=newest,
    )
    return joined(membership.append(invite), LATE, "late")


def test_who_joins_later_finds_the_key_of_the_side_that_lost() -> None:
    """Found by seed 174 of the simulation: what was sealed under it could be read by nobody who
    joined later."""
    after, keys = two_keys()
    before = late_comer(after, keys[after.generation])
    assert len(find_keys(before, LATE).keys) == 2
    newest = keys[before.generation]
    draw = counting_bytes("earlier")
    raw = make_earlier_keys(before, OWNER, content_key=newest, earlier=keys, random_bytes=draw)
    assert raw is not None
    mended = before.append(raw)
    assert find_keys(mended, LATE).keys == keys
    assert not mended.without_key
    again = make_earlier_keys(mended, OWNER, content_key=newest, earlier=keys, random_bytes=draw)
    assert again is None
    # Who was removed has the newest one no more than before.
    assert len(find_keys(mended, READER).keys) == 1


def test_a_member_passes_on_a_key_that_no_owner_has() -> None:
    """Found by seeds 12135 and 13080: the owner who had made it was gone by the list that goes on,
    so that what was sealed under it could be read by nobody else."""
    after, keys = two_keys()
    before = late_comer(after, keys[after.generation])
    newest = keys[before.generation]
    draw = counting_bytes("earlier")
    wrong = dict.fromkeys(keys, b"5" * 32) | {before.generation: newest}
    for own in (wrong, keys):
        raw = make_earlier_keys(before, LATE, content_key=newest, earlier=own, random_bytes=draw)
        assert raw is not None
        before = before.append(raw)
        # Another one than the log promises is used by nobody, and is in nobody's way.
        assert (find_keys(before, LATE).keys == keys) is (own is keys)
    assert not find_keys(before, READER).keys.keys() - find_keys(after, READER).keys.keys()
    with pytest.raises(MembershipError, match="its author is no member"):
        make_earlier_keys(after, READER, content_key=newest, earlier=keys, random_bytes=draw)
    # An earlier program carries it and goes on without what it says.
    kinds = {name: kind for name, kind in KINDS.items() if name != "earlier"}
    assert not Membership.from_records(before.records, kinds=kinds).needs_newer


def test_another_key_than_the_side_that_lost_committed_to_is_used_by_nobody() -> None:
    after, keys = two_keys()
    (lost,) = keys.keys() - {0, after.generation}
    draw, newest = counting_bytes("earlier"), keys[after.generation]
    wrong = {**keys, lost: b"5" * 32}
    raw = make_earlier_keys(after, OWNER, content_key=newest, earlier=wrong, random_bytes=draw)
    assert raw is not None
    mended = after.append(raw)
    late = late_comer(mended, newest)
    assert lost not in find_keys(late, LATE).keys
    # An owner that has the right one gives it all the same.
    right = make_earlier_keys(late, SECOND, content_key=newest, earlier=keys, random_bytes=draw)
    assert right is not None
    assert find_keys(late.append(right), LATE).keys == keys


def test_two_keys_of_one_generation_do_not_meet() -> None:
    """Were the numbers equal by chance, the winner's key would be the one that holds."""
    one = removed(ALL, OWNER, EDITOR)
    fields = dict(parse_record(removal_by(OWNER, ALL, READER).records[-1]).fields)
    fields["generation"] = one.generation
    header = parse_record(removal_by(OWNER, ALL, READER).records[-1]).header
    other = ALL.append(sign_body(header, msgpack.packb(dict(sorted(fields.items()))), OWNER))
    merged = merge_logs(one, other)
    after = carried(merged, SECOND)
    assert after.commitment(one.generation) == merged.winner.commitment(one.generation)
    assert role(after, EDITOR) is None
    assert role(after, READER) is None


def test_a_removal_that_lost_holds_whatever_was_done_with_tickets_on_the_other_side() -> None:
    """Its keys are for a ticket that the removed device used on the side that won."""
    without_editor = removed(ALL, OWNER, EDITOR)
    there = removal_by(OWNER, ALL, READER)
    here, there = (
        (without_editor, there)
        if merge_logs(without_editor, there).ours_won
        else (there, without_editor)
    )
    gone = READER if here == without_editor else EDITOR
    here = joined(here, gone, "owner's")
    after = carried(merge_logs(here, there), OWNER)
    assert role(after, gone) is None
    assert after.needs_new_key


def test_a_removal_that_lost_holds_behind_one_whose_author_lost_the_right() -> None:
    first = removed(ALL, SECOND, READER)
    both = removed(
        first, OWNER, EDITOR, keys={0: CONTENT_KEY, first.generation: NEXT_KEY}, next_key=b"3" * 32
    )
    demoted = with_role(ALL, OWNER, SECOND, Role.EDITOR)
    after = demoted
    for raw in make_carry(after, OWNER, both.records[len(ALL.records) :]):
        after = after.append(raw)
    assert role(after, READER) is Role.READER
    assert role(after, EDITOR) is None


# --- pasts that are made up -----------------------------------------------------------------


def longer(membership: Membership, *tickets: str) -> Membership:
    """A log that has gone on for a while."""
    for ticket in tickets:
        membership = invited(membership, OWNER, ticket)
    return membership


def removal_by(author: DeviceKeys, membership: Membership, gone: DeviceKeys) -> Membership:
    """A removal whose key is another one than that of ``removed``."""
    for raw in make_remove(
        membership,
        author,
        cuts={gone.sign_public: {}},
        content_key=b"9" * 32,
        earlier={0: CONTENT_KEY},
        random_bytes=counting_bytes("made up"),
    ):
        membership = membership.append(raw)
    return membership


def lowest(membership: Membership, made: Callable[[str], Membership], than: bytes) -> Membership:
    """One of many records whose hash is lower than another's, as who makes up a past can choose."""
    for number in range(256):
        grown = made(f"{number}")
        if parse_record(grown.records[len(membership.records)]).hash < than:
            return grown
    raise AssertionError("none is lower")


def test_an_owner_who_was_removed_later_makes_up_no_removal_of_those_before_it() -> None:
    honest = removed(longer(ALL, "one", "two"), OWNER, SECOND)
    made_up = removal_by(SECOND, ALL, OWNER)
    merged = merge_logs(honest, made_up)
    assert merged.winner == honest
    after = carried(merged, EDITOR)
    assert role(after, OWNER) is Role.OWNER
    assert role(after, SECOND) is None


def test_an_owner_who_was_demoted_later_makes_up_no_removal_of_those_before_it() -> None:
    honest = with_role(longer(ALL, "one"), OWNER, SECOND, Role.EDITOR)
    merged = merge_logs(removal_by(SECOND, ALL, OWNER), honest)
    assert merged.winner == honest
    assert role(carried(merged, EDITOR), OWNER) is Role.OWNER


def test_an_owner_who_was_removed_later_makes_up_no_owner_of_its_own() -> None:
    honest = removed(longer(ALL, "one", "two"), OWNER, SECOND)
    first = parse_record(honest.records[len(ALL.records)]).hash
    made_up = lowest(ALL, lambda name: invited(ALL, SECOND, name, Role.OWNER), first)
    ticket = next(
        str(number)
        for number in range(256)
        if made_up.is_open_invite(invite_keys(secret(str(number))).sign_public)
    )
    merged = merge_logs(honest, joined(made_up, STRANGER, ticket))
    assert merged.winner == honest
    assert role(carried(merged, EDITOR), STRANGER) is None


def test_a_ticket_that_was_closed_lets_nobody_in_by_a_past_made_up() -> None:
    sign_public = invite_keys(secret("reader's")).sign_public
    closed = longer(ALL, "one")
    closed = closed.append(make_revoke(closed, OWNER, sign_public=sign_public))
    for number in range(8):
        made_up = joined(ALL, device(f"stranger {number}"), "reader's")
        merged = merge_logs(made_up, closed)
        assert merged.winner == closed
        assert role(carried(merged, EDITOR), device(f"stranger {number}")) is None


def test_a_removal_counts_however_late_it_comes() -> None:
    """On both sides of the fork, and in whichever order they are compared."""
    late = removed(longer(ALL, "one", "two", "three"), OWNER, EDITOR)
    for number in range(8):
        other = longer(ALL, f"other {number}")
        assert merge_logs(late, other).winner == merge_logs(other, late).winner == late


# --- who brings what lost -------------------------------------------------------------------


def test_who_joined_on_the_side_that_lost_brings_its_own_join() -> None:
    join = joined(ALL, STRANGER, "reader's").records[-1]
    other = invited(ALL, OWNER, "new")
    after = other.append(make_carry(other, STRANGER, [join])[0])
    assert role(after, STRANGER) is Role.READER


def test_who_joined_under_a_key_that_the_winners_do_not_know_is_given_theirs() -> None:
    """Found by the property test: an owner made the next key, and left in the log that won; who had
    joined with it was no member any more."""
    (raw,) = make_keys(
        ALL,
        OWNER,
        content_key=b"3" * 32,
        earlier={0: CONTENT_KEY},
        random_bytes=counting_bytes("next"),
    )
    lost = joined(ALL.append(raw), LATE, "reader's")
    winner = ALL.append(make_leave(ALL, OWNER, cut={}))
    after = winner.append(make_carry(winner, SECOND, lost.records[len(ALL.records) :])[0])
    assert role(after, LATE) is Role.READER
    assert LATE.sign_public in after.without_key


@pytest.mark.parametrize("is_higher", [True, False])
def test_what_members_sealed_under_a_key_that_lost_can_be_read_and_nothing_more_is(
    *, is_higher: bool
) -> None:
    """Found by seed 13448: an owner made the next key, and another one took its right on a relay
    that was put back: the log promised that key to nobody, and what a member had sealed under it
    waited everywhere."""
    key, winner = b"3" * 32, removed(ALL, OWNER, SECOND)
    for number in range(100):
        (raw,) = make_keys(
            ALL,
            SECOND,
            content_key=key,
            earlier={0: CONTENT_KEY},
            random_bytes=counting_bytes(f"lost {number}"),
        )
        lost = int(str(parse_record(raw).fields["generation"]))
        if (lost > winner.generation) is is_higher:
            break
    after = winner.append(make_carry(winner, OWNER, [raw])[0])
    assert lost in after.lost_generations
    assert after.generation == winner.generation
    assert lost not in after.generations
    found = dict(find_keys(after, EDITOR).keys)
    assert found[lost] == key
    # Who came later was not given it; one of those who were passes it on.
    newest = found[after.generation]
    late = late_comer(after, newest)
    assert lost not in find_keys(late, LATE).keys
    draw = counting_bytes("earlier")
    given_on = make_earlier_keys(late, OWNER, content_key=newest, earlier=found, random_bytes=draw)
    assert given_on is not None
    mended = late.append(given_on)
    assert find_keys(mended, LATE).keys[lost] == key
    again = make_earlier_keys(mended, OWNER, content_key=newest, earlier=found, random_bytes=draw)
    assert again is None
    # What follows brings the keys that hold, as every program reads them.
    following = removed(late.append(given_on), OWNER, READER)
    rows = parse_record(following.records[-1]).fields["earlier"]
    assert isinstance(rows, list)
    assert lost not in [row[0] for row in rows if isinstance(row, list)]


@pytest.mark.parametrize("label", ["lost", "higher", "later", "other", "fifth"])
def test_a_key_that_lost_is_passed_on_once_whatever_its_number(label: str) -> None:
    """Found by seed 13080: one with a higher number than the newest key that holds was passed on
    again and again."""
    (raw,) = make_keys(
        ALL,
        SECOND,
        content_key=b"3" * 32,
        earlier={0: CONTENT_KEY},
        random_bytes=counting_bytes(label),
    )
    winner = removed(ALL, OWNER, SECOND)
    after = winner.append(make_carry(winner, OWNER, [raw])[0])
    found = dict(find_keys(after, EDITOR).keys)

    def give_on(membership: Membership) -> bytes | None:
        newest, draw = found[after.generation], counting_bytes("earlier")
        return make_earlier_keys(
            membership, EDITOR, content_key=newest, earlier=found, random_bytes=draw
        )

    given_on = give_on(after)
    assert given_on is not None
    assert give_on(after.append(given_on)) is None


def test_with_the_invite_by_which_it_came() -> None:
    there = joined(invited(ALL, OWNER, "late"), STRANGER, "late")
    other = invited(ALL, OWNER, "new")
    after = other.append(make_carry(other, STRANGER, there.records[-2:])[0])
    assert role(after, STRANGER) is Role.EDITOR


def test_who_was_removed_or_whose_inviter_was_brings_nothing() -> None:
    join = joined(ALL, STRANGER, "reader's").records[-1]
    there = joined(invited(ALL, SECOND, "late"), LATE, "late")
    gone = removed(joined(ALL, STRANGER, "reader's"), OWNER, STRANGER)
    for log, who, records in (
        (gone, STRANGER, [join]),
        (removed(ALL, OWNER, SECOND), LATE, there.records[-2:]),
        (
            ALL.append(make_revoke(ALL, OWNER, sign_public=parse_record(join).header.author)),
            STRANGER,
            [join],
        ),
    ):
        before = (log.members, log.invites)
        with pytest.raises(MembershipError, match="no member"):
            make_carry(log, who, records)
        assert (log.members, log.invites) == before


def test_so_many_carriers_are_made_as_a_log_needs_to_be_longer() -> None:
    there = joined(joined(ALL, STRANGER, "reader's"), LATE, "reader's")
    other = invited(ALL, OWNER, "new")
    for count in (1, 2, 3, 7):
        made = make_carry(other, OWNER, there.records[-2:], count_min=count)
        assert len(made) == count
        after = other
        for raw in made:
            after = after.append(raw)
        assert role(after, STRANGER) is role(after, LATE) is Role.READER


# --- attacks with what lost -----------------------------------------------------------------


def test_a_removed_owner_makes_up_no_past_in_which_it_still_may() -> None:
    without = removed(ALL, OWNER, SECOND)
    for made_up in (
        invited(ALL, SECOND, "mine", Role.OWNER).records[-1],
        make_role(ALL, SECOND, device=READER.sign_public, role=Role.OWNER),
        make_leave(ALL, SECOND, cut={}),
        make_revoke(ALL, SECOND, sign_public=invite_keys(secret("editor's")).sign_public),
    ):
        (raw,) = make_carry(without, READER, [made_up])
        after = without.append(raw)
        assert after.members == without.members
        assert after.invites == without.invites


def test_a_removed_device_is_not_let_in_by_a_join_from_before() -> None:
    again = make_join(ALL, EDITOR, ticket_secret=secret("reader's"))
    without = removed(ALL, OWNER, EDITOR)
    after = without.append(make_carry(without, READER, [again])[0])
    assert role(after, EDITOR) is None


def test_what_the_winners_decided_of_a_role_stays() -> None:
    promoted = with_role(ALL, SECOND, EDITOR, Role.OWNER)
    demoted = with_role(ALL, OWNER, EDITOR, Role.READER, {})
    after = demoted.append(make_carry(demoted, READER, promoted.records[-1:])[0])
    assert role(after, EDITOR) is Role.READER


def test_a_record_is_carried_once() -> None:
    promoted = with_role(ALL, OWNER, EDITOR, Role.OWNER)
    other = invited(ALL, OWNER, "new")
    carrier = make_carry(other, READER, promoted.records[-1:])[0]
    after = with_role(other.append(carrier), OWNER, EDITOR, Role.READER, {})
    again = after.append(make_carry(after, READER, promoted.records[-1:])[0])
    assert role(again, EDITOR) is Role.READER
    own_past = after.append(make_carry(after, READER, after.records[2:4])[0])
    assert own_past.members == after.members


def test_a_closed_ticket_is_not_opened_by_a_join_from_before() -> None:
    sign_public = invite_keys(secret("reader's")).sign_public
    closed = ALL.append(make_revoke(ALL, OWNER, sign_public=sign_public))
    join = joined(ALL, STRANGER, "reader's").records[-1]
    after = closed.append(make_carry(closed, EDITOR, [join])[0])
    assert role(after, STRANGER) is None


def test_a_ticket_for_one_admits_one_on_both_sides_together() -> None:
    base = invited(ALL, OWNER, "one", uses=1)
    here, there = joined(base, STRANGER, "one"), joined(base, LATE, "one")
    after = carried(merge_logs(here, there), OWNER)
    assert [role(after, one) for one in (STRANGER, LATE)].count(None) == 1


def test_who_is_no_member_carries_nothing() -> None:
    join = joined(ALL, STRANGER, "reader's").records[-1]
    other = invited(ALL, OWNER, "new")
    with pytest.raises(MembershipError, match="no member"):
        make_carry(other, LATE, [join])


def test_records_are_carried_from_the_fork_on_without_a_gap() -> None:
    there = joined(invited(ALL, OWNER, "new"), STRANGER, "new")
    other = invited(ALL, OWNER, "other")
    with pytest.raises(MembershipError, match="place is not known"):
        make_carry(other, OWNER, there.records[-1:])


def test_only_records_of_this_library_with_good_signatures_are_carried() -> None:
    other = invited(ALL, OWNER, "new")
    twin = invited(new_library(OWNER, "another"), OWNER, "x")
    for raw in (twin.records[0], twin.records[1], ALL.records[0], b"", b"nonsense"):
        if raw == ALL.records[0]:
            continue
        with pytest.raises(MembershipError):
            make_carry(other, OWNER, [raw])
    join = joined(ALL, STRANGER, "reader's").records[-1]
    record = parse_record(join)
    body = msgpack.packb(dict(record.fields))
    forged = sign_body(record.header, body, STRANGER, STRANGER)
    with pytest.raises(MembershipError, match="signature"):
        make_carry(other, OWNER, [forged])
    unsigned = sign_body(record.header, body, invite_keys(secret("reader's")), LATE)
    after = other.append(make_carry(other, OWNER, [unsigned])[0])
    assert role(after, STRANGER) is None  # the device did not sign


def test_records_are_carried_in_each_other_to_a_bound() -> None:
    logs = ALL
    raw = joined(ALL, STRANGER, "reader's").records[-1]
    for _ in range(limits.MEMBERSHIP_CARRY_DEPTH_MAX):
        side = invited(ALL, OWNER, "side") if logs == ALL else logs
        raw = make_carry(ALL, OWNER, [raw])[0]
        logs = side
    other = invited(ALL, OWNER, "new")
    with pytest.raises(MembershipError, match="too deeply"):
        make_carry(other, OWNER, [raw])


def test_a_carried_carrier_brings_what_it_carried() -> None:
    join = joined(ALL, STRANGER, "reader's").records[-1]
    first = invited(ALL, OWNER, "one")
    once = first.append(make_carry(first, EDITOR, [join])[0])
    without = removed(ALL, OWNER, EDITOR)
    twice = carried(merge_logs(once, without), OWNER)
    # Who carried it first is gone meanwhile, and what it carried is good by itself.
    assert role(twice, STRANGER) is Role.READER


def test_unknown_kinds_that_lost_are_carried_too() -> None:
    greeting = make_greeting(ALL, EDITOR)
    critical = make_record(ALL.append(greeting), OWNER, "unheard-of")
    other = invited(ALL, OWNER, "new")
    after = other.append(make_carry(other, READER, [greeting])[0])
    assert after.needs_newer == ()
    after = after.append(make_carry(after, READER, [critical])[0])
    assert after.needs_newer == ("unheard-of",)
    by_editor = make_record(ALL, EDITOR, "unheard-of")
    assert other.append(make_carry(other, READER, [by_editor])[0]).needs_newer == ()


# --- any two branches -----------------------------------------------------------------------

OWNERS_DEED = ("invite", "remove", "demote", "promote", "revoke", "rotate")
DEEDS = (*OWNERS_DEED, "join", "join", "join", "leave")
DEVICES = (OWNER, SECOND, EDITOR, READER, *(device(f"d{number}") for number in range(4)))


@dataclass
class Branch:
    """A log that grows by what happens to be possible."""

    membership: Membership
    name: str
    keys: dict[int, bytes] = field(default_factory=lambda: {0: CONTENT_KEY})
    tickets: list[str] = field(default_factory=lambda: ["editor's", "reader's", "owner's"])
    joined: list[tuple[DeviceKeys, str]] = field(default_factory=list)

    def act(self, deed: str, actor: int, target: int) -> None:
        """Do it, if the rules let."""
        who, whom = DEVICES[actor], DEVICES[target]
        try:
            for raw in self._records(deed, who, whom, target):
                self.membership = self.membership.append(raw)
                record = parse_record(raw)
                if deed in ("remove", "rotate"):
                    self.keys.setdefault(int(str(record.fields["generation"])), self._next())
        except MembershipError:
            return
        if deed == "join":
            self.joined.append((who, self.tickets[target % len(self.tickets)]))

    def _next(self) -> bytes:
        return counting_bytes(f"{self.name} key {len(self.keys)}")(32)

    def _records(self, deed: str, who: DeviceKeys, whom: DeviceKeys, number: int) -> list[bytes]:
        log, draw = self.membership, counting_bytes(f"{self.name} {len(self.membership.records)}")
        match deed:
            case "invite":
                ticket = f"{self.name} {len(log.records)}"
                self.tickets.append(ticket)
                return self._invite(who, ticket)
            case "join":
                ticket = self.tickets[number % len(self.tickets)]
                return [make_join(log, who, ticket_secret=secret(ticket))]
            case "remove":
                return make_remove(
                    log,
                    who,
                    cuts={whom.sign_public: {}},
                    content_key=self._next(),
                    earlier=self.keys,
                    random_bytes=draw,
                )
            case "rotate":
                return make_keys(
                    log, who, content_key=self._next(), earlier=self.keys, random_bytes=draw
                )
            case "demote":
                return [make_role(log, who, device=whom.sign_public, role=Role.READER, cut={})]
            case "promote":
                return [make_role(log, who, device=whom.sign_public, role=Role.OWNER)]
            case "revoke":
                ticket = self.tickets[number % len(self.tickets)]
                sign_public = invite_keys(secret(ticket)).sign_public
                return [make_revoke(log, who, sign_public=sign_public)]
            case _:
                return [make_leave(log, who, cut={})]

    def _invite(self, who: DeviceKeys, ticket: str) -> list[bytes]:
        from bifolio.crypto.membership import make_invite

        generation = self.membership.generation
        return [
            make_invite(
                self.membership,
                who,
                ticket_secret=secret(ticket),
                role=Role.EDITOR,
                generation=generation,
                content_key=self.keys[generation],
            )
        ]


deeds = st.lists(
    st.tuples(
        st.sampled_from(DEEDS),
        st.integers(0, len(DEVICES) - 1),
        st.integers(0, len(DEVICES) - 1),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=examples(150))
@given(deeds, deeds)
def test_any_two_branches_become_one_log_and_lock_nobody_out(
    left: list[tuple[str, int, int]], right: list[tuple[str, int, int]]
) -> None:
    one, other = Branch(ALL, "left"), Branch(ALL, "right")
    for branch, what in ((one, left), (other, right)):
        for deed in what:
            branch.act(*deed)
    merged, mirrored = (
        merge_logs(one.membership, other.membership),
        merge_logs(other.membership, one.membership),
    )
    assert merged.winner.records == mirrored.winner.records
    assert merged.lost == mirrored.lost
    carrier = next(keys for keys in DEVICES if merged.winner.role_of(keys.sign_public) is not None)
    after = carried(merged, carrier)
    assert any(member.role is Role.OWNER for member in after.members)
    assert merge_logs(after, merged.winner).winner == after
    for branch in (one, other):
        for raw in branch.membership.records:
            assert after.knows(parse_record(raw).hash)
        _nobody_is_locked_out(branch, merged, after)


def _nobody_is_locked_out(branch: Branch, merged: MergedLogs, after: Membership) -> None:
    """Who joined on one side is a member, unless it or its ticket was ended on the other."""
    ended = {
        device
        for log in (merged.winner, branch.membership)
        for raw in [*log.records, *merged.lost]
        for device in _gone(raw)
    }
    for keys, ticket in branch.joined:
        invite = after.invite(invite_keys(secret(ticket)).sign_public)
        if keys.sign_public in ended or invite is None or not invite.is_open:
            continue
        assert after.role_of(keys.sign_public) is not None


def _gone(raw: bytes) -> list[bytes]:
    """The devices that a record removes, or that leave by it."""
    record = parse_record(raw)
    if record.header.kind == "leave":
        return [record.header.author]
    devices = record.fields.get("devices")
    return [one for one in devices if isinstance(one, bytes)] if isinstance(devices, list) else []


def test_replacing_a_header_changes_the_hash_by_which_logs_are_told_apart() -> None:
    record = parse_record(ALL.records[-1])
    assert replace(record.header, needs=2) != record.header
