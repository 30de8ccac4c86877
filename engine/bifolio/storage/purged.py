"""References that went with an emptied trash: their ids for ever, and what people called them.

Derived. What is here is in no other table of references but ``sources``, so that no list,
count or search has to leave it out, and a file that holds one is still recognized.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from bifolio.storage.database import Database

_PAGE = 500


class PurgedRow(Struct, frozen=True):
    """A reference that is gone."""

    id: str
    key: str
    title: str


class PurgedTable:
    """The table ``purged``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, rows: Iterable[PurgedRow]) -> None:
        """Store references, each id once, of which none is stored."""
        written = [(row.id, row.key, row.title) for row in rows]
        if written:
            self._database.execute_many(
                "INSERT INTO purged (id, key, title) VALUES (?, ?, ?)", written
            )
            self._database.note_row("purged")

    def remove(self, ids: Iterable[str]) -> None:
        """Forget references; one that is not there is no error."""
        self._database.execute_many("DELETE FROM purged WHERE id = ?", [(one,) for one in ids])

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        self._database.execute("DELETE FROM purged")

    def among(self, ids: Sequence[str]) -> list[str]:
        """Those of these ids that are purged, in order."""
        if self._database.is_empty("purged"):
            return []
        rows = self._database.rows(
            "SELECT id FROM purged WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(ids),),
        )
        return [row[0] for row in rows]

    def read(self, record_id: str) -> PurgedRow | None:
        """One of them, or None."""
        row = self._database.row("SELECT id, key, title FROM purged WHERE id = ?", (record_id,))
        return PurgedRow(*row) if row else None

    def with_key(self, key: str, *, most: int) -> list[PurgedRow]:
        """Those that had this citation key, by id."""
        rows = self._database.rows(
            "SELECT id, key, title FROM purged WHERE key = ? ORDER BY id LIMIT ?", (key, most)
        )
        return [PurgedRow(*row) for row in rows]

    def with_id_prefix(self, prefix: str, *, most: int) -> list[PurgedRow]:
        """Those whose id begins with these hex digits, by id."""
        rows = self._database.rows(
            "SELECT id, key, title FROM purged WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (prefix, prefix + "g", most),
        )
        return [PurgedRow(*row) for row in rows]

    def iter_rows(self) -> Iterator[PurgedRow]:
        """All of them by id, a page at a time."""
        last = ""
        while rows := self._database.rows(
            f"SELECT id, key, title FROM purged WHERE id > ? ORDER BY id LIMIT {_PAGE}", (last,)
        ):
            yield from (PurgedRow(*row) for row in rows)
            last = rows[-1][0]

    def all_rows(self) -> list[tuple[Any, ...]]:
        """Everything, in order: to compare upkeep with a rebuild."""
        return self._database.rows("SELECT id, key, title FROM purged ORDER BY id")
