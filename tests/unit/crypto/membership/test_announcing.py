"""Where the library is, and a device's next keys, as records of the membership log."""

from __future__ import annotations

import pytest
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
    with_role,
)

from bifolio.crypto.keys import DeviceKeys
from bifolio.crypto.membership import (
    Membership,
    Permission,
    Role,
    find_keys,
    joined_names,
    make_carry,
    make_relay,
    make_rotate,
    member_names,
    merge_logs,
    relay_address,
)
from bifolio.crypto.membership.record_kinds import KINDS
from bifolio.crypto.membership.rights import Cut
from bifolio.errors import MembershipError

OWNER, EDITOR, READER, SECOND, NEXT, THIEF = (
    device(name) for name in ("owner", "editor", "reader", "second", "next", "thief")
)
EDITORS = joined(invited(new_library(OWNER), OWNER, "editor's"), EDITOR, "editor's")
READERS = joined(invited(EDITORS, OWNER, "reader's", Role.READER), READER, "reader's")
ALL = joined(invited(READERS, OWNER, "owner's", Role.OWNER), SECOND, "owner's")
KEYS = {0: CONTENT_KEY}
NEW, OTHER = "wss://new.example", "wss://other.example"


def moved(membership: Membership, author: DeviceKeys, address: str = NEW) -> Membership:
    record = make_relay(
        membership,
        author,
        address=address,
        generation=0,
        content_key=CONTENT_KEY,
        random_bytes=counting_bytes(address),
    )
    return membership.append(record)


def rotated(
    membership: Membership, author: DeviceKeys, successor: DeviceKeys = NEXT, cut: Cut | None = None
) -> Membership:
    record = make_rotate(
        membership,
        author,
        successor,
        cut=cut or {},
        generation=0,
        content_key=CONTENT_KEY,
        random_bytes=counting_bytes("rotate"),
    )
    return membership.append(record)


def carried(one: Membership, other: Membership, carrier: DeviceKeys) -> Membership:
    """Both logs as one; the same whichever is given first."""
    merged, again = merge_logs(one, other), merge_logs(other, one)
    assert (merged.winner, merged.lost) == (again.winner, again.lost)
    membership = merged.winner
    for raw in make_carry(membership, carrier, merged.lost):
        membership = membership.append(raw)
    return membership


# --- the relay's address ----------------------------------------------------------------------


def test_an_owner_says_where_the_library_is_and_the_relay_is_not_told() -> None:
    membership = moved(ALL, OWNER)
    assert relay_address(membership, KEYS) == NEW
    assert relay_address(membership, {}) is None
    assert NEW.encode() not in b"".join(membership.records)


@pytest.mark.parametrize("author", [EDITOR, READER])
def test_nobody_else_does(author: DeviceKeys) -> None:
    with pytest.raises(MembershipError, match="no owner"):
        moved(ALL, author)


def test_of_two_the_later_one_holds() -> None:
    assert relay_address(moved(moved(ALL, OWNER), SECOND, OTHER), KEYS) == OTHER


def test_two_owners_at_once_come_to_one_address() -> None:
    whole = carried(moved(ALL, OWNER), moved(ALL, SECOND, OTHER), OWNER)
    winner = merge_logs(moved(ALL, OWNER), moved(ALL, SECOND, OTHER)).winner
    assert relay_address(whole, KEYS) == relay_address(winner, KEYS)


def test_what_a_removed_owner_said_does_not_count() -> None:
    assert moved(ALL, SECOND).relay is not None
    assert removed(moved(ALL, SECOND), OWNER, SECOND).relay is None
    assert with_role(moved(ALL, SECOND), OWNER, SECOND, Role.EDITOR).relay is None
    whole = carried(removed(ALL, OWNER, SECOND), moved(ALL, SECOND), OWNER)
    assert whole.relay is None


def test_it_holds_where_its_owner_takes_new_keys() -> None:
    membership = rotated(moved(ALL, SECOND), SECOND)
    assert relay_address(membership, KEYS) == NEW
    assert removed(membership, OWNER, NEXT).relay is None


def test_an_earlier_program_carries_it() -> None:
    known = {name: kind for name, kind in KINDS.items() if name not in ("relay", "rotate")}
    membership = Membership.from_records(moved(ALL, OWNER).records, kinds=known)
    assert membership.needs_newer == ()
    assert membership.relay is None
    assert Membership.from_records(rotated(ALL, OWNER).records, kinds=known).needs_newer == (
        "rotate",
    )


# --- next keys --------------------------------------------------------------------------------


def test_a_device_goes_on_under_new_keys() -> None:
    sent = envelope_of(EDITOR, ALL, b"one")
    membership = rotated(ALL, EDITOR, cut=cut_of(sent))
    assert membership.role_of(EDITOR.sign_public) is None
    assert membership.role_of(NEXT.sign_public) is Role.EDITOR
    assert membership.current(EDITOR.sign_public) == NEXT.sign_public
    assert membership.lineage(NEXT.sign_public) == (NEXT.sign_public, EDITOR.sign_public)
    assert membership.permits(sent) is Permission.PERMITTED
    assert (
        membership.permits(envelope_of(EDITOR, ALL, b"two", seq=2, previous=sent.hash))
        is Permission.FORBIDDEN
    )
    assert membership.permits(envelope_of(NEXT, membership, b"three")) is Permission.PERMITTED
    assert find_keys(membership, NEXT).keys == KEYS
    names = {**joined_names(membership, KEYS), **member_names(membership, KEYS)}
    assert names[NEXT.sign_public] == NEXT.name


