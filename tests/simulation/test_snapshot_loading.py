"""The references of a snapshot that a replica has not got are stored as they came."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Computer
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshot_trust import newcomer
from tests.simulation.test_snapshot_verdicts import give, make
from tests.simulation.test_snapshots import sync_all, title, write_much

from bifolio import limits
from bifolio.crypto.snapshot import Snapshot
from bifolio.replica.derived_tables import rebuild_lists
from bifolio.replication.applying import Applier
from bifolio.replication.outbox import Outbox
from bifolio.replication.snapshots import loading, verifying
from bifolio.storage.snapshots import Snapshots


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An owner, two laptops and a relay; any number of references is stored as it comes."""
    monkeypatch.setattr(limits, "DERIVED_LATER_MIN", 1)
    monkeypatch.setattr(limits, "LOADED_AHEAD", 2)
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def load(computer: Computer, snapshot: Snapshot) -> loading.Loaded:
    return loading.load(computer.replica, computer.member_log, snapshot)


def check_same(one: Computer, other: Computer) -> None:
    """Both hold and list the same, and that is what a rebuild gives."""
    assert one.state() == other.state()
    assert one.replica.meta.state_hash == other.replica.meta.state_hash
    rows = one.replica.references.all_rows()
    assert rows == other.replica.references.all_rows()
    with one.replica.database.transaction():
        rebuild_lists(one.replica.database)
    assert one.replica.references.all_rows() == rows


def test_they_are_what_merging_them_gives(
    world: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = write_much(world)
    maker = world.computers[1]
    made = make(maker)
    late, merging = newcomer(world), newcomer(world, "merging")
    assert load(late, give(made, late)).arrived == set(records)
    monkeypatch.setattr(limits, "DERIVED_LATER_MIN", 1_000)
    assert not load(merging, give(made, merging)).arrived
    check_same(late, merging)
    check_same(late, maker)
    for one in records:
        assert late.replica.records.state(one) == merging.replica.records.state(one)


def test_what_is_here_already_is_merged(world: Simulator) -> None:
    records = write_much(world)
    owner, away, _ = world.computers
    title(world, away, records[0], "written on the train")
    title(world, owner, records[0], "written at home")
    new = world.typist.add(owner)
    sync(world.relay, owner)
    assert load(away, give(make(owner), away)).arrived == {new}
    sync_all(world)
    check_same(away, owner)


def test_a_kill_between_two_parts_costs_nothing(
    world: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = write_much(world)
    maker = world.computers[1]
    late = newcomer(world)
    snapshot = give(make(maker), late)
    monkeypatch.setattr(limits, "ARRIVED_AT_ONCE", 1)
    monkeypatch.setattr(limits, "LOADED_AHEAD", 1)
    saved: list[Applier] = []

    def save(applier: Applier) -> None:
        if len(saved) == 2:
            raise KeyboardInterrupt
        saved.append(applier)
        keep(applier)

    keep = Applier.save
    with monkeypatch.context() as patched:
        patched.setattr(Applier, "save", save)
        with pytest.raises(KeyboardInterrupt):
            load(late, snapshot)
    assert late.replica.meta.snapshot_loading == snapshot.raw
    assert late.replica.records.present(records) < set(records)
    assert load(late, snapshot).arrived < set(records)
    assert not late.replica.meta.snapshot_loading
    check_same(late, maker)


@pytest.mark.parametrize("has_sealed", [False, True])
def test_what_is_typed_between_a_kill_and_the_rest_lies_behind_what_the_snapshot_brought(
    world: Simulator, monkeypatch: pytest.MonkeyPatch, has_sealed: bool
) -> None:
    records = write_much(world)
    maker = world.computers[1]
    late = newcomer(world)
    if has_sealed:
        world.typist.add(late)
        Outbox(late.replica, late.member_log).seal()
    snapshot = give(make(maker), late)
    monkeypatch.setattr(limits, "ARRIVED_AT_ONCE", 1)
    monkeypatch.setattr(limits, "LOADED_AHEAD", 1)
    keep = Applier.save

    def save(applier: Applier) -> None:
        if late.replica.records.present(records):
            raise KeyboardInterrupt
        keep(applier)

    with monkeypatch.context() as patched:
        patched.setattr(Applier, "save", save)
        with pytest.raises(KeyboardInterrupt):
            load(late, snapshot)
    (typed_on,) = late.replica.records.present(records)
    brought = late.replica.records.state(typed_on)
    title(world, late, typed_on, "typed in between")
    load(late, snapshot)
    base = late.replica.snapshots.base(typed_on)
    assert base is not None
    assert base.state == brought
    history = late.replica.journal.index.of_record(typed_on)
    assert [one.number > base.after for one in history] == [True]


def end_process(*_: object) -> None:
    """As ``kill -9`` does, at this very moment."""
    os._exit(9)


@pytest.mark.parametrize(
    ("module", "name"),
    [(Applier, "save"), (loading, "_widen_base"), (Snapshots, "write_base")],
)
def test_a_kill_while_a_base_is_widened_costs_nothing(
    world: Simulator, module: object, name: str
) -> None:
    """What a snapshot brings of a record of which changes are here goes below these, in the
    transaction that merges it: before the kill there was neither, and afterwards there are both."""
    record, *_ = write_much(world)
    owner, away, twin = world.computers
    title(world, owner, record, "written at home")
    Outbox(owner.replica, owner.member_log).seal()
    snapshot = make(owner)
    for one in (away, twin):
        give(snapshot, one)
    before, base = away.state(), away.replica.snapshots.base(record)
    away.close()
    if (child := os.fork()) == 0:
        try:
            away.open()
            setattr(module, name, end_process)
            load(away, snapshot[0])
        finally:
            os._exit(1)
    _, ended = os.waitpid(child, 0)
    away.open()
    assert os.waitstatus_to_exitcode(ended) == 9
    assert away.replica.meta.snapshot_loading == snapshot[0].raw
    assert (away.state(), away.replica.snapshots.base(record)) == (before, base)
    for one in (away, twin):
        load(one, snapshot[0])
        assert not one.replica.meta.snapshot_loading
    assert away.replica.snapshots.base(record) == twin.replica.snapshots.base(record)
    assert away.replica.snapshots.base(record) != base
    check_same(away, twin)
    check_same(away, owner)


def test_who_stored_a_snapshot_finds_it_right_and_another_one_only_by_comparing(
    world: Simulator,
) -> None:
    records = write_much(world)
    maker = world.computers[1]
    made = make(maker)
    late = newcomer(world)
    known = load(late, give(made, late)).arrived
    snapshot = give(made, late)
    assert verifying.verify(late.replica, late.member_log, snapshot, known)
    assert verifying.verify(late.replica, late.member_log, snapshot)
    late.replica.records.remove(records[0])
    assert verifying.verify(late.replica, late.member_log, snapshot, known) is False
