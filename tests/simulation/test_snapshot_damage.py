"""Damage where snapshots are: on the relay, whose log was pruned, and at who began with one."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.simulation.computer import Computer
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshot_bases import begin_late
from tests.simulation.test_snapshots import (
    floor_of,
    held_envelopes,
    make_snapshot,
    newcomer,
    pass_time,
    snapshots_of,
    sync_all,
    title,
    write_much,
)
from tests.support import rot_table

from bifolio import limits
from bifolio.repair import mending
from bifolio.repair.damage import Damages, Source
from bifolio.repair.mender import Mender
from bifolio.replica.folder import FILE
from bifolio.replication import refilling
from bifolio.storage.database import Database
from bifolio.storage.lost_changes import LostChanges
from bifolio_relay.storage import sqlite_checks, sqlite_mending
from bifolio_relay.storage.sqlite_file import FILE_NAME

DAY_S = 24 * 3600.0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other; any log is worth a snapshot."""
    monkeypatch.setattr(limits, "SNAPSHOT_LOG_BYTES_MIN", 0)
    monkeypatch.setattr(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000)
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def prune(world: Simulator) -> list[str]:
    """A library whose relay let go of what a snapshot has."""
    records = write_much(world)
    make_snapshot(world)
    for _ in range(4):
        pass_time(world, 31 * DAY_S)
        sync_all(world)
    assert floor_of(world) > 0
    return records


def check_relay(world: Simulator) -> list[str]:
    """What the relay's own check finds."""
    folder = world.relay.folder
    return [one.what for one in sqlite_checks.check_all(folder / FILE_NAME, folder)]


def mend_relay(world: Simulator) -> None:
    """The relay mends its library."""
    folder = world.relay.folder
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for key, library in sqlite_checks.libraries(connection):
            sqlite_mending.mend_library(connection, folder, key, library)
        connection.execute("COMMIT")


def damage_relay(world: Simulator, statement: str) -> None:
    """Change what the relay's file holds."""
    with closing(sqlite3.connect(world.relay.folder / FILE_NAME)) as connection, connection:
        assert connection.execute(statement).rowcount > 0


def agree(world: Simulator, *others: Computer) -> None:
    """All computers hold the same."""
    hashes = {one.replica.meta.state_hash for one in (*world.computers, *others)}
    assert len(hashes) == 1


# --- the relay ----------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_relay_whose_log_was_pruned_passes_its_own_check(world: Simulator) -> None:
    prune(world)
    assert check_relay(world) == []
    folder = world.relay.folder
    turn = sqlite_checks.Round(folder / FILE_NAME, folder)
    assert not any(turn.step() for _ in range(8))
    mend_relay(world)
    assert check_relay(world) == []
    assert floor_of(world) > 0


@pytest.mark.heavy
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE snapshot_chunk SET sealed = zeroblob(9) WHERE number = 0",
        "UPDATE snapshot SET header = CAST(x'00' || substr(header, 2) AS BLOB)",
        "UPDATE statement SET n = n + 1",
        "UPDATE entry SET hash = zeroblob(32) WHERE position = 2",
        "UPDATE entry SET envelope = zeroblob(100) WHERE length(envelope) > 0",
    ],
)
def test_damage_beside_a_pruned_log_is_found_mended_and_everybody_goes_on(
    world: Simulator, damage: str
) -> None:
    records = prune(world)
    title(world, world.computers[0], records[0], "the last one")
    sync_all(world)
    damage_relay(world, damage)
    assert len(check_relay(world)) > 0
    mend_relay(world)
    assert check_relay(world) == []
    world.relay.restart()
    title(world, world.computers[1], records[1], "after it was mended")
    sync_all(world)
    make_snapshot(world)
    late = newcomer(world)
    sync_all(world)
    sync(world.relay, late)
    agree(world, late)
    assert check_relay(world) == []


# --- who began with a snapshot ------------------------------------------------------------------


