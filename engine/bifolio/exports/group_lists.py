"""The groups of a library as an export lists them: JabRef's tree, and the names in its entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bifolio.records.reference import LostValue
from bifolio.replica.projection import strings_of
from bifolio.replica.replica import Replica
from bifolio.search.group_tree import Tree
from bifolio.storage.derived import ReferenceRow

#: The formats that list groups.
_FORMATS: Final = ("bibtex", "biblatex")

#: What a report calls a group that a search fills.
SMART: Final = "smart-group"
_SMART_REASON: Final = "it is filled by a search of Bifolio's, which no other program has"


class GroupList:
    """The groups that references of an export are in, with those above them."""

    def __init__(self, replica: Replica, format: str, rows: Iterable[ReferenceRow]) -> None:
        #: (level, name) of each group, those above first; None where nothing is listed.
        self.listed: list[tuple[int, str]] | None = None
        self.left_out: list[LostValue] = []
        self._names: dict[str, str] = {}
        groups = replica.groups.all()
        living = [one for one in groups if not one.deleted]
        if format not in _FORMATS:
            smart = (one for one in living if one.query is not None)
            self.left_out += (LostValue(one.id, SMART, _SMART_REASON, one.name) for one in smart)
            return
        if not living:
            return
        tree = Tree(groups)
        used = {one for row in rows for one in strings_of(row.fields, "groups")}
        used &= {one.id for one in living}
        wanted = {above for one in used for above in tree.line(one)}
        self.listed, taken = [], set[str]()
        for one in tree.in_order():
            if one.query is not None and one.id not in wanted:
                self.left_out.append(LostValue(one.id, SMART, _SMART_REASON, one.name))
                continue
            if one.id not in wanted:
                continue
            line = tree.line(one.id)
            name = one.name
            if name in taken:  # JabRef tells groups by their names alone
                name = " / ".join([*(self._names[above] for above in line[:-1]), name])
            number = 2
            while name in taken:
                name, number = f"{one.name} ({number})", number + 1
            taken.add(name)
            self._names[one.id] = name
            self.listed.append((len(line), name))

    def of(self, row: ReferenceRow) -> tuple[str, ...] | None:
        """The names of a reference's groups; None where the export lists none at all."""
        if self.listed is None:
            return None
        own = set(strings_of(row.fields, "groups"))
        return tuple(name for one, name in self._names.items() if one in own) if own else ()
