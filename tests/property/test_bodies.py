"""What is inside an envelope comes back as it went in, and any other bytes end in our error."""

from __future__ import annotations

from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifolio.clock import make_stamp
from bifolio.errors import EnvelopeError
from bifolio.wire.changes import Body, Change

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
BODIES = st.builds(
    Body,
    frontier=HASHES,
    changes=st.lists(CHANGES, max_size=3).map(tuple),
    replaces=HASHES,
    more=MORE,
)


@given(body=BODIES)
def test_a_body_comes_back_as_it_went_in(body: Body) -> None:
    assert Body.parse(body.serialize()) == body


@given(body=BODIES)
def test_a_body_that_replaces_nothing_is_as_short_as_it_was(body: Body) -> None:
    parts = msgpack.unpackb(replace(body, more=()).serialize())
    assert len(parts) == (4 if body.replaces else 3)


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
    except EnvelopeError:
        return
    assert msgpack.unpackb(raw)[0] == 1