def flip(computer: Computer, statement: str, *values: str) -> None:
    """Damage a replica's file."""
    with computer.replica.database.transaction():
        assert computer.replica.database.execute(statement, values).rowcount > 0


def mend(computer: Computer) -> Damages:
    """Mend a replica's tables."""
    return Mender(computer.replica, has_keys=True).mend()


def places_of(computer: Computer) -> set[int]:
    """Where in the relay's log the envelopes are that a replica holds itself."""
    return set(LostChanges(computer.replica.database).hashes_by_position())


_FLIP = "UPDATE records SET state = zeroblob(20) WHERE id = ?"


def test_what_began_with_a_snapshot_is_found_whole(world: Simulator) -> None:
    records, (late,) = begin_late(world, "late")
    title(world, late, records[0], "changed since")
    assert mend(late).found == {}


@pytest.mark.parametrize(
    "is_changed",
    [pytest.param(False, marks=pytest.mark.heavy), True],
    ids=["as it came", "changed since"],
)
def test_a_record_that_came_by_snapshot_is_mended_from_the_kept_one(
    world: Simulator, is_changed: bool
) -> None:
    records, (late,) = begin_late(world, "late")
    if is_changed:
        title(world, late, records[0], "changed since")
    before = late.replica.records.read(records[0])
    flip(late, _FLIP, records[0])
    assert mend(late).found == {("records", Source.CHANGES): 1}
    after = late.replica.records.read(records[0])
    assert before is not None
    assert after is not None
    assert (after.kind, after.hash) == (before.kind, before.hash)
    assert mend(late).found == {}
    sync_all(world)
    sync(world.relay, late)
    sync_all(world)
    agree(world, late)


@pytest.mark.heavy
def test_repair_makes_a_file_with_a_record_that_came_by_snapshot_whole(world: Simulator) -> None:
    records, (late,) = begin_late(world, "late")
    title(world, late, records[0], "changed since")
    total = late.replica.meta.state_hash
    flip(late, _FLIP, records[0])
    flip(late, _FLIP, records[1])
    runtime = late.replica.runtime
    late.close()
    mended = mending.mend(late.folder, late.keys, runtime)
    assert mended.damages.found == {("records", Source.CHANGES): 2}
    assert mended.kept is not None
    late.open()
    assert late.replica.meta.state_hash == total
    assert not mending.inspect(late.folder, late.keys, runtime).found
    assert (late.folder / FILE).is_file()


@pytest.mark.heavy
def test_a_record_comes_again_with_the_relays_snapshot_where_no_copy_is_here(
    world: Simulator,
) -> None:
    records, (late,) = begin_late(world, "late")
    title(world, late, records[1], "not yet sent")
    late.replica.meta.relay_url = "wss://relay.example"
    flip(late, "UPDATE snapshot_chunks SET sealed = zeroblob(9)")
    flip(late, _FLIP, records[0])
    found = mend(late).found
    assert found["snapshot_chunks", Source.NOTHING] == found["records", Source.RELAY] == 1
    assert not any(source is Source.LOST for _, source in found)
    assert late.replica.records.exists(records[0])
    assert snapshots_of(world)
    sync(world.relay, late)
    refilling.finish(late.replica)
    assert mend(late).found == {}
    assert not refilling.is_due(late.replica)
    sync_all(world)
    sync(world.relay, late)
    sync_all(world)
    agree(world, late)


@pytest.mark.heavy
def test_which_envelopes_are_covered_is_mended_from_the_kept_snapshot(world: Simulator) -> None:
    _, (late,) = begin_late(world, "late")
    covered = late.replica.snapshots.covered()
    flip(late, "DELETE FROM covered")
    assert mend(late).found == {("covered", Source.CONTENT): len(covered)}
    assert late.replica.snapshots.covered() == covered


