"""Which references hold an element of a set: the index behind tags, members of groups and
earlier citation keys.

Derived; one row for each reference and element, so that counting or listing what holds one
element costs what is found, whatever the size of the library.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bifolio.storage.database import Database

#: Earlier citation keys of a reference: what cites by one of them still finds the work.
ALIASES = "citation-key-aliases"

#: The sets that are indexed.
FIELDS = ("groups", "tags", ALIASES)

_PAGE = 500

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
        for element in sorted({_nfc(str(one)) for one in fields[field]})
    )


class Elements:
    """The table ``elements``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, rows: Iterable[ElementRow]) -> None:
        """Store the elements of references that have none stored."""
        self._database.execute_many(
            "INSERT INTO elements (field, element, reference, trashed) VALUES (?, ?, ?, ?)",
            list(rows),
        )

    def remove(self, references: Iterable[str]) -> None:
        """Forget the elements of references."""
        self._database.execute_many(
            "DELETE FROM elements WHERE reference = ?", [(one,) for one in references]
        )

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        self._database.execute("DELETE FROM elements")

    def holders(self, field: str, element: str, *, trashed: bool = False) -> Iterator[str]:
        """The ids of the live (or trashed) references that hold an element, in order, a page at a
        time."""
        last = ""
        while rows := self._database.rows(
            "SELECT reference FROM elements WHERE field = ? AND trashed = ? AND element = ? "
            f"AND reference > ? ORDER BY reference LIMIT {_PAGE}",
            (field, int(trashed), _nfc(element), last),
        ):
            for row in rows:
                yield row[0]
            last = rows[-1][0]

    def count(self, field: str, element: str) -> int:
        """How many live references hold an element."""
        row = self._database.row(
            "SELECT count(*) FROM elements WHERE field = ? AND trashed = 0 AND element = ?",
            (field, _nfc(element)),
        )
        return int(row[0]) if row else 0

    def counts(self, field: str) -> dict[str, int]:
        """How many live references hold each element of a set, by element."""
        rows = self._database.rows(
            "SELECT element, count(*) FROM elements WHERE field = ? AND trashed = 0 "
            "GROUP BY element ORDER BY element",
            (field,),
        )
        return {row[0]: int(row[1]) for row in rows}

    def all_rows(self) -> list[tuple[Any, ...]]:
        """Everything, in order: to compare upkeep with a rebuild."""
        return self._database.rows(
            "SELECT field, element, reference, trashed FROM elements "
            "ORDER BY field, element, reference"
        )


def _nfc(text: str) -> str:
    # A shell passes bytes that are no UTF-8 as halves of characters, and SQLite takes none.
    return unicodedata.normalize("NFC", text.encode(errors="replace").decode())
