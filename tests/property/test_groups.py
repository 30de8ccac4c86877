"""Groups that anybody makes, renames, moves, deletes, restores and fills at any time: one tree.

The replicas and what carries their envelopes are those of ``test_replicas``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.test_replicas import CHOICES, SLOW, World
from tests.simulation.computer import Computer
from tests.simulation.history import Act, Event, check_equal, check_index
from tests.simulation.typist import Typist
from tests.support.examples import examples

from bifolio.document import editing, groups
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.library.groups import Groups
from bifolio.results import GroupView
from bifolio.search.group_tree import Tree
from bifolio.storage.groups import GroupRow

#: What all hold before they part: few, so that moves meet.
GROUPS_AT_FIRST = 4


@dataclass(frozen=True, slots=True)
class Written:
    """One change wrote one register of a group, knowing these changes."""

    change: bytes
    known: frozenset[bytes]
    group: str
    register: str
    value: str | None


@dataclass(slots=True)
class Organizer(Typist):
    """Somebody who keeps groups, and types now and then; what was written is kept apart."""

    written: list[Written] = field(default_factory=list)
    made: set[str] = field(default_factory=set)

    def type(self, computer: Computer) -> None:
        """One act on a group, on what is in it, or an edit of a reference."""
        if self.choose.random() < 0.15:
            Typist.type(self, computer)
            return
        living = Groups(computer.replica).list()
        if len(living) < 2 or self.choose.random() < 0.04:
            self.create_group(computer, living)
        else:
            acts = (self.rename_group, *(self.move_group,) * 6, self.fill, self.delete_group)
            self.choose.choice((*acts, self.restore_group))(computer, living)

    def create_group(self, computer: Computer, living: Sequence[GroupView]) -> None:
        parent = self.choose.choice([None, *(one.id for one in living)])
        before = _Before.of(computer)
        made = Groups(computer.replica).create(self.word(), parent=parent)
        self.made.add(made.id)
        self.note_group(computer, made.id, before, Act.EDIT)

    def rename_group(self, computer: Computer, living: Sequence[GroupView]) -> None:
        group = self.choose.choice(living).id
        before = _Before.of(computer)
        Groups(computer.replica).rename(group, self.word())
        self.note_group(computer, group, before, Act.EDIT)

    def move_group(self, computer: Computer, living: Sequence[GroupView]) -> None:
        group = self.choose.choice(living).id
        tree = Tree(computer.replica.groups.all())
        # What stands under itself is no parent; what is above a cut is written in the same
        # change, and an event is of one record.
        parents: list[str | None] = [
            one.id
            for one in living
            if group not in tree.line(one.id) and tree.cut_above(one.id) is None
        ]
        # Mostly under another one: moves to the top make no cycles.
        parent = self.choose.choice([*parents * 3, None])
        before = _Before.of(computer)
        moved = Groups(computer.replica).move(group, parent=parent)
        assert moved.parent == parent, "a move by hand holds where it is made"
        self.note_group(computer, group, before, Act.EDIT)

    def delete_group(self, computer: Computer, living: Sequence[GroupView]) -> None:
        group = self.choose.choice(living).id
        before = _Before.of(computer)
        Groups(computer.replica).delete(group)
        self.note_group(computer, group, before, Act.DELETE)

    def restore_group(self, computer: Computer, _: Sequence[GroupView]) -> None:
        deleted = Groups(computer.replica).list(deleted=True)
        if not deleted:
            return
        group = self.choose.choice(deleted).id
        before = _Before.of(computer)
        Groups(computer.replica).restore(group)
        self.note_group(computer, group, before, Act.RESTORE)

    def fill(self, computer: Computer, living: Sequence[GroupView]) -> None:
        """Put a reference into a group, or take it out where it is in."""
        records = [row.id for row in computer.replica.references.iter_rows(trashed=False)]
        if not records:
            return
        record, group = self.choose.choice(records), self.choose.choice(living).id

        def write(plan: Plan, entries: Entries) -> None:
            if not groups.plan_remove(plan, entries, group):
                groups.plan_add(plan, entries, group)
            editing.finish(plan, entries)

        self._commit(computer, record, write, field=groups.MEMBERSHIP)

    def note_group(self, computer: Computer, group: str, before: _Before, act: Act) -> None:
        """Keep what an act wrote: for the history, and the registers that differ."""
        if computer.known() == before.known:
            return
        nothing: frozenset[tuple[str, str]] = frozenset()
        self.history.note(computer, Event(before.known, group, nothing, nothing, nothing, act))
        change = computer.newest_change()
        row = _rows(computer)[group]
        was = before.rows.get(group)
        if was is None or row.name != was.name:
            self.written.append(Written(change, before.known, group, "name", row.name))
        if was is None or row.parent_rank != was.parent_rank:
            self.written.append(Written(change, before.known, group, "parent", row.parent))

    def standing(self, group: str, register: str) -> set[str | None]:
        """The values of a group's register that no later write knew of."""
        wrote = [one for one in self.written if (one.group, one.register) == (group, register)]
        return {one.value for one in wrote if not any(one.change in other.known for other in wrote)}


@dataclass(frozen=True, slots=True)
class _Before:
    """A computer as it was before an act."""

    known: frozenset[bytes]
    rows: dict[str, GroupRow]

    @classmethod
    def of(cls, computer: Computer) -> _Before:
        return cls(computer.known(), _rows(computer))


def _rows(computer: Computer) -> dict[str, GroupRow]:
    return {row.id: row for row in computer.replica.groups.all()}


def check_tree(computer: Computer, organizer: Organizer) -> None:
    """A tree without a cycle that holds every group, each with a value that somebody wrote."""
    living = Groups(computer.replica).list()
    deleted = Groups(computer.replica).list(deleted=True)
    above = {one.id: one.parent for one in living}
    assert len(above) == len(living)
    assert above.keys() | {one.id for one in deleted} == organizer.made
    for group in above:
        line = [group]
        while (parent := above[line[-1]]) is not None:
            assert parent not in line, "a cycle"
            line.append(parent)
    for group, row in _rows(computer).items():
        assert row.name in organizer.standing(group, "name")
        assert row.parent in organizer.standing(group, "parent")


@given(choose=CHOICES, steps=st.integers(5, 60))
@settings(SLOW, max_examples=examples(8))
def test_groups_moved_renamed_deleted_and_filled_anywhere_make_one_tree_and_nothing_is_lost(
    choose: random.Random, steps: int
) -> None:
    check_world(choose, steps)


@pytest.mark.heavy
@given(choose=CHOICES, steps=st.integers(5, 100))
@settings(SLOW, max_examples=100)
def test_groups_make_one_tree_after_long_histories_too(choose: random.Random, steps: int) -> None:
    check_world(choose, steps)


def check_world(choose: random.Random, steps: int) -> None:
    """Random steps of computers that organize groups; then everybody meets."""
    with TemporaryDirectory() as folder:
        together = World(Path(folder), choose)
        organizer = Organizer(choose, together.history)
        together.typist = organizer
        try:
            for _ in range(GROUPS_AT_FIRST):
                organizer.create_group(together.computers[0], ())
            together.deliver_all()
            for _ in range(steps):
                together.step()
            together.deliver_all()
            for computer in together.computers:
                assert computer.replica.changes.waiting() == 0
                together.history.check_contents(computer)
                check_tree(computer, organizer)
                check_index(computer)
            shown = [Groups(one.replica).list() for one in together.computers]
            assert shown[1:] == shown[:-1]
            check_equal(together.computers)
        finally:
            together.close()
