"""A record of the members that only a newer program knows: the golden file through the real sync
and relay. The relay and the older computer are this program; the newer one knows one kind more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer, replica_of
from tests.simulation.relay import SimulatedRelay, sync
from tests.support.newer_membership import NEWER_FORMATS, ONE, GoldenMembers, golden_members

from bifolio.crypto.membership import Membership, Role
from bifolio.document import editing
from bifolio.errors import NewerMembershipError, Next, NextStep
from bifolio.ids import content_hash
from bifolio.library import status
from bifolio.records.edits import Act, Edit
from bifolio.replica.envelope_formats import EnvelopeFormats
from bifolio.replication.inbox import Inbox, Received


class World:
    """The golden library on the relay of today, its owner's newer program, and an older one that
    was there before the role was given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.golden: GoldenMembers = golden_members()
        self.relay = SimulatedRelay(folder / "relay", seed=1)
        self.newer = self.computer("owner", NEWER_FORMATS)
        self.older = self.computer("older")
        with self.newer.replica.database.transaction():
            self.newer.member_log._keep_key(0, self.golden.content_key)
        self._give(self.golden.members[:-1], self.golden.log[: self.golden.early])
        sync(self.relay, self.older)
        self._give(self.golden.members[-1:], self.golden.log[self.golden.early :])

    def _give(self, members: Sequence[bytes], log: Sequence[bytes]) -> None:
        """The newer computer has more of the library, and so has the relay."""
        self.newer.member_log.learn(members)
        batch = [Received(envelope, None) for envelope in log]
        Inbox(self.newer.replica, self.newer.member_log).receive(batch)
        sync(self.relay, self.newer)

    def computer(self, name: str, formats: EnvelopeFormats | None = None) -> Computer:
        """The computer of one of the golden file's devices, its replica empty."""
        return replica_of(
            self.folder / name,
            content_hash(self.golden.members[0])[:16],
            self.golden.keys[name],
            seed=sum(name.encode()),
            clock=self.clock,
            content_key=self.golden.content_key,
            formats=formats,
        )

    def close(self) -> None:
        """End everything."""
        self.relay.close()
        for computer in (self.newer, self.older):
            computer.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def titles(computer: Computer) -> list[str]:
    """The titles of the live references, sorted."""
    rows = computer.replica.references.iter_rows(trashed=False)
    return sorted(row.title or "" for row in rows)


def membership(computer: Computer) -> Membership:
    """The membership as a computer knows it."""
    known = computer.member_log.membership()
    assert known is not None
    return known


def sets_note(computer: Computer) -> None:
    """An edit of the first reference."""
    edit = Edit("note", Act.SET, ("A note.",))
    computer.clock.advance(1)
    computer.replica.commit(
        [(ONE, lambda plan, entries: editing.plan_edits(plan, entries, [edit]))]
    )


def test_the_relay_of_today_stores_and_passes_on_what_only_a_newer_program_knows(
    world: World,
) -> None:
    assert world.relay.log() == world.golden.log
    sync(world.relay, world.older)
    assert membership(world.older).records == world.golden.members


def test_the_log_goes_on_behind_what_may_be_ignored(world: World) -> None:
    known = membership(world.older)
    assert known.records == world.golden.members[:-1]  # the last of them greets
    assert known.needs_newer == ()
    assert titles(world.older) == ["On Paper"]


def test_a_role_that_is_not_known_is_kept_and_named_and_nothing_behind_it_is_merged(
    world: World,
) -> None:
    older = world.older
    sync(world.relay, older)
    assert membership(older).needs_newer == ("promotion",)
    assert titles(older) == ["On Paper"]
    assert older.replica.changes.refusals() == []
    reasons = [one.reason for one in status.refusals(older.replica)]
    assert "members of this library were changed with a newer Bifolio (promotion)" in reasons[0]
    assert "membership record 'promotion'" in reasons[1]
    steps = [one.next for one in status.refusals(older.replica)]
    assert set(steps) == {NextStep(Next.UPGRADE_THEN_SYNC)}


def test_all_of_it_is_merged_after_the_upgrade(world: World) -> None:
    older = world.older
    sync(world.relay, older)
    older.upgrade(NEWER_FORMATS)
    sync(world.relay, older)
    assert status.state_hash(older.replica) == world.golden.state
    assert list(status.refusals(older.replica)) == []
    reader = world.golden.keys["reader"].sign_public
    assert membership(older).role_of(reader) is Role.EDITOR


def test_what_is_written_meanwhile_stays_here_until_the_upgrade(world: World) -> None:
    older = world.older
    sync(world.relay, older)
    sets_note(older)
    sync(world.relay, older)
    assert world.relay.log() == world.golden.log
    assert older.replica.changes.unsent() == 1
    with pytest.raises(NewerMembershipError):
        older.member_log.invite(b"s" * 32)
    older.upgrade(NEWER_FORMATS)
    for computer in (older, world.newer):
        sync(world.relay, computer)
    assert older.replica.changes.unsent() == 0
    assert status.state_hash(older.replica) == status.state_hash(world.newer.replica)


def test_an_older_program_gives_a_wiped_relay_the_members_and_the_log_back(world: World) -> None:
    sync(world.relay, world.older)
    world.relay.roll_back(None)
    sync(world.relay, world.older)
    assert world.relay.log() == world.golden.log
    sync(world.relay, world.newer)
    assert membership(world.newer).records == world.golden.members
    assert status.state_hash(world.newer.replica) == world.golden.state
