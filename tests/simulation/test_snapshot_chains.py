"""What is offered to a relay that has a part of a chain inside of a snapshot alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshots import (
    DAY_S,
    floor_of,
    make_snapshot,
    newcomer,
    pass_time,
    sync_all,
    title,
    write_much,
)

from bifolio import limits
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.outbox import Outbox


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other; any log is worth a snapshot."""
    monkeypatch.setattr(limits, "SNAPSHOT_LOG_BYTES_MIN", 0)
    monkeypatch.setattr(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000)
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def let_go(world: Simulator, record: str) -> None:
    """The owner goes on, until all that is in the relay's log now went under two snapshots."""
    through = world.relay.end()
    assert through is not None
    for number in range(12):
        title(world, world.computers[0], record, f"at home {number}")
        sync(world.relay, world.computers[0])
        if number % 6 == 5:
            pass_time(world, 31 * DAY_S)
            make_snapshot(world)
    assert floor_of(world) >= through.n


@pytest.mark.parametrize("is_sealed", [True, pytest.param(False, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("edits_of_copy", [pytest.param(1, marks=pytest.mark.heavy), 3])
def test_what_competes_with_an_envelope_that_went_under_a_snapshot_still_arrives(
    world: Simulator, is_sealed: bool, edits_of_copy: int
) -> None:
    """The folder was copied, and what the copy wrote at the same place, and behind it, is shown by
    nobody."""
    (record, other, _) = write_much(world, edits=3)
    owner, away = world.computers[0], world.computers.pop()
    clock = Clock(away.clock.wall_s, 50.0)
    folder = away.copy_file(world.folder / "copy")
    copy = Computer(folder, away.keys, clock, 77, away.content_key)
    world.computers.append(copy)
    title(world, away, other, "from the original")
    if is_sealed:
        Outbox(away.replica, away.member_log).seal()
    for number in range(edits_of_copy):
        title(world, copy, record, f"from the copy {number}")
        sync(world.relay, copy)
    let_go(world, record)
    away.clock.wall_s = owner.clock.wall_s
    sync(world.relay, away)
    assert not away.replica.changes.unsent()
    world.computers.append(away)
    sync_all(world)
    assert len({computer.state() for computer in world.computers}) == 1
    read = owner.replica.references.read(other)
    assert read is not None
    assert read.title == "from the original"


@pytest.mark.parametrize("edits_of_copy", [pytest.param(1, marks=pytest.mark.heavy), 3])
def test_what_competes_is_carried_by_who_has_it_where_its_author_is_gone(
    world: Simulator, edits_of_copy: int
) -> None:
    """It came by a bundle to a computer that was away too, and knows the other by a snapshot."""
    (record, other, _) = write_much(world, edits=3)
    owner, away, gone = world.computers
    clock = Clock(gone.clock.wall_s, 50.0)
    folder = gone.copy_file(world.folder / "copy")
    copy = Computer(folder, gone.keys, clock, 77, gone.content_key)
    world.computers[1:] = [copy]
    title(world, gone, other, "from the original")
    Outbox(gone.replica, gone.member_log).seal()
    head = gone.replica.changes.hashes()[-1]
    stored = gone.replica.changes.envelope(head)
    assert stored is not None
    Inbox(away.replica, away.member_log).receive([Received(stored.envelope, None)])
    assert away.replica.changes.is_stored(head)
    for number in range(edits_of_copy):
        title(world, copy, record, f"from the copy {number}")
        sync(world.relay, copy)
    let_go(world, record)
    away.clock.wall_s = owner.clock.wall_s
    sync(world.relay, away)
    world.computers.append(away)
    sync_all(world)
    assert len({computer.state() for computer in world.computers}) == 1
    read = owner.replica.references.read(other)
    assert read is not None
    assert read.title == "from the original"
    gone.close()


def test_what_a_snapshot_on_the_relay_covers_is_sealed_no_second_time(world: Simulator) -> None:
    records = write_much(world)
    make_snapshot(world)
    late = newcomer(world)
    world.computers.append(late)
    title(world, late, records[0], "before the loss")
    sync(world.relay, late)
    sync_all(world)
    before = [computer.replica.changes.hashes() for computer in world.computers]
    world.relay.roll_back(None)
    sync(world.relay, late)
    sync_all(world)
    sync_all(world)
    after = [computer.replica.changes.hashes() for computer in world.computers]
    assert [sorted(one) for one in after] == [sorted(one) for one in before]
    assert not any(computer.replica.changes.unsent() for computer in world.computers)


def test_who_waits_for_what_came_to_the_relay_inside_of_a_snapshot_loads_it(
    world: Simulator,
) -> None:
    """The relay got it while this computer already followed its new log."""
    early = world.computers[0]
    backup = early.copy_file(world.folder / "early")
    records = write_much(world)
    make_snapshot(world)
    late = newcomer(world)
    title(world, late, records[0], "on top of the snapshot")
    early.restore(backup)
    world.relay.roll_back(None)
    world.typist.add(early)
    sync(world.relay, early)
    assert early.replica.meta.cursor is not None
    sync(world.relay, late)
    sync(world.relay, early)
    sync(world.relay, early)
    assert early.replica.changes.waiting() == 0
    sync(world.relay, late)
    assert early.state() == late.state()
