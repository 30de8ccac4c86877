"""The rules of a membership log: who may do what, and no record that breaks one is ever taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each
from tests.unit.crypto.builders import (
    CONTENT_KEY,
    counting_bytes,
    device,
    envelope_of,
    invited,
    joined,
    new_library,
    secret,
)

from bifolio import limits
from bifolio.crypto.keys import DeviceKeys, KeyPair, seal_to, verify
from bifolio.crypto.membership import (
    Membership,
    Permission,
    Role,
    find_keys,
    hello_message,
    invite_keys,
    library_id_of,
    make_genesis,
    make_invite,
    make_join,
)
from bifolio.crypto.membership.records import parse_record, sign_body
from bifolio.errors import MembershipError, WrongKeyError

OWNER, EDITOR, READER, STRANGER = (device(name) for name in ("owner", "editor", "reader", "other"))
LIBRARY = new_library(OWNER)
WITH_INVITE = invited(LIBRARY, OWNER, "editor's")
WITH_EDITOR = joined(WITH_INVITE, EDITOR, "editor's")
WITH_READER = joined(invited(WITH_EDITOR, OWNER, "reader's", Role.READER), READER, "reader's")


def body_of(raw: bytes) -> dict[str, Any]:
    """The fields of a record's body."""
    return dict(parse_record(raw).fields)


def again(raw: bytes, fields: object, *signers: KeyPair, **header: object) -> bytes:
    """A well-signed record like this one, with another body and some other values of its header."""
    changed = replace(parse_record(raw).header, **header)  # type: ignore[arg-type]
    return sign_body(changed, msgpack.packb(fields), *signers)


def in_order(fields: dict[str, Any]) -> dict[str, Any]:
    """The same fields, their names ascending."""
    return dict(sorted(fields.items()))


def refused(membership: Membership, raw: bytes, reason: str | None = None) -> None:
    """Check that both ways in refuse a record and that nothing changed."""
    before = membership.records
    with pytest.raises(MembershipError, match=reason):
        membership.append(raw)
    with pytest.raises(MembershipError, match=reason):
        Membership.from_records([*before, raw])
    assert membership.records == before


def permits(author: DeviceKeys, under: Membership, *, by: Membership = WITH_READER) -> bool:
    """Whether a membership permits an envelope that was sealed under another one."""
    permission = by.permits(envelope_of(author, under, b"x"))
    assert permission in (Permission.PERMITTED, Permission.FORBIDDEN)
    return permission is Permission.PERMITTED


def may(keys: DeviceKeys) -> bool:
    """Whether a device may write now."""
    return WITH_READER.may_write(keys.sign_public)


def test_a_genesis_makes_its_author_the_owner_of_a_library_named_after_it() -> None:
    assert LIBRARY.role_of(OWNER.sign_public) is Role.OWNER
    assert LIBRARY.library_id == library_id_of(LIBRARY.records[0])
    assert len(LIBRARY.library_id) == 16
    assert LIBRARY.head[:16] == LIBRARY.library_id
    assert LIBRARY.role_of(STRANGER.sign_public) is None


def test_one_owner_has_as_many_libraries_as_geneses() -> None:
    random_bytes = counting_bytes("two")
    first, second = (make_genesis(OWNER, random_bytes, content_key=CONTENT_KEY) for _ in range(2))
    assert library_id_of(first) != library_id_of(second)


def test_no_record_holds_the_name_of_a_device_or_the_content_key() -> None:
    for raw in WITH_READER.records:
        for told in (b"owner'", b"desk", CONTENT_KEY, secret("editor's"), OWNER.sign_seed):
            assert told not in raw
    assert OWNER.name.encode() not in LIBRARY.records[0]


def test_the_records_give_the_same_membership_again() -> None:
    again = Membership.from_records(WITH_READER.records)
    assert again == WITH_READER
    assert hash(again) == hash(WITH_READER)
    assert again.members == WITH_READER.members
    assert again != WITH_EDITOR