@pytest.mark.heavy
def test_an_own_base_that_is_damaged_is_taken_from_the_kept_snapshot(world: Simulator) -> None:
    records, (late,) = begin_late(world, "late")
    title(world, late, records[0], "changed since")
    base = late.replica.snapshots.own_base(records[0])
    flip(late, "UPDATE snapshot_bases SET state = zeroblob(9) WHERE record = ?", records[0])
    assert mend(late).found == {("snapshot_bases", Source.CONTENT): 1}
    assert late.replica.snapshots.own_base(records[0]) == base


@pytest.mark.heavy
def test_a_damaged_change_that_the_relay_let_go_of_is_covered_by_its_snapshot(
    world: Simulator,
) -> None:
    records = prune(world)
    computer = next(one for one in world.computers if 1 in places_of(one))
    replica = computer.replica
    title(world, computer, records[2], "not yet sent")
    with replica.database.transaction():
        replica.meta.relay_url = "wss://relay.example"
    flip(computer, "UPDATE changes SET body = zeroblob(100) WHERE position = 1")
    held = held_envelopes(computer)
    assert mend(computer).found["changes", Source.RELAY] == 1
    sync(world.relay, computer)
    refilling.finish(replica)
    assert held_envelopes(computer) == held
    assert not refilling.is_due(replica)
    assert mend(computer).found == {}
    sync_all(world)
    agree(world)


# --- one bit of each tree -----------------------------------------------------------------------

_TABLES = ("covered", "covered_chains", "declared", "snapshot_bases", "statements")


def rows_of(path: Path) -> list[list[tuple[object, ...]]]:
    """What the tables of a replica's file say that snapshots fill."""
    with closing(Database.open(path)) as database:
        return [sorted(database.rows(f"SELECT * FROM {table}"), key=repr) for table in _TABLES]


def flipped(file: Path, place: rot_table.Place) -> None:
    """Flip one bit."""
    raw = bytearray(file.read_bytes())
    raw[place.offset] ^= 1 << place.bit
    file.write_bytes(raw)


@pytest.mark.heavy
def test_a_bit_of_each_table_that_snapshots_fill_is_found_and_mended(
    world: Simulator, tmp_path: Path
) -> None:
    records, (late,) = begin_late(world, "late")
    title(world, late, records[0], "changed since")
    pass_time(world, DAY_S)
    sync_all(world)
    sync(world.relay, late)
    runtime, whole = late.replica.runtime, late.folder / FILE
    late.close()
    right = rows_of(whole)
    names = ("covered", "declared", "snapshot", "statements", "records")
    for place in list(rot_table.places(whole)):
        if not any(name in place.tree for name in names):
            continue
        work = tmp_path / f"{place.tree}-{place.kind}"
        shutil.copytree(late.folder, work)
        flipped(work / FILE, place)
        damages = mending.mend(work, late.keys, runtime).damages
        assert damages.found, place
        assert not damages.has_lost, place
        assert not mending.inspect(work, late.keys, runtime).found, place
        assert rows_of(work / FILE) == right, place
    late.open()


@pytest.mark.heavy
def test_a_bit_of_each_table_of_a_relay_with_snapshots_is_found_and_mended(
    world: Simulator, tmp_path: Path
) -> None:
    records = prune(world)
    title(world, world.computers[0], records[0], "the last one")
    sync_all(world)
    whole = tmp_path / "whole"
    shutil.copytree(world.relay.folder, whole)
    for place in list(rot_table.places(whole / FILE_NAME)):
        if not any(name in place.tree for name in ("snapshot", "statement", "entry", "chain")):
            continue
        work = tmp_path / f"{place.tree}-{place.kind}"
        shutil.copytree(whole, work)
        flipped(work / FILE_NAME, place)
        assert sqlite_checks.check_all(work / FILE_NAME, work), place
        sqlite_mending.mend_file(work)
        assert sqlite_checks.check_all(work / FILE_NAME, work) == [], place
