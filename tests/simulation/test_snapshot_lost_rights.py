"""Snapshots where who made or compared them has no right to write any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer, empty_computer
from tests.simulation.members import demote, membership_of
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshot_verdicts import give, make, seal_last
from tests.simulation.test_snapshots import sync_all, title, write_much

from bifolio.crypto.membership import invite_keys
from bifolio.crypto.snapshot import Snapshot
from bifolio.crypto.statement import Verdict
from bifolio.ids import content_hash
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.member_acts import RevokeAct
from bifolio.replication.snapshots.believing import Belief, read_told
from bifolio.replication.snapshots.desk import SnapshotDesk
from bifolio.sync.snapshot_store import Purpose
from bifolio.wire.snapshot_messages import SnapshotState


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other."""
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def told(snapshot: Snapshot, *verdicts: bytes) -> SnapshotState:
    """What a relay tells that has all of a snapshot."""
    return SnapshotState(snapshot.raw, snapshot.header.chunks, verdicts)


def right(snapshot: Snapshot, computer: Computer) -> bytes:
    """A computer's word that a snapshot is right."""
    verdict = Verdict(
        library=computer.replica.library_id,
        device=computer.keys.sign_public,
        snapshot=snapshot.id,
        is_right=True,
        said_ms=1,
    )
    return verdict.sign(computer.keys)


def forget_log(computer: Computer) -> None:
    """It syncs with a relay whose log it does not know."""
    with computer.replica.database.transaction():
        computer.replica.meta.cursor = None
        computer.replica.changes.forget_positions()


def test_who_has_all_of_a_snapshot_that_nobody_vouches_for_takes_its_place_in_the_log(
    world: Simulator,
) -> None:
    """Who said that it is right lost the right to write, and the log begins behind it: nobody could
    sync with that relay any more."""
    write_much(world)
    owner, laptop, _ = world.computers
    made = make(laptop)
    header = made[0].header
    forget_log(owner)
    desk = SnapshotDesk(owner.replica, owner.member_log)
    state, before = told(made[0]), owner.state()
    assert desk.choose([state], epoch=header.epoch, floor=0) is None
    task = desk.choose([state], epoch=header.epoch, floor=header.n)
    assert task is not None
    give(made, owner)
    position = desk.load(task)
    assert position is not None
    assert (position.position, position.chain_hash) == (header.n, header.chain_hash)
    assert owner.replica.meta.cursor == position
    assert not owner.replica.snapshots.has_any()
    assert owner.state() == before
    assert desk.verify(task) is not None  # with the place, it can be compared


def test_a_snapshot_is_due_at_once_where_nobody_can_begin(world: Simulator) -> None:
    """The log begins later and no snapshot of before counts: newcomers waited until the log had
    grown. Seed 10039."""
    write_much(world)
    owner = world.computers[0]
    cursor = owner.replica.meta.cursor
    assert cursor is not None
    with owner.replica.database.transaction():
        owner.replica.meta.snapshot_last = None
    for floor, is_due in ((0, False), (cursor.position, True)):
        desk = SnapshotDesk(owner.replica, owner.member_log)
        desk.must_look(cursor.epoch, floor)
        desk.note_look([])
        task = desk.next_task([], ())
        assert (task is not None and task.purpose is Purpose.SEND) is is_due


def test_a_maker_says_itself_that_its_snapshot_is_right_where_nobody_can_begin(
    world: Simulator,
) -> None:
    """Found by seed 208 with rights: the others were put back to where they began and waited for
    one to begin with, and its maker waited for one of them to compare it."""
    write_much(world)
    laptop = world.computers[1]
    made, chunks = make(laptop)
    for floor, is_said in ((0, False), (made.header.n, True)):
        desk = SnapshotDesk(laptop.replica, laptop.member_log)
        desk.must_look(made.header.epoch, floor)
        desk.note_look([told(made)])
        task = desk.next_task([told(made)], ())
        assert (task is not None and task.purpose is Purpose.VERIFY) is is_said
    assert task is not None
    give((made, chunks), laptop)
    assert Verdict.parse(desk.verify(task) or b"").is_right


