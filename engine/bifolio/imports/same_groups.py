"""Groups of a file that has nothing but their names, and the library's own groups of those names.

A BibTeX file tells groups by their names. Where the library has one group of a name at that place,
the file means it: an export that is read again brings no second one.
"""

from __future__ import annotations

from typing import Final

from bifolio.records.reference import ImportedGroup, Values
from bifolio.replica.replica import Replica
from bifolio.storage.groups import GroupRow

#: The formats whose groups have no ids.
_BY_NAME: Final = frozenset({"bibtex"})


class SameGroups:
    """The groups of one import that the library has already."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._paths: dict[str, tuple[str, ...]] = {}
        self._own: dict[tuple[str, ...], list[str]] | None = None
        #: The library's group for each group of the file, by record ids.
        self._same: dict[str, str] = {}

    def has(self, group: ImportedGroup) -> bool:
        """Whether the library has the group under another id; told of each group before those below
        it, and before the references that are in it."""
        if group.format not in _BY_NAME:
            return False
        path = self._paths[group.id] = (*self._paths.get(group.parent, ()), group.name)
        if self._own is None:
            self._own = _paths_of(self._replica.groups.all())
        found = self._own.get(path, [])
        if len(found) != 1 or found[0] == group.record_id():
            return False
        if self._replica.records.exists(group.record_id()):
            return False
        self._same[group.record_id()] = found[0]
        return True

    def in_values(self, values: Values) -> Values:
        """A reference's values, in the library's own groups."""
        named = values.get("groups")
        if not self._same or not isinstance(named, tuple):
            return values
        own = tuple(dict.fromkeys(self._same.get(str(one), str(one)) for one in named))
        return values if own == named else {**values, "groups": own}


def _paths_of(rows: list[GroupRow]) -> dict[tuple[str, ...], list[str]]:
    """The ids of the living groups by their names from the top down; searches fill none of them."""
    living = {row.id: row for row in rows if not row.deleted}
    paths: dict[tuple[str, ...], list[str]] = {}
    for row in living.values():
        if row.query is not None:
            continue
        names, at, seen = [row.name], row.parent, {row.id}
        while at is not None and at in living and at not in seen:
            seen.add(at)
            names.append(living[at].name)
            at = living[at].parent
        paths.setdefault(tuple(reversed(names)), []).append(row.id)
    return paths