def test_who_joins_with_a_ticket_gets_the_invites_role() -> None:
    assert [(member.device, member.role) for member in WITH_READER.members] == [
        (OWNER.sign_public, Role.OWNER),
        (EDITOR.sign_public, Role.EDITOR),
        (READER.sign_public, Role.READER),
    ]


def test_a_reader_may_not_write_and_an_owner_and_an_editor_may() -> None:
    may_write = [keys for keys in (OWNER, EDITOR, READER, STRANGER) if permits(keys, WITH_READER)]
    assert may_write == [OWNER, EDITOR]
    assert [keys for keys in (OWNER, EDITOR, READER, STRANGER) if may(keys)] == may_write


def test_a_role_is_that_of_the_head_that_an_envelope_names() -> None:
    assert WITH_READER.role_of(EDITOR.sign_public, head=WITH_INVITE.head) is None
    assert WITH_READER.role_of(EDITOR.sign_public, head=WITH_EDITOR.head) is Role.EDITOR
    assert permits(EDITOR, WITH_EDITOR)
    assert not permits(EDITOR, WITH_INVITE)
    assert WITH_READER.role_of(OWNER.sign_public, head=LIBRARY.head) is Role.OWNER


def test_an_unknown_head_permits_nobody() -> None:
    assert WITH_READER.knows(LIBRARY.head)
    assert WITH_READER.knows(WITH_READER.head)
    assert not LIBRARY.knows(WITH_READER.head)
    assert LIBRARY.role_of(OWNER.sign_public, head=WITH_READER.head) is None
    envelope = envelope_of(OWNER, WITH_READER, b"x")
    assert LIBRARY.permits(envelope) is Permission.UNKNOWN_HEAD
    assert WITH_READER.permits(envelope) is Permission.PERMITTED


def test_appending_leaves_the_membership_before_as_it_was() -> None:
    before = (WITH_INVITE.head, WITH_INVITE.members, WITH_INVITE.records)
    joined(WITH_INVITE, STRANGER, "editor's")
    assert (WITH_INVITE.head, WITH_INVITE.members, WITH_INVITE.records) == before


def test_the_join_brings_the_content_key_to_the_newcomer_alone() -> None:
    assert find_keys(WITH_READER, EDITOR).keys == {0: CONTENT_KEY}
    assert find_keys(WITH_READER, READER).keys == {0: CONTENT_KEY}
    assert find_keys(WITH_READER, STRANGER).keys == {}
    assert find_keys(WITH_READER, OWNER).keys == {}


def test_an_invite_is_open_from_its_record_on() -> None:
    key = invite_keys(secret("editor's")).sign_public
    assert not LIBRARY.is_open_invite(key)
    assert WITH_INVITE.is_open_invite(key)
    assert WITH_READER.is_open_invite(key)
    assert not WITH_READER.is_open_invite(OWNER.sign_public)


def test_the_keys_of_an_invite_come_from_the_secret_alone() -> None:
    keys = invite_keys(secret("a"))
    assert keys == invite_keys(secret("a"))
    assert keys.sign_public != invite_keys(secret("b")).sign_public
    assert keys.sign_seed != keys.box_seed
    assert keys.unseal(seal_to(keys.box_public, b"x")) == b"x"
    with pytest.raises(ValueError):
        invite_keys(b"short")


def test_only_an_owner_invites() -> None:
    for keys in (EDITOR, READER, STRANGER):
        with pytest.raises(MembershipError, match="only owners invite"):
            invited(WITH_READER, keys, "mine")
    raw = invited(WITH_READER, OWNER, "mine").records[-1]
    mine = again(raw, body_of(raw), EDITOR, author=EDITOR.sign_public)
    refused(WITH_READER, mine, "owner")
    refused(WITH_READER, again(raw, body_of(raw), EDITOR), "signature")


def test_a_second_owner_invites_too() -> None:
    two = joined(invited(LIBRARY, OWNER, "laptop's", Role.OWNER), EDITOR, "laptop's")
    three = joined(invited(two, EDITOR, "third's"), STRANGER, "third's")
    assert three.role_of(STRANGER.sign_public) is Role.EDITOR


