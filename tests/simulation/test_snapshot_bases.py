"""What a replica that began with a snapshot does where others look into their changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.simulation.computer import Computer, opened
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshots import (
    make_snapshot,
    newcomer,
    pass_time,
    snapshots_of,
    sync_all,
    title,
    write_much,
)
from tests.support.hostile_member import HostileMember
from tests.support.stored_changes import all_envelopes

from bifolio import limits
from bifolio.bundles.exporting import LAST, export_bundle
from bifolio.bundles.importing import BundleInbox
from bifolio.errors import BundleIncompleteError, Next
from bifolio.replication.inbox import Inbox, Received


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other; any log is worth a snapshot."""
    monkeypatch.setattr(limits, "SNAPSHOT_LOG_BYTES_MIN", 0)
    monkeypatch.setattr(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000)
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def receive(computer: Computer, *envelopes: bytes) -> None:
    """Envelopes come one after the other."""
    for one in envelopes:
        Inbox(computer.replica, computer.member_log).receive([Received(one, None)])


def begin_late(world: Simulator, *names: str) -> tuple[list[str], list[Computer]]:
    """A library with a snapshot, and computers that begin with that."""
    records = write_much(world)
    make_snapshot(world)
    late = [newcomer(world, name) for name in names]
    sync_all(world)
    for one in late:
        sync(world.relay, one)
    assert all(one.replica.snapshots.base(records[0]) is not None for one in late)
    return records, late


def test_who_began_with_a_snapshot_keeps_the_same_one_of_two_updates_under_one_clock(
    world: Simulator,
) -> None:
    records, (first, second) = begin_late(world, "first", "second")
    owner, laptop = world.computers[:2]
    mallory = HostileMember.of(laptop.replica, laptop.member_log)
    state = laptop.replica.records.state(records[0])
    written = []
    for value in ("To one", "To the other"):
        update = mallory.writes(mallory.document(state), {"title": value})
        written.append(mallory.says(mallory.change((records[0], update))).raw)
        mallory.starts_chain()
    receive(first, *written)
    receive(second, *reversed(written))
    receive(owner, *written)
    assert first.state() == second.state() == owner.state()
    assert first.state() != laptop.state()
    for one in (first, second, owner):
        (aside,) = one.replica.quarantined.counts()
        assert aside.device == laptop.replica.keys.sign_public


@pytest.mark.heavy
def test_a_change_that_a_snapshot_brought_and_that_comes_in_another_chain_too_is_no_lie(
    world: Simulator,
) -> None:
    _, (late,) = begin_late(world, "late")
    laptop = world.computers[1]
    before = late.state()
    mallory = HostileMember.of(laptop.replica, laptop.member_log)
    copied = 0
    for stored in all_envelopes(laptop.replica.database):
        if stored.own and late.replica.snapshots.is_covered(stored.hash):
            body = opened(stored.envelope, laptop.content_key)
            if body.incarnations:
                again = mallory.says(*body.changes, incarnations=body.incarnations)
                receive(late, again.raw)
                assert late.replica.changes.is_stored(again.hash)
                mallory.starts_chain()
                copied += 1
    assert copied
    assert late.state() == before
    assert not late.replica.quarantined.counts()


def test_a_bundle_that_would_lack_what_a_snapshot_brought_is_refused(
    world: Simulator, tmp_path: Path
) -> None:
    records, (late,) = begin_late(world, "late")
    owner = world.computers[0]
    now = datetime.fromtimestamp(late.replica.runtime.now_ms() / 1000, UTC)
    for since in (None, LAST, now - timedelta(days=1)):
        with pytest.raises(BundleIncompleteError) as raised:
            export_bundle(late.replica, tmp_path / "late.bundle", since=since)
        step = raised.value.next_step
        assert step is not None
        assert step.code is Next.EXPORT_BUNDLE_ELSEWHERE
    assert not (tmp_path / "late.bundle").exists()

    export_bundle(owner.replica, tmp_path / "owner.bundle")
    pass_time(world, 10.0)
    late.clock.advance(10.0)
    title(world, late, records[0], "Written by the late one")
    made = export_bundle(late.replica, tmp_path / "late.bundle", since=tmp_path / "owner.bundle")
    assert made.envelopes >= 1
    BundleInbox(owner.replica, owner.member_log).import_file(tmp_path / "late.bundle")
    assert owner.state() == late.state()

    assert export_bundle(late.replica, tmp_path / "last.bundle", since=LAST).envelopes == 0
    at = datetime.fromtimestamp((late.replica.meta.snapshot_loaded_ms + 1) / 1000, UTC)
    assert export_bundle(late.replica, tmp_path / "dated.bundle", since=at).envelopes >= 1


def test_a_computer_with_every_change_exports_a_whole_bundle_next_to_a_snapshot(
    world: Simulator, tmp_path: Path
) -> None:
    write_much(world)
    make_snapshot(world)
    assert snapshots_of(world)
    owner = world.computers[0]
    made = export_bundle(owner.replica, tmp_path / "whole.bundle")
    assert made.envelopes == len(owner.replica.changes.hashes())
