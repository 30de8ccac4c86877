"""Records of kinds, and keys in records, that only a newer program knows: carried untouched.

What a record holds needs no table of formats: an older program merges it, shows what it knows of
it, and has the same state hash at once, not only after its upgrade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pycrdt
import pytest
from msgspec.structs import replace
from tests.simulation.computer import Clock, Computer, empty_computer, found_library
from tests.simulation.history import check_equal, check_index
from tests.simulation.relay import SimulatedRelay, sync

from bifolio.bundles.exporting import export_bundle
from bifolio.bundles.importing import BundleInbox
from bifolio.clock import make_stamp
from bifolio.doctor.computer import judge_answer
from bifolio.document import deletion, editing
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.document.record import RecordDocument
from bifolio.errors import Next, NextStep
from bifolio.history.history import History
from bifolio.ids import SEPARATOR
from bifolio.library import status
from bifolio.records.edits import Act, Edit
from bifolio.wire.messages import Welcome
from bifolio_relay.session import LIMITS

ONE, STRANGE = "1" * 32, "5" * 32
LATER = make_stamp(milliseconds=1_700_000_000_000, counter=7)

Write = Callable[[Plan, Entries], None]


def strange_kind(plan: Plan, _: Entries) -> None:
    """A record of a kind that is not known."""
    plan.put("kind", "annotation", seen=[])
    plan.put("page", "17", seen=[])
    plan.put(f"+mark{SEPARATOR}yellow", "", seen=[])


def strange_fields(plan: Plan, _: Entries) -> None:
    """A field, a set's element and a mark on a reference that are not known."""
    plan.put("hologram", '{"depth":[1,2,{"x":0.5}]}', seen=[])
    plan.put(f"+shelf{SEPARATOR}top", "", seen=[])
    plan.put(f"device-of-later{SEPARATOR}A", None, seen=[])


class World:
    """Two computers of one library and their relay; the first one runs a newer program."""

    def __init__(self, folder: Path) -> None:
        self.relay = SimulatedRelay(folder / "relay", seed=1)
        self.clock = Clock()
        self.newer = found_library(folder / "newer", seed=1, clock=self.clock)
        self.older = empty_computer(
            folder / "older", seed=2, clock=self.clock, name="older", library=self.newer
        )
        secret = b"s" * 32
        sync(self.relay, self.newer, invite_secret=secret)
        self.older.join_secret = secret
        self.commits(self.newer, ONE, creation)
        self.sync_all()

    def commits(self, computer: Computer, record_id: str, write: Write) -> None:
        """One change of one record."""
        self.clock.advance(1)
        computer.replica.commit([(record_id, write)])

    def sync_all(self) -> None:
        """Everybody has everything."""
        for computer in (self.newer, self.older, self.newer, self.older):
            sync(self.relay, computer)

    def check(self) -> None:
        """Both hold the same, and so does what is made again from it."""
        check_equal([self.newer, self.older])
        for computer in (self.newer, self.older):
            check_index(computer)
            before = computer.state()
            computer.reopen()
            assert computer.state() == before

    def close(self) -> None:
        """End everything."""
        self.relay.close()
        for computer in (self.newer, self.older):
            computer.close()


def creation(plan: Plan, entries: Entries) -> None:
    editing.plan_creation(plan, entries, kind="reference", values={"title": "On Paper"})


def setting(field: str, value: str) -> Write:
    edit = Edit(field, Act.SET, (value,))
    return lambda plan, entries: editing.plan_edits(plan, entries, [edit])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("record_id", "write"), [(STRANGE, strange_kind), (ONE, strange_fields)], ids=["kind", "field"]
)
def test_what_is_not_known_is_carried_and_both_are_equal_at_once(
    world: World, record_id: str, write: Write
) -> None:
    world.commits(world.newer, record_id, write)
    known = world.newer.replica.document(record_id).entries()
    world.sync_all()
    world.check()
    assert world.older.replica.document(record_id).entries() == known
    assert list(status.refusals(world.older.replica)) == []
    rows = world.older.replica.references.iter_rows(trashed=False)
    assert [row.title for row in rows] == ["On Paper"]
    assert list(History(world.older.replica).log())


def test_it_survives_an_older_programs_edits_deletion_and_restoring(world: World) -> None:
    world.commits(world.newer, ONE, strange_fields)
    world.sync_all()
    for write in (setting("note", "Older."), deletion.plan_delete, deletion.plan_restore):
        world.commits(world.older, ONE, write)
    world.commits(world.newer, ONE, setting("volume", "7"))
    world.sync_all()
    world.check()
    for computer in (world.newer, world.older):
        registers = computer.replica.document(ONE).entries().registers
        assert {"hologram", f"+shelf{SEPARATOR}top"} <= registers.keys()


def test_keys_of_another_form_are_carried_and_what_is_written_to_them_merges(world: World) -> None:
    """Not even slot and stamp need be what they are today."""
    _strange, _value = f"title{SEPARATOR}of a later form", [LATER, "On Paper", {"a": "third"}]
    doc: pycrdt.Doc[pycrdt.Map[object]] = pycrdt.Doc()
    state = world.older.replica.document(ONE).state()
    doc.apply_update(state)
    known = RecordDocument(state).entries()
    assert known.unknown == {}
    shared = doc.get("r", type=pycrdt.Map)
    with doc.transaction():
        shared["title\x1fof a later form"] = [LATER, "On Paper", {"a": "third"}]
    there = RecordDocument(doc.get_update())
    assert there.entries().unknown == {
        "title\x1fof a later form": [LATER, "On Paper", {"a": "third"}]
    }
    assert there.entries().registers == known.registers


def test_a_newer_client_syncs_at_an_older_relay_and_says_what_cannot_be(world: World) -> None:
    """One of before there were fragments of large messages."""
    earlier = {name: value for name, value in LIMITS.items() if name != "fragment_bytes"}
    with patch.dict(LIMITS, earlier, clear=True):
        world.commits(world.newer, ONE, setting("abstract", "long " * 60_000))
        world.commits(world.older, ONE, setting("title", "On Ink"))
        world.sync_all()
        world.check()
        welcome = replace(Welcome.nothing(dict(LIMITS)), exists=True, n=3, role="owner")
        said = judge_answer("ws://relay", welcome, world.newer.replica)
    assert "earlier Bifolio" in said.message
    assert said.next == NextStep(Next.UPGRADE_RELAY)


def test_it_goes_by_bundle_too(world: World, tmp_path: Path) -> None:
    world.commits(world.newer, STRANGE, strange_kind)
    world.commits(world.newer, ONE, strange_fields)
    bundle = tmp_path / "all.bifolio-bundle"
    export_bundle(world.newer.replica, bundle)
    BundleInbox(world.older.replica, world.older.member_log).import_file(bundle)
    world.check()
