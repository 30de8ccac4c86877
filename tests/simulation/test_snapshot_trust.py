"""What a snapshot's maker says that nobody else has compared: how far it is believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer, empty_computer
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshot_verdicts import give, make, seal_last
from tests.simulation.test_snapshots import sync_all, title, write_much

from bifolio.crypto.envelope import parse_envelope
from bifolio.crypto.snapshot import Snapshot
from bifolio.crypto.statement import Verdict
from bifolio.replication.snapshots import loading, making, verifying
from bifolio.replication.snapshots.desk import SnapshotDesk
from bifolio.sync.snapshot_store import Purpose, SnapshotTask
from bifolio.wire.snapshot_messages import SnapshotState
from bifolio.wire.snapshot_parts import Replaced


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other."""
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def newcomer(world: Simulator, name: str = "late") -> Computer:
    """A computer that knows the members, and has nothing of the log."""
    owner = world.computers[0]
    late = empty_computer(
        world.folder / name, seed=5, clock=Clock(owner.clock.wall_s), name=name, library=owner
    )
    sync(world.relay, owner)
    membership = owner.member_log.membership()
    assert membership is not None
    late.member_log.learn(membership.records)
    late.member_log.learn([late.member_log.join(world.ticket_secret)])
    world.computers.append(late)
    return late


def said(computer: Computer, snapshot: Snapshot, *, is_right: bool) -> bytes:
    """A computer's word on a snapshot."""
    return Verdict(
        library=computer.replica.library_id,
        device=computer.keys.sign_public,
        snapshot=snapshot.id,
        is_right=is_right,
        said_ms=computer.replica.runtime.now_ms(),
    ).sign(computer.keys)


def told(snapshot: Snapshot, *verdicts: bytes) -> list[SnapshotState]:
    """What the relay says that it holds: all of one snapshot."""
    return [SnapshotState(snapshot.raw, snapshot.header.chunks, verdicts)]


@pytest.mark.parametrize("is_right", [True, False])
def test_who_began_on_a_maker_s_word_vouches_for_nothing_until_another_does(
    world: Simulator, is_right: bool
) -> None:
    """Else a maker and whoever believed it would be two who say the same."""
    write_much(world)
    owner, maker, _ = world.computers
    made = make(maker)
    late = newcomer(world)
    snapshot = give(made, late)
    desk = SnapshotDesk(late.replica, late.member_log)
    on_its_word = told(snapshot, said(maker, snapshot, is_right=True))
    # The log does not have what it brings any more.
    task = desk.choose(on_its_word, epoch=snapshot.header.epoch, floor=snapshot.header.n)
    assert task is not None
    desk.load(task)
    assert late.state() == maker.state()
    assert late.replica.meta.snapshot_unproved == snapshot.id
    again = SnapshotTask(Purpose.VERIFY, snapshot.id, snapshot.raw, snapshot.header.chunks)
    give(made, late)
    assert desk.verify(again) is None
    word = said(owner, snapshot, is_right=is_right)
    by_two = told(snapshot, said(maker, snapshot, is_right=True), word)
    assert desk.next_task(by_two, set()) is None
    assert bool(late.replica.meta.snapshot_unproved) is not is_right
    give(made, late)
    assert (desk.verify(again) is not None) is is_right


@pytest.fixture
def stolen(world: Simulator, monkeypatch: pytest.MonkeyPatch) -> tuple[Snapshot, list[bytes]]:
    """A snapshot that says, with no name, that an envelope of its maker's carries the owner's."""
    record = write_much(world)[0]
    owner, maker, _ = world.computers
    title(world, owner, record, "what is to be hidden")
    envelope = parse_envelope(seal_last(owner))
    own = maker.replica.meta.own_chain
    assert own is not None
    with monkeypatch.context() as patched:
        lie = Replaced(envelope.hash, own.head, b"\x00" * 32)
        patched.setattr(making, "find_replaced", lambda *_: [lie._replace(device=b"")])
        return make(maker)


def test_a_snapshot_that_gives_what_one_wrote_to_another_is_found_out(
    world: Simulator, stolen: tuple[Snapshot, list[bytes]]
) -> None:
    owner, _, other = world.computers
    for one in (owner, other):
        snapshot = give(stolen, one)
        assert verifying.verify(one.replica, one.member_log, snapshot) is False


def test_what_a_snapshot_says_of_replacements_its_maker_says_and_nobody_else(
    world: Simulator, stolen: tuple[Snapshot, list[bytes]]
) -> None:
    """It came with no name, by which the one who loads it means itself."""
    owner, maker, _ = world.computers
    hidden = owner.replica.changes.hashes()[-1]
    late = newcomer(world)
    loading.load(late.replica, late.member_log, give(stolen, late))
    changes = late.replica.changes
    for one, is_said in ((late, False), (owner, False), (maker, True)):
        device = one.keys.sign_public
        assert changes.is_replaced_by(hidden, device, own=one is late) is is_said
    sync_all(world)
    assert late.state() == owner.state()
    assert not changes.is_replaced_by(hidden, maker.keys.sign_public, own=False)


def test_nobody_speaks_in_a_snapshot_for_what_is_here_and_another_wrote(
    world: Simulator, stolen: tuple[Snapshot, list[bytes]]
) -> None:
    owner, maker, _ = world.computers
    hidden = owner.replica.changes.hashes()[-1]
    loading.load(owner.replica, owner.member_log, give(stolen, owner))
    for device in (owner.keys.sign_public, maker.keys.sign_public):
        assert not owner.replica.changes.is_replaced_by(hidden, device, own=True)
