"""Large messages in parts, gone on with after a cut."""

from __future__ import annotations

import random

import pytest

from bifolio import limits
from bifolio.errors import ProtocolError
from bifolio.ids import content_hash
from bifolio.wire import fragments
from bifolio.wire.fragments import Assembler
from bifolio.wire.messages import Fragment, Partial, Push, parse_message

RAW = Push((random.Random(1).randbytes(100_000),)).serialize()


def test_the_parts_of_a_message_are_the_message() -> None:
    assembler = Assembler()
    parts = list(fragments.split(RAW, 30_000))
    assert [len(part.part) for part in parts[:3]] == [30_000] * 3
    wholes = [assembler.add(parse_message(part.serialize()))[0] for part in parts]  # type: ignore[arg-type]
    assert wholes == [None, None, None, RAW]
    assert assembler.partial is None


def test_a_message_goes_on_at_the_byte_at_which_the_last_connection_ended() -> None:
    assembler = Assembler()
    for part in list(fragments.split(RAW, 30_000))[:2]:
        assembler.add(part)
    assert assembler.partial == Partial(content_hash(RAW), 60_000)
    rest = list(fragments.split(RAW, 4096, held_bytes=assembler.partial.held))
    assert rest[0].offset == 60_000
    wholes = [assembler.add(part)[0] for part in rest]
    assert wholes[-1] == RAW


def test_parts_that_are_here_already_do_no_harm() -> None:
    assembler = Assembler()
    for part in list(fragments.split(RAW, 30_000))[:2]:
        assembler.add(part)
    grown = [assembler.add(part) for part in fragments.split(RAW, 30_000)]
    assert [by for _, by in grown] == [0, 0, 30_000, -90_000]
    assert grown[-1][0] == RAW


def test_the_last_part_is_sent_where_the_other_side_claims_to_have_all() -> None:
    (part,) = fragments.split(RAW, 30_000, held_bytes=10**9)
    assert part.part == RAW[-1:]


@pytest.mark.parametrize(
    "second",
    [
        Fragment(content_hash(RAW), len(RAW), 60_000, b"x"),  # a part is missing
        Fragment(content_hash(RAW), len(RAW) + 1, 30_000, b"x"),  # another size
        Fragment(content_hash(RAW), len(RAW), 30_000, bytes(len(RAW) - 30_000)),  # another content
    ],
    ids=["gap", "size", "content"],
)
def test_parts_that_are_no_message_are_an_error_and_nothing_is_kept(second: Fragment) -> None:
    assembler = Assembler()
    assembler.add(next(fragments.split(RAW, 30_000)))
    with pytest.raises(ProtocolError, match="FRAGMENT"):
        assembler.add(second)
    assert assembler.partial is None


def test_a_new_message_takes_the_place_of_an_unfinished_one() -> None:
    assembler = Assembler()
    assembler.add(next(fragments.split(RAW, 30_000)))
    other = Push((bytes(50_000),)).serialize()
    _, grown = assembler.add(next(fragments.split(other, 10_000)))
    assert grown == -20_000
    assert assembler.partial == Partial(content_hash(other), 10_000)


@pytest.mark.parametrize(("size", "offset", "part"), [(10, 8, b"abc"), (0, 0, b""), (10, 0, b"")])
def test_a_fragment_outside_its_message_is_none(size: int, offset: int, part: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Fragment(bytes(32), size, offset, part).serialize()


def test_what_is_a_little_larger_than_wanted_goes_whole() -> None:
    assert not fragments.is_too_large(bytes(limits.FLOW_BYTES_MIN + 100), limits.FLOW_BYTES_MIN)
    assert fragments.is_too_large(bytes(3 * limits.FLOW_BYTES_MIN), limits.FLOW_BYTES_MIN)
