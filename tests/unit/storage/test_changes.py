"""Every change: the outbox, the history, what waits and what was refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio.storage.changes import Changes
from bifolio.storage.pending_envelopes import PendingEnvelopes
from bifolio.storage.refused_envelopes import RefusedEnvelopes

CHAIN, OTHER = b"c" * 16, b"o" * 16


@pytest.fixture
def changes(tmp_path: Path) -> Changes:
    return Changes(new_database(tmp_path))


def add(
    changes: Changes,
    number: int,
    *,
    chain: bytes = CHAIN,
    position: int | None = None,
    own: bool = True,
    count: int = 1,
    size: int = 10,
) -> bytes:
    envelope_hash = number.to_bytes(32, "big")
    changes.add_envelope(
        envelope=bytes([number]) * size,
        envelope_hash=envelope_hash,
        chain=chain,
        seq=number,
        position=position,
        own=own,
        count=count,
        frontier=[b"f" * 32],
    )
    return envelope_hash


def test_unsealed_changes_come_in_their_order_up_to_a_size_but_at_least_one(
    changes: Changes,
) -> None:
    for number in range(5):
        changes.add_unsealed(bytes([number]) * 100, [b"h" * 32])
    assert [change.body[0] for change in changes.unsealed(bytes_max=250)] == [0, 1]
    assert [change.body[0] for change in changes.unsealed(bytes_max=1)] == [0]
    assert changes.unsealed(bytes_max=1)[0].frontier == (b"h" * 32,)
    changes.remove_unsealed(changes.unsealed(bytes_max=1000)[:4])
    assert [change.body[0] for change in changes.unsealed(bytes_max=1000)] == [4]
    assert changes.has_unsealed()


def test_an_envelope_comes_back_as_it_was_written(changes: Changes) -> None:
    envelope_hash = add(changes, 1, position=7, own=False, count=3)
    stored = changes.envelope(envelope_hash)
    assert stored is not None
    assert (stored.chain, stored.seq, stored.position, stored.own) == (CHAIN, 1, 7, False)
    assert (stored.count, stored.frontier, stored.envelope) == (3, (b"f" * 32,), b"\x01" * 10)
    assert changes.is_merged(envelope_hash)
    assert not changes.is_merged(b"x" * 32)
    assert changes.envelope(b"x" * 32) is None


def test_what_the_relay_lacks_is_anyone_s_in_this_replica_s_order(changes: Changes) -> None:
    add(changes, 1, position=1)
    second = add(changes, 2, own=False, chain=OTHER)
    third = add(changes, 3)
    changes.add_unsealed(b"not sealed", [])
    offered = changes.unacknowledged(after=0, bytes_max=1 << 30)
    assert [one.seq for one in offered] == [2, 3]
    assert [one.seq for one in changes.unacknowledged(after=offered[0].number, bytes_max=99)] == [3]
    assert [one.seq for one in changes.unacknowledged(after=0, bytes_max=5)] == [2]
    assert changes.unacknowledged_of(CHAIN) == [third]
    changes.set_position(second, 2)
    assert [one.seq for one in changes.unacknowledged(after=0, bytes_max=99)] == [3]


def test_a_forgotten_log_makes_everything_unacknowledged(changes: Changes) -> None:
    add(changes, 1, position=1)
    add(changes, 2, position=2, own=False)
    assert changes.unsent() == 0
    changes.forget_positions()
    assert [one.seq for one in changes.unacknowledged(after=0, bytes_max=99)] == [1, 2]
    assert changes.unsent() == 1


def test_unsent_counts_own_changes_sealed_or_not(changes: Changes) -> None:
    add(changes, 1, count=4)
    add(changes, 2, own=False, count=9)
    add(changes, 3, position=3, count=20)
    changes.add_unsealed(b"one", [])
    assert changes.unsent() == 5


def test_everything_can_be_dropped(changes: Changes) -> None:
    add(changes, 1)
    PendingEnvelopes(changes._database).add(
        b"a" * 32, None, b"waits", device=b"d", size=5, needs=[b"n"], of_members=False
    )
    RefusedEnvelopes(changes._database).add(b"b" * 32, b"raw", "forged", None)
    changes.remove_all()
    assert changes.links() == []
    assert changes.waiting() == 0
    assert changes.refusals() == []
