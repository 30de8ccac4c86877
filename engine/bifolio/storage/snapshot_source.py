"""The merged envelopes as snapshots see them: what one is made of, and what one covers.

Apart from ``changes`` because only snapshots ask any of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bifolio import limits
from bifolio.storage.changes import COLUMNS, StoredEnvelope, envelope_of_row
from bifolio.storage.database import Database


class SnapshotSource:
    """The table ``changes``, read for snapshots. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sealed_after(self, number: int) -> Iterator[StoredEnvelope]:
        """Every merged envelope after a row, in causal order, one at a time."""
        while True:
            row = self._database.row(
                f"SELECT {COLUMNS} FROM changes WHERE hash IS NOT NULL AND number > ? "
                "ORDER BY number LIMIT 1",
                (number,),
            )
            if row is None:
                return
            stored = envelope_of_row(row)
            yield stored
            number = stored.number

    def replaced(self) -> list[tuple[bytes, bytes, bytes]]:
        """What some merged envelope carries instead of another: (the other, who, whose)."""
        rows = self._database.rows("SELECT hash, by, device FROM replacements ORDER BY hash, by")
        return [(row[0], row[1], row[2] or b"") for row in rows]

    def bytes_after(self, position: int) -> int:
        """The bytes of the entries of the relay's log after a position."""
        row = self._database.row(
            "SELECT coalesce(sum(length(body)), 0) FROM changes WHERE position > ?", (position,)
        )
        return int(row[0]) if row else 0

    def chain_end_beginnings(self) -> list[tuple[bytes, bytes]]:
        """The hash and the first bytes, in which its header lies, of the last envelope of each
        chain, and of any that is the last one before a gap or before what does not count."""
        rows = self._database.rows(
            "SELECT hash, substr(body, 1, ?) FROM changes AS one WHERE hash IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM changes AS next WHERE next.chain = one.chain "
            "AND next.seq = one.seq + 1 AND next.hash IS NOT NULL "
            "AND next.hash NOT IN (SELECT hash FROM voided_envelopes))",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8,),
        )
        return [(row[0], row[1]) for row in rows]

    def beginnings(self) -> Iterator[tuple[bytes, bytes]]:
        """The hash and the first bytes, in which its header lies, of every merged envelope."""
        number = 0
        while rows := self._database.rows(
            "SELECT number, hash, substr(body, 1, ?) FROM changes "
            "WHERE hash IS NOT NULL AND number > ? ORDER BY number LIMIT 500",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8, number),
        ):
            for _, envelope_hash, beginning in rows:
                yield envelope_hash, beginning
            number = rows[-1][0]

    def log_places(self) -> list[tuple[int, bytes, int | None]]:
        """The row, hash and position in the relay's log of every merged envelope."""
        rows = self._database.rows(
            "SELECT number, hash, position FROM changes WHERE hash IS NOT NULL ORDER BY number"
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def unsealed(self) -> list[int]:
        """The rows of own changes that are in no envelope yet: a reader's drafts stay so."""
        rows = self._database.rows("SELECT number FROM changes WHERE hash IS NULL")
        return [row[0] for row in rows]

    def has_unsent_of(self, device_chains: Sequence[tuple[bytes, int]]) -> bool:
        """Whether the relay lacks anything that is here of these chains, up to a number each."""
        return bool(self.unsent_of(device_chains))

    def unsent_of(self, device_chains: Sequence[tuple[bytes, int]]) -> list[bytes]:
        """The hashes of what is here of these chains, up to a number each, and the relay lacks, by
        itself and carried by others."""
        found: list[bytes] = []
        for one in device_chains:
            rows = self._database.rows(
                "SELECT hash FROM changes WHERE chain = ? AND seq <= ? AND position IS NULL "
                "AND hash IS NOT NULL AND hash NOT IN (SELECT hash FROM carried_envelopes)",
                one,
            )
            found += [row[0] for row in rows]
        return found

    def note_in_snapshot(self, envelope_hashes: Iterable[bytes]) -> None:
        """The relay has these, inside of a snapshot."""
        self._database.execute_many(
            "UPDATE changes SET position = 0 WHERE position IS NULL AND hash = ?",
            [(one,) for one in envelope_hashes],
        )
