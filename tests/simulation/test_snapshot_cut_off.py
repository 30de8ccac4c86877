"""What a snapshot has of who lost the right to write counts by the word of those who call it right;
found by seeds 43, 53, 66 and 70 with snapshots and rights in every run.

A relay had lost an edit; its author was removed on that relay, by an owner who had not seen it; and
some had it inside of a snapshot, which nobody can take out of what it brought.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulation.computer import Computer
from tests.simulation.members import demote, membership_of, remove
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshot_lost_rights import right, told
from tests.simulation.test_snapshot_verdicts import give, make, seal_last
from tests.simulation.test_snapshots import sync_all, title, write_much

from bifolio.crypto.snapshot import Snapshot, parse_snapshot
from bifolio.ids import content_hash
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.judging import NO_RIGHT
from bifolio.replication.snapshots import loading, verifying
from bifolio.replication.snapshots.believing import Belief, read_told
from bifolio.replication.snapshots.desk import SnapshotDesk
from bifolio.sync.snapshot_store import Purpose, SnapshotTask

BEHIND = "written behind the end"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """An owner, three laptops and a relay that all know each other."""
    made = Simulator(tmp_path, seed=1, computers=4)
    yield made
    made.close()


def write_behind_the_end(world: Simulator) -> tuple[str, bytes]:
    """The second computer writes something that the third one gets, past the relay; the record."""
    (record, *_) = write_much(world)
    _, author, holder, _ = world.computers
    title(world, author, record, BEHIND)
    envelope = seal_last(author)
    Inbox(holder.replica, holder.member_log).receive([Received(envelope, None)])
    return record, envelope


def remove_author(world: Simulator) -> None:
    owner, author, *_ = world.computers
    remove(owner, world.relay, author.keys.sign_public, draw=world.choose.randbytes)


def title_of(computer: Computer, record: str) -> str:
    row = computer.replica.references.read(record)
    assert row is not None
    return str(row.title)


def merge(computer: Computer, made: tuple[Snapshot, list[bytes]], by: Computer) -> None:
    """It is told of a snapshot that another one calls right, and does what it does then."""
    desk = SnapshotDesk(computer.replica, computer.member_log)
    state = told(made[0], right(made[0], by))
    task = desk.next_task([state], ())
    assert task is not None
    assert task.purpose is Purpose.MERGE
    give(made, computer)
    before = computer.replica.meta.cursor
    assert desk.merge(task)
    assert computer.replica.meta.cursor == before
    again = desk.next_task([state], ())
    assert again is None or again.purpose is not Purpose.MERGE


def test_who_refused_or_took_back_what_a_snapshot_has_merges_that(world: Simulator) -> None:
    record, envelope = write_behind_the_end(world)
    owner, _, holder, other = world.computers
    made = make(holder)
    remove_author(world)
    for computer in (owner, holder, other):
        sync(world.relay, computer)
        Inbox(computer.replica, computer.member_log).receive([Received(envelope, None)])
        assert title_of(computer, record) != BEHIND
    assert holder.replica.voided.has(content_hash(envelope))
    assert other.replica.refused.kept(content_hash(envelope), NO_RIGHT) is not None
    for computer in (owner, holder, other):
        merge(computer, made, by=holder)
        assert title_of(computer, record) == BEHIND
        assert computer.state() == owner.state()
        assert not computer.replica.changes.refusals()
        assert not computer.replica.meta.snapshot_unproved


def test_who_merged_the_snapshot_first_takes_nothing_of_it_back(world: Simulator) -> None:
    """What is known is the same in the end, whatever came first."""
    record, envelope = write_behind_the_end(world)
    owner, _, holder, other = world.computers
    made = make(holder)
    Inbox(other.replica, other.member_log).receive([Received(envelope, None)])
    loading.load(other.replica, other.member_log, give(made, other), keeps_place=True)
    remove_author(world)
    sync(world.relay, other)
    assert title_of(other, record) == BEHIND
    assert not other.replica.voided.hashes()
    for computer in (owner, holder):
        sync(world.relay, computer)  # the relay has it in a snapshot of the other one
        assert computer.state() == other.state()


def test_who_alone_holds_it_gives_it_to_all_in_a_snapshot_of_its_own(world: Simulator) -> None:
    """Found by seed 43: the snapshot that brought it is on no relay any more, and its maker and
    others wait, or have taken it back."""
    record, _ = write_behind_the_end(world)
    owner, _, holder, other = world.computers
    loading.load(other.replica, other.member_log, give(make(holder), other), keeps_place=True)
    remove_author(world)
    title(world, other, record, "written on top")
    for _ in range(2):
        for computer in (other, owner, holder):
            sync(world.relay, computer)
    states = {computer.state() for computer in (owner, holder, other)}
    assert len(states) == 1
    assert title_of(owner, record) == "written on top"
    assert not any(computer.replica.changes.waiting() for computer in (owner, holder, other))
    log = world.relay.log()
    for computer in (other, owner, holder):
        sync(world.relay, computer)
    assert world.relay.log() == log


def test_a_relay_that_refuses_the_loaded_snapshot_gets_one_of_who_holds_it(
    world: Simulator,
) -> None:
    """Found by seed 12135: the relay lost what the snapshot had brought, and refuses it since its
    maker lost the right; so its holder made none of its own, and all waited for what it wrote."""
    (record, *_) = write_much(world)
    owner, author, holder, other = world.computers
    copy = world.relay.copy()
    title(world, author, record, BEHIND)
    sync(world.relay, author)
    made = give(make(author), other)
    task = SnapshotTask(Purpose.LOAD, made.id, made.raw, made.header.chunks)
    assert SnapshotDesk(other.replica, other.member_log).load(task) is not None
    world.relay.roll_back(copy)
    remove_author(world)
    title(world, other, record, "written on top")
    for _ in range(2):
        for computer in (other, owner, holder):
            sync(world.relay, computer)
    assert title_of(owner, record) == title_of(holder, record) == "written on top"
    assert len({computer.state() for computer in (owner, holder, other)}) == 1
    assert not any(computer.replica.changes.waiting() for computer in (owner, holder, other))


def test_a_snapshot_of_who_took_it_back_does_not_say_that_it_has_it(world: Simulator) -> None:
    """Who began with that one gets it from the other one, whichever came first."""
    record, envelope = write_behind_the_end(world)
    owner, _, holder, other = world.computers
    with_it = make(holder)
    remove_author(world)
    for computer in (owner, holder, other):
        sync(world.relay, computer)
    without = make(holder)
    loading.load(other.replica, other.member_log, give(without, other), keeps_place=True)
    assert title_of(other, record) != BEHIND
    assert other.replica.changes.is_merged(content_hash(envelope))  # nothing waits for it
    merge(other, with_it, by=holder)
    assert title_of(other, record) == BEHIND
    give(without, other)
    assert verifying.verify(other.replica, other.member_log, without[0]) is not False
    give(with_it, holder)
    assert verifying.verify(holder.replica, holder.member_log, with_it[0]) is not False


def test_who_refused_what_an_envelope_builds_on_does_not_wait_for_it(world: Simulator) -> None:
    """Found by seed 70: its author merged that before it heard of the removal, and was then put
    back to a backup, so that it never sealed its own again."""
    record, envelope = write_behind_the_end(world)
    owner, _, holder, other = world.computers
    title(world, holder, record, "written on top")
    on_top = seal_last(holder)
    remove_author(world)
    sync(world.relay, other)
    inbox = Inbox(other.replica, other.member_log)
    inbox.receive([Received(on_top, None)])
    assert other.replica.changes.waiting() == 1
    inbox.receive([Received(envelope, None)])
    assert other.replica.changes.waiting() == 0
    sync(world.relay, owner)
    Inbox(owner.replica, owner.member_log).receive(
        [Received(envelope, None), Received(on_top, None)]
    )
    assert owner.replica.changes.waiting() == 0
    assert owner.state() == other.state()


def test_what_a_former_member_called_right_is_its_maker_s_word(world: Simulator) -> None:
    """Found by seed 53: the log had gone by then, and no newcomer could begin."""
    write_much(world)
    owner, author, maker, other = world.computers
    made, _ = make(maker)
    states = [told(made, right(made, author))]
    demote(owner, world.relay, author.keys.sign_public)
    sync_all(world)

    def belief() -> Belief:
        (one,) = read_told(
            states,
            membership_of(owner),
            library=owner.replica.library_id,
            device=owner.keys.sign_public,
        )
        return one.belief

    assert belief() is Belief.BY_MAKER
    demote(owner, world.relay, maker.keys.sign_public)
    assert belief() is Belief.UNSEEN
    states[0] = told(made, right(made, author), right(made, other))
    assert belief() is Belief.ATTESTED


def test_what_a_snapshot_adds_in_the_name_of_a_member_stays_unproved(world: Simulator) -> None:
    """Only what who lost a right wrote, and its maker, is taken on the maker's word for good."""
    record, _ = write_behind_the_end(world)
    owner, author, holder, other = world.computers
    title(world, other, record, "written by another member")
    Inbox(holder.replica, holder.member_log).receive([Received(seal_last(other), None)])
    made = make(holder)
    remove_author(world)
    sync(world.relay, owner)
    give(made, owner)
    assert not verifying.brings_cut_off_only(owner.replica, owner.member_log, made[0])
    sync(world.relay, other)
    sync(world.relay, owner)
    assert verifying.brings_cut_off_only(owner.replica, owner.member_log, made[0])
    assert author.keys.sign_public not in {one.device for one in membership_of(owner).members}


