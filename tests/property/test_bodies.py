"""What is inside an envelope comes back as it went in, and any other bytes end in our error."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bifolio.clock import make_stamp
from bifolio.errors import EnvelopeError, NewerFormatError
from bifolio.ids import NONCE_BYTES, SLOT_LENGTH
from bifolio.wire.changes import (
    ATTESTED_EPOCH_BYTES,
    ATTESTED_HASH_BYTES,
    BODY_VERSION,
    Attested,
    Body,
    Change,
    Incarnation,
)

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=4).map(tuple)
STAMPS = st.builds(
    make_stamp,
    milliseconds=st.integers(0, (1 << 48) - 1),
    counter=st.integers(0, (1 << 24) - 1),
)
UPDATES = st.tuples(st.binary(min_size=16, max_size=16).map(bytes.hex), st.binary(max_size=40))
LATER = st.one_of(st.none(), st.integers(0, 2**63), st.text(max_size=5), st.lists(st.booleans()))
MORE = st.lists(LATER.map(msgpack.packb), max_size=2).map(tuple)
CHANGES = st.builds(
    Change, stamp=STAMPS, records=st.lists(UPDATES, max_size=3).map(tuple), more=MORE
)
INCARNATIONS = st.builds(
    Incarnation,
    st.text("abcdefgh-_", min_size=SLOT_LENGTH, max_size=SLOT_LENGTH),
    st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES),
)
ATTESTED = st.builds(
    Attested,
    st.binary(min_size=ATTESTED_EPOCH_BYTES, max_size=ATTESTED_EPOCH_BYTES),
    st.integers(1, 2**53),
    st.binary(min_size=ATTESTED_HASH_BYTES, max_size=ATTESTED_HASH_BYTES),
)
NAMES = st.from_regex(r"[a-z][a-zA-Z0-9 -]{0,9}", fullmatch=True).filter(
    lambda name: name not in ("attested", "carried", "incarnations", "replaces")
)
PARTS = st.dictionaries(NAMES, LATER.map(msgpack.packb), max_size=3).map(
    lambda parts: tuple(sorted(parts.items()))
)
BODIES = st.builds(
    Body,
    frontier=HASHES,
    changes=st.lists(CHANGES, max_size=3).map(tuple),
    replaces=HASHES,
    incarnations=st.lists(INCARNATIONS, max_size=3).map(tuple),
    carried=st.lists(st.binary(max_size=9), max_size=2).map(tuple),
    attested=st.none() | ATTESTED,
    more=PARTS,
)


@given(body=BODIES)
def test_a_body_comes_back_as_it_went_in(body: Body) -> None:
    assert Body.parse(body.serialize()) == body


@given(body=BODIES)
def test_a_body_has_the_parts_that_hold_something_and_no_others(body: Body) -> None:
    _, _, _, parts = msgpack.unpackb(body.serialize())
    known = ("attested", "carried", "incarnations", "replaces")
    held = [name for name in known if getattr(body, name)]
    assert list(parts) == sorted([*held, *(name for name, _ in body.more)])


@given(body=BODIES, name=NAMES)
def test_a_part_with_a_capital_letter_must_be_understood(body: Body, name: str) -> None:
    version, frontier, changes, parts = msgpack.unpackb(body.serialize())
    critical = name.capitalize()
    parts = dict(sorted({**parts, critical: 1}.items()))
    with pytest.raises(NewerFormatError) as caught:
        Body.parse(msgpack.packb([version, frontier, changes, parts]))
    assert caught.value.needs == f"content part '{critical}'"


@given(body=BODIES)
def test_a_body_is_written_as_msgpack_writes_it(body: Body) -> None:
    raw = body.serialize()
    assert msgpack.packb(msgpack.unpackb(raw)) == raw


@given(change=CHANGES, later=LATER)
def test_what_a_later_version_put_behind_a_change_is_carried_and_counts_for_its_id(
    change: Change, later: object
) -> None:
    raw = msgpack.packb([*msgpack.unpackb(change.serialize()), later])
    parsed = Change.parse(raw)
    assert parsed.serialize() == raw
    assert replace(parsed, more=change.more) == change
    assert parsed.id != change.id


@given(body=BODIES, cut=st.integers(1, 40))
def test_a_body_that_was_cut_short_ends_in_our_error(body: Body, cut: int) -> None:
    with pytest.raises(EnvelopeError):
        Body.parse(body.serialize()[:-cut])


@given(raw=st.binary(max_size=60))
def test_any_bytes_are_a_body_or_our_error(raw: bytes) -> None:
    try:
        Body.parse(raw)
    except (EnvelopeError, NewerFormatError):
        return
    assert msgpack.unpackb(raw)[0] == BODY_VERSION
