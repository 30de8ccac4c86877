"""What only a newer program can read: kept whole and in order, and given back to a relay."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio import limits
from bifolio.storage.newer_envelopes import NewerEnvelopes

CHAIN, OTHER = b"c" * 16, b"o" * 16


@pytest.fixture
def newer(tmp_path: Path) -> NewerEnvelopes:
    return NewerEnvelopes(new_database(tmp_path))


def add(
    newer: NewerEnvelopes,
    name: bytes,
    *,
    chain: bytes = CHAIN,
    position: int | None = None,
    needs: str = "",
    size: int = 10,
    formats: str = "headers 1",
    of_member: bool = True,
) -> bytes:
    envelope_hash = name * 32
    newer.add(
        envelope=name * size,
        envelope_hash=envelope_hash,
        chain=chain,
        position=position,
        needs=needs,
        formats=formats,
        of_member=of_member,
    )
    return envelope_hash


def test_an_envelope_of_any_size_is_kept_whole(newer: NewerEnvelopes) -> None:
    size = 3 * limits.REFUSED_KEPT_BYTES_MAX
    envelope_hash = add(newer, b"a", position=7, needs="kind 2", size=size)
    assert newer.is_kept(envelope_hash)
    kept = newer.first(after=0, through=newer.last_number())
    assert kept is not None
    assert kept.envelope == b"a" * size
    assert (kept.hash, kept.chain, kept.position, kept.needs) == (
        envelope_hash,
        CHAIN,
        7,
        "kind 2",
    )
    newer.remove(envelope_hash)
    assert not newer.is_kept(envelope_hash)
    assert newer.last_number() == 0


def test_they_are_counted_by_what_they_need_in_the_order_of_their_coming(
    newer: NewerEnvelopes,
) -> None:
    assert (newer.needs(), newer.waiting()) == ({}, 0)
    for name, needs in ((b"a", "kind 9"), (b"b", ""), (b"c", "kind 2"), (b"d", "kind 9")):
        add(newer, name, needs=needs)
    assert list(newer.needs().items()) == [("kind 9", 2), ("kind 2", 1)]
    assert newer.waiting() == 1


def test_what_comes_while_they_are_tried_again_is_not_tried_twice(newer: NewerEnvelopes) -> None:
    for name in (b"a", b"b"):
        add(newer, name)
    last, number, tried = newer.last_number(), 0, []
    while (kept := newer.first(after=number, through=last)) is not None:
        number = kept.number
        newer.remove(kept.hash)
        add(newer, kept.envelope[:1])
        tried.append(kept.envelope[:1])
    assert tried == [b"a", b"b"]
    assert newer.last_number() == last + 2


def test_what_the_relay_lacks_is_given_in_order_up_to_a_size_but_at_least_one(
    newer: NewerEnvelopes,
) -> None:
    first = add(newer, b"a", position=1)
    for name in (b"b", b"c", b"d"):
        add(newer, name, size=100)
    offered = newer.unacknowledged(after=0, bytes_max=250)
    assert [one.envelope[:1] for one in offered] == [b"b", b"c"]
    (last,) = newer.unacknowledged(after=offered[-1].number, bytes_max=1)
    assert last.envelope[:1] == b"d"
    newer.set_position(last.hash, 4)
    assert newer.unacknowledged(after=offered[-1].number, bytes_max=1) == []
    newer.forget_positions()
    assert newer.unacknowledged(after=0, bytes_max=1)[0].hash == first


def test_a_chain_that_the_relay_does_not_continue_is_kept_back_until_the_relay_is_another(
    newer: NewerEnvelopes,
) -> None:
    add(newer, b"a", position=1)
    add(newer, b"b")
    add(newer, b"c", chain=OTHER)
    newer.keep_back(CHAIN)
    assert [one.chain for one in newer.unacknowledged(after=0, bytes_max=1000)] == [OTHER]
    newer.forget_positions()
    assert len(newer.unacknowledged(after=0, bytes_max=1000)) == 3


def test_nothing_of_them_stays_where_the_library_is_left(newer: NewerEnvelopes) -> None:
    add(newer, b"a", needs="kind 2")
    newer.remove_all()
    assert newer.needs() == {}


def test_what_a_program_of_other_formats_kept_is_found_in_its_order(newer: NewerEnvelopes) -> None:
    add(newer, b"a", formats="headers 1")
    second = add(newer, b"b", formats="headers 1 2")
    third = add(newer, b"c", formats="headers 1 2")
    for wanted in (second, third):
        found = newer.first_of_another("headers 1")
        assert found is not None
        assert found.hash == wanted
        newer.remove(wanted)
    assert newer.first_of_another("headers 1") is None


def test_the_bytes_of_those_who_may_not_write_are_counted(newer: NewerEnvelopes) -> None:
    add(newer, b"a", size=7)
    add(newer, b"b", size=11, of_member=False)
    add(newer, b"c", size=2, of_member=False)
    assert newer.bytes_of_strangers() == 13
