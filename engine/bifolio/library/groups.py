"""The groups of a library: made, named, placed, filled and listed.

Each act is one change. Which group a user means is decided by ``grouping``; how the records of
all groups make a tree, by ``document.groups``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import (
    AmbiguousGroupError,
    GroupNotFoundError,
    GroupPlaceError,
    InvalidValueError,
    NotInGroupError,
    QueryError,
    SmartGroupError,
)
from bifolio.ids import random_record_id
from bifolio.lazy import pattern
from bifolio.records.colours import COLOUR_NAMES
from bifolio.records.sorting import parse_sort
from bifolio.records.values import is_one_line
from bifolio.replica import lookup
from bifolio.replica.replica import Replica, Write
from bifolio.results import GroupKind, GroupView, ReferenceView, RemovalResult
from bifolio.search.group_tree import PATH_MARK, Tree
from bifolio.search.search import Searches
from bifolio.storage.groups import GroupRow

if TYPE_CHECKING:
    import difflib

    from bifolio.document import deletion, editing, groups, positions
else:
    difflib = lazy.module("difflib")
    deletion = lazy.module("bifolio.document.deletion")
    editing = lazy.module("bifolio.document.editing")
    groups = lazy.module("bifolio.document.groups")
    positions = lazy.module("bifolio.document.positions")

_COLOUR = pattern(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


class Groups:
    """The groups of one library. A group is named by its name, a path ``A/B`` or its id.

    Every method that takes a group raises GroupNotFoundError or AmbiguousGroupError where the
    name stands for no group or for several, and changes nothing then.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    # --- the groups themselves --------------------------------------------------------------

    def create(
        self,
        name: str,
        *,
        parent: str | None = None,
        query: str | None = None,
        colour: str | None = None,
    ) -> GroupView:
        """Make a group, the last one under its parent or at the top.

        Args:
            name: need not be the only one of its kind; ``namesakes`` tells of others.
            parent: the group to make it under.
            query: a search; the group is a smart one then, and holds what the search finds.
            colour: ``#rrggbb`` or a colour's name.

        Raises:
            InvalidValueError, QueryError: nothing was made.
        """
        values: dict[str, str | None] = {
            groups.NAME: _check_name(name),
            groups.COLOUR: _check_colour(colour),
            groups.QUERY: self._check_query(query),
        }
        group_id = random_record_id(self._replica.runtime.random_bytes)
        with self._replica.database.transaction():
            tree = self._tree()
            above = tree.find(parent).id if parent is not None else None
            low, high = _gap(tree.children(above), before=None)

            def write(plan: Plan, entries: Entries) -> None:
                (place,) = positions.run(low, high, slot=plan.writer.slot, count=1)
                given = {groups.PARENT: above, groups.POSITION: place}
                groups.plan_creation(plan, entries, values | given)

            self._replica.commit_inside([(group_id, write)])
        return self._show_id(group_id)

    def rename(self, group: str, name: str) -> GroupView:
        """Give a group another name.

        Raises:
            InvalidValueError: no name that a group can have.
        """
        return self._change(group, {groups.NAME: _check_name(name)})

    def edit(self, group: str, *, colour: str | None = None, query: str | None = None) -> GroupView:
        """Give a group another colour (none, where it is empty), or a smart one another query.

        Raises:
            InvalidValueError, QueryError: no colour, or no query; the group stays as it was.
            SmartGroupError: a query for a group that is filled by hand.
        """
        values: dict[str, str | None] = {}
        if colour is not None:
            values[groups.COLOUR] = _check_colour(colour) if colour else None
        if query is not None:
            if (found := self._tree().find(group)).query is None:
                raise SmartGroupError(found.name, smart=False)
            values[groups.QUERY] = self._check_query(query)
        return self._change(group, values)

    def move(
        self, group: str, *, parent: str | None = None, before: str | None = None
    ) -> GroupView:
        """Put a group under another one, or at the top where no parent is given.

        Args:
            before: the group to come before; without it, it is the last one there.

        Raises:
            GroupPlaceError: under itself, or before a group that is not there.
        """
        with self._replica.database.transaction():
            tree = self._tree()
            moved = tree.find(group)
            above = tree.find(parent) if parent is not None else None
            if above is not None and moved.id in tree.line(above.id):
                raise GroupPlaceError(f"'{moved.name}' cannot be moved under itself")
            others = [
                one for one in tree.children(above.id if above else None) if one.id != moved.id
            ]
            low, high = _gap(others, before=self._find_sibling(tree, others, before))

            def write(plan: Plan, entries: Entries) -> None:
                (place,) = positions.run(low, high, slot=plan.writer.slot, count=1)
                groups.plan_move(plan, entries, parent=above.id if above else None, position=place)

            writes: list[tuple[str, Write]] = [(moved.id, write)]
            # What is shown at the top because its place made a cycle is put there in earnest:
            # otherwise the new place could cut the cycle elsewhere, or be cut itself.
            cut = tree.cut_above(above.id) if above is not None else None
            if cut is not None and cut != moved.id:
                writes.append((cut, _plan_change({groups.PARENT: None})))
            self._replica.commit_inside(writes)
        return self._show_id(moved.id)

    def delete(self, group: str) -> GroupView:
        """Delete a group; its references stay, its subgroups show under what was above it."""
        return self._commit(self._tree().find(group, deleted_too=True).id, deletion.plan_delete)

    def restore(self, group: str) -> GroupView:
        """Bring a deleted group back, with the references that are in it."""
        return self._commit(self._tree().find_deleted(group).id, deletion.plan_restore)

    def list(self, *, deleted: bool = False) -> Sequence[GroupView]:
        """All groups, each before those under it; or the deleted ones, by name."""
        with self._replica.snapshot():
            tree = self._tree()
            rows = tree.deleted_groups() if deleted else tree.in_order()
            counts = self._replica.references.elements.counts(groups.MEMBERSHIP)
            return [self._show(tree, row, counts) for row in rows]

    def namesakes(self, group: str) -> Sequence[str]:
        """The ids of the other groups of the same path, which only their ids tell apart."""
        tree = self._tree()
        found = tree.find(group)
        path = tree.path(found.id)
        return [
            one.id for one in tree.in_order() if one.id != found.id and tree.path(one.id) == path
        ]

    # --- what is in them ----------------------------------------------------------------------

    def add(self, group: str, refs: Sequence[str]) -> Sequence[ReferenceView]:
        """Put references into a group; those that are in it already stay.

        Raises:
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError,
            SmartGroupError: nothing was changed.
        """
        with self._replica.database.transaction():
            row = self._manual(group)
            ids = lookup.live_ids(self._replica, refs)
            self._replica.commit_each(
                ids, lambda plan, entries: groups.plan_add(plan, entries, row.id)
            )
        return [lookup.show_id(self._replica, one) for one in ids]

    def remove(self, group: str, refs: Sequence[str]) -> RemovalResult:
        """Take references out of a group; they stay in the library.

        Raises:
            NotInGroupError: none of them is in it.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError,
            SmartGroupError: nothing was changed.
        """
        replica = self._replica
        with replica.database.transaction():
            row = self._manual(group)
            ids = lookup.live_ids(replica, refs)

            def write(plan: Plan, entries: Entries) -> None:
                groups.plan_remove(plan, entries, row.id)
                editing.finish(plan, entries)

            changed = replica.commit_each(ids, write)
            shown = [lookup.show_id(replica, one) for one in ids]
            if not changed:
                raise NotInGroupError(row.name, keys=tuple(one.key for one in shown))
        return RemovalResult(tuple(shown), without=frozenset(ids) - frozenset(changed))

    def references(
        self, group: str, *, sort: str | None = None, limit: int | None = None
    ) -> Iterator[ReferenceView]:
        """The references of a group, by id: its members, or what its query finds.

        Raises:
            QueryError: the group's query is none, or of a newer version.
            InvalidValueError: no such order.
        """
        tree = self._tree()
        found = Searches(self._replica, tree).in_group(
            tree.find(group), sort=parse_sort(sort) if sort else None, most=limit
        )
        for reference in found:
            yield lookup.show(self._replica, reference)

    # --- small steps --------------------------------------------------------------------------

    def _tree(self) -> Tree:
        return Tree(self._replica.groups.all())

    def _show_id(self, group_id: str) -> GroupView:
        tree = self._tree()
        count = self._replica.references.elements.count(groups.MEMBERSHIP, group_id)
        return self._show(tree, tree.row(group_id), {group_id: count})

    def _show(self, tree: Tree, row: GroupRow, counts: Mapping[str, int]) -> GroupView:
        smart = row.query is not None
        count, problem = counts.get(row.id, 0), None
        if smart:
            count, problem = self._count_found(tree, row)
        return GroupView(
            id=row.id,
            name=row.name,
            parent=tree.parent(row.id),
            kind=GroupKind.SMART if smart else GroupKind.MANUAL,
            count=count,
            path=tree.path(row.id),
            colour=row.colour,
            query=row.query,
            problem=problem,
        )

    def _count_found(self, tree: Tree, row: GroupRow) -> tuple[int, str | None]:
        """How many references a smart group's query finds, or why it cannot be asked.

        It may be of a newer version, or name a group that was deleted since.
        """
        try:
            return Searches(self._replica, tree).count_group(row), None
        except (QueryError, GroupNotFoundError, AmbiguousGroupError) as error:
            return 0, error.message

    def _change(self, group: str, values: Mapping[str, str | None]) -> GroupView:
        return self._commit(self._tree().find(group).id, _plan_change(values))

    def _commit(self, group_id: str, write: Write) -> GroupView:
        self._replica.commit([(group_id, write)])
        return self._show_id(group_id)

    def _check_query(self, query: str | None) -> str | None:
        """The query, if it can be searched for now."""
        if query is not None and not query.strip():
            raise InvalidValueError("query", expected="words to be found", got="none")
        if query is not None:
            Searches(self._replica, self._tree()).check(query)
        return query

    def _find_sibling(
        self, tree: Tree, siblings: Sequence[GroupRow], before: str | None
    ) -> GroupRow | None:
        if before is None:
            return None
        row = tree.find(before)
        if row.id not in {one.id for one in siblings}:
            raise GroupPlaceError(f"'{row.name}' is not in the place that the group is moved to")
        return row

    def _manual(self, group: str) -> GroupRow:
        """The group of a name, if it is filled by hand."""
        row = self._tree().find(group)
        if row.query is not None:
            raise SmartGroupError(row.name, smart=True)
        return row


