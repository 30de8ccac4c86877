"""A computer that lost the right to write with edits that were not sent: they stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer, empty_computer
from tests.simulation.members import demote, promote, remove
from tests.simulation.relay import SimulatedRelay, sync
from tests.simulation.simulator import Simulator

from bifolio.crypto.membership import Role
from bifolio.errors import BifolioError, NotAMemberError, RemovedError
from bifolio.exports.export import ExportOptions, export
from bifolio.records.edits import Act, Edit
from bifolio.replication.drafts import drop_draft, find_draft
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.judging import NO_RIGHT
from bifolio.replication.member_acts import LeaveAct
from bifolio.replication.outbox import Outbox

#: Edits that wait while the right goes.
QUEUED = 100


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def queue_edits(world: Simulator, computer: Computer) -> list[str]:
    """A hundred edits that nobody has seen; the titles."""
    titles = []
    for number in range(QUEUED // 2):
        record = world.typist.add(computer)
        titles.append(f"queued {number}")
        world.typist.make(computer, record, Edit("title", Act.SET, (titles[-1],)))
    return titles


def titles_of(computer: Computer) -> set[str]:
    return {str(row.title) for row in computer.replica.references.iter_rows(trashed=False)}


def try_to_sync(world: Simulator, computer: Computer) -> None:
    """What a user does again and again."""
    for _ in range(2):
        with suppress(BifolioError):
            sync(world.relay, computer)


def check_kept(world: Simulator, computer: Computer, titles: list[str]) -> None:
    """The edits are all there, after a new start too, counted as not sent, and can be exported."""
    for _ in range(2):
        assert titles_of(computer) >= set(titles)
        assert computer.replica.changes.unsent() >= len(titles)
        computer.reopen()
    target = world.folder / "kept.bib"
    with target.open("wb") as file:
        export(computer.replica, file, ExportOptions("bibtex"))
    exported = target.read_text("utf-8")
    assert all(title in exported for title in titles)


def test_who_was_removed_keeps_what_was_not_sent(world: Simulator) -> None:
    owner, laptop, third = world.computers
    titles = queue_edits(world, laptop)
    remove(owner, world.relay, laptop.keys.sign_public, draw=world.choose.randbytes)
    log = world.relay.log()
    try_to_sync(world, laptop)
    assert world.relay.log() == log
    check_kept(world, laptop, titles)
    sync(world.relay, third)
    assert not titles_of(third) & set(titles)


def test_whose_role_was_lowered_keeps_what_was_not_sent_and_goes_on_reading(
    world: Simulator,
) -> None:
    owner, laptop, third = world.computers
    titles = queue_edits(world, laptop)
    demote(owner, world.relay, laptop.keys.sign_public)
    shown = world.typist.add(owner)
    for computer in (owner, laptop):
        try_to_sync(world, computer)
    assert laptop.member_log.role() is Role.READER
    assert laptop.replica.references.read(shown) is not None
    check_kept(world, laptop, titles)
    sync(world.relay, third)
    assert not titles_of(third) & set(titles)


def test_what_waits_of_who_was_removed_does_not_wait_for_what_never_comes(world: Simulator) -> None:
    """Found by seed 110: it came by a bundle, without the one before it, which was never sent."""
    owner, laptop, third = world.computers
    record = world.typist.add(owner)
    for computer in world.computers:
        sync(world.relay, computer)
    for number in range(2):
        world.typist.make(laptop, record, Edit("title", Act.SET, (f"never sent {number}",)))
        Outbox(laptop.replica, laptop.member_log).seal()
    stored = laptop.replica.changes.envelope(laptop.replica.changes.hashes()[-1])
    assert stored is not None
    Inbox(third.replica, third.member_log).receive([Received(stored.envelope, None)])
    assert third.replica.changes.waiting() == 1
    remove(owner, world.relay, laptop.keys.sign_public, draw=world.choose.randbytes)
    sync(world.relay, third)
    assert third.replica.changes.waiting() == 0
    assert [reason for _, reason in third.replica.changes.refusals()] == [NO_RIGHT]
    assert third.state() == owner.state()


def test_who_removes_somebody_does_not_wait_for_what_a_bundle_left_out(world: Simulator) -> None:
    """Found by seed 10104: the cut went to the end of what had come, beyond what was missing."""
    owner, laptop, third = world.computers
    with owner.replica.database.transaction():
        owner.replica.meta.relay_url = world.relay.url
    record = world.typist.add(owner)
    for computer in world.computers:
        sync(world.relay, computer)
    for number in range(2):
        world.typist.make(laptop, record, Edit("title", Act.SET, (f"never sent {number}",)))
        Outbox(laptop.replica, laptop.member_log).seal()
    stored = laptop.replica.changes.envelope(laptop.replica.changes.hashes()[-1])
    assert stored is not None
    Inbox(owner.replica, owner.member_log).receive([Received(stored.envelope, None)])
    assert owner.replica.changes.waiting() == 1
    remove(owner, world.relay, laptop.keys.sign_public, draw=world.choose.randbytes)
    for computer in (owner, third):
        sync(world.relay, computer)
        assert computer.replica.changes.waiting() == 0
    assert third.state() == owner.state()


def test_what_a_relay_lost_of_who_left_is_a_draft_there(world: Simulator) -> None:
    """Found by seed 134: it is inside the cut, and who has left brings it to no relay."""
    owner, laptop, _ = world.computers
    earlier = world.relay.copy()
    record = world.typist.add(laptop)
    with suppress(BifolioError):  # it is no member any more when it has left
        sync(world.relay, laptop, act=LeaveAct(laptop.replica))
    assert laptop.member_log.role() is None
    assert not find_draft(laptop.replica, laptop.member_log).records
    world.relay.roll_back(earlier)
    with laptop.replica.database.transaction():  # as where it heard of that before it left
        laptop.replica.changes.forget_positions()
    sync(world.relay, owner)
    assert owner.replica.references.read(record) is None
    (drafted,) = find_draft(laptop.replica, laptop.member_log).records
    assert drafted.id == record


@pytest.mark.parametrize("is_removed", [True, False])
def test_what_a_relay_took_and_lost_before_the_right_ended_is_a_draft(
    world: Simulator, *, is_removed: bool
) -> None:
    """Found by seeds 13447 and 13080: it lies behind the end, so that it counts with nobody, and
    was in no draft, because a relay had once taken it. A relay that has it changes nothing."""
    owner, laptop, _ = world.computers
    earlier = world.relay.copy()
    record = world.typist.add(laptop)
    sync(world.relay, laptop)
    later = world.relay.copy()
    world.relay.roll_back(earlier)
    if is_removed:
        remove(owner, world.relay, laptop.keys.sign_public, draw=world.choose.randbytes)
    else:
        demote(owner, world.relay, laptop.keys.sign_public)
    with suppress(BifolioError):
        sync(world.relay, laptop)
    assert laptop.replica.changes.unsent() == 1
    (drafted,) = find_draft(laptop.replica, laptop.member_log).records
    assert drafted.id == record
    world.relay.roll_back(later)
    for computer in (owner, laptop):
        with suppress(BifolioError):
            sync(world.relay, computer)
    assert owner.replica.references.read(record) is None
    assert [one.id for one in find_draft(laptop.replica, laptop.member_log).records] == [record]
    assert drop_draft(laptop.replica, laptop.member_log) == 1
    assert not find_draft(laptop.replica, laptop.member_log).records
    assert laptop.replica.references.read(record) is None


def sent_elsewhere(world: Simulator) -> tuple[SimulatedRelay, list[str]]:
    """A laptop sends edits to a relay; another relay begins with a copy of before, and the owner
    has seen neither them nor the first relay since. The other relay, and the titles."""
    owner, laptop, third = world.computers
    other = SimulatedRelay(world.folder / "other", 2)
    world.relays.append(other)
    for computer in (owner, laptop, third):
        sync(world.relay, computer)
    other.roll_back(world.relay.copy())
    titles = queue_edits(world, laptop)
    sync(world.relay, laptop)
    assert not laptop.replica.changes.unsent()
    return other, titles


def test_what_the_removal_s_relay_never_had_is_a_draft_though_it_was_sent(world: Simulator) -> None:
    """Found by seeds 253 and 410 with snapshots and rights: it counted as acknowledged, was listed
    as no draft, and nobody else took it."""
    owner, laptop, third = world.computers
    other, titles = sent_elsewhere(world)
    remove(owner, other, laptop.keys.sign_public, draw=world.choose.randbytes)
    with pytest.raises(NotAMemberError):
        sync(other, laptop)
    check_kept(world, laptop, titles)
    draft = find_draft(laptop.replica, laptop.member_log)
    assert len(draft.records) == len(titles)
    sync(other, third)
    assert not titles_of(third) & set(titles)


def test_what_was_sent_and_is_behind_the_end_is_sealed_again_with_the_right(
    world: Simulator,
) -> None:
    """Also where a reader meets it in a log again meanwhile: no log brings it to the others."""
    owner, laptop, third = world.computers
    other, titles = sent_elsewhere(world)
    demote(owner, other, laptop.keys.sign_public)
    for relay in (other, world.relay, other, world.relay):
        sync(relay, laptop)
        check_kept(world, laptop, titles)
        assert len(find_draft(laptop.replica, laptop.member_log).records) == len(titles)
    promote(owner, other, laptop.keys.sign_public)
    for computer in (laptop, third, owner):
        sync(other, computer)
        assert titles_of(computer) >= set(titles)
        assert not computer.replica.changes.unsent()
    assert laptop.state() == owner.state() == third.state()


@pytest.mark.parametrize("is_met_again", [False, True])
def test_who_sealed_again_what_a_relay_has_behind_its_end_can_be_removed_there(
    world: Simulator, *, is_met_again: bool
) -> None:
    """Found by seed 406 with snapshots and rights: the removal left out the chain that had been
    refused, and the relay asked for that without end. Also where the owner met that chain in a log
    again since."""
    owner, laptop, third = world.computers
    other, titles = sent_elsewhere(world)
    demote(owner, other, laptop.keys.sign_public)
    for relay in (other, world.relay):
        sync(relay, owner)
        sync(relay, laptop)
    assert {reason for _, reason in owner.replica.changes.refusals()} == {NO_RIGHT}
    promote(owner, world.relay, laptop.keys.sign_public)
    for relay in (world.relay, other, world.relay) if is_met_again else (world.relay,):
        for computer in (laptop, owner, third):
            sync(relay, computer)
    for computer in (owner, third):
        assert titles_of(computer) >= set(titles)
        assert not computer.replica.changes.refusals()
        assert not computer.replica.refused.counts()
    remove(owner, world.relay, laptop.keys.sign_public, draw=world.choose.randbytes)
    sync(world.relay, third)
    assert third.state() == owner.state()
    assert titles_of(third) >= set(titles)


def test_who_alone_knows_of_its_removal_is_told_of_it_and_asked_for_nothing(
    tmp_path: Path,
) -> None:
    """Found by seeds 20343 and 21016: the relay and the owner were put back, and the owner went on;
    the removal wins, and who was removed brings it to nobody. It was told that it is no member, and
    the oracle expected it to follow."""
    world = Simulator(tmp_path, seed=1, rights=True)
    owner, laptop, _ = world.computers
    for computer in world.computers:
        sync(world.relay, computer)
    earlier, backup = world.relay.copy(), owner.copy_file(tmp_path / "backup")
    remove(owner, world.relay, laptop.keys.sign_public, draw=world.choose.randbytes)
    with suppress(RemovedError):
        sync(world.relay, laptop)
    world.relay.roll_back(earlier)
    owner.restore(backup)
    sync(world.relay, owner, invite_secret=b"n" * 32)
    with pytest.raises(RemovedError):
        sync(world.relay, laptop)
    rights = world._rights
    assert rights is not None
    assert laptop in rights.live()  # as long as nobody took its right in this run
    world.admission.restricted.add(laptop.keys.sign_public)
    assert laptop not in rights.live()
    assert len(rights.live()) == 2
    world.close()


def test_who_built_on_what_a_removal_elsewhere_does_not_let_count_holds_nobody_up(
    world: Simulator,
) -> None:
    """Found by seed 242: an owner removed somebody on another relay, which lacked the last."""
    owner, laptop, third = world.computers
    record = world.typist.add(owner)
    for computer in world.computers:
        sync(world.relay, computer)
    second = SimulatedRelay(world.folder / "relay-2", 5)
    second.roll_back(world.relay.copy())
    world.relays.append(second)
    world.typist.make(laptop, record, Edit("title", Act.SET, ("never seen by the owner",)))
    sync(world.relay, laptop)
    sync(world.relay, third)
    world.typist.make(third, record, Edit("title", Act.SET, ("on top of it",)))
    sync(world.relay, third)
    remove(owner, second, laptop.keys.sign_public, draw=world.choose.randbytes)
    for relay in (second, world.relay, second):
        for computer in (third, owner):
            sync(relay, computer)
    assert titles_of(owner) == titles_of(third) >= {"on top of it"}
    assert "never seen by the owner" not in titles_of(third)
    assert owner.state() == third.state()
    assert owner.replica.changes.waiting() == third.replica.changes.waiting() == 0


@pytest.mark.parametrize("sent", [False, True])
def test_who_came_elsewhere_with_a_ticket_that_a_removal_closed_asks_for_another(
    world: Simulator,
    sent: bool,
) -> None:
    """Seeds 254 and 262: its join lost against the removal of one who came with the same ticket.
    What it wrote is kept, and goes out when it is in again; seed 286: also what a relay has."""
    owner, laptop, third = world.computers
    for computer in world.computers:
        sync(world.relay, computer)
    second = SimulatedRelay(world.folder / "relay-2", 5)
    second.roll_back(world.relay.copy())
    world.relays.append(second)
    newcomer = empty_computer(
        world.folder / "new", seed=9, clock=Clock(), name="new", library=owner
    )
    world.computers.append(newcomer)
    newcomer.join_secret = world.ticket_secret
    sync(second, newcomer)
    world.admission.note(newcomer)
    record = world.typist.add(newcomer)
    if sent:
        sync(second, newcomer)
    remove(owner, world.relay, laptop.keys.sign_public, draw=world.choose.randbytes)
    for relay in (second, world.relay):
        sync(relay, owner)
        sync(relay, third)
    newcomer.join_secret = None
    with pytest.raises(NotAMemberError):
        sync(second, newcomer)
    assert newcomer.member_log.role() is None
    assert world.admission.may_be_out(newcomer)
    assert newcomer.replica.references.read(record) is not None
    newcomer.join_secret = b"n" * 32
    sync(second, owner, invite_secret=newcomer.join_secret)
    sync(second, newcomer)
    later = world.typist.add(newcomer)
    sync(second, newcomer)
    sync(second, third)
    assert third.replica.references.read(later) is not None
    assert third.replica.changes.waiting() == 0
    assert third.replica.references.read(record) is not None


def test_a_reader_syncs_with_a_relay_that_has_no_place_for_what_another_wrote(
    world: Simulator,
) -> None:
    """It may put nothing into a chain of its own, and was told that it is no member."""
    owner, reader, third = world.computers
    demote(owner, world.relay, reader.keys.sign_public)
    world.typist.add(third)
    sync(world.relay, third)
    earlier, backup = world.relay.copy(), third.copy_file(world.folder / "backup")
    world.typist.add(third)
    for computer in (third, reader):
        sync(world.relay, computer)
    world.relay.roll_back(earlier)
    third.restore(backup)
    in_its_place = world.typist.add(third)
    for computer in (third, reader):
        sync(world.relay, computer)
    assert reader.replica.references.read(in_its_place) is not None
    assert any("only reads" in note for note, _ in reader.replica.meta.notes)
