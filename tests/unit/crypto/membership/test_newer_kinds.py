"""Records of kinds that only a newer program knows: kept and carried, believed by nobody."""

from __future__ import annotations

from dataclasses import replace

import msgpack
import pytest
from tests.support.cases import each
from tests.support.newer_membership import (
    NEWER_KINDS,
    make_greeting,
    make_promotion,
    make_record,
)
from tests.unit.crypto.builders import (
    CONTENT_KEY,
    device,
    envelope_of,
    invited,
    joined,
    new_library,
    secret,
)

from bifolio.crypto.encoding import FieldValue, pack, pack_fields
from bifolio.crypto.keys import signed_message
from bifolio.crypto.membership import (
    Membership,
    Permission,
    Role,
    invite_keys,
    make_invite,
    make_join,
)
from bifolio.crypto.membership.records import parse_record, sign_record
from bifolio.errors import MembershipError, NewerMembershipError

OWNER, EDITOR, READER, STRANGER = (device(name) for name in ("owner", "editor", "reader", "other"))
WITH_EDITOR = joined(invited(new_library(OWNER), OWNER, "editor's"), EDITOR, "editor's")
ALL = joined(invited(WITH_EDITOR, OWNER, "reader's", Role.READER), READER, "reader's")
ROLE = make_promotion(ALL, OWNER, READER.sign_public, Role.EDITOR)
BEHIND = ALL.append(ROLE)


def newer(membership: Membership) -> Membership:
    """The same records as a newer program reads them."""
    return Membership.from_records(membership.records, kinds=NEWER_KINDS)


def test_the_log_goes_on_behind_an_ignorable_record_of_an_unknown_kind() -> None:
    greeted = ALL.append(make_greeting(ALL, EDITOR))
    assert greeted.needs_newer == ()
    assert greeted.members == ALL.members
    further = joined(greeted, STRANGER, "editor's")
    assert further.role_of(STRANGER.sign_public) is Role.EDITOR
    assert further.permits(envelope_of(STRANGER, further, b"x")) is Permission.PERMITTED
    assert Membership.from_records(further.records) == further
    assert newer(further).members == further.members


def test_a_critical_record_of_an_unknown_kind_is_kept_and_named_and_changes_no_role() -> None:
    assert BEHIND.records == (*ALL.records, ROLE)
    assert BEHIND.needs_newer == ("promotion",)
    assert BEHIND.members == ALL.members
    assert BEHIND.knows(BEHIND.head)
    assert Membership.from_records(BEHIND.records) == BEHIND


def test_a_newer_program_reads_from_the_same_records_what_they_say() -> None:
    understood = newer(BEHIND)
    assert understood.head == BEHIND.head
    assert understood.needs_newer == ()
    assert understood.role_of(READER.sign_public) is Role.EDITOR
    assert understood.role_of(READER.sign_public, head=ALL.head) is Role.READER


def test_an_envelope_is_not_judged_while_a_critical_record_is_not_known() -> None:
    promoted, earlier = envelope_of(READER, BEHIND, b"x"), envelope_of(EDITOR, ALL, b"x")
    assert BEHIND.permits(promoted) is Permission.NEEDS_NEWER
    assert BEHIND.permits(earlier) is Permission.NEEDS_NEWER  # the record may have ended his right
    assert newer(BEHIND).permits(promoted) is Permission.PERMITTED
    assert newer(BEHIND).permits(earlier) is Permission.PERMITTED


def test_whoever_never_might_write_is_refused_in_front_of_a_record_that_is_not_known() -> None:
    for author in (READER, STRANGER):
        assert BEHIND.permits(envelope_of(author, ALL, b"x")) is Permission.FORBIDDEN


def test_records_behind_an_unknown_critical_one_are_carried_without_effect() -> None:
    understood = newer(BEHIND)
    invited_on_top = invited(understood, OWNER, "third's")
    joined_on_top = joined(invited_on_top, STRANGER, "third's")
    carried = Membership.from_records(joined_on_top.records)
    assert carried.records == joined_on_top.records
    assert carried.head == joined_on_top.head
    assert carried.role_of(STRANGER.sign_public) is None
    assert newer(carried).role_of(STRANGER.sign_public) is Role.EDITOR


