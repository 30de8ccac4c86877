"""The tokens of writes that programs had done here, so that none is done twice: as hashes.

A token is kept in the transaction of its write, so that after a crash both are there or neither.
"""

from __future__ import annotations

from bifolio.storage.database import Database


class WriteTokensTable:
    """The table ``write_tokens``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def used_at(self, token: bytes) -> int | None:
        """When a token was used, in seconds since 1970; None where it was not."""
        row = self._database.row("SELECT used FROM write_tokens WHERE token = ?", (token,))
        return int(row[0]) if row else None

    def add(self, token: bytes, used: int) -> None:
        """Note that a token was used; one that was used long ago may be used again."""
        self._database.execute(
            "INSERT OR REPLACE INTO write_tokens (token, used) VALUES (?, ?)", (token, used)
        )

    def forget(self, *, before: int, most: int) -> None:
        """Forget what was used before a moment, and the oldest where there are more than so many.

        Args:
            before: in seconds since 1970.
        """
        self._database.execute("DELETE FROM write_tokens WHERE used < ?", (before,))
        self._database.execute(
            "DELETE FROM write_tokens WHERE token IN "
            "(SELECT token FROM write_tokens ORDER BY used DESC LIMIT -1 OFFSET ?)",
            (most,),
        )