def test_a_ticket_without_an_invite_joins_nothing() -> None:
    with pytest.raises(MembershipError, match="no invite"):
        make_join(LIBRARY, EDITOR, ticket_secret=secret("editor's"))
    other = invited(new_library(OWNER, "another"), OWNER, "other's")
    with pytest.raises(MembershipError, match="no invite"):
        make_join(WITH_INVITE, EDITOR, ticket_secret=secret("other's"))
    assert other.is_open_invite(invite_keys(secret("other's")).sign_public)


def test_a_join_needs_the_tickets_key_and_the_devices() -> None:
    raw = WITH_EDITOR.records[-1]
    values, ticket = body_of(raw), invite_keys(secret("editor's"))
    assert again(raw, values, ticket, EDITOR) == raw
    refused(WITH_INVITE, again(raw, values, EDITOR, EDITOR), "signature")
    refused(WITH_INVITE, again(raw, values, ticket, ticket), "signature")
    refused(WITH_INVITE, again(raw, values, ticket, STRANGER), "signature")
    refused(WITH_INVITE, again(raw, values, ticket), "2 signatures")
    refused(WITH_INVITE, again(raw, values, ticket, EDITOR, OWNER), "2 signatures")
    refused(WITH_INVITE, again(raw, values), "signatures")


def test_a_member_who_joins_again_keeps_the_higher_role() -> None:
    again = joined(WITH_READER, EDITOR, "reader's")
    assert again.role_of(EDITOR.sign_public) is Role.EDITOR
    owner_again = joined(again, OWNER, "reader's")
    assert owner_again.role_of(OWNER.sign_public) is Role.OWNER
    assert len(owner_again.members) == 3
    raised = joined(owner_again, READER, "editor's")
    assert raised.role_of(READER.sign_public) is Role.EDITOR
    assert raised.role_of(READER.sign_public, head=owner_again.head) is Role.READER
    assert find_keys(owner_again, OWNER).keys == {0: CONTENT_KEY}


def test_one_ticket_lets_several_computers_join() -> None:
    both = joined(WITH_EDITOR, STRANGER, "editor's")
    assert both.role_of(STRANGER.sign_public) is Role.EDITOR


def test_records_of_another_library_do_not_fit() -> None:
    twin = invited(new_library(OWNER, "another"), OWNER, "editor's")
    refused(LIBRARY, twin.records[1], "does not follow")
    refused(WITH_INVITE, joined(twin, EDITOR, "editor's").records[2], "does not follow")
    refused(LIBRARY, twin.records[0], "one genesis")


def test_a_record_is_taken_once_and_in_its_place() -> None:
    refused(WITH_EDITOR, WITH_EDITOR.records[-1], "does not follow")
    refused(LIBRARY, WITH_EDITOR.records[-1], "does not follow")
    with pytest.raises(MembershipError):
        Membership.from_records(WITH_EDITOR.records[1:])
    with pytest.raises(MembershipError):
        Membership.from_records(list(reversed(WITH_EDITOR.records)))
    with pytest.raises(MembershipError, match="begins with a genesis"):
        Membership.from_records([])


def test_a_first_record_that_claims_no_predecessor_is_still_no_genesis() -> None:
    raw = WITH_INVITE.records[1]
    with pytest.raises(MembershipError, match="does not follow"):
        Membership.from_records([again(raw, body_of(raw), OWNER, previous=bytes(32))])


def test_the_secret_of_a_ticket_makes_one_invite() -> None:
    with pytest.raises(MembershipError, match="already"):
        invited(WITH_INVITE, OWNER, "editor's", Role.OWNER)


