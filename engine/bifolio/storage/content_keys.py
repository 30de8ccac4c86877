"""The library's content keys by generation, each sealed to this device."""

from __future__ import annotations

from bifolio.storage.database import Database


class ContentKeys:
    """The table ``content_keys``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> tuple[int, bytes] | None:
        """The greatest generation and its sealed key; None where there is none."""
        row = self._database.row(
            "SELECT generation, sealed FROM content_keys ORDER BY generation DESC LIMIT 1"
        )
        return (int(row[0]), row[1]) if row else None

    def read(self, generation: int) -> bytes | None:
        """The sealed key of a generation, or None."""
        row = self._database.row(
            "SELECT sealed FROM content_keys WHERE generation = ?", (generation,)
        )
        return row[0] if row else None

    def write(self, generation: int, sealed: bytes) -> None:
        """Keep the sealed key of a generation."""
        self._database.execute(
            "INSERT OR REPLACE INTO content_keys (generation, sealed) VALUES (?, ?)",
            (generation, sealed),
        )

    def remove(self, generation: int) -> None:
        """Forget the key of a generation."""
        self._database.execute("DELETE FROM content_keys WHERE generation = ?", (generation,))

    def clear(self) -> None:
        """Forget all keys."""
        self._database.execute("DELETE FROM content_keys")
