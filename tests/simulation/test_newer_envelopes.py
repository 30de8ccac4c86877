"""An older program never loses what a newer one sent: golden files through the real sync and relay.

The newer program is this one with other tables of ``EnvelopeFormats``; the older one is this one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer, introduce, replica_of
from tests.simulation.history import check_equal
from tests.simulation.relay import SimulatedRelay, sync
from tests.support.newer_envelopes import NEWER, ONE, GoldenLibrary, golden_library
from tests.support.stored_changes import all_envelopes

from bifolio.crypto.envelope import parse_envelope, seal
from bifolio.crypto.keys import new_device_keys
from bifolio.document import editing
from bifolio.errors import Next, NextStep
from bifolio.ids import content_hash
from bifolio.library import status
from bifolio.library.status import refusals
from bifolio.records.edits import Act, Edit
from bifolio.replica.envelope_formats import ENVELOPE_FORMATS, EnvelopeFormats
from bifolio.replication.inbox import Inbox, Received
from bifolio.wire.changes import Body, Change
from bifolio_relay.requests import Submission


class World:
    """A golden library on the relay, and computers that have it."""

    def __init__(self, folder: Path, golden: GoldenLibrary) -> None:
        self.folder = folder
        self.golden = golden
        self.clock = Clock()
        self.relay = SimulatedRelay(folder / "relay", seed=1)
        self.newer = self.computer("newer", golden.newer.formats)
        self.older = self.computer("older")
        with self.newer.replica.database.transaction():
            self.newer.member_log._keep_key(0, golden.content_key)
        self.newer.member_log.learn(golden.members)
        introduce([self.newer, self.older])
        for part in (golden.log[:1], golden.log[1:]):
            batch = [Received(envelope, None) for envelope in part]
            Inbox(self.newer.replica, self.newer.member_log).receive(batch)
            sync(self.relay, self.newer)
            if part == golden.log[:1]:
                self.early = self.relay.copy()

    def computer(self, name: str, formats: EnvelopeFormats | None = None) -> Computer:
        """A computer with an empty replica; the newer one has the keys that wrote the file."""
        golden = self.golden
        own = new_device_keys(name, random.Random(name).randbytes)
        return replica_of(
            self.folder / name,
            content_hash(golden.members[0])[:16],
            golden.keys if name == "newer" else own,
            seed=sum(name.encode()),
            clock=self.clock,
            content_key=golden.content_key,
            formats=formats,
        )

    def write_in_its_place(self) -> bytes:
        """An envelope of today's format at the place of the second one."""
        first = parse_envelope(self.golden.log[0])
        return seal(
            replace(first.header, seq=2, previous=first.hash),
            Body((first.hash,), (Change("0" * 18, ()),)).serialize(),
            content_key=self.golden.content_key,
            keys=self.golden.keys,
            random_bytes=random.Random(1).randbytes,
        ).raw

    def close(self) -> None:
        """End everything."""
        self.relay.close()
        for computer in (self.newer, self.older):
            computer.close()


@pytest.fixture(params=list(NEWER))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, golden_library(request.param))
    yield made
    made.close()


def titles(computer: Computer) -> list[str]:
    """The titles of the live references, sorted."""
    rows = computer.replica.references.iter_rows(trashed=False)
    return sorted(row.title or "" for row in rows)


def sets(computer: Computer, field: str, value: str) -> None:
    """Set a field of the first reference."""
    edit = Edit(field, Act.SET, (value,))
    computer.clock.advance(1)
    computer.replica.commit(
        [(ONE, lambda plan, entries: editing.plan_edits(plan, entries, [edit]))]
    )


def kept_envelopes(computer: Computer) -> list[bytes]:
    """The envelopes that are kept for a newer program, as they came."""
    rows = computer.replica.database.rows("SELECT envelope FROM newer_envelopes ORDER BY number")
    return [row[0] for row in rows]


def test_the_newer_program_reads_all_of_it(world: World) -> None:
    assert status.state_hash(world.newer.replica) == world.golden.state
    assert world.relay.log() == world.golden.log
    assert kept_envelopes(world.newer) == []


