"""Envelopes that were merged and do not count any more: their author was removed, and the end of
its chain, which the removal names, does not build on them."""

from __future__ import annotations

from bifolio.storage.database import Database


class VoidedEnvelopes:
    """The table ``voided_envelopes``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, envelope_hash: bytes) -> None:
        """An envelope, which stays in ``changes`` for what builds on it, does not count."""
        self._database.execute(
            "INSERT OR IGNORE INTO voided_envelopes (hash) VALUES (?)", (envelope_hash,)
        )

    def remove(self, envelope_hash: bytes) -> None:
        """An envelope counts again after all."""
        self._database.execute("DELETE FROM voided_envelopes WHERE hash = ?", (envelope_hash,))

    def hashes(self) -> list[bytes]:
        """All of them that are in ``changes``."""
        rows = self._database.rows(
            "SELECT changes.hash FROM voided_envelopes JOIN changes USING (hash) "
            "ORDER BY changes.number"
        )
        return [row[0] for row in rows]

    def has(self, envelope_hash: bytes) -> bool:
        """Whether an envelope does not count."""
        row = self._database.row("SELECT 1 FROM voided_envelopes WHERE hash = ?", (envelope_hash,))
        return row is not None

    def all_hashes(self) -> set[bytes]:
        """All of them, those too of which a snapshot said that they do not count."""
        return {row[0] for row in self._database.rows("SELECT hash FROM voided_envelopes")}

    def numbers(self) -> set[int]:
        """The rows of ``changes`` in which such envelopes are."""
        rows = self._database.rows(
            "SELECT number FROM changes WHERE hash IN (SELECT hash FROM voided_envelopes)"
        )
        return {row[0] for row in rows}
