"""The plaintext of an envelope: what is too much, too deep or of another version is refused."""

from __future__ import annotations

import tracemalloc

import msgpack
import pytest

from bifolio import limits
from bifolio.errors import EnvelopeError
from bifolio.wire.changes import Body, Change, body_version

MANY = 3_000_000
EMPTY_LISTS = b"\xdd" + MANY.to_bytes(4, "big") + b"\x90" * MANY


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x90",
        b"\x91\x01",
        b"\x93\x01\x90\x90\x00",
        b"\x93\x01\x90\xdd\xff\xff\xff\xff",
        b"\x93\x01\x90" + b"\x91" * 100_000 + b"\x01",
        b"\x93\x01\x90" + EMPTY_LISTS,
        b"\x93\x01" + EMPTY_LISTS + b"\x90",
        b"\xdd\x00\x00\x10\x00\x01\x90" + b"\x90" * (2**12 - 2),
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
        Body.parse(msgpack.packb([2, [], []]))


def test_as_many_changes_as_fit_into_an_envelope_may_be_in_one() -> None:
    assert (
        len(Change("0" * 18, ()).serialize())
        > limits.ENVELOPE_TARGET_BYTES // limits.CHANGES_PER_ENVELOPE_MAX
    )
