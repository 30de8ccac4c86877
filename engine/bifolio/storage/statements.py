"""How far each replica of the library is, by what it signed."""

from __future__ import annotations

from typing import NamedTuple

from bifolio.storage.database import Database


class KnownStatement(NamedTuple):
    """The newest statement of a replica, and when it came here by this computer's time."""

    device: bytes
    replica: bytes
    epoch: bytes
    n: int
    said_ms: int
    heard_ms: int


class Statements:
    """The table ``statements``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, statement: KnownStatement) -> bool:
        """Keep a statement, unless a later one of its replica is known; whether it was news."""
        written = self._database.execute(
            "INSERT INTO statements (device, replica, epoch, n, said_ms, heard_ms) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device, replica) DO UPDATE SET "
            "epoch = excluded.epoch, n = excluded.n, said_ms = excluded.said_ms, "
            "heard_ms = excluded.heard_ms WHERE excluded.said_ms > statements.said_ms",
            tuple(statement),
        )
        return written.rowcount > 0

    def all(self) -> list[KnownStatement]:
        """The newest statement of each replica."""
        rows = self._database.rows(
            "SELECT device, replica, epoch, n, said_ms, heard_ms FROM statements "
            "ORDER BY device, replica"
        )
        return [KnownStatement(*row) for row in rows]

    def remove_all(self) -> None:
        """Forget everything (joining another library only)."""
        self._database.execute("DELETE FROM statements")