def test_every_unknown_critical_record_is_named() -> None:
    second = make_record(BEHIND, OWNER, "removal")
    assert BEHIND.append(second).needs_newer == ("promotion", "removal")


def test_a_known_kind_in_a_later_version_is_not_known() -> None:
    raw = invited(ALL, OWNER, "third's").records[-1]
    record = parse_record(raw)
    later = sign_record(replace(record.header, needs=2), record.fields, OWNER)
    assert ALL.append(later).needs_newer == ("invite",)
    assert not ALL.append(later).is_open_invite(invite_keys(secret("third's")).sign_public)
    header = sign_record(replace(record.header, version=4), record.fields, OWNER)
    assert ALL.append(header).needs_newer == ("invite",)


def test_what_a_later_version_adds_to_body_or_header_is_carried_and_ignored() -> None:
    record = parse_record(invited(ALL, OWNER, "third's").records[-1])
    fields: dict[str, FieldValue] = {**record.fields, "more": 7, "and_more": ["x", [1]]}
    header = record.header
    body = pack_fields(fields)
    more = pack((3, header.library, header.previous, header.author, "invite", 1, b"more"))
    signature = OWNER.sign(signed_message("membership 3", more, body))
    for raw in (sign_record(header, fields, OWNER), pack((more, body, signature))):
        grown = ALL.append(raw)
        assert grown.is_open_invite(invite_keys(secret("third's")).sign_public)
        assert grown.records[-1] == raw


def test_nobody_invites_or_joins_on_top_of_a_record_that_is_not_known() -> None:
    with pytest.raises(NewerMembershipError, match="promotion"):
        make_join(BEHIND, STRANGER, ticket_secret=secret("editor's"))
    with pytest.raises(NewerMembershipError, match="promotion"):
        make_invite(
            BEHIND,
            OWNER,
            ticket_secret=secret("third's"),
            role=Role.EDITOR,
            generation=0,
            content_key=CONTENT_KEY,
        )


@pytest.mark.parametrize("author", [EDITOR, READER, STRANGER])
def test_only_an_owner_stops_those_who_do_not_know_a_kind(author: object) -> None:
    with pytest.raises(MembershipError, match="no right"):
        ALL.append(make_record(ALL, author, "promotion"))  # type: ignore[arg-type]


@pytest.mark.parametrize("author", [READER, STRANGER])
def test_only_who_may_write_adds_what_others_may_ignore(author: object) -> None:
    with pytest.raises(MembershipError, match="no right"):
        ALL.append(make_greeting(ALL, author))  # type: ignore[arg-type]


def test_a_record_of_an_unknown_kind_is_forged_by_nobody() -> None:
    record = parse_record(ROLE)
    for signer in (EDITOR, STRANGER):
        with pytest.raises(MembershipError, match="signature"):
            ALL.append(sign_record(record.header, record.fields, signer))
    for place in range(0, len(ROLE), 3):
        damaged = bytearray(ROLE)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(MembershipError):
            ALL.append(bytes(damaged))
    with pytest.raises(MembershipError, match="does not follow"):
        WITH_EDITOR.append(ROLE)


@each("kind", ["", "GENESIS", "two words", "\x1b[2J", "x" * 33, "genesis"])
def test_a_kind_has_a_name_that_can_be_shown(kind: str) -> None:
    with pytest.raises(MembershipError):
        ALL.append(make_record(ALL, OWNER, kind))


def test_a_library_whose_genesis_is_newer_says_so() -> None:
    record = parse_record(ALL.records[0])
    later = sign_record(replace(record.header, needs=2), record.fields, OWNER)
    with pytest.raises(MembershipError, match="newer Bifolio"):
        Membership.from_records([later])


def test_what_an_older_program_carried_unjudged_has_no_effect_and_ends_no_library() -> None:
    """An older relay cannot tell that the reader may not invite: it took the record."""
    demoted = ALL.append(make_promotion(ALL, OWNER, EDITOR.sign_public, Role.READER))
    unjudged = demoted.append(
        make_record(demoted, EDITOR, "promotion", device=EDITOR.sign_public, role="owner")
    )
    understood = newer(unjudged)
    assert understood.role_of(EDITOR.sign_public) is Role.READER
    assert joined(understood, STRANGER, "editor's").role_of(STRANGER.sign_public) is Role.EDITOR
    assert newer(demoted).append(unjudged.records[-1]) == understood  # a lost log is given back
    with pytest.raises(MembershipError, match="only owners give roles"):
        newer(demoted).append(unjudged.records[-1], strict=True)