def test_an_older_program_keeps_whole_what_a_newer_one_sent_and_names_it(world: World) -> None:
    older = world.older
    sync(world.relay, older)
    assert titles(older) == ["On Paper"]
    assert kept_envelopes(older) == list(world.golden.log[1:])
    assert older.replica.changes.refusals() == []
    cursor = older.replica.meta.cursor
    assert cursor is not None
    assert cursor.position == len(world.golden.log)
    seen = status.status(older.replica, name="", replica_id="")
    (refusal,) = seen.refusals
    assert f"({world.golden.newer.needs}: 1 change)" in refusal.reason
    assert "2 later changes wait for them" in refusal.reason
    assert refusal.next == NextStep(Next.UPGRADE_THEN_SYNC)
    assert seen.waiting == 2


def test_what_was_kept_is_merged_after_the_upgrade_with_all_that_builds_on_it(
    world: World,
) -> None:
    older = world.older
    sync(world.relay, older)
    assert status.state_hash(older.replica) != world.golden.state
    older.upgrade(world.golden.newer.formats)
    sync(world.relay, older)
    assert status.state_hash(older.replica) == world.golden.state
    assert kept_envelopes(older) == []
    assert list(refusals(older.replica)) == []
    stored = [one.envelope for one in all_envelopes(older.replica.database)]
    assert stored == list(world.golden.log)
    check_equal([world.newer, older])


def test_an_older_program_goes_on_writing_and_everybody_agrees_after_the_upgrade(
    world: World,
) -> None:
    older, newer = world.older, world.newer
    sync(world.relay, older)
    sets(older, "title", "On Parchment")
    sets(newer, "volume", "7")
    for computer in (older, newer, older):
        sync(world.relay, computer)
    assert titles(older) == ["On Parchment"]
    assert kept_envelopes(older)[:3] == list(world.golden.log[1:])
    older.upgrade(world.golden.newer.formats)
    for computer in (older, newer):
        sync(world.relay, computer)
    check_equal([newer, older])


def test_another_upgrade_that_cannot_read_it_keeps_it(world: World) -> None:
    older = world.older
    sync(world.relay, older)
    other = EnvelopeFormats(
        {**ENVELOPE_FORMATS.openers, 9: ENVELOPE_FORMATS.openers[1]}, ENVELOPE_FORMATS.readers
    )
    older.upgrade(other)
    sync(world.relay, older)
    assert kept_envelopes(older) == list(world.golden.log[1:])
    sync(world.relay, older)
    older.upgrade(world.golden.newer.formats)
    sync(world.relay, older)
    assert status.state_hash(older.replica) == world.golden.state


def test_an_older_program_gives_a_wiped_relay_everything_back(world: World) -> None:
    sync(world.relay, world.older)
    world.relay.roll_back(None)
    sync(world.relay, world.older)
    assert world.relay.log() == world.golden.log
    offered = world.older.replica.newer_envelopes.unacknowledged(after=0, bytes_max=1)
    assert offered == []
    sync(world.relay, world.newer)
    assert status.state_hash(world.newer.replica) == world.golden.state


def test_a_chain_that_the_relay_does_not_continue_is_carried_on_after_the_upgrade(
    world: World,
) -> None:
    """A relay was rolled back, and a restored copy of the newer computer wrote in its place."""
    older, newer = world.older, world.newer
    sync(world.relay, older)
    world.relay.roll_back(world.early)
    other = world.write_in_its_place()
    world.relay.push(Submission(older.replica.library_id, newer.keys.sign_public, (other,)))
    for _ in range(2):
        sync(world.relay, older)
    first, second, third, fourth = world.golden.log
    assert set(world.relay.log()) == {first, other, fourth}
    assert kept_envelopes(older) == [second, third, fourth]
    older.upgrade(world.golden.newer.formats)
    for computer in (older, newer, older):
        sync(world.relay, computer)
    assert not {second, third} & set(world.relay.log())
    assert titles(older) == ["On Glue", "On Ink", "On Thread"]
    check_equal([newer, older])
