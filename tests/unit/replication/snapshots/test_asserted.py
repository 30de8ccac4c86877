"""Who speaks for what counts by a snapshot's word: a second device, or the one that holds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, members, new_computer
from tests.unit.replication.test_cut_off import ONE, World, learns, meet_all

from bifolio.crypto.snapshot import Snapshot
from bifolio.crypto.statement import Verdict
from bifolio.replication.snapshots import making
from bifolio.replication.snapshots.asserted import find_unshared, may_be_proved, speaks_alone
from bifolio.replication.snapshots.believing import Belief, ToldSnapshot, read_told
from bifolio.replication.snapshots.desk import SnapshotDesk
from bifolio.wire.position import LogPosition
from bifolio.wire.snapshot_messages import SnapshotState

EPOCH = b"e" * 16


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An owner, a colleague that alone has what a fourth one wrote behind its end, a newcomer."""
    return World(tmp_path)


def make(computer: Computer, n: int = 9) -> Snapshot:
    """A snapshot of all that a computer has, at a position of the relay's log."""
    replica = computer.replica
    computer.outbox.seal()
    with replica.database.transaction():
        replica.meta.cursor = LogPosition(EPOCH, n, bytes([n]) * 32)
    snapshot = making.make(replica, computer.member_log)
    assert snapshot is not None
    return snapshot


def state_of(snapshot: Snapshot, *vouchers: Computer) -> SnapshotState:
    """What a relay tells of a snapshot that these computers found right."""
    verdicts = [
        Verdict(
            library=one.replica.library_id,
            device=one.keys.sign_public,
            snapshot=snapshot.id,
            is_right=True,
            said_ms=1,
        ).sign(one.keys)
        for one in vouchers
    ]
    return SnapshotState(snapshot.raw, snapshot.header.chunks, tuple(verdicts))


def known_to(computer: Computer, *states: SnapshotState) -> list[ToldSnapshot]:
    """What a computer makes of what the relay tells."""
    membership = computer.member_log.membership()
    assert membership is not None
    return read_told(
        states,
        membership,
        library=computer.replica.library_id,
        device=computer.keys.sign_public,
    )


def begin(computer: Computer, snapshot: Snapshot, maker: Computer) -> SnapshotState:
    """A computer begins with a snapshot on its maker's word, as the log before it is gone."""
    state = state_of(snapshot, maker)
    desk = SnapshotDesk(computer.replica, computer.member_log)
    task = desk.choose([state], epoch=EPOCH, floor=snapshot.header.n)
    assert task is not None
    for number, chunk in enumerate(maker.replica.snapshots.chunks(snapshot.id)):
        desk.keep_chunk(snapshot.id, number, chunk)
    assert desk.load(task) is not None
    assert computer.replica.meta.snapshot_unproved == snapshot.id
    return state


def demote(world: World, *computers: Computer) -> None:
    """The fourth computer may read only from here on, as these learn."""
    record = world.demotion()
    for one in computers:
        learns(one, record)


def forget_kept(computer: Computer) -> None:
    """It does not keep what it began with, as where a disk was full."""
    with computer.replica.database.transaction():
        computer.replica.meta.snapshot_kept = b""


# --- who alone can say that a snapshot is right -------------------------------------------------


def test_of_an_own_snapshot_of_what_is_in_the_log_the_others_say_that_it_is_right(
    world: World,
) -> None:
    """Also where somebody lost the right, and what it wrote before that is in there."""
    owner, colleague, _ = world.everybody()
    assert not speaks_alone(owner.replica, owner.member_log, make(owner))
    demote(world, owner, colleague)
    for one in (owner, colleague):
        snapshot = make(one)
        assert any(end.device == world.gone.keys.sign_public for end in snapshot.header.chains)
        assert not speaks_alone(one.replica, one.member_log, snapshot)


def test_who_made_one_with_what_counts_by_a_snapshot_s_word_says_so_itself(world: World) -> None:
    owner, colleague, newcomer = world.everybody()
    begin(newcomer, make(colleague), colleague)
    with newcomer.replica.database.transaction():
        newcomer.replica.meta.snapshot_unproved = b""  # a second device found it right
    before = make(newcomer)
    assert not speaks_alone(newcomer.replica, newcomer.member_log, before)
    demote(world, owner, colleague, newcomer)
    own = make(newcomer)
    assert speaks_alone(newcomer.replica, newcomer.member_log, own)
    assert not speaks_alone(owner.replica, owner.member_log, own)
    assert not speaks_alone(colleague.replica, colleague.member_log, own)


def test_who_began_on_a_maker_s_word_alone_says_so_of_its_own_and_of_no_other(
    world: World,
) -> None:
    _, colleague, newcomer = world.everybody()
    begun = make(colleague)
    begin(newcomer, begun, colleague)
    assert speaks_alone(newcomer.replica, newcomer.member_log, make(newcomer))
    assert not speaks_alone(newcomer.replica, newcomer.member_log, begun)


# --- whether what one began with may still be proved --------------------------------------------


def test_what_a_maker_with_the_right_says_may_be_proved_while_anybody_has_it(world: World) -> None:
    _, colleague, newcomer = world.everybody()
    state = begin(newcomer, make(colleague), colleague)
    replica, log = newcomer.replica, newcomer.member_log
    known = known_to(newcomer, state)
    assert [one.belief for one in known] == [Belief.BY_MAKER]
    assert may_be_proved(replica, log, known)
    assert may_be_proved(replica, log, [])  # this replica keeps it for the relay
    forget_kept(newcomer)
    assert may_be_proved(replica, log, known)
    assert not may_be_proved(replica, log, [])


def test_what_a_maker_said_that_lost_the_right_is_proved_by_nobody(world: World) -> None:
    owner, _, newcomer = world.everybody()
    world.gone.learns(*world.everybody())
    state = begin(newcomer, make(world.gone), world.gone)
    assert may_be_proved(newcomer.replica, newcomer.member_log, known_to(newcomer, state))
    demote(world, owner, newcomer)
    another = state_of(make(owner, n=12), owner)
    for states in ((state,), (state, another)):
        known = known_to(newcomer, *states)
        assert not may_be_proved(newcomer.replica, newcomer.member_log, known)


def test_what_an_earlier_one_brought_a_later_one_without_it_does_not_prove(world: World) -> None:
    """To find the later one right says nothing of what that does not have."""
    owner, colleague, newcomer = world.everybody()
    begin(newcomer, make(colleague), colleague)
    demote(world, owner, colleague, newcomer)
    later = state_of(make(owner, n=12), owner)
    with newcomer.replica.database.transaction():
        newcomer.replica.meta.snapshot_unproved = known_to(newcomer, later)[0].snapshot.id
    forget_kept(newcomer)
    replica, log = newcomer.replica, newcomer.member_log
    known = known_to(newcomer, later)
    unshared = find_unshared(replica, log, known)
    assert unshared is not None
    assert replica.snapshots.is_asserted(unshared)
    assert not may_be_proved(replica, log, known)
    meet_all(owner, colleague)
    assert colleague.shows(ONE).fields["title"] == "On Paper"


def test_without_a_list_of_members_nobody_speaks_alone(tmp_path: Path) -> None:
    """As before a computer has joined: nobody can be asked."""
    (owner,) = members(tmp_path, "office")
    coming = new_computer(tmp_path, "home", library=owner.replica.library_id)
    assert not speaks_alone(coming.replica, coming.member_log, make(owner))
    assert may_be_proved(coming.replica, coming.member_log, [])
