"""The plaintext of an envelope: what is too much, too deep or of another version is refused."""

from __future__ import annotations

import tracemalloc

import msgpack
import pytest
from tests.support.cases import each

from bifolio import limits
from bifolio.errors import EnvelopeError
from bifolio.wire.changes import Body, Change, body_version

MANY = 3_000_000
EMPTY_LISTS = b"\xdd" + MANY.to_bytes(4, "big") + b"\x90" * MANY


@each(
    "raw",
    [
        b"",
        b"\x90",
        b"\x91\x01",
        b"\x94\x02\x90\x90\x80\x00",
        b"\x94\x02\x90\xdd\xff\xff\xff\xff",
        b"\x94\x02\x90" + b"\x91" * 100_000 + b"\x01",
        b"\x94\x02\x90" + EMPTY_LISTS + b"\x80",
        b"\x94\x02" + EMPTY_LISTS + b"\x90\x80",
        b"\xdd\x00\x00\x10\x00\x02\x90" + b"\x90" * (2**12 - 2),
    ],
    ids=["nothing", "empty", "short", "longer", "claims", "deep", "changes", "frontier", "parts"],
)
def test_a_body_that_is_none_costs_no_memory(raw: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(EnvelopeError):
            Body.parse(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024


NONCE = b"n" * 8
SLOT = "s" * 12


@each(
    "parts",
    [
        {"b": 1, "a": 1},
        {"": 1},
        {"9": 1},
        {"a" * 65: 1},
        {f"a{number:02}": 1 for number in range(65)},
        {"incarnations": [[SLOT, NONCE]] * (limits.INCARNATIONS_PER_ENVELOPE_MAX + 1)},
        {"incarnations": [[SLOT[1:], NONCE]]},
        {"incarnations": [[SLOT, NONCE[1:]]]},
        {"incarnations": [[SLOT, NONCE, 1]]},
        {"incarnations": [[1, NONCE]]},
        {"carried": [b""] * (limits.CARRIED_PER_ENVELOPE_MAX + 1)},
        {"carried": ["text"]},
        {"attested": [b"e" * 16, 1, b"c" * 32]},
        {"attested": [b"e" * 16, -1, b"c" * 32, b"m" * 32]},
        {"attested": [b"e" * 16, 2**53 + 1, b"c" * 32, b"m" * 32]},
        {"attested": None},
        {"replaces": [b"h" * 31]},
        [],
    ],
)
def test_a_part_that_is_none_is_refused(parts: object) -> None:
    with pytest.raises(EnvelopeError):
        Body.parse(msgpack.packb([2, [], [], parts]))


def test_a_part_that_comes_twice_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="twice"):
        Body.parse(b"\x94\x02\x90\x90\x82\xa1a\x01\xa1a\x02")


def test_an_envelope_s_records_are_counted_over_all_its_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "RECORDS_PER_ENVELOPE_MAX", 5)
    change = Change("0" * 18, tuple((f"{one:032x}", b"u") for one in range(3)))
    assert Body.parse(Body((), (change,)).serialize()).changes == (change,)
    with pytest.raises(EnvelopeError, match="more than 5 records"):
        Body.parse(Body((), (change, change)).serialize())


def test_an_update_has_its_record_and_nothing_else() -> None:
    change = [b"\x00" * 9, [[b"r" * 16, b"update", b"more"]]]
    with pytest.raises(EnvelopeError, match="updates"):
        Change.parse(msgpack.packb(change))


def test_the_version_of_a_content_is_read_whatever_follows() -> None:
    assert body_version(msgpack.packb([7, {"a": [1]}, None])) == 7
    for raw in (b"\x07", b"\x90", b"\x91\x00", b"\x91\xa1x", b"\xff" * 9):
        with pytest.raises(EnvelopeError, match="version"):
            body_version(raw)


def test_a_body_of_another_version_is_not_read_as_one_of_this() -> None:
    with pytest.raises(EnvelopeError, match="another version"):
        Body.parse(msgpack.packb([1, [], []]))


def test_as_many_changes_as_fit_into_an_envelope_may_be_in_one() -> None:
    assert (
        len(Change("0" * 18, ()).serialize())
        > limits.ENVELOPE_TARGET_BYTES // limits.CHANGES_PER_ENVELOPE_MAX
    )


def test_text_that_is_no_utf8_is_the_authors_fault_and_no_crash() -> None:
    """A name of a part, or a slot, of bytes that are no text: it ended each sync of the others."""
    slots = b"\x81\xacincarnations\x91\x92\xab" + b"\x80" * 11 + b"\xc4\x10" + b"0" * 16
    for parts in (b"\x81\xa2\x80\x80\xc0", slots):
        with pytest.raises(EnvelopeError):
            Body.parse(b"\x94\x02\x90\x90" + parts)
