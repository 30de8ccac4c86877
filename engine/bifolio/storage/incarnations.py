"""The incarnations of this replica: each opening's slot and client id, never used again (I8)."""

from __future__ import annotations

from bifolio.storage.database import Database


class Incarnations:
    """The table ``incarnations``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has(self, slot: str) -> bool:
        """Whether a slot was used by some opening of this replica."""
        row = self._database.row("SELECT 1 FROM incarnations WHERE slot = ?", (slot,))
        return row is not None

    def add(self, slot: str, client_id: int) -> None:
        """Note a slot and a client id as used, for ever."""
        self._database.execute(
            "INSERT INTO incarnations (slot, client_id) VALUES (?, ?)", (slot, client_id)
        )
