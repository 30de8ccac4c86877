"""What a replica says of an honest snapshot, and of what that brought it; found by simulation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Computer
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshots import sync_all, title, write_much

from bifolio.crypto.snapshot import Snapshot
from bifolio.ids import content_hash
from bifolio.replication.chain_ends import cut_of
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.outbox import Outbox
from bifolio.replication.snapshots import loading, making, verifying
from bifolio.replication.snapshots.desk import SnapshotDesk
from bifolio.sync.snapshot_store import Purpose, SnapshotTask


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other."""
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def make(computer: Computer) -> tuple[Snapshot, list[bytes]]:
    """A snapshot of a computer's, and its chunks."""
    snapshot = making.make(computer.replica, computer.member_log)
    assert snapshot is not None
    return snapshot, list(computer.replica.snapshots.chunks(snapshot.id))


def give(made: tuple[Snapshot, list[bytes]], computer: Computer) -> Snapshot:
    """Its chunks come to another computer."""
    snapshot, chunks = made
    with computer.replica.database.transaction():
        for number, chunk in enumerate(chunks):
            computer.replica.snapshots.add_chunk(snapshot.id, number, chunk)
    return snapshot


def seal_last(computer: Computer) -> bytes:
    """Seal what a computer wrote; the envelope."""
    Outbox(computer.replica, computer.member_log).seal()
    stored = computer.replica.changes.envelope(computer.replica.changes.hashes()[-1])
    assert stored is not None
    return stored.envelope


def test_who_loaded_a_later_snapshot_does_not_call_an_earlier_one_wrong(world: Simulator) -> None:
    """What the later one brought of a record holds what the earlier one does not cover."""
    (record, *_) = write_much(world)
    owner, away, _ = world.computers
    title(world, away, record, "written on the train")
    written = seal_last(away)
    title(world, owner, record, "written at home")
    sync(world.relay, owner)
    earlier = make(owner)
    Inbox(owner.replica, owner.member_log).receive([Received(written, None)])
    later = give(make(owner), away)
    loading.load(away.replica, away.member_log, later)
    assert away.state() == owner.state()
    assert verifying.verify(away.replica, away.member_log, give(earlier, away)) is not False


def test_who_has_typed_meanwhile_does_not_call_a_snapshot_wrong(world: Simulator) -> None:
    """Found by seed 17 with rights: nor does a reader, whose drafts are never sealed."""
    (record, *_) = write_much(world)
    owner, laptop, _ = world.computers
    made = make(owner)
    title(world, laptop, record, "typed while it came")
    assert verifying.verify(laptop.replica, laptop.member_log, give(made, laptop)) is True


def test_who_sealed_a_change_again_finds_the_first_one_in_a_snapshot(world: Simulator) -> None:
    (record, *_) = write_much(world)
    owner, laptop, _ = world.computers
    title(world, laptop, record, "sealed twice")
    written = seal_last(laptop)
    Inbox(owner.replica, owner.member_log).receive([Received(written, None)])
    made = make(owner)
    Outbox(laptop.replica, laptop.member_log).move_chain(laptop.replica.changes.hashes()[-1])
    assert verifying.verify(laptop.replica, laptop.member_log, give(made, laptop)) is not False


def test_a_frontier_names_nothing_that_was_sealed_again_after_a_snapshot(world: Simulator) -> None:
    (record, *_) = write_much(world)
    owner, laptop, _ = world.computers
    title(world, laptop, record, "here when it was covered")
    written = seal_last(laptop)
    Inbox(owner.replica, owner.member_log).receive([Received(written, None)])
    snapshot = give(make(owner), laptop)
    loading.load(laptop.replica, laptop.member_log, snapshot)
    with laptop.replica.database.transaction():
        laptop.replica.changes.forget_positions()
    Outbox(laptop.replica, laptop.member_log).move_chain(laptop.replica.changes.hashes()[-1])
    for one in laptop.replica.meta.frontier:
        assert laptop.replica.changes.is_stored(one) or laptop.replica.snapshots.is_covered(one)
    sync_all(world)
    assert laptop.state() == owner.state()


@pytest.mark.parametrize("is_believed", [pytest.param(True, marks=pytest.mark.heavy), False])
def test_what_a_snapshot_stands_in_for_that_cannot_be_compared_arrives(
    world: Simulator, is_believed: bool
) -> None:
    """On a second device's word it is in there; on its maker's alone it goes in another chain."""
    (record, *_) = write_much(world)
    owner, away, _ = world.computers
    title(world, away, record, "in both snapshots")
    first = seal_last(away)
    Inbox(owner.replica, owner.member_log).receive([Received(first, None)])
    earlier = make(owner)
    title(world, away, record, "in the later one")
    title(world, owner, record, "written at home")
    sync(world.relay, owner)
    Inbox(owner.replica, owner.member_log).receive([Received(seal_last(away), None)])
    loading.load(away.replica, away.member_log, give(make(owner), away))
    with away.replica.database.transaction():
        away.replica.changes.forget_positions()  # the relay lost its log, and was given the earlier
    snapshot = give(earlier, away)
    assert verifying.verify(away.replica, away.member_log, snapshot) is None
    desk = SnapshotDesk(away.replica, away.member_log)
    if is_believed:
        desk._believed.add(snapshot.id)
    chunks = snapshot.header.chunks
    task = SnapshotTask(Purpose.VERIFY, snapshot.id, snapshot.raw, chunks)
    assert desk.verify(task) is None
    assert desk.take_moved() is not is_believed
    assert away.replica.changes.is_stored(content_hash(first)) is is_believed
    assert away.replica.changes.position(content_hash(first)) == (0 if is_believed else None)
    assert away.replica.changes.is_merged(content_hash(first))


def test_who_loaded_a_snapshot_knows_where_the_chains_of_a_member_end(world: Simulator) -> None:
    """An owner could not remove a member whose changes it had by a snapshot: the relay said each
    time that the member had written more."""
    (record, *_) = write_much(world)
    owner, laptop, late = world.computers
    title(world, laptop, record, "in the snapshot")
    sync(world.relay, laptop)
    sync(world.relay, owner)
    loading.load(late.replica, late.member_log, give(make(owner), late))
    device = laptop.keys.sign_public
    assert cut_of(late.replica, device) == cut_of(owner.replica, device)


def test_what_waits_for_what_a_snapshot_has_in_another_envelope_waits_no_longer(
    world: Simulator,
) -> None:
    (record, *_) = write_much(world)
    owner, laptop, late = world.computers
    title(world, laptop, record, "sealed twice")
    first = seal_last(laptop)
    Inbox(owner.replica, owner.member_log).receive([Received(first, None)])
    title(world, owner, record, "written on top of that")
    Inbox(late.replica, late.member_log).receive([Received(seal_last(owner), None)])
    assert late.replica.changes.waiting()
    Outbox(laptop.replica, laptop.member_log).move_chain(content_hash(first))
    loading.load(late.replica, late.member_log, give(make(laptop), late))
    Inbox(late.replica, late.member_log).retry_newer()
    assert not late.replica.changes.waiting()
    assert late.state() == owner.state()
