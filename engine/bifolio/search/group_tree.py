"""The tree of a library's groups as it is shown, and from what a user calls a group to it.

Made of the derived rows alone, without a document; the rules are ``document.groups``'s. Only
what brought a deleted group back is read from its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.document.conflicts import ConflictKind
from bifolio.document.groups import GROUP, Edge, ignored_edges, shown_parents
from bifolio.errors import AmbiguousGroupError, GroupNotFoundError
from bifolio.lazy import pattern
from bifolio.records.canonical import nfc
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import Conflict
from bifolio.storage.groups import GroupRow

if TYPE_CHECKING:
    from bifolio.document import view as views
else:
    views = lazy.module("bifolio.document.view")

#: Between the names of a path.
PATH_MARK = "/"

_ID = pattern(r"[0-9a-f]{4,32}")
_CANDIDATES_MAX = 5


def revived_groups(replica: Replica) -> list[Conflict]:
    """The groups that an unseen edit brought back after they were deleted, by id."""
    rows = replica.groups.all()
    flagged = [row for row in rows if row.revived]
    if not flagged:
        return []
    tree, names = Tree(rows), lookup.device_names(replica)
    return [
        lookup.describe_conflict(
            names, conflict, of=GROUP, ref=row.id, key=tree.name_for_commands(row)
        )
        for row in flagged
        for conflict in views.read_view(replica.document(row.id).entries()).conflicts
        if conflict.kind is ConflictKind.REVIVED
    ]


class Tree:
    """All groups of a library, each in its place."""

    def __init__(self, rows: Sequence[GroupRow]) -> None:
        self._rows = {row.id: row for row in rows}
        edges = {row.id: Edge(row.parent, row.parent_rank) for row in rows}
        self._ignored = ignored_edges(edges)
        self._parents = shown_parents(edges, {row.id for row in rows if row.deleted})
        self._paths: dict[str, str] = {}
        self._children: dict[str | None, list[GroupRow]] = {}
        for row in rows:
            if not row.deleted:
                self._children.setdefault(self._parents[row.id], []).append(row)
        for children in self._children.values():
            children.sort(key=lambda one: (not one.position, one.position, one.id))

    def row(self, group_id: str) -> GroupRow:
        """A group by its id.

        Raises:
            GroupNotFoundError.
        """
        found = self._rows.get(group_id)
        if found is None:
            raise GroupNotFoundError(group_id)
        return found

    def parent(self, group_id: str) -> str | None:
        """The id of the group that a group is shown under, None at the top."""
        return self._parents[group_id]

    def children(self, parent: str | None) -> Sequence[GroupRow]:
        """The groups shown under one, or at the top, in their order."""
        return self._children.get(parent, [])

    def line(self, group_id: str) -> list[str]:
        """The ids of a group and of all that it is shown under, from the top down."""
        found = [group_id]
        while (above := self._parents[found[-1]]) is not None:
            found.append(above)
        return found[::-1]

    def path(self, group_id: str) -> str:
        """The names from the top down to a group."""
        names: list[str] = []
        at: str | None = group_id
        while at is not None:
            if (known := self._paths.get(at)) is not None:
                names.append(known)
                break
            names.append(self._rows[at].name)
            at = self._parents[at]
        # Remembered, because a list asks for every group from the top down: without that, one of
        # groups 4,000 deep would walk eight million steps.
        path = self._paths[group_id] = PATH_MARK.join(reversed(names))
        return path

    def name_for_commands(self, row: GroupRow) -> str:
        """The path of a living group where commands find it by that, otherwise its id."""
        path = self.path(row.id)
        for found in (
            self._find_all(path, self.in_order()),
            self._find_all(path, self.deleted_groups()),
        ):
            if any(one.id != row.id for one in found):
                return row.id
        return path

    def cut_above(self, group_id: str) -> str | None:
        """The group at or above this one whose own place is ignored because of a cycle."""
        current: str | None = group_id
        while current is not None and current in self._rows:
            if current in self._ignored:
                return current
            current = self._rows[current].parent
        return None

    def in_order(self) -> list[GroupRow]:
        """Every living group before those under it, siblings in their order."""
        found = []
        waiting = list(reversed(self.children(None)))
        while waiting:
            row = waiting.pop()
            found.append(row)
            waiting.extend(reversed(self.children(row.id)))
        return found

    def deleted_groups(self) -> list[GroupRow]:
        """The deleted groups, by name."""
        rows = [row for row in self._rows.values() if row.deleted]
        return sorted(rows, key=lambda row: (row.name, row.id))

    def find(self, group: str, *, deleted_too: bool = False) -> GroupRow:
        """The living group of a name, a path or an id (or its beginning).

        Args:
            deleted_too: where no living one is called so, a deleted one is found.

        Raises:
            GroupNotFoundError, AmbiguousGroupError.
        """
        living = [row for row in self._rows.values() if not row.deleted]
        found = self._find_all(group, living)
        if not found and deleted_too:
            found = self._find_all(group, self.deleted_groups())
        return self._one(group, found)

    def find_deleted(self, group: str) -> GroupRow:
        """The deleted group of a name, a path or an id; a living one where none is called so.

        Raises:
            GroupNotFoundError, AmbiguousGroupError.
        """
        found = self._find_all(group, self.deleted_groups())
        return self._one(group, found) if found else self.find(group)

    def _find_all(self, group: str, rows: Iterable[GroupRow]) -> list[GroupRow]:
        """The groups that a user may mean: by name, otherwise by path, otherwise by id."""
        wanted = nfc(group.strip())
        rows = list(rows)
        named = [row for row in rows if nfc(row.name) == wanted]
        if named:
            return named
        parts = wanted.strip(PATH_MARK)
        placed = [
            row for row in rows if parts.endswith(nfc(row.name)) and nfc(self.path(row.id)) == parts
        ]
        if placed:
            return placed
        start = wanted.lower()
        return [row for row in rows if row.id.startswith(start)] if _ID.fullmatch(start) else []

    def _one(self, group: str, found: Sequence[GroupRow]) -> GroupRow:
        if not found:
            raise GroupNotFoundError(group)
        if len(found) > 1:
            ordered = sorted(found, key=lambda row: row.id)[:_CANDIDATES_MAX]
            names = tuple(f"{self.path(row.id)} ({row.id})" for row in ordered)
            paths = [self.path(row.id) for row in found]
            one_path = len(set(paths)) < len(paths)
            raise AmbiguousGroupError(group, candidates=names, one_path=one_path)
        return found[0]