def test_the_old_keys_had_the_content_key_so_the_next_one_is_due() -> None:
    assert rotated(ALL, EDITOR).needs_new_key


def test_the_last_owner_may() -> None:
    membership = rotated(new_library(OWNER), OWNER)
    assert membership.role_of(NEXT.sign_public) is Role.OWNER
    assert membership.owner_since(NEXT.sign_public) == 0


def test_the_old_keys_do_nothing_more() -> None:
    membership = rotated(ALL, OWNER)
    with pytest.raises(MembershipError, match="no member"):
        rotated(membership, OWNER, THIEF)
    with pytest.raises(MembershipError, match="no owner"):
        moved(membership, OWNER)


def test_a_key_that_was_there_before_is_none_to_take() -> None:
    with pytest.raises(MembershipError, match="used in this library before"):
        rotated(ALL, EDITOR, READER)


def test_of_the_device_and_a_thief_one_goes_on_everywhere() -> None:
    one, other = rotated(ALL, EDITOR), rotated(ALL, EDITOR, THIEF)
    whole = carried(one, other, OWNER)
    winner = merge_logs(one, other).winner
    for key in (NEXT.sign_public, THIEF.sign_public):
        assert whole.role_of(key) is winner.role_of(key)
    assert len(whole.members) == len(ALL.members)


def test_a_removal_at_the_same_time_wins() -> None:
    whole = carried(removed(ALL, OWNER, EDITOR), rotated(ALL, EDITOR), OWNER)
    assert whole.role_of(NEXT.sign_public) is None


def test_a_removal_that_lost_takes_what_descends_from_the_device() -> None:
    """Both logs take a right; the one of the older owner goes on, and has the new keys."""
    mine = removed(rotated(ALL, EDITOR), OWNER, READER)
    theirs = removed(ALL, SECOND, EDITOR)
    assert merge_logs(mine, theirs).winner == mine
    whole = carried(mine, theirs, OWNER)
    assert whole.role_of(NEXT.sign_public) is None
    assert whole.permits(envelope_of(NEXT, mine, b"one")) is Permission.FORBIDDEN


def test_what_keys_signed_that_came_and_went_in_a_log_that_lost_counts() -> None:
    """Found by seed 12087: one record carried both rotations, and the keys between them had never
    had a right by it."""
    once = rotated(ALL, EDITOR)
    sent = envelope_of(NEXT, once, b"one")
    lost = rotated(once, NEXT, THIEF, cut=cut_of(sent))
    whole = carried(removed(ALL, OWNER, READER), lost, OWNER)
    assert whole.permits(sent) is Permission.PERMITTED
    assert whole.role_of(NEXT.sign_public) is None
    assert whole.role_of(NEXT.sign_public, head=once.head) is Role.EDITOR
    behind = envelope_of(NEXT, once, b"two", seq=2, previous=sent.hash)
    assert whole.permits(behind) is Permission.FORBIDDEN
    assert whole.permits(envelope_of(NEXT, once, b"x", chain=bytes(16))) is Permission.FORBIDDEN


def test_new_keys_count_though_the_content_key_of_their_log_does_not() -> None:
    """Found by seed 12135: the keys so far, which may be a thief's, were good again."""
    lost = removed(ALL, SECOND, READER)
    generation = lost.generation
    record = make_rotate(
        lost,
        EDITOR,
        NEXT,
        cut={},
        generation=generation,
        content_key=NEXT_KEY,
        random_bytes=counting_bytes("rotate"),
    )
    whole = carried(with_role(ALL, OWNER, SECOND, Role.EDITOR), lost.append(record), OWNER)
    assert generation not in whole.generations
    assert whole.role_of(EDITOR.sign_public) is None
    assert whole.role_of(NEXT.sign_public) is Role.EDITOR
    assert NEXT.sign_public in whole.without_key
    with pytest.raises(MembershipError, match="key generation"):
        ALL.append(
            make_rotate(
                ALL,
                EDITOR,
                NEXT,
                cut={},
                generation=7,
                content_key=NEXT_KEY,
                random_bytes=counting_bytes("rotate"),
            )
        )


def test_a_removal_closes_the_tickets_that_the_device_made_before() -> None:
    membership = invited(rotated(ALL, SECOND), OWNER, "open")
    older = invited(ALL, SECOND, "older")
    known = rotated(older, SECOND).invites_known_to([NEXT.sign_public])
    assert len(known) > len(membership.invites_known_to([NEXT.sign_public]))


def test_new_keys_give_no_new_room_in_the_log() -> None:
    before = ALL.written_by(EDITOR.sign_public)[0]
    membership = rotated(rotated(ALL, EDITOR), NEXT, THIEF)
    assert membership.written_by(NEXT.sign_public)[0] == before + 2
    assert membership.written_by(THIEF.sign_public)[0] == before + 2
