"""What one connection knows of tables, from one write transaction to the next.

In a write transaction nobody else can write, and at its beginning SQLite's ``data_version`` tells
whether another connection wrote since the last one. Where none did, what was read then is as true
as it was: it need not be asked for again. Every statement that writes comes past here, and what
was known of its table is forgotten.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from bifolio import limits
from bifolio.lazy import pattern

#: Statements that write nothing.
_READS: Final = ("SELECT", "PRAGMA", "EXPLAIN")

#: A statement that writes to one table, and which; and one that changes no row that is there.
_WRITES: Final = pattern(
    r"\s*(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|DELETE\s+FROM|UPDATE(?:\s+OR\s+\w+)?)"
    r"\s+[\"']?(\w+)[\"']?(?![\w.])",
)
_ADDS: Final = pattern(r"\s*INSERT(?:\s+OR\s+IGNORE)?\s+INTO\s(?!.*\bON\s+CONFLICT\b)", re.DOTALL)

#: More than there are statements in the program.
_STATEMENTS_MAX: Final = 1024


class TableMemory:
    """What is known of tables; all of it goes where anything may have been undone."""

    def __init__(self) -> None:
        #: By table: whatever its readers remember of it.
        self.known: dict[str, Any] = {}
        #: By table: what stays the same object as long as the table is known to be the same.
        self._marks: dict[str, object] = {}
        #: By table: what was read of rows that are there.
        self._rows: dict[str, dict[Any, Any]] = {}
        self._version: int | None = None

    def begin(self, version: int) -> dict[str, Any]:
        """A write transaction begins at this ``data_version``; what is known."""
        if version != self._version:
            self.forget_all()
            self._version = version
        return self.known

    def forget_all(self) -> None:
        """Nothing is known any more."""
        self._forget()
        self._version = None

    def mark(self, table: str) -> object:
        """What is the same object as long as a table is known to be the same."""
        mark = self._marks.get(table)
        if mark is None:
            mark = self._marks[table] = object()
        return mark

    def rows(self, table: str) -> dict[Any, Any]:
        """What was read of rows of a table, by its readers' own keys: known as long as no row
        changes or goes, so of what is not there nothing may be noted."""
        rows = self._rows.setdefault(table, {})
        if len(rows) > limits.ROWS_REMEMBERED:
            rows.clear()
        return rows

    def note(self, statement: str) -> None:
        """A statement is carried out: what it writes to is not known any more."""
        table, only_adds = table_written(statement)
        if table is None:
            return
        if table:
            self.known.pop(table, None)
            self._marks.pop(table, None)
            if not only_adds:
                self._rows.pop(table, None)
        else:
            self._forget()

    def _forget(self) -> None:
        self.known.clear()
        self._marks.clear()
        self._rows.clear()


@lru_cache(maxsize=_STATEMENTS_MAX)
def table_written(statement: str) -> tuple[str | None, bool]:
    """The table that a statement writes to, and whether it only adds rows; None of one that only
    reads, empty where that could be any."""
    if statement.startswith(_READS):
        return None, False
    found = _WRITES.match(statement)
    return (found.group(1), bool(_ADDS.match(statement))) if found else ("", False)
