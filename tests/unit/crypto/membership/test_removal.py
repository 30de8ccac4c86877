"""Who loses a right: roles, removal, leaving, and the cut that says what stays valid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgpack
import pytest
from tests.support.cases import each
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

from bifolio.crypto.keys import DeviceKeys
from bifolio.crypto.membership import (
    ChainEnd,
    Membership,
    Permission,
    Role,
    invite_keys,
    make_join,
    make_leave,
    make_remove,
    make_role,
)
from bifolio.crypto.membership.records import RecordHeader, parse_record, sign_body
from bifolio.errors import MembershipError

OWNER, EDITOR, READER, SECOND, STRANGER = (
    device(name) for name in ("owner", "editor", "reader", "second", "other")
)
EDITORS = joined(invited(new_library(OWNER), OWNER, "editor's"), EDITOR, "editor's")
READERS = joined(invited(EDITORS, OWNER, "reader's", Role.READER), READER, "reader's")
ALL = joined(invited(READERS, OWNER, "owner's", Role.OWNER), SECOND, "owner's")

CHAIN, OTHER_CHAIN = b"c" * 16, b"d" * 16
FIRST = envelope_of(EDITOR, ALL, b"1", chain=CHAIN)
SECOND_ONE = envelope_of(EDITOR, ALL, b"2", chain=CHAIN, seq=2, previous=FIRST.hash)
LATE = envelope_of(EDITOR, ALL, b"3", chain=CHAIN, seq=3, previous=SECOND_ONE.hash)
WITHOUT = removed(ALL, OWNER, EDITOR, cut=cut_of(SECOND_ONE))


def forged(membership: Membership, author: DeviceKeys, kind: str, fields: dict[str, Any]) -> bytes:
    """A well-signed record by this author, whatever it says."""
    header = RecordHeader(
        3, membership.library_id, membership.head, author.sign_public, kind, kind != "rename"
    )
    header = replace(header, needs=int(header.needs))
    return sign_body(header, msgpack.packb(dict(sorted(fields.items()))), author)


def fields_of(raw: bytes) -> dict[str, Any]:
    return dict(parse_record(raw).fields)


def refused(membership: Membership, raw: bytes, reason: str) -> None:
    """Both ways in refuse a record."""
    with pytest.raises(MembershipError, match=reason):
        membership.append(raw)
    with pytest.raises(MembershipError, match=reason):
        Membership.from_records([*membership.records, raw])


# --- the cut --------------------------------------------------------------------------------


def test_what_lies_inside_the_cut_is_valid_for_ever_and_nothing_beyond_is() -> None:
    assert WITHOUT.role_of(EDITOR.sign_public) is None
    assert WITHOUT.permits(FIRST) is Permission.PERMITTED
    assert WITHOUT.permits(SECOND_ONE) is Permission.PERMITTED
    assert WITHOUT.permits(LATE) is Permission.FORBIDDEN


@each("under", [EDITORS, READERS, ALL, WITHOUT])
def test_a_removed_member_that_names_an_old_head_is_refused(under: Membership) -> None:
    """PITFALLS 32: the right under the named head is not enough."""
    for values in (
        {"chain": CHAIN, "seq": 3, "previous": SECOND_ONE.hash},
        {"chain": OTHER_CHAIN},
        {"chain": CHAIN, "seq": 2, "previous": FIRST.hash},  # another one at the cut's place
    ):
        envelope = envelope_of(EDITOR, under, b"back-dated", **values)
        assert WITHOUT.permits(envelope) is Permission.FORBIDDEN


def test_the_cut_names_the_end_by_which_what_lies_before_it_is_checked() -> None:
    assert WITHOUT.cut_end(FIRST) == ChainEnd(2, SECOND_ONE.hash)
    assert ALL.cut_end(FIRST) is None
    assert WITHOUT.cut_end(envelope_of(OWNER, ALL, b"x")) is None


def test_others_are_not_cut() -> None:
    for author in (OWNER, SECOND):
        assert WITHOUT.permits(envelope_of(author, ALL, b"x")) is Permission.PERMITTED
        assert WITHOUT.permits(envelope_of(author, WITHOUT, b"x")) is Permission.PERMITTED


def test_a_member_without_a_chain_is_removed_with_an_empty_cut() -> None:
    without = removed(ALL, OWNER, EDITOR)
    assert without.permits(FIRST) is Permission.FORBIDDEN


def test_who_comes_back_writes_again_and_its_old_cut_still_holds() -> None:
    again = joined(invited_with_next(WITHOUT, "again"), EDITOR, "again")
    assert again.role_of(EDITOR.sign_public) is Role.EDITOR
    goes_on = envelope_of(EDITOR, again, b"3", chain=CHAIN, seq=3, previous=SECOND_ONE.hash)
    assert again.permits(goes_on) is Permission.PERMITTED
    assert again.permits(LATE) is Permission.FORBIDDEN


def invited_with_next(membership: Membership, ticket: str) -> Membership:
    """The membership with an invite under its newest content key."""
    from bifolio.crypto.membership import make_invite

    return membership.append(
        make_invite(
            membership,
            OWNER,
            ticket_secret=secret(ticket),
            role=Role.EDITOR,
            generation=membership.generation,
            content_key=NEXT_KEY,
        )
    )


def test_a_demoted_editor_is_cut_off_and_goes_on_reading() -> None:
    demoted = with_role(ALL, OWNER, EDITOR, Role.READER, cut_of(FIRST))
    assert demoted.role_of(EDITOR.sign_public) is Role.READER
    assert demoted.permits(FIRST) is Permission.PERMITTED
    assert demoted.permits(SECOND_ONE) is Permission.FORBIDDEN
    assert not demoted.needs_new_key
    promoted = with_role(demoted, OWNER, EDITOR, Role.EDITOR)
    assert promoted.permits(SECOND_ONE) is Permission.FORBIDDEN
    later = envelope_of(EDITOR, promoted, b"2", chain=CHAIN, seq=2, previous=FIRST.hash)
    assert promoted.permits(later) is Permission.PERMITTED


def test_a_role_between_two_that_write_has_no_cut() -> None:
    raised = with_role(ALL, OWNER, EDITOR, Role.OWNER)
    assert raised.permits(FIRST) is Permission.PERMITTED
    assert with_role(raised, SECOND, OWNER, Role.EDITOR).role_of(OWNER.sign_public) is Role.EDITOR
    with pytest.raises(MembershipError, match="a cut belongs to"):
        with_role(ALL, OWNER, EDITOR, Role.OWNER, cut_of(FIRST))
    with pytest.raises(MembershipError, match="a cut belongs to"):
        with_role(ALL, OWNER, EDITOR, Role.READER)


@each(
    "row",
    [
        [EDITOR.sign_public, CHAIN, 0, bytes(32)],
        [EDITOR.sign_public, CHAIN, 2**53, bytes(32)],
        [EDITOR.sign_public, CHAIN[1:], 1, bytes(32)],
        [EDITOR.sign_public, CHAIN, 1, bytes(31)],
        [EDITOR.sign_public, CHAIN, "1", bytes(32)],
        [EDITOR.sign_public, CHAIN, 1],
        [OWNER.sign_public, CHAIN, 1, bytes(32)],
        [SECOND.sign_public, CHAIN, 1, bytes(32)],
        "row",
    ],
)
def test_a_cut_has_one_form_and_is_about_those_who_go(row: object) -> None:
    raw = WITHOUT.records[-1]
    record = forged(ALL, OWNER, "remove", {**fields_of(raw), "cut": [row]})
    refused(ALL, record, "'cut'")


def test_a_chain_is_cut_once() -> None:
    fields = fields_of(WITHOUT.records[-1])
    (row,) = fields["cut"]
    for rows in ([row, row], [row, [row[0], b"a" * 16, 1, bytes(32)]]):
        refused(ALL, forged(ALL, OWNER, "remove", {**fields, "cut": rows}), "do not ascend")


# --- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("author", [EDITOR, READER, STRANGER])
def test_only_owners_remove_and_give_roles_and_keys(author: DeviceKeys) -> None:
    for raw in (
        WITHOUT.records[-1],
        make_role(ALL, OWNER, device=READER.sign_public, role=Role.EDITOR),
        forged(ALL, OWNER, "revoke", {"sign": invite_keys(secret("editor's")).sign_public}),
        forged(ALL, OWNER, "keys", {"generation": 0, "keys": []}),
    ):
        kind = parse_record(raw).header.kind
        refused(ALL, forged(ALL, author, kind, fields_of(raw)), "only owners")
        # The owner's record with another's signature under it.
        refused(ALL, sign_body(parse_record(raw).header, msgpack.packb({}), author), "signature")


def test_a_removed_owner_does_nothing_any_more() -> None:
    without = removed(ALL, OWNER, SECOND)
    for kind, raw in (
        ("remove", WITHOUT.records[-1]),
        ("role", make_role(ALL, OWNER, device=READER.sign_public, role=Role.EDITOR)),
        ("invite", invited(ALL, OWNER, "new").records[-1]),
    ):
        refused(without, forged(without, SECOND, kind, fields_of(raw)), "only owners")
    with pytest.raises(MembershipError, match="no member"):
        make_leave(without, SECOND, cut={})


def test_an_owner_is_left_whatever_happens() -> None:
    with pytest.raises(MembershipError, match="at least one owner"):
        with_role(EDITORS, OWNER, OWNER, Role.EDITOR)
    with pytest.raises(MembershipError, match="at least one owner"):
        make_leave(EDITORS, OWNER, cut={})
    with pytest.raises(MembershipError, match="removes nobody"):
        removed(ALL, OWNER, OWNER)
    left = ALL.append(make_leave(ALL, OWNER, cut={}))
    assert left.role_of(OWNER.sign_public) is None
    with pytest.raises(MembershipError, match="at least one owner"):
        make_leave(left, SECOND, cut={})


def test_who_is_no_member_is_given_no_role_and_not_removed() -> None:
    with pytest.raises(MembershipError, match="no member"):
        with_role(ALL, OWNER, STRANGER, Role.OWNER)
    with pytest.raises(MembershipError, match="no member"):
        removed(ALL, OWNER, STRANGER)
    with pytest.raises(MembershipError, match="no member"):
        removed(WITHOUT, OWNER, EDITOR, keys={0: CONTENT_KEY})


def test_removed_devices_are_named_once_and_ascending() -> None:
    both = sorted((EDITOR.sign_public, READER.sign_public))
    raw = removed(ALL, OWNER, EDITOR, READER).records[-1]
    fields = fields_of(raw)
    for devices in (both[::-1], [both[0], both[0]], [], [1]):
        refused(ALL, forged(ALL, OWNER, "remove", {**fields, "devices": devices}), "remove")


def test_a_member_leaves_with_its_own_cut() -> None:
    left = ALL.append(make_leave(ALL, EDITOR, cut=cut_of(FIRST)))
    assert left.role_of(EDITOR.sign_public) is None
    assert left.permits(FIRST) is Permission.PERMITTED
    assert left.permits(SECOND_ONE) is Permission.FORBIDDEN
    assert left.needs_new_key
    other = {"cut": [[OWNER.sign_public, CHAIN, 1, bytes(32)]]}
    refused(ALL, forged(ALL, EDITOR, "leave", other), "another device")


# --- tickets --------------------------------------------------------------------------------


def test_a_removed_member_does_not_come_back_with_the_ticket_it_joined_with() -> None:
    with pytest.raises(MembershipError, match="closed"):
        make_join(WITHOUT, EDITOR, ticket_secret=secret("editor's"))
    raw = joined(ALL, STRANGER, "editor's").records[-1]
    header = replace(parse_record(raw).header, previous=WITHOUT.head)
    body = msgpack.packb(fields_of(raw))
    join = sign_body(header, body, invite_keys(secret("editor's")), STRANGER)
    refused(WITHOUT, join, "closed")


def test_the_tickets_that_a_removed_owner_made_are_closed_and_others_stay_open() -> None:
    from bifolio.crypto.membership import make_invite

    theirs = ALL.append(
        make_invite(
            ALL,
            SECOND,
            ticket_secret=secret("theirs"),
            role=Role.OWNER,
            generation=0,
            content_key=CONTENT_KEY,
        )
    )
    without = removed(theirs, OWNER, SECOND)
    for ticket in ("theirs", "owner's"):
        assert not without.is_open_invite(invite_keys(secret(ticket)).sign_public)
    assert without.is_open_invite(invite_keys(secret("editor's")).sign_public)
    assert joined(without, STRANGER, "editor's").role_of(STRANGER.sign_public) is Role.EDITOR


# --- a large library ------------------------------------------------------------------------


def test_a_removal_from_a_large_library_brings_its_keys_in_as_many_records_as_it_takes() -> None:
    membership, count = ALL, 60
    for number in range(count):
        membership = joined(membership, device(f"d{number}"), "editor's")
    import bifolio.limits as bounds

    before = bounds.MEMBERSHIP_RECORD_BYTES_TARGET
    try:
        bounds.MEMBERSHIP_RECORD_BYTES_TARGET = 2_400
        records = make_remove(
            membership,
            OWNER,
            cuts={READER.sign_public: {}},
            content_key=NEXT_KEY,
            earlier={0: CONTENT_KEY},
            random_bytes=counting_bytes("large"),
        )
    finally:
        bounds.MEMBERSHIP_RECORD_BYTES_TARGET = before
    assert len(records) > 3
    after_first = membership.append(records[0])
    assert after_first.role_of(READER.sign_public) is None  # the removal itself is at once
    assert after_first.without_key
    for raw in records[1:]:
        after_first = after_first.append(raw)
    assert after_first.without_key == ()
    assert not after_first.needs_new_key
