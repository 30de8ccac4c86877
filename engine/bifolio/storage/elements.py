"""Which references hold an element of a set: the index behind tags, members of groups and
earlier citation keys.

Derived; one row for each reference and element, so that counting or listing what holds one
element costs what is found, whatever the size of the library. What a reference holds is made of
its row again where it goes: no second index tells it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bifolio.storage.database import Database

#: Earlier citation keys of a reference: what cites by one of them still finds the work.
ALIASES = "citation-key-aliases"

#: The sets that are indexed; the table knows each by its place here, which never changes.
FIELDS = ("groups", "tags", ALIASES)
_NUMBER = {name: number for number, name in enumerate(FIELDS)}
ALIASES_NUMBER = _NUMBER[ALIASES]

_PLACE = "field = ? AND trashed = ? AND element = ?"

#: Field, element, reference, and 1 in the trash, otherwise 0.
ElementRow = tuple[str, str, str, int]


def element_rows(
    reference: str, fields: Mapping[str, Any], *, trashed: bool
) -> tuple[ElementRow, ...]:
    """The elements of one reference, given its fields."""
    return tuple(
        (field, element, reference, int(trashed))
        for field in FIELDS
        if field in fields
        for element in sorted({encodable_element(str(one)) for one in fields[field]})
    )


class Elements:
    """The table ``elements``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, held: Iterable[tuple[int, Sequence[ElementRow]]]) -> None:
        """Store what references hold of which nothing is stored, each by the number of its row."""
        self._database.execute_many(
            "INSERT INTO elements (field, trashed, element, number) VALUES (?, ?, ?, ?)",
            _keys(held),
        )

    def remove(self, held: Iterable[tuple[int, Sequence[ElementRow]]]) -> None:
        """Forget what references hold, each by the number of its row."""
        self._database.execute_many(
            f"DELETE FROM elements WHERE {_PLACE} AND number = ?", _keys(held)
        )

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        self._database.execute("DELETE FROM elements")

    def holders(self, field: str, element: str, *, trashed: bool = False) -> Iterator[str]:
        """The ids of the live (or trashed) references that hold an element, in order."""
        rows = self._database.rows(
            "SELECT orders.id FROM elements CROSS JOIN orders USING (number) "
            "WHERE field = ? AND elements.trashed = ? AND element = ? ORDER BY orders.id",
            (_NUMBER[field], int(trashed), encodable_element(element)),
        )
        return (row[0] for row in rows)

    def count(self, field: str, element: str) -> int:
        """How many live references hold an element."""
        row = self._database.row(
            f"SELECT count(*) FROM elements WHERE {_PLACE}",
            (_NUMBER[field], 0, encodable_element(element)),
        )
        return int(row[0]) if row else 0

    def counts(self, field: str) -> dict[str, int]:
        """How many live references hold each element of a set, by element."""
        rows = self._database.rows(
            "SELECT element, count(*) FROM elements WHERE field = ? AND trashed = 0 "
            "GROUP BY element ORDER BY element",
            (_NUMBER[field],),
        )
        return {row[0]: int(row[1]) for row in rows}

    def all_rows(self) -> list[tuple[Any, ...]]:
        """Everything, in order: to compare upkeep with a rebuild."""
        rows = self._database.rows(
            "SELECT field, element, orders.id, elements.trashed FROM elements "
            "LEFT JOIN orders USING (number)"
        )
        return sorted((FIELDS[row[0]], row[1], row[2] or "", row[3]) for row in rows)


def _keys(held: Iterable[tuple[int, Sequence[ElementRow]]]) -> list[tuple[int, int, str, int]]:
    """The keys of what references hold, in the order of the table."""
    return sorted(
        (_NUMBER[field], trashed, element, number)
        for number, rows in held
        for field, element, _, trashed in rows
    )


def encodable_element(text: str) -> str:
    """An element as it is stored."""
    # A shell passes bytes that are no UTF-8 as halves of characters, and SQLite takes none.
    return unicodedata.normalize("NFC", text.encode(errors="replace").decode())