def test_the_word_of_who_compared_a_snapshot_counts_where_its_maker_came_in_by_a_list_that_lost(
    world: Simulator,
) -> None:
    """Found by seed 208 with rights: by the list of members as it is, the maker never was one, and
    nobody could begin with what another member had compared."""
    write_much(world)
    owner, laptop, _ = world.computers
    before = world.relay.copy()
    maker = empty_computer(
        world.folder / "maker", seed=9, clock=Clock(), name="maker", library=owner
    )
    world.computers.append(maker)
    maker.join_secret = world.ticket_secret
    for computer in (maker, laptop):
        sync(world.relay, computer)
    made = make(maker)
    states = [told(made[0]), told(made[0], right(made[0], maker))]
    vouched = told(made[0], right(made[0], maker), right(made[0], laptop))
    world.relay.roll_back(before)
    ticket = invite_keys(world.ticket_secret).sign_public
    sync(world.relay, owner, act=RevokeAct(owner.replica, [ticket]))
    for computer in (laptop, owner):
        sync(world.relay, computer)
    members = membership_of(owner)
    assert not members.has_met(maker.keys.sign_public)

    def read(state: SnapshotState) -> list[Belief]:
        library, device = owner.replica.library_id, owner.keys.sign_public
        return [one.belief for one in read_told([state], members, library=library, device=device)]

    assert [read(one) for one in states] == [[], []]
    assert read(vouched) == [Belief.BY_MAKER]
    desk, header = SnapshotDesk(owner.replica, owner.member_log), made[0].header
    forget_log(owner)
    task = desk.choose([vouched], epoch=header.epoch, floor=header.n)
    assert task is not None
    give(made, owner)
    assert desk.load(task) is not None


def test_who_lacks_any_of_a_snapshot_that_nobody_vouches_for_leaves_it_alone(
    world: Simulator,
) -> None:
    (record, *_) = write_much(world)
    owner, laptop, _ = world.computers
    title(world, laptop, record, "in the snapshot alone")
    sync(world.relay, laptop)
    snapshot, _ = make(laptop)
    forget_log(owner)
    desk = SnapshotDesk(owner.replica, owner.member_log)
    header = snapshot.header
    assert desk.choose([told(snapshot)], epoch=header.epoch, floor=header.n) is None


@pytest.mark.heavy
def test_a_snapshot_of_a_member_who_lost_its_right_waits_to_be_compared(world: Simulator) -> None:
    write_much(world)
    owner, laptop, other = world.computers
    snapshot, _ = make(laptop)
    demote(owner, world.relay, laptop.keys.sign_public)
    sync_all(world)
    for verdicts, belief in (
        ((), Belief.UNSEEN),
        ((right(snapshot, laptop),), Belief.UNSEEN),
        ((right(snapshot, other),), Belief.ATTESTED),
    ):
        (one,) = read_told(
            [told(snapshot, *verdicts)],
            membership_of(owner),
            library=owner.replica.library_id,
            device=owner.keys.sign_public,
        )
        assert one.belief is belief


def test_what_a_reader_wrote_before_and_a_snapshot_has_counts_as_arrived(world: Simulator) -> None:
    """It compares the snapshot, and says nothing of it."""
    (record, *_) = write_much(world)
    owner, laptop, _ = world.computers
    title(world, laptop, record, "written with the right to")
    edit = seal_last(laptop)
    Inbox(owner.replica, owner.member_log).receive([Received(edit, None)])
    sync(world.relay, owner)
    demote(owner, world.relay, laptop.keys.sign_public)
    sync_all(world)
    made = make(owner)
    with laptop.replica.database.transaction():
        laptop.replica.changes.forget_positions()
    desk = SnapshotDesk(laptop.replica, laptop.member_log)
    task = desk.next_task([told(made[0], right(made[0], owner))], ())
    assert task is not None
    assert task.purpose is Purpose.VERIFY
    give(made, laptop)
    assert desk.verify(task) is None
    assert laptop.replica.changes.position(content_hash(edit)) == 0
    assert not laptop.replica.changes.unsent()


def test_a_refusal_that_names_nothing_is_no_refusal_of_an_owed_key(world: Simulator) -> None:
    """A log that begins later than where a computer is was taken for one: its sync never ended."""
    owner = world.computers[0]
    assert not ReplicaAdapter(owner.replica, owner.member_log).give_up_owed(b"")