@each(
    ("name", "value"),
    [
        ("sign", b"short"),
        ("box", bytes(32)),
        ("box", b"\x01" + bytes(31)),
        ("box", b"short"),
        ("role", "admin"),
        ("role", ""),
        ("generation", -1),
        ("generation", 1),
        ("generation", 2**32),
        ("generation", 0.0),
        ("generation", True),
        ("key", bytes(79)),
        ("key", bytes(81)),
        ("key", None),
        ("commitment", bytes(32)),
        ("uses", 0),
        ("uses", 2**40),
        ("uses", "3"),
        ("expires_ms", -1),
        ("label", bytes(600)),
    ],
)
def test_an_invite_with_a_value_out_of_bounds_is_refused_though_signed(
    name: str, value: object
) -> None:
    raw = WITH_INVITE.records[1]
    refused(LIBRARY, again(raw, in_order({**body_of(raw), name: value}), OWNER))


@each(
    ("name", "value"),
    [
        ("device", b""),
        ("box", bytes(32)),
        ("generation", 1),
        ("generation", -1),
        ("key", bytes(79)),
    ],
)
def test_a_join_with_a_value_out_of_bounds_is_refused_though_signed(
    name: str, value: object
) -> None:
    raw = WITH_EDITOR.records[-1]
    fields = in_order({**body_of(raw), name: value})
    refused(WITH_INVITE, again(raw, fields, invite_keys(secret("editor's")), EDITOR))


@each(
    ("name", "value"),
    [("box", bytes(32)), ("nonce", bytes(31)), ("nonce", ""), ("commitment", b"")],
)
def test_a_genesis_with_a_value_out_of_bounds_is_refused(name: str, value: object) -> None:
    raw = LIBRARY.records[0]
    with pytest.raises(MembershipError):
        Membership.from_records([again(raw, in_order({**body_of(raw), name: value}), OWNER)])


def test_a_genesis_is_small_because_strangers_bring_it() -> None:
    raw = LIBRARY.records[0]
    fields = in_order({**body_of(raw), "more": bytes(limits.GENESIS_BYTES_MAX)})
    with pytest.raises(MembershipError, match="a genesis has at most"):
        Membership.from_records([again(raw, fields, OWNER)])


@pytest.mark.parametrize("name", ["box", "nonce", "commitment"])
def test_a_record_without_one_of_its_fields_is_refused(name: str) -> None:
    raw = LIBRARY.records[0]
    fields = {one: value for one, value in body_of(raw).items() if one != name}
    with pytest.raises(MembershipError, match=f"'{name}' is missing"):
        Membership.from_records([again(raw, fields, OWNER)])


def test_a_body_has_one_form() -> None:
    raw = WITH_INVITE.records[1]
    header, fields = parse_record(raw).header, body_of(raw)
    good = msgpack.packb(fields)
    out_of_order = msgpack.packb(dict(reversed(fields.items())))
    first, rest = next(iter(fields.items())), list(fields.items())
    twice = bytes([0x80 | (len(fields) + 1)]) + b"".join(
        msgpack.packb(one) for pair in [first, *rest] for one in pair
    )
    longer = good[:1] + b"\xd9" + bytes([good[1] & 0x1F]) + good[2:]
    assert LIBRARY.append(sign_body(header, good, OWNER))
    for body in (out_of_order, twice, longer, good + b"\x00", good[:-1], b"", b"\xc0"):
        refused(LIBRARY, sign_body(header, body, OWNER))


@each(
    "more",
    [
        {"more": None},
        {"more": 0.5},
        {"more": {}},
        {"more": [[[[[]]]]]},
        {"1more": 1},
        {"": 1},
        {"zz": [0] * 5000},
        {f"z{number}": 1 for number in range(40)},
    ],
)
def test_a_field_is_bytes_a_number_text_or_a_few_lists_of_them(more: dict[str, object]) -> None:
    raw = WITH_INVITE.records[1]
    refused(LIBRARY, again(raw, in_order({**body_of(raw), **more}), OWNER))


def test_deep_nesting_in_a_record_is_no_way_to_end_a_program() -> None:
    header = parse_record(WITH_INVITE.records[1]).header
    deep = b"\x81\xa1x" + b"\x91" * 200_000 + b"\xc0"
    refused(LIBRARY, sign_body(header, deep, OWNER))


