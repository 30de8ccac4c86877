"""What this program can read, and what it says of the rest."""

from __future__ import annotations

from dataclasses import replace

import msgpack
import pytest
from tests.support.cases import each
from tests.support.newer_membership import NEWER_KINDS
from tests.unit.crypto.builders import CONTENT_KEY, device, envelope_of, new_library

from bifolio.errors import EnvelopeError, NewerFormatError
from bifolio.replica.envelope_formats import ENVELOPE_FORMATS, EnvelopeFormats
from bifolio.wire.changes import Body, Change

ALICE = device("alice")
LIBRARY = new_library(ALICE)
BODY = Body((b"f" * 32,), (Change("0" * 18, ()),), more=(("later", msgpack.packb("later")),))


def test_todays_envelope_is_read_with_what_a_later_version_put_behind_it() -> None:
    envelope = envelope_of(ALICE, LIBRARY, BODY.serialize(), more=("later",))
    assert ENVELOPE_FORMATS.read(envelope, CONTENT_KEY) == BODY


@each(
    ("header", "content", "needs"),
    [
        ({"version": 2}, BODY.serialize(), "header version 2"),
        ({"version": 2, "kind": 3}, b"anything", "header version 2"),
        ({"kind": 3}, b"anything", "kind 3"),
        ({}, msgpack.packb([3, {"a": 1}]), "kind 1, content version 3"),
        ({}, msgpack.packb([2, [], [], {"Salt": 1}]), "content part 'Salt'"),
    ],
)
def test_what_it_cannot_read_says_what_it_needs(
    header: dict[str, object], content: bytes, needs: str
) -> None:
    envelope = envelope_of(ALICE, LIBRARY, content, **header)
    with pytest.raises(NewerFormatError) as caught:
        ENVELOPE_FORMATS.read(envelope, CONTENT_KEY)
    assert caught.value.needs == needs


@each("content", [b"", b"\x01", b"\x90", msgpack.packb([0, [], []])])
def test_a_content_without_a_version_is_damaged_and_not_newer(content: bytes) -> None:
    with pytest.raises(EnvelopeError) as caught:
        ENVELOPE_FORMATS.read(envelope_of(ALICE, LIBRARY, content), CONTENT_KEY)
    assert not isinstance(caught.value, NewerFormatError)


def test_a_content_of_the_version_before_is_read_in_one_s_own_past_and_taken_from_nobody() -> None:
    change = Change("0" * 18, (("ab" * 16, b"update"),))
    changes = [msgpack.unpackb(change.serialize())]
    content = msgpack.packb([1, [b"f" * 32], changes, [b"r" * 32], "later"])
    envelope = envelope_of(ALICE, LIBRARY, content)
    past = ENVELOPE_FORMATS.read_past(envelope, CONTENT_KEY)
    assert past == Body((b"f" * 32,), (change,), (b"r" * 32,))
    with pytest.raises(EnvelopeError, match="earlier version") as caught:
        ENVELOPE_FORMATS.read(envelope, CONTENT_KEY)
    assert not isinstance(caught.value, NewerFormatError)
    today = envelope_of(ALICE, LIBRARY, BODY.serialize())
    assert ENVELOPE_FORMATS.read_past(today, CONTENT_KEY) == BODY


def test_another_key_is_no_newer_format() -> None:
    with pytest.raises(EnvelopeError, match="does not open"):
        ENVELOPE_FORMATS.read(envelope_of(ALICE, LIBRARY, BODY.serialize()), bytes(32))


def test_the_name_changes_with_everything_that_can_be_read() -> None:
    ours = ENVELOPE_FORMATS
    opener, reader = ours.openers[1], ours.readers[1, 2]
    others = (
        replace(ours, openers={**ours.openers, 2: opener}),
        replace(ours, readers={**ours.readers, (1, 3): reader}),
        replace(ours, readers={**ours.readers, (2, 1): reader}),
        replace(ours, record_kinds=NEWER_KINDS),
        replace(ours, critical_parts=("Salt",)),
        EnvelopeFormats({}, {}),
    )
    names = {ours.name, *(other.name for other in others)}
    assert len(names) == 7
    assert ours.name == (
        "headers 1; contents 1.2; members carry.1 earlier.1 genesis.1 invite.1 join.1 keys.1 "
        "leave.1 recovery.1 relay.1 remove.1 rename.1 revoke.1 role.1 rotate.1"
    )
