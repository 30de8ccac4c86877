"""What waits is found by what it waits for, counted by author, and goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio.storage.pending_envelopes import PendingEnvelopes

ALICE, BOB = b"a" * 32, b"b" * 32


@pytest.fixture
def pending(tmp_path: Path) -> PendingEnvelopes:
    return PendingEnvelopes(new_database(tmp_path))


def add(pending: PendingEnvelopes, name: bytes, *needs: bytes, device: bytes = ALICE) -> None:
    of_members = b"head" in needs
    pending.add(name, None, name, device=device, size=10, needs=needs, of_members=of_members)


def test_what_arrives_frees_what_lacks_nothing_else_in_its_order(
    pending: PendingEnvelopes,
) -> None:
    add(pending, b"third", b"x", b"y")
    add(pending, b"first", b"x")
    add(pending, b"second", b"x")
    assert pending.ready() == []
    assert pending.arrive(b"x") == [b"first", b"second"]
    assert pending.arrive(b"x") == []
    assert pending.ready() == [b"first", b"second"]
    assert pending.arrive(b"y") == [b"third"]


def test_what_waits_for_members_is_told_apart(pending: PendingEnvelopes) -> None:
    add(pending, b"one", b"head")
    add(pending, b"two", b"x")
    assert pending.waiting_for_members() == [b"one"]
    pending.set_needs(b"one", [b"x"], of_members=False)
    assert pending.waiting_for_members() == []
    assert pending.arrive(b"x") == [b"one", b"two"]


def test_it_is_counted_by_author(pending: PendingEnvelopes) -> None:
    add(pending, b"one", b"x")
    add(pending, b"two", b"x")
    add(pending, b"three", b"x", device=BOB)
    assert (pending.usage(ALICE), pending.usage(BOB), pending.usage()) == (
        (2, 20),
        (1, 10),
        (3, 30),
    )
    assert pending.count_by_author() == [(ALICE, 2), (BOB, 1)]
    pending.remove(b"one")
    assert pending.usage(ALICE) == (1, 10)
    assert pending.arrive(b"x") == [b"two", b"three"]


def test_it_learns_its_position_and_forgets_it_with_the_log(pending: PendingEnvelopes) -> None:
    add(pending, b"one", b"x")
    pending.set_position(b"one", 4)
    waiting = pending.read(b"one")
    assert waiting is not None
    assert waiting.position == 4
    pending.begin_epoch()
    waiting = pending.read(b"one")
    assert waiting is not None
    assert waiting.position is None
    add(pending, b"two", b"x")
    pending.begin_epoch()
    assert pending.read(b"one") is None
    assert pending.arrive(b"x") == [b"two"]
