"""A computer that syncs with two relays in turns, whose logs differ, comes to rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer
from tests.simulation.relay import SimulatedRelay, sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshots import title, write_much

from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.outbox import Outbox


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other."""
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def test_what_one_relay_has_and_the_other_refuses_is_sealed_again_once(world: Simulator) -> None:
    """Each turn made one more envelope, for ever, where the other relay has an end of the chain
    inside of a snapshot."""
    (record, *_) = write_much(world, edits=3)
    owner, laptop, _ = world.computers
    title(world, laptop, record, "written on the train")
    outbox, changes = Outbox(laptop.replica, laptop.member_log), laptop.replica.changes
    before = set(changes.hashes())
    outbox.seal()
    (first,) = set(changes.hashes()) - before
    stored = changes.envelope(first)
    assert stored is not None
    assert outbox.restart_own_chain(first)
    (again,) = set(changes.hashes()) - before
    for _ in range(3):
        # The one relay has it in its log, the other one lacks what is before it in its chain.
        Inbox(laptop.replica, laptop.member_log).receive([Received(stored.envelope, None)])
        assert changes.is_stored(first)
        assert outbox.restart_own_chain(first)
        assert set(changes.hashes()) == before | {first, again}
        offered = [one.hash for one in outbox.offers(after=0, bytes_max=1 << 20)]
        assert again in offered
        assert first not in offered
    assert outbox.restart_own_chain(again)
    (last,) = set(changes.hashes()) - before - {first}
    assert last != again
    sync(world.relay, laptop)
    sync(world.relay, owner)
    assert not changes.unsent()
    assert changes.position(last)
    assert laptop.state() == owner.state()


@pytest.mark.heavy
def test_a_copied_folder_between_two_relays_seals_each_envelope_again_once(
    world: Simulator,
) -> None:
    (record, *_) = write_much(world, edits=3)
    owner, laptop, _ = world.computers
    other = SimulatedRelay(world.folder / "other", 5)
    other.roll_back(world.relay.copy())
    folder = laptop.copy_file(world.folder / "copy")
    clock = Clock(laptop.clock.wall_s, 50.0)
    copy = Computer(folder, laptop.keys, clock, 77, laptop.content_key)
    title(world, laptop, record, "from the original")
    title(world, copy, record, "from the copy")
    sync(other, laptop)
    sync(world.relay, copy)
    begun = world.relay.end()
    assert begun is not None
    for _ in range(4):
        for relay in (world.relay, other):
            for computer in (laptop, copy, owner):
                sync(relay, computer)
    end = world.relay.end()
    assert end is not None
    # Each of the two envelopes a second time, and each carried by the owner.
    assert end.n <= begun.n + 4
    assert not any(one.replica.changes.unsent() for one in (laptop, copy))
    assert laptop.state() == copy.state() == owner.state()
    copy.close()
    other.close()


def test_a_snapshot_s_word_that_an_edit_is_in_another_envelope_hides_no_edit(
    world: Simulator,
) -> None:
    """Its maker may have written anything there; what the other envelope says itself counts."""
    (record, *_) = write_much(world, edits=3)
    owner, laptop, _ = world.computers
    changes = laptop.replica.changes
    before = set(changes.hashes())
    title(world, laptop, record, "hidden by a lie")
    Outbox(laptop.replica, laptop.member_log).seal()
    (edit,) = set(changes.hashes()) - before
    with laptop.replica.database.transaction():
        for one in before:
            changes.add_replacements([edit], by=one)
    Outbox(laptop.replica, laptop.member_log).restart_own_chain(edit)
    sync(world.relay, laptop)
    sync(world.relay, owner)
    assert laptop.state() == owner.state()
