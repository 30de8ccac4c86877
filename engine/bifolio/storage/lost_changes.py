"""Changes whose content was damaged: rows that are kept empty, until they are filled again.

A row keeps its place in the causal order and the hash of its envelope, by which it is known again.
"""

from __future__ import annotations

from bifolio.storage.database import Database


class LostChanges:
    """The rows of ``changes`` without their content, and what tells where they belong. Writes
    happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hashes_by_position(self) -> dict[int, bytes]:
        """The hash of each merged envelope whose position in the relay's log is known."""
        return dict(
            self._database.rows(
                "SELECT position, hash FROM changes WHERE position IS NOT NULL AND hash IS NOT NULL"
            )
        )

    def predecessors(self) -> set[bytes]:
        """The envelopes that another one of their chain follows."""
        rows = self._database.rows(
            "SELECT earlier.hash FROM changes JOIN changes AS earlier "
            "ON earlier.chain = changes.chain AND earlier.seq = changes.seq - 1"
        )
        return {row[0] for row in rows}

    def emptied(self) -> int:
        """How many envelopes are here without their content, which was damaged."""
        row = self._database.row("SELECT count(*) FROM changes WHERE body = x''")
        return int(row[0]) if row else 0

    def remove_emptied(self, chain: bytes, seq: int) -> list[tuple[bytes, int | None]]:
        """Drop the envelopes of a chain, through one, that are here without their content; the
        hash and the position of each."""
        return self._database.execute(
            "DELETE FROM changes WHERE body = x'' AND chain = ? AND seq <= ? "
            "RETURNING hash, position",
            (chain, seq),
        ).fetchall()

    def fill(self, envelope_hash: bytes, envelope: bytes) -> None:
        """Give an envelope that is here without its content that content."""
        self._database.execute(
            "UPDATE changes SET body = ? WHERE hash = ? AND body = x''", (envelope, envelope_hash)
        )

    def free_number(self, position: int) -> int | None:
        """A number in the causal order for an envelope that was lost, by its position in the log;
        None where there is none, or none is needed."""
        row = self._database.row(
            "SELECT (SELECT coalesce(max(number), 0) FROM changes WHERE position < ?), "
            "(SELECT min(number) FROM changes WHERE position > ?)",
            (position, position),
        )
        assert row is not None
        before, after = row
        if after is None or after - before < 2:
            return None
        return int(before) + 1
