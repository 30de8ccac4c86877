"""Envelopes whose author put their changes into others: they are not waited for, nor lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Computer
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshot_bases import receive
from tests.simulation.test_snapshot_chains import let_go
from tests.simulation.test_snapshots import make_snapshot, newcomer, sync_all, title, write_much
from tests.support.hostile_member import HostileMember

from bifolio import limits
from bifolio.replication.outbox import Outbox
from bifolio.replication.snapshots import loading, making


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other; any log is worth a snapshot."""
    monkeypatch.setattr(limits, "SNAPSHOT_LOG_BYTES_MIN", 0)
    monkeypatch.setattr(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000)
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def seal_two(world: Simulator, computer: Computer, record: str) -> list[bytes]:
    """Two edits of a computer, each an envelope that no relay has."""
    raws = []
    for value in ("the first one", "the second one"):
        title(world, computer, record, value)
        Outbox(computer.replica, computer.member_log).seal()
        stored = computer.replica.changes.envelope(computer.replica.changes.hashes()[-1])
        assert stored is not None
        raws.append(stored.envelope)
    return raws


def move_chain(computer: Computer) -> None:
    """What no relay has of a computer's own chain is sealed again, as after a fork."""
    own = computer.replica.meta.own_chain
    assert own is not None
    Outbox(computer.replica, computer.member_log).move_chain(own.head)


@pytest.mark.parametrize("comes_first", [True, pytest.param(False, marks=pytest.mark.heavy)])
def test_one_whose_replacement_is_here_does_not_wait_for_its_place(
    world: Simulator, comes_first: bool
) -> None:
    """The one before it in its chain is nowhere any more: its author moved that too."""
    record = write_much(world)[0]
    _, author, other = world.computers
    _, second = seal_two(world, author, record)
    if comes_first:
        receive(other, second)
        assert other.replica.changes.waiting() == 1
    move_chain(author)
    sync_all(world)
    receive(other, second)
    assert other.replica.changes.waiting() == 0
    assert other.state() == author.state()
    assert not other.replica.changes.unsent()


@pytest.mark.heavy
@pytest.mark.parametrize("comes_first", [True, False])
def test_one_whose_replacement_came_inside_of_a_snapshot_does_not_wait_either(
    world: Simulator, comes_first: bool
) -> None:
    """As in seed 60135: a bundle of before the chain moved comes to who began with a snapshot."""
    record, other_record, _ = write_much(world)
    owner, author, _ = world.computers
    late = newcomer(world) if comes_first else None
    _, second = seal_two(world, author, record)
    if late is not None:
        receive(late, second)
        assert late.replica.changes.waiting() == 1
    move_chain(author)
    sync_all(world)
    make_snapshot(world)
    let_go(world, other_record)
    late = late or newcomer(world)
    late.clock.wall_s = owner.clock.wall_s
    sync(world.relay, late)
    receive(late, second)
    assert late.replica.changes.waiting() == 0
    assert late.state() == owner.state()
    assert not late.replica.changes.unsent()


def test_one_that_a_member_claims_to_have_replaced_and_did_not_waits_and_is_merged(
    world: Simulator,
) -> None:
    record = write_much(world)[0]
    _, author, other = world.computers
    first, second = seal_two(world, author, record)
    liar = HostileMember.of(author.replica, author.member_log)
    receive(other, second, liar.says(replaces=(author.replica.changes.hashes()[-1],)).raw)
    receive(other, second)
    assert other.replica.changes.waiting() == 1
    receive(other, first)
    assert other.replica.changes.waiting() == 0
    assert other.state() == author.state()


@pytest.mark.heavy
def test_what_a_snapshot_covers_and_was_sealed_again_is_in_the_next_snapshot(
    world: Simulator,
) -> None:
    """Found by seed 1135: the next one said that a chain ends with what was not in it, and all who
    compared it called its maker a liar."""
    record, *_ = write_much(world)
    owner, author, _ = world.computers
    own = author.replica.meta.own_chain
    assert own is not None
    world.computers.remove(author)
    let_go(world, record)
    author.clock.wall_s = owner.clock.wall_s
    sync(world.relay, author)
    assert author.replica.snapshots.end_of(own.device, own.chain) is not None
    assert author.replica.changes.is_stored(own.head)
    with author.replica.database.transaction():  # the relay lost its log
        author.replica.changes.forget_positions()
        author.replica.meta.own_chain = own
    move_chain(author)
    assert not author.replica.changes.is_stored(own.head)
    snapshot = making.make(author.replica, author.member_log)
    assert snapshot is not None
    assert any(end.hash == own.head for end in snapshot.header.chains)
    assert own.head in loading.check(author.replica, author.member_log, snapshot).facts.covered
    world.computers.append(author)