def test_a_record_over_the_limit_is_refused_before_it_is_read() -> None:
    refused(LIBRARY, bytes(limits.MEMBERSHIP_RECORD_BYTES_MAX + 1), "the most")


@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_flipped_bit_of_every_record_is_noticed(index: int) -> None:
    """A genesis is its own root: a flip in it is noticed by its signature as well."""
    records = list(WITH_EDITOR.records)
    for position in range(len(records[index])):
        damaged = bytearray(records[index])
        damaged[position] ^= 1 << (position % 8)
        with pytest.raises(MembershipError):
            Membership.from_records([*records[:index], bytes(damaged)])


@given(st.binary(max_size=300))
def test_random_bytes_are_a_membership_error(raw: bytes) -> None:
    for records in ([raw], [*WITH_EDITOR.records, raw]):
        with pytest.raises(MembershipError):
            Membership.from_records(records)


any_value = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-9, 9)
    | st.text(max_size=9)
    | st.binary(max_size=33)
    | st.lists(st.integers(0, 9) | st.binary(max_size=33), max_size=4)
)
any_fields = st.dictionaries(
    st.sampled_from(["box", "nonce", "commitment", "sign", "role", "uses", "x"]), any_value
)


@given(st.sampled_from([0, 1]), any_fields | st.lists(any_value, max_size=5))
def test_well_signed_nonsense_is_a_membership_error(place: int, body: object) -> None:
    raw = again(WITH_INVITE.records[place], body, OWNER)
    with pytest.raises(MembershipError):
        Membership.from_records([*WITH_INVITE.records[:place], raw])


def test_an_invite_whose_key_does_not_open_lets_nobody_join() -> None:
    raw = WITH_INVITE.records[1]
    values = body_of(raw)
    values["key"] = seal_to(STRANGER.box_public, CONTENT_KEY)
    broken = LIBRARY.append(again(raw, values, OWNER))
    with pytest.raises(WrongKeyError, match=OWNER.sign_public.hex()[:8]):
        make_join(broken, EDITOR, ticket_secret=secret("editor's"))


def test_a_join_whose_key_does_not_open_is_a_documented_error() -> None:
    raw = WITH_EDITOR.records[-1]
    values = body_of(raw)
    values["key"] = seal_to(STRANGER.box_public, CONTENT_KEY)
    signed = again(raw, values, invite_keys(secret("editor's")), EDITOR)
    found = find_keys(WITH_INVITE.append(signed), EDITOR)
    assert found.keys == {}
    assert [error.generation for error in found.wrong] == [0]


def test_a_content_key_of_another_length_is_not_given_away() -> None:
    with pytest.raises(ValueError):
        make_invite(
            LIBRARY,
            OWNER,
            ticket_secret=secret("x"),
            role=Role.EDITOR,
            generation=0,
            content_key=b"short",
        )


def test_a_hello_holds_for_one_nonce_one_offer_and_what_it_says() -> None:
    message = hello_message(offered=(1, 2), nonce=b"n" * 32, said=b"said")
    for signer in (OWNER, invite_keys(secret("editor's"))):
        assert verify(signer.sign_public, message, signer.sign(message))
    others = {
        hello_message(offered=(1,), nonce=b"n" * 32, said=b"said"),
        hello_message(offered=(1, 2), nonce=b"m" * 32, said=b"said"),
        hello_message(offered=(1, 2), nonce=b"n" * 32, said=b"sai"),
        hello_message(offered=(1, 2), nonce=b"n" * 31, said=b"nsaid"),
    }
    assert len(others) == 4
    assert message not in others


def test_the_repr_of_a_membership_and_of_an_invites_keys_shows_no_secret() -> None:
    assert "bytes" not in repr(WITH_READER)
    assert repr(WITH_READER).endswith("5 records)")
    assert str(secret("a")) not in repr(invite_keys(secret("a")))
    assert repr(invite_keys(secret("a"))) == "InviteKeys()"
