"""The incarnations of this replica: slots, nonces and client ids, none ever used again (I8)."""

from __future__ import annotations

from collections.abc import Collection

from bifolio.storage.database import Database


class Incarnations:
    """The table ``incarnations``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: A slot that was found open, and the table's mark at that time.
        self._open: tuple[str, object] = ("", None)

    def has(self, slot: str) -> bool:
        """Whether a slot was used by some opening of this replica."""
        row = self._database.row("SELECT 1 FROM incarnations WHERE slot = ?", (slot,))
        return row is not None

    def is_open(self, slot: str) -> bool:
        """Whether a slot was used here, and nobody else knows its client id yet."""
        mark = self._database.mark("incarnations")
        if mark is not None and self._open == (slot, mark):
            return True
        row = self._database.row(
            "SELECT 1 FROM incarnations WHERE slot = ? AND sealed IS NULL", (slot,)
        )
        if row is not None:
            self._open = (slot, mark)
        return row is not None

    def close(self, slots: Collection[str]) -> None:
        """An envelope declares these: whoever reads it knows under which client ids they wrote."""
        self._database.execute_many(
            "UPDATE incarnations SET sealed = 1 WHERE slot = ?", [(slot,) for slot in slots]
        )

    def add(self, slot: str, client_id: int, *, nonce: bytes) -> None:
        """Note a slot and a client id as used, for ever."""
        self._database.execute(
            "INSERT INTO incarnations (slot, client_id, nonce) VALUES (?, ?, ?)",
            (slot, client_id, nonce),
        )

    def nonces(self, slots: Collection[str]) -> dict[str, bytes]:
        """The nonces of these slots; none of a slot that an earlier version of Bifolio took."""
        found: dict[str, bytes] = {}
        for slot in slots:
            row = self._database.row("SELECT nonce FROM incarnations WHERE slot = ?", (slot,))
            if row is not None and row[0] is not None:
                found[slot] = row[0]
        return found