def test_a_snapshot_under_a_lost_list_of_members_is_its_maker_s_who_may_write(
    world: Simulator,
) -> None:
    """Found by seed 142: the relay had no other one that counted, and all waited without end."""
    write_much(world)
    owner, _, maker, _ = world.computers
    made, _ = make(maker)
    lost = parse_snapshot(replace(made.header, membership_head=b"h" * 32).sign(maker.keys))

    def read(snapshot: Snapshot) -> list[Belief]:
        found = read_told(
            [told(snapshot, right(snapshot, maker))],
            membership_of(owner),
            library=owner.replica.library_id,
            device=owner.keys.sign_public,
        )
        return [one.belief for one in found]

    assert read(lost) == read(made) == [Belief.BY_MAKER]
    demote(owner, world.relay, maker.keys.sign_public)
    assert read(made) == [Belief.UNSEEN]
    assert read(lost) == []


def leave_something_incomplete(world: Simulator) -> str:
    """Somebody edits on top of what another one wrote behind its end, and everybody has that; the
    record."""
    record, _ = write_behind_the_end(world)
    owner, _, holder, other = world.computers
    title(world, holder, record, "written on top")
    on_top = seal_last(holder)
    remove_author(world)
    for _ in range(2):
        for computer in (holder, owner, other):
            sync(world.relay, computer)
            Inbox(computer.replica, computer.member_log).receive([Received(on_top, None)])
    for computer in (owner, holder, other):
        assert computer.replica.quarantined.has_any_incomplete()
    return record


def test_what_cannot_be_read_any_more_keeps_nothing_from_counting_as_arrived(
    world: Simulator,
) -> None:
    """Found by seeds 235 and 402 with snapshots and rights: a relay takes nothing in a chain's
    place that a snapshot has, and its author counted that as unsent for ever."""
    write_much(world)
    owner, *_, other = world.computers
    made = make(owner)
    leave_something_incomplete(world)
    with owner.replica.database.transaction():
        owner.replica.changes.forget_positions()
    desk = SnapshotDesk(owner.replica, owner.member_log)
    task = desk.next_task([told(made[0], right(made[0], other))], ())
    assert task is not None
    assert task.purpose is Purpose.VERIFY
    give(made, owner)
    assert desk.verify(task) is None
    covered = {end.hash for end in made[0].header.chains}
    assert covered
    assert all(owner.replica.changes.position(one) == 0 for one in covered)
