"""Content keys: the log commits to them, and nobody can be given another one unnoticed."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from tests.support.cases import each
from tests.unit.crypto.builders import (
    CONTENT_KEY,
    NEXT_KEY,
    counting_bytes,
    device,
    invited,
    joined,
    new_library,
    removed,
    secret,
)

from bifolio.crypto.keys import DeviceKeys, seal_to
from bifolio.crypto.membership import (
    Membership,
    Role,
    find_keys,
    invite_keys,
    key_commitment,
    make_invite,
    make_join,
    make_keys,
    make_leave,
    make_recovery,
    make_recovery_join,
    make_rename,
    make_revoke,
    member_names,
    open_text,
    recovery_keys,
    seal_text,
)
from bifolio.crypto.membership.records import RecordHeader, parse_record, sign_body
from bifolio.errors import MembershipError, WrongKeyError

OWNER, EDITOR, READER, SECOND, STRANGER = (
    device(name) for name in ("owner", "editor", "reader", "second", "other")
)
EDITORS = joined(invited(new_library(OWNER), OWNER, "editor's"), EDITOR, "editor's")
READERS = joined(invited(EDITORS, OWNER, "reader's", Role.READER), READER, "reader's")
ALL = joined(invited(READERS, OWNER, "owner's", Role.OWNER), SECOND, "owner's")
WITHOUT = removed(ALL, OWNER, EDITOR)

THIRD_KEY = bytes(range(2, 34))


def forged(membership: Membership, author: DeviceKeys, kind: str, fields: dict[str, Any]) -> bytes:
    """A well-signed record by this author, whatever it says."""
    header = RecordHeader(3, membership.library_id, membership.head, author.sign_public, kind, 1)
    return sign_body(header, msgpack.packb(dict(sorted(fields.items()))), author)


def fields_of(raw: bytes) -> dict[str, Any]:
    return dict(parse_record(raw).fields)


def test_a_removal_brings_the_next_key_to_who_stays_and_not_to_who_goes() -> None:
    newest = WITHOUT.generation
    assert newest >= 2**16
    for keys in (READER, SECOND):
        assert find_keys(WITHOUT, keys).keys == {0: CONTENT_KEY, newest: NEXT_KEY}
    assert find_keys(WITHOUT, EDITOR).keys == {0: CONTENT_KEY}
    assert find_keys(WITHOUT, STRANGER).keys == {}
    assert WITHOUT.without_key == ()
    assert not WITHOUT.needs_new_key


def test_who_joins_after_a_removal_reads_what_was_sealed_before() -> None:
    grown = joined(WITHOUT, STRANGER, "reader's")
    assert find_keys(grown, STRANGER).keys == {0: CONTENT_KEY, WITHOUT.generation: NEXT_KEY}
    twice = removed(
        grown,
        OWNER,
        READER,
        keys={0: CONTENT_KEY, WITHOUT.generation: NEXT_KEY},
        next_key=THIRD_KEY,
    )
    assert sorted(find_keys(twice, STRANGER).keys.values()) == [CONTENT_KEY, NEXT_KEY, THIRD_KEY]
    # Only the key before it is sealed under the newest: the rest follows from there.
    assert len(twice.earlier_keys(twice.generation)) == 1


def test_a_commitment_tells_nothing_of_the_key_and_binds_the_generation() -> None:
    assert EDITORS.commitment(0) == key_commitment(0, CONTENT_KEY)
    assert key_commitment(0, CONTENT_KEY) != key_commitment(1, CONTENT_KEY)
    assert key_commitment(0, CONTENT_KEY) != key_commitment(0, NEXT_KEY)
    assert EDITORS.commitment(7) is None


def test_an_invite_with_another_key_than_the_librarys_is_refused_by_everybody() -> None:
    with pytest.raises(MembershipError, match="not the one that the log commits to"):
        make_invite(
            ALL,
            OWNER,
            ticket_secret=secret("x"),
            role=Role.EDITOR,
            generation=0,
            content_key=NEXT_KEY,
        )


def test_an_owner_whose_ticket_holds_another_key_is_named_to_who_joins() -> None:
    """The commitment in the record is right, and what is sealed is not."""
    raw = invited(ALL, SECOND, "evil").records[-1]
    invite = invite_keys(secret("evil"))
    fields = {**fields_of(raw), "key": seal_to(invite.box_public, NEXT_KEY)}
    lied = ALL.append(forged(ALL, SECOND, "invite", fields))
    with pytest.raises(WrongKeyError, match=SECOND.sign_public.hex()[:8]) as caught:
        make_join(lied, STRANGER, ticket_secret=secret("evil"))
    assert caught.value.giver == SECOND.sign_public
    assert caught.value.generation == 0


def test_an_owner_who_gives_two_members_different_keys_is_named_to_the_one_deceived() -> None:
    fields = fields_of(WITHOUT.records[-1])
    fields["keys"] = [
        [who, seal_to(READER.box_public, THIRD_KEY) if who == READER.sign_public else sealed]
        for who, sealed in fields["keys"]
    ]
    lied = ALL.append(forged(ALL, OWNER, "remove", fields))
    assert find_keys(lied, SECOND).keys[lied.generation] == NEXT_KEY
    found = find_keys(lied, READER)
    assert lied.generation not in found.keys
    assert [(one.generation, one.giver) for one in found.wrong] == [
        (lied.generation, OWNER.sign_public)
    ]
    # Another owner gives the right one: then nothing is wrong any more.
    row = [READER.sign_public, seal_to(READER.box_public, NEXT_KEY)]
    mended = lied.append(
        forged(lied, SECOND, "keys", {"generation": lied.generation, "keys": [row]})
    )
    assert find_keys(mended, READER).keys[lied.generation] == NEXT_KEY
    assert find_keys(mended, READER).wrong == ()


@each(
    ("changed", "reason"),
    [
        ({"generation": 0}, "no new content key"),
        ({"generation": 1}, "does not follow"),
        ({"generation": 2**17}, "does not follow"),
        ({"generation": 2**32}, "names key generation"),
        ({"commitment": b"short"}, "without a commitment"),
        ({"keys": [[STRANGER.sign_public, bytes(80)]]}, "neither a member nor invited"),
        ({"keys": [[EDITOR.sign_public, bytes(80)]]}, "neither a member nor invited"),
        (
            {"keys": [[invite_keys(secret("editor's")).sign_public, bytes(80)]]},
            "neither a member nor invited",
        ),
        ({"keys": [[READER.sign_public, bytes(79)]]}, "wrong length"),
        ({"keys": [[READER.sign_public, bytes(80)]] * 2}, "two keys"),
        ({"keys": ["x"]}, "'keys' has another form"),
        ({"earlier": [[0, bytes(9)]]}, "'earlier' has another form"),
        ({"earlier": [[5, bytes(72)]]}, "generation that is not known"),
    ],
)
def test_keys_that_break_a_rule_are_refused(changed: dict[str, Any], reason: str) -> None:
    fields = {**fields_of(WITHOUT.records[-1]), **changed}
    with pytest.raises(MembershipError, match=reason):
        ALL.append(forged(ALL, OWNER, "remove", fields))


def test_after_somebody_left_an_owner_makes_the_next_key() -> None:
    left = ALL.append(make_leave(ALL, EDITOR, cut={}))
    assert left.needs_new_key
    for raw in make_keys(
        left,
        OWNER,
        content_key=NEXT_KEY,
        earlier={0: CONTENT_KEY},
        random_bytes=counting_bytes("next"),
    ):
        left = left.append(raw)
    assert not left.needs_new_key
    assert left.without_key == ()
    assert find_keys(left, READER).keys[left.generation] == NEXT_KEY
    assert left.generation not in find_keys(left, EDITOR).keys


def test_a_key_that_is_not_the_newest_is_given_to_nobody() -> None:
    first = WITHOUT.records[-1]
    fields = {**fields_of(first), "keys": []}
    split = ALL.append(forged(ALL, OWNER, "remove", fields))
    assert set(split.without_key) >= {READER.sign_public, SECOND.sign_public}
    with pytest.raises(MembershipError, match="newest"):
        make_keys(split, OWNER, content_key=THIRD_KEY)
    for raw in make_keys(split, OWNER, content_key=NEXT_KEY):
        split = split.append(raw)
    assert split.without_key == ()


def test_a_closed_ticket_admits_nobody() -> None:
    sign_public = invite_keys(secret("reader's")).sign_public
    closed = ALL.append(make_revoke(ALL, OWNER, sign_public=sign_public))
    assert not closed.is_open_invite(sign_public)
    with pytest.raises(MembershipError, match="closed"):
        joined(closed, STRANGER, "reader's")
    assert closed.role_of(READER.sign_public) is Role.READER
    with pytest.raises(MembershipError, match="does not have"):
        make_revoke(ALL, OWNER, sign_public=bytes(32))
    with pytest.raises(MembershipError, match="already"):
        invited(closed, OWNER, "reader's")


def test_a_ticket_admits_as_many_devices_as_it_says() -> None:
    two = invited(ALL, OWNER, "two", uses=2)
    one = joined(two, device("a"), "two")
    both = joined(one, device("b"), "two")
    with pytest.raises(MembershipError, match="who have joined"):
        joined(both, device("c"), "two")
    assert not both.is_open_invite(invite_keys(secret("two")).sign_public)
    # A member whose replica was lost comes again.
    assert joined(both, device("a"), "two").role_of(device("a").sign_public) is Role.EDITOR


def test_when_a_ticket_ends_is_not_for_the_log_to_judge() -> None:
    ended = invited(ALL, OWNER, "ended", expires_ms=1)
    invite = ended.invite(invite_keys(secret("ended")).sign_public)
    assert invite is not None
    assert invite.expires_ms == 1
    assert joined(ended, STRANGER, "ended").role_of(STRANGER.sign_public) is Role.EDITOR


def test_who_has_the_recovery_code_becomes_an_owner() -> None:
    code = secret("recovery")
    kept = ALL.append(make_recovery(ALL, OWNER, secret=code, generation=0, content_key=CONTENT_KEY))
    back = kept.append(make_recovery_join(kept, STRANGER, secret=code))
    assert back.role_of(STRANGER.sign_public) is Role.OWNER
    assert find_keys(back, STRANGER).keys == {0: CONTENT_KEY}
    with pytest.raises(MembershipError, match="no invite"):
        make_join(kept, STRANGER, ticket_secret=code)
    after = removed(kept, SECOND, EDITOR)
    assert find_keys(after, recovery_keys(code)).keys[after.generation] == NEXT_KEY
    closed = kept.append(make_revoke(kept, SECOND, sign_public=recovery_keys(code).sign_public))
    with pytest.raises(MembershipError, match="closed"):
        make_recovery_join(closed, STRANGER, secret=code)


@pytest.mark.parametrize("author", [EDITOR, READER, STRANGER])
def test_only_owners_make_recovery_keys_and_close_tickets(author: DeviceKeys) -> None:
    with pytest.raises(MembershipError, match="only owners"):
        make_recovery(ALL, author, secret=secret("r"), generation=0, content_key=CONTENT_KEY)
    with pytest.raises(MembershipError, match="only owners"):
        make_revoke(ALL, author, sign_public=invite_keys(secret("reader's")).sign_public)


def rename(author: DeviceKeys, named: DeviceKeys, name: str) -> bytes:
    return make_rename(
        ALL,
        author,
        device=named.sign_public,
        name=name,
        generation=0,
        content_key=CONTENT_KEY,
        random_bytes=counting_bytes("name"),
    )


def test_a_name_is_read_by_members_alone() -> None:
    raw = rename(EDITOR, EDITOR, "Laptop of Ada")
    assert b"Laptop" not in raw
    named = ALL.append(raw)
    assert member_names(named, {0: CONTENT_KEY}) == {EDITOR.sign_public: "Laptop of Ada"}
    assert member_names(named, {0: NEXT_KEY}) == {}
    assert member_names(named, {}) == {}


def test_a_member_names_itself_and_an_owner_everybody() -> None:
    assert ALL.append(rename(READER, READER, "x"))
    assert ALL.append(rename(SECOND, READER, "x"))
    for author, named in ((EDITOR, READER), (STRANGER, STRANGER), (STRANGER, READER)):
        with pytest.raises(MembershipError, match="may not name"):
            rename(author, named, "x")
    with pytest.raises(MembershipError, match="no member"):
        rename(OWNER, STRANGER, "x")


def test_a_name_moved_to_another_device_is_not_read() -> None:
    sealed = seal_text(CONTENT_KEY, b"device" + EDITOR.sign_public, "Ada", counting_bytes("n"))
    assert open_text(CONTENT_KEY, b"device" + EDITOR.sign_public, sealed) == "Ada"
    assert open_text(CONTENT_KEY, b"device" + READER.sign_public, sealed) is None
    assert open_text(CONTENT_KEY, b"", sealed[:-1]) is None
    assert open_text(CONTENT_KEY, b"", b"short") is None
