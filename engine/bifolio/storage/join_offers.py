"""While a library joins another one: which of its records it means to offer, and what the joined
library has of each."""

from __future__ import annotations

from bifolio.storage.database import Database


class JoinOffers:
    """The table ``join_offers``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record_id: str) -> None:
        """Mean to offer a record, of which nothing is known of the joined library yet."""
        self._database.execute(
            "INSERT OR REPLACE INTO join_offers (record, remote) VALUES (?, ?)", (record_id, b"")
        )

    def remote(self, record_id: str) -> bytes | None:
        """The state that the joined library has of an offered record (empty: none so far); None
        where the record is not offered."""
        row = self._database.row("SELECT remote FROM join_offers WHERE record = ?", (record_id,))
        return row[0] if row else None

    def write_remote(self, record_id: str, state: bytes) -> None:
        """Note what the joined library has of an offered record."""
        self._database.execute(
            "UPDATE join_offers SET remote = ? WHERE record = ?", (state, record_id)
        )

    def first(self, count: int) -> list[tuple[str, bytes]]:
        """The first offered records by id, at most ``count``, each with what is there of it."""
        rows = self._database.rows(
            "SELECT record, remote FROM join_offers ORDER BY record LIMIT ?", (count,)
        )
        return [(record, remote) for record, remote in rows]

    def remove(self, record_id: str) -> None:
        """The record was offered, or need not be."""
        self._database.execute("DELETE FROM join_offers WHERE record = ?", (record_id,))