def _plan_change(values: Mapping[str, str | None]) -> Write:
    return lambda plan, entries: groups.plan_change(plan, entries, values)


def _gap(siblings: Sequence[GroupRow], *, before: GroupRow | None) -> tuple[str, str | None]:
    """The positions between which a group is that comes before a sibling, or last."""
    places = sorted(one.position for one in siblings if one.position)
    if before is None or not before.position:
        return (places[-1] if places else "", None)
    lower = [place for place in places if place < before.position]
    return (lower[-1] if lower else "", before.position)


def _check_name(name: str) -> str:
    """A name that a user gives; one that came with an import may hold what a path is parted by."""
    if not name.strip() or not is_one_line(name) or PATH_MARK in name:
        raise InvalidValueError(
            "name",
            expected=f"a name on one line, without '{PATH_MARK}' (which separates names in a path)",
            got=f"'{name}'",
        )
    return name.strip()


def _check_colour(colour: str | None) -> str | None:
    if colour is None or _COLOUR.fullmatch(colour) or colour.lower() in COLOUR_NAMES:
        return colour
    near = difflib.get_close_matches(colour.lower(), sorted(COLOUR_NAMES), n=1, cutoff=0.5)
    advice = f", for example '{near[0]}'" if near else ""
    raise InvalidValueError(
        "colour", expected=f"'#rrggbb' or the name of a colour{advice}", got=f"'{colour}'"
    )