@pytest.mark.parametrize("needs", [0, 1])
def test_a_record_of_a_kind_that_nobody_knows_ends_no_library_behind_an_unjudged_one(
    needs: int,
) -> None:
    """An older relay took it from a stranger behind a record that it could not judge."""
    header = parse_record(make_record(BEHIND, STRANGER, "unheard-of")).header
    planted = BEHIND.append(sign_record(replace(header, needs=needs), {}, STRANGER))
    understood = newer(planted)
    assert understood.needs_newer == ()
    assert understood.members == newer(BEHIND).members
    assert joined(understood, STRANGER, "editor's").role_of(STRANGER.sign_public) is Role.EDITOR


def test_an_ignorable_record_that_breaks_its_kinds_rules_has_no_effect_later() -> None:
    """Today nobody can see that only owners give roles: an editor may add what is ignorable."""
    record = parse_record(
        make_record(ALL, EDITOR, "promotion", device=EDITOR.sign_public, role="owner")
    )
    carried = ALL.append(sign_record(replace(record.header, needs=0), record.fields, EDITOR))
    assert carried.needs_newer == ()
    understood = newer(carried)
    assert understood.head == carried.head
    assert understood.role_of(EDITOR.sign_public) is Role.EDITOR
    with pytest.raises(MembershipError, match="only owners give roles"):
        newer(ALL).append(carried.records[-1], strict=True)


def test_nobody_adds_a_signature_to_a_record_of_an_unknown_kind() -> None:
    """Or a relay without any key could give one record two hashes, and the log two heads."""
    header, body, signatures = msgpack.unpackb(ROLE)
    with pytest.raises(MembershipError, match="1 signatures"):
        ALL.append(pack((header, body, signatures + bytes(64))))


def test_a_kind_that_comes_again_is_named_once() -> None:
    assert BEHIND.append(make_record(BEHIND, OWNER, "promotion")).needs_newer == ("promotion",)


def with_field(membership: Membership, **more: FieldValue) -> Membership:
    """The membership with an invite that has a further field."""
    record = parse_record(invited(membership, OWNER, "third's").records[-1])
    return membership.append(sign_record(record.header, {**record.fields, **more}, OWNER))


def test_a_field_that_is_not_known_is_carried_and_a_critical_one_stops_who_does_not_know_it() -> (
    None
):
    assert with_field(ALL, more=1).is_open_invite(invite_keys(secret("third's")).sign_public)
    stopped = with_field(ALL, More=1)
    assert stopped.needs_newer == ("invite",)
    assert not stopped.is_open_invite(invite_keys(secret("third's")).sign_public)
    with pytest.raises(NewerMembershipError):
        make_join(stopped, STRANGER, ticket_secret=secret("editor's"))


def test_a_critical_field_in_a_record_that_may_be_ignored_stops_too() -> None:
    header = parse_record(make_record(ALL, OWNER, "rename", needs=0)).header
    raw = sign_record(header, {"Until": 1}, OWNER)
    assert ALL.append(raw).needs_newer == ("rename",)
    # Of a kind that is not known at all, and may be ignored, so may all of its fields be.
    header = parse_record(make_greeting(ALL, EDITOR)).header
    assert ALL.append(sign_record(header, {"Until": 1}, EDITOR)).needs_newer == ()


def test_the_holder_of_a_ticket_stops_nobody_with_a_critical_field() -> None:
    join = parse_record(joined(ALL, STRANGER, "editor's").records[-1])
    raw = sign_record(
        join.header, {**join.fields, "Evil": 1}, invite_keys(secret("editor's")), STRANGER
    )
    with pytest.raises(MembershipError, match="no right"):
        ALL.append(raw)
    rename = parse_record(make_record(ALL, EDITOR, "rename", needs=0)).header
    with pytest.raises(MembershipError, match="no right"):
        ALL.append(sign_record(rename, {"Evil": 1}, EDITOR))
