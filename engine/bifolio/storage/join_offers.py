"""While a library joins another one: which of its records it means to offer, as they were, and
what the joined library has of each."""

from __future__ import annotations

from typing import NamedTuple

from bifolio.storage.database import Database


class JoinOffer(NamedTuple):
    """A record that is offered: its state in the library that joins, and that in the joined one
    (empty: none there)."""

    record_id: str
    own: bytes
    remote: bytes


class JoinOffers:
    """The table ``join_offers``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record_id: str, *, own: bytes) -> None:
        """Mean to offer a record with this state, of which nothing is known of the joined library
        yet."""
        self._database.execute(
            "INSERT OR REPLACE INTO join_offers (record, remote, own) VALUES (?, ?, ?)",
            (record_id, b"", own),
        )
        self._database.note_row("join_offers")

    def remote(self, record_id: str) -> bytes | None:
        """The state that the joined library has of an offered record (empty: none so far); None
        where the record is not offered."""
        row = self._database.row_of_few(
            "join_offers", "SELECT remote FROM join_offers WHERE record = ?", (record_id,)
        )
        return row[0] if row else None

    def write_remote(self, record_id: str, state: bytes) -> None:
        """Note what the joined library has of an offered record."""
        self._database.execute(
            "UPDATE join_offers SET remote = ? WHERE record = ?", (state, record_id)
        )

    def first(self, count: int) -> list[JoinOffer]:
        """The first offered records by id, at most ``count``."""
        rows = self._database.rows(
            "SELECT record, own, remote FROM join_offers ORDER BY record LIMIT ?", (count,)
        )
        return [JoinOffer(record, own or b"", remote) for record, own, remote in rows]

    def remove(self, record_id: str) -> None:
        """The record was offered, or need not be."""
        self._database.execute("DELETE FROM join_offers WHERE record = ?", (record_id,))
