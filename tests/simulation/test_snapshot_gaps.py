"""A relay lacks the middle of a chain, which only the snapshot of another relay has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, empty_computer
from tests.simulation.members import membership_of
from tests.simulation.relay import SimulatedRelay, sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshot_chains import let_go
from tests.simulation.test_snapshots import (
    HOUR_S,
    make_snapshot,
    newcomer,
    pass_time,
    sync_all,
    title,
    write_much,
)

from bifolio import limits
from bifolio.bundles.exporting import LAST, export_bundle
from bifolio.bundles.importing import BundleInbox
from bifolio.replication.member_acts import RemoveAct
from bifolio.replication.snapshots import making
from bifolio.replication.snapshots.statements import StatementBook


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other; any log is worth a snapshot."""
    monkeypatch.setattr(limits, "SNAPSHOT_LOG_BYTES_MIN", 0)
    monkeypatch.setattr(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000)
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


@pytest.mark.heavy
@pytest.mark.parametrize("names", [("first", "second"), ("first",)])
def test_who_waits_at_a_relay_that_lacks_the_middle_of_a_chain_is_given_a_snapshot(
    world: Simulator, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """What was written before came to everybody there inside of another relay's snapshot, and no
    log outweighs one any more. Where one computer alone has it, nobody can compare the snapshot
    that it makes: its word is enough for who waits."""
    (record, other_record, _) = write_much(world)
    owner, laptop, tablet = world.computers
    other = SimulatedRelay(world.folder / "other", 5)
    other.roll_back(world.relay.copy())
    title(world, laptop, record, "in the middle")
    sync_all(world)
    make_snapshot(world)
    let_go(world, other_record)
    late = [newcomer(world, name) for name in names]
    assert all(one.replica.snapshots.has_any() for one in late)
    title(world, laptop, record, "behind it")
    sync(world.relay, laptop)
    for one in late:
        sync(world.relay, one)
    # From here on there is the other relay alone, for who began with the snapshot and who comes.
    monkeypatch.setattr(limits, "SNAPSHOT_LOG_BYTES_MIN", 1 << 30)
    newest = empty_computer(
        world.folder / "newest", seed=9, clock=Clock(owner.clock.wall_s), name="new", library=owner
    )
    newest.join_secret = world.ticket_secret
    world.computers[:] = [*late, newest]
    sync(other, late[0])
    title(world, late[0], record, "on top")
    sync(other, late[0])
    sync(other, newest)
    assert newest.replica.changes.waiting() == 2  # what is behind it, carried, and what is on top
    for _ in range(3):
        pass_time(world, 2 * HOUR_S)
        for one in world.computers:
            sync(other, one)
    assert newest.replica.changes.waiting() == 0
    assert len({one.state() for one in (newest, *late)}) == 1
    assert not any(one.replica.changes.unsent() for one in late)
    held = other.end()
    assert held is not None
    for _ in range(3):
        pass_time(world, 2 * HOUR_S)
        for one in world.computers:
            sync(other, one)
    assert other.end() == held
    for one in (owner, laptop, tablet):
        one.close()
    other.close()


def test_what_waits_for_what_nobody_has_holds_up_neither_statement_nor_snapshot(
    world: Simulator,
) -> None:
    """Found by seeds 46 and 198: a bundle came without the one before it, and then its author was
    put back to an older backup. The library did not shrink any more."""
    owner, laptop, third = world.computers
    record = world.typist.add(owner)
    sync_all(world)
    backup = owner.copy_file(world.folder / "backup")
    bundles = [world.folder / f"{number}.bundle" for number in range(2)]
    for number, bundle in enumerate(bundles):
        title(world, owner, record, f"taken along {number}")
        export_bundle(owner.replica, bundle, since=LAST)
    BundleInbox(third.replica, third.member_log).import_file(bundles[1])
    owner.restore(backup)
    for computer in (owner, laptop, third):
        title(world, computer, record, f"since by {computer.name}")
    sync_all(world)
    assert third.replica.changes.waiting() == 1
    assert StatementBook(third.replica, third.member_log).can_state()
    assert making.has_all(third.replica, third.member_log)
    make_snapshot(world)
    sync_all(world)
    assert len({one.state() for one in world.computers}) == 1
    BundleInbox(third.replica, third.member_log).import_file(bundles[0])
    sync_all(world)
    assert third.replica.changes.waiting() == 0
    assert len({one.state() for one in world.computers}) == 1


@pytest.mark.heavy
def test_who_lacks_what_a_snapshot_of_the_relay_has_alone_can_take_a_right(
    world: Simulator,
) -> None:
    """Found by seed 33 with snapshots and rights: the relay's log had nothing of the member, and a
    snapshot of the log that it had lost did, so that it refused every removal."""
    owner, laptop, third = world.computers
    record = world.typist.add(owner)
    sync_all(world)
    backup = owner.copy_file(world.folder / "backup")
    title(world, laptop, record, "in the snapshot alone")
    sync_all(world)
    written = laptop.replica.changes.hashes()[-1]
    make_snapshot(world)
    let_go(world, record)
    late = newcomer(world, "late")
    assert late.replica.snapshots.is_covered(written)
    world.relay.roll_back(None)
    owner.restore(backup)
    sync(world.relay, owner)
    sync(world.relay, late)
    act = RemoveAct(owner.replica, owner.member_log, [laptop.keys.sign_public])
    sync(world.relay, owner, act=act)
    read = owner.replica.references.read(record)
    assert read is not None
    assert owner.replica.changes.is_merged(written)
    assert membership_of(owner).role_of(laptop.keys.sign_public) is None
    late.close()
    third.close()
