"""References whose records are committed, and of which nothing is derived yet.

What others wrote is durable before lists, searches and counts are renewed for it: a large batch is
committed in half the time. In the order in which they came, so that they are listed in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bifolio.storage.database import Database

_TABLE = "underived"


class Underived:
    """The table ``underived``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record_ids: Iterable[str]) -> None:
        """Note references; one that is noted already keeps its place."""
        rows = [(one,) for one in record_ids]
        self._database.execute_many(f"INSERT OR IGNORE INTO {_TABLE} (record) VALUES (?)", rows)
        if rows:
            self._database.note_row(_TABLE)

    def is_empty(self) -> bool:
        """Whether all is derived that is committed."""
        return self._database.is_empty(_TABLE)

    def count(self) -> int:
        """How many references are noted."""
        row = self._database.row(f"SELECT count(*) FROM {_TABLE}")
        return int(row[0]) if row else 0

    def page(self, *, after: int = 0, most: int) -> list[tuple[int, str]]:
        """The first references behind a number: the number and the id of each."""
        return self._database.rows(
            f"SELECT number, record FROM {_TABLE} WHERE number > ? ORDER BY number LIMIT ?",
            (after, most),
        )

    def remove(self, record_ids: Sequence[str]) -> None:
        """Of these all is derived now."""
        self._database.execute_many(
            f"DELETE FROM {_TABLE} WHERE record = ?", [(one,) for one in record_ids]
        )

    def clear(self) -> None:
        """All is derived."""
        self._database.execute(f"DELETE FROM {_TABLE}")
