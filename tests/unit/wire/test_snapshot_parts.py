"""The parts of a snapshot: records cut and joined, and what nobody may put into one."""

from __future__ import annotations

import random
import tracemalloc
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio import limits
from bifolio.errors import EnvelopeError, NewerFormatError
from bifolio.wire.snapshot_parts import Part, Piece, cut_authors, cut_records, join_records


def record(number: int) -> str:
    return f"{number:032x}"


@given(st.lists(st.integers(0, 3 * limits.SNAPSHOT_PART_BYTES), max_size=12), st.integers(0, 99))
def test_records_of_any_size_come_back_as_they_were_cut(sizes: list[int], seed: int) -> None:
    choose = random.Random(seed)
    states = [(record(at), choose.randbytes(size)) for at, size in enumerate(sizes)]
    parts = [Part.parse(one.serialize()) for one in cut_records(states)]
    assert list(join_records(parts)) == states
    for part in parts:
        assert len(part.serialize()) <= limits.SNAPSHOT_PART_BYTES_MAX


def test_many_small_records_share_a_part() -> None:
    states = [(record(at), b"x" * 1000) for at in range(1000)]
    assert len(list(cut_records(states))) == 4


def test_the_incarnations_of_ten_years_are_cut_too() -> None:
    found = [(bytes([at % 3]) * 32, f"{at:012d}", at.to_bytes(8, "big")) for at in range(40_000)]
    parts = list(cut_authors(found))
    assert len(parts) > 1
    told = [(author.device, *one) for part in parts for author in part.authors for one in author[1]]
    assert sorted(told) == sorted(found)


@pytest.mark.parametrize(
    "pieces",
    [
        (Piece(b"a" * 16, b"x", True),),
        (Piece(b"a" * 16, b"x", True), Piece(b"b" * 16, b"y", False)),
        (Piece(b"a" * 16, b"x", False), Piece(b"a" * 16, b"y", False)),
    ],
    ids=["without an end", "cut by another", "twice"],
)
def test_a_record_that_is_not_whole_is_refused(pieces: tuple[Piece, ...]) -> None:
    with pytest.raises(EnvelopeError):
        list(join_records([Part(records=pieces)]))


def test_a_record_larger_than_any_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_RECORD_BYTES_MAX", 10)
    pieces = (Piece(b"a" * 16, b"x" * 6, True), Piece(b"a" * 16, b"y" * 6, False))
    with pytest.raises(EnvelopeError, match="larger"):
        list(join_records([Part(records=pieces)]))


def test_a_later_version_s_part_is_carried_or_waited_for() -> None:
    encode = msgspec.msgpack.encode
    assert Part.parse(encode([1, {"later": 3, "covered": [b"c" * 32]}])).covered == (b"c" * 32,)
    with pytest.raises(NewerFormatError):
        Part.parse(encode([1, {"Later": 3}]))
    with pytest.raises(NewerFormatError):
        Part.parse(encode([2, {}]))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_part_are_refused(raw: bytes) -> None:
    with suppress(EnvelopeError, NewerFormatError):
        Part.parse(raw)


@each("name", ["records", "covered", "authors", "replaced"])
def test_a_length_that_is_claimed_takes_no_memory(name: str) -> None:
    raw = b"\x92\x01\x81" + msgspec.msgpack.encode(name) + b"\xdd\x7f\xff\xff\xff"
    tracemalloc.start()
    with pytest.raises(EnvelopeError):
        Part.parse(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 1024
