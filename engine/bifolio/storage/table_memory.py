"""What one connection knows of tables, from one write transaction to the next.

In a write transaction nobody else can write, and at its beginning SQLite's ``data_version`` tells
whether another connection wrote since the last one. Where none did, what was read then is as true
as it was: it need not be asked for again. Every statement that writes comes past here, and what
was known of its table is forgotten.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from bifolio.lazy import pattern

#: Statements that write nothing.
_READS: Final = ("SELECT", "PRAGMA", "EXPLAIN")

#: A statement that writes to one table, and which.
_WRITES: Final = pattern(
    r"\s*(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|DELETE\s+FROM|UPDATE(?:\s+OR\s+\w+)?)"
    r"\s+[\"']?(\w+)[\"']?(?![\w.])",
)

#: More than there are statements in the program.
_STATEMENTS_MAX: Final = 1024


class TableMemory:
    """What is known of tables; all of it goes where anything may have been undone."""

    def __init__(self) -> None:
        #: By table: whatever its readers remember of it.
        self.known: dict[str, Any] = {}
        #: By table: what stays the same object as long as the table is known to be the same.
        self._marks: dict[str, object] = {}
        self._version: int | None = None

    def begin(self, version: int) -> dict[str, Any]:
        """A write transaction begins at this ``data_version``; what is known."""
        if version != self._version:
            self.forget_all()
            self._version = version
        return self.known

    def forget_all(self) -> None:
        """Nothing is known any more."""
        self.known.clear()
        self._marks.clear()
        self._version = None

    def mark(self, table: str) -> object:
        """What is the same object as long as a table is known to be the same."""
        mark = self._marks.get(table)
        if mark is None:
            mark = self._marks[table] = object()
        return mark

    def note(self, statement: str) -> None:
        """A statement is carried out: what it writes to is not known any more."""
        table = table_written(statement)
        if table is None:
            return
        if table:
            self.known.pop(table, None)
            self._marks.pop(table, None)
        else:
            self.known.clear()
            self._marks.clear()


@lru_cache(maxsize=_STATEMENTS_MAX)
def table_written(statement: str) -> str | None:
    """The table that a statement writes to; None of one that only reads, empty where that could be
    any."""
    if statement.startswith(_READS):
        return None
    found = _WRITES.match(statement)
    return str(found.group(1)) if found else ""
