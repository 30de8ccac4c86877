"""What this computer last listed of each conflict: a choice by number holds for just that."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.storage.database import Database


class Listings:
    """The table ``listings``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, record_id: str, field: str) -> bytes | None:
        """The hash of what was last listed of a conflict, or None."""
        row = self._database.row(
            "SELECT listed FROM listings WHERE record = ? AND field = ?", (record_id, field)
        )
        return row[0] if row else None

    def write(self, listed: Sequence[tuple[str, str, bytes]]) -> None:
        """Note what is listed now: for each conflict its record, field and hash."""
        self._database.execute_many(
            "INSERT OR REPLACE INTO listings (record, field, listed) VALUES (?, ?, ?)", listed
        )

    def clear(self) -> None:
        """Forget what was listed."""
        self._database.execute("DELETE FROM listings")
