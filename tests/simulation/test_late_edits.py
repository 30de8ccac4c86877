"""A computer that was away for all the years of a hot record, and edited it before and after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Computer
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshots import DAY_S, floor_of, make_snapshot, pass_time, sync_all
from tests.support.hot_limits import every_record_is_hot

from bifolio import limits
from bifolio.document import texts
from bifolio.document.record import RecordDocument
from bifolio.document.snapshot_states import is_same_state
from bifolio.library.compaction import compact_opened
from bifolio.records.edits import Act, Edit

_NOTE = "The first sentence stays. The second one is edited. The third one ends it."


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An owner, two laptops and a relay; any log is worth a snapshot, and all records are hot."""
    monkeypatch.setattr(limits, "SNAPSHOT_LOG_BYTES_MIN", 0)
    monkeypatch.setattr(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000)
    with every_record_is_hot():
        made = Simulator(tmp_path, seed=1)
        yield made
        made.close()


def note(computer: Computer, record: str) -> str:
    return texts.content(computer.replica.document(record).entries(), "note") or ""


def write(world: Simulator, computer: Computer, record: str, text: str) -> None:
    """A session of one edit."""
    computer.reopen()
    world.typist.make(computer, record, Edit("note", Act.SET, (text,)))


def replaced(world: Simulator, computer: Computer, record: str, old: str, new: str) -> None:
    text = note(computer, record)
    assert old in text
    write(world, computer, record, text.replace(old, new))


def live_on(world: Simulator, record: str, *, sessions: int) -> None:
    """The two others edit the same paragraph for years, in turns; the third one is away."""
    for number in range(sessions):
        computer = world.computers[number % 2]
        word = f"edited {number} " if number % 3 else ""
        before, _, rest = note(computer, record).partition("The second one is ")
        end = rest[rest.index(".") :]
        write(world, computer, record, f"{before}The second one is {word}again{end}")
        pass_time(world, DAY_S)
        sync(world.relay, computer)
        sync(world.relay, world.computers[(number + 1) % 2])


@pytest.mark.parametrize(
    ("sessions", "with_snapshots"),
    [(24, False), pytest.param(60, True, marks=pytest.mark.heavy)],
)
def test_edits_of_who_was_away_for_years_are_all_there_after_others_compacted(
    world: Simulator, sessions: int, *, with_snapshots: bool
) -> None:
    owner, other, away = world.computers
    record = world.typist.add(owner)
    write(world, owner, record, _NOTE)
    sync_all(world)
    # Written on the old structure, and not sent: in the paragraph that the others edit, and by it.
    replaced(world, away, record, "second one is edited", "second one is edited, says LATE,")
    replaced(world, away, record, "The first sentence stays.", "The first sentence LASTS.")
    live_on(world, record, sessions=sessions)
    for computer in (owner, other):
        compact_opened(computer.replica)
        assert computer.replica.document(record).is_core
    if with_snapshots:
        for _ in range(2):
            for computer in (owner, other):
                pass_time(world, DAY_S)
                sync(world.relay, computer)
        pass_time(world, 40 * DAY_S)
        for computer in (owner, other) * 3:
            pass_time(world, DAY_S)
            sync(world.relay, computer)
    replaced(world, away, record, "The third one ends it.", "The third one ends it LATER.")
    sync_all(world)
    sync_all(world)
    read = {note(computer, record) for computer in world.computers}
    assert len(read) == 1
    (text,) = read
    assert all(word in text for word in ("LATE,", "LASTS", "LATER", "again")), text
    assert len({computer.state() for computer in world.computers}) == 1
    states = [computer.replica.records.state(record) for computer in world.computers]
    assert all(one is not None and is_same_state(record, one, states[0] or b"") for one in states)
    for computer in world.computers:
        whole = RecordDocument(computer.replica.records.state(record))
        assert whole.entries() == computer.replica.document(record).entries()
    # And who edits on does so on what all have.
    write(world, owner, record, text + " At last.")
    sync_all(world)
    assert all(note(one, record) == text + " At last." for one in world.computers)


@pytest.mark.heavy
def test_a_snapshot_of_hot_records_lets_the_log_go_and_newcomers_begin(world: Simulator) -> None:
    owner = world.computers[0]
    record = world.typist.add(owner)
    write(world, owner, record, _NOTE)
    sync_all(world)
    live_on(world, record, sessions=12)
    make_snapshot(world)
    for _ in range(4):
        pass_time(world, 31 * DAY_S)
        sync_all(world)
    assert floor_of(world) > 0
    assert len({computer.state() for computer in world.computers}) == 1
