"""Received envelopes that wait: for others that they build on, for members or for a key.

``waits_for`` says what each of them lacks, so that what arrives finds those that waited for it
and no others. One that lacks nothing is ready: it is tried again, and leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from bifolio import limits
from bifolio.storage.database import Database


class PendingEnvelope(Struct, frozen=True):
    """An envelope that waits."""

    hash: bytes
    position: int | None
    envelope: bytes


class PendingEnvelopes:
    """The tables ``pending`` and ``waits_for``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        envelope_hash: bytes,
        position: int | None,
        envelope: bytes,
        *,
        device: bytes,
        size: int,
        needs: Sequence[bytes],
        of_members: bool,
    ) -> None:
        """Keep an envelope until all that it needs is here.

        Args:
            device: its author's signing key.
            size: what it counts for in its author's quota, in bytes.
            needs: hashes of envelopes, or of membership records, or names of keys.
            of_members: whether that is of the membership log.
        """
        self._database.execute(
            "INSERT INTO pending (hash, position, envelope, device, size, epochs) "
            "VALUES (?, ?, ?, ?, ?, 0)",
            (envelope_hash, position, envelope, device, size),
        )
        self._database.note_row("pending")
        self.set_needs(envelope_hash, needs, of_members=of_members)

    def set_needs(self, envelope_hash: bytes, needs: Sequence[bytes], *, of_members: bool) -> None:
        """What an envelope that waits needs now, instead of what it needed before."""
        self._database.execute("DELETE FROM waits_for WHERE envelope = ?", (envelope_hash,))
        self._database.execute_many(
            "INSERT OR IGNORE INTO waits_for (needed, envelope, of_members) VALUES (?, ?, ?)",
            [(needed, envelope_hash, int(of_members)) for needed in needs],
        )

    def has_any(self) -> bool:
        """Whether anything waits."""
        return not self._database.is_empty("pending")

    def has_of_log(self) -> bool:
        """Whether anything waits that is in the relay's log, by itself or inside of another one:
        what came otherwise, as by a bundle without the one before it, may wait for what nobody has.
        """
        row = self._database.row_of_few(
            "pending",
            "SELECT 1 FROM pending WHERE position IS NOT NULL "
            "OR hash IN (SELECT hash FROM carried_envelopes) LIMIT 1",
            (),
        )
        return row is not None

    def has(self, envelope_hash: bytes) -> bool:
        """Whether this very envelope waits here."""
        row = self._database.row_of_few(
            "pending", "SELECT 1 FROM pending WHERE hash = ?", (envelope_hash,)
        )
        return row is not None

    def read(self, envelope_hash: bytes) -> PendingEnvelope | None:
        """An envelope that waits, by its hash."""
        row = self._database.row(
            "SELECT hash, position, envelope FROM pending WHERE hash = ?", (envelope_hash,)
        )
        return PendingEnvelope(*row) if row else None

    def position(self, envelope_hash: bytes) -> int | None:
        """Where in the relay's log an envelope is, if it is here and that is known."""
        row = self._database.row_of_few(
            "pending", "SELECT position FROM pending WHERE hash = ?", (envelope_hash,)
        )
        return row[0] if row else None

    def set_position(self, envelope_hash: bytes, position: int) -> None:
        """Note where in the relay's log an envelope is."""
        self._database.execute(
            "UPDATE pending SET position = ? WHERE hash = ?", (position, envelope_hash)
        )

    def remove(self, envelope_hash: bytes) -> None:
        """An envelope waits no longer."""
        self._database.execute("DELETE FROM waits_for WHERE envelope = ?", (envelope_hash,))
        self._database.execute("DELETE FROM pending WHERE hash = ?", (envelope_hash,))

    def arrive(self, needed: bytes) -> list[bytes]:
        """Something is here now: the envelopes that lacked nothing else, in their order."""
        waited = self._database.rows("SELECT envelope FROM waits_for WHERE needed = ?", (needed,))
        if not waited:
            return []
        self._database.execute("DELETE FROM waits_for WHERE needed = ?", (needed,))
        ready: list[tuple[int, bytes]] = []
        for (envelope_hash,) in waited:
            row = self._database.row(
                "SELECT rowid FROM pending WHERE hash = ? AND NOT EXISTS "
                "(SELECT 1 FROM waits_for WHERE envelope = ?)",
                (envelope_hash, envelope_hash),
            )
            if row is not None:
                ready.append((row[0], envelope_hash))
        return [envelope_hash for _, envelope_hash in sorted(ready)]

    def arrive_all(self) -> None:
        """All that a snapshot covers is here, and what something in it was made instead of: nothing
        waits for it any more."""
        self._database.execute(
            "DELETE FROM waits_for WHERE needed IN "
            "(SELECT hash FROM covered UNION ALL SELECT hash FROM replacements)"
        )

    def ready(self) -> list[bytes]:
        """The envelopes that lack nothing, as a kill, or an older version, left them; and those
        that are said to be replaced by another one, which may lack nothing by now."""
        rows = self._database.rows(
            "SELECT hash FROM pending WHERE hash NOT IN (SELECT envelope FROM waits_for) "
            "OR hash IN (SELECT hash FROM replacements) ORDER BY rowid"
        )
        return [row[0] for row in rows]

    def waiting_for_members(self) -> list[bytes]:
        """The envelopes that wait for a membership record or a key, in their order."""
        rows = self._database.rows(
            "SELECT hash FROM pending WHERE hash IN "
            "(SELECT envelope FROM waits_for WHERE of_members = 1) ORDER BY rowid"
        )
        return [row[0] for row in rows]

    # --- quotas ---------------------------------------------------------------------------

    def beginnings(self, device: bytes, *, in_log: bool = False) -> list[tuple[bytes, bytes]]:
        """Hash and beginning of each envelope of a device that waits; with ``in_log`` of those
        alone that are in the relay's log."""
        where = " AND position IS NOT NULL" if in_log else ""
        return self._database.rows(
            f"SELECT hash, substr(envelope, 1, ?) FROM pending WHERE device = ?{where}",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8, device),
        )

    def usage(self, device: bytes | None = None) -> tuple[int, int]:
        """How many envelopes of an author, or of all, wait, and what they count for in bytes."""
        row = self._database.row(
            "SELECT count(*), coalesce(sum(size), 0) FROM pending "
            + ("" if device is None else "WHERE device = ?"),
            () if device is None else (device,),
        )
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def count_by_author(self) -> list[tuple[bytes | None, int]]:
        """How many envelopes of each author wait."""
        rows = self._database.rows(
            "SELECT device, count(*) FROM pending GROUP BY device ORDER BY count(*) DESC, device"
        )
        return [(row[0], row[1]) for row in rows]

    def begin_epoch(self) -> None:
        """The relay lost its log: what is needed may come with the next one, which is offered
        whole. What waited through a whole log already is dropped."""
        self._database.execute(
            "DELETE FROM waits_for WHERE envelope IN "
            "(SELECT hash FROM pending WHERE coalesce(epochs, 0) > 0)"
        )
        self._database.execute("DELETE FROM pending WHERE coalesce(epochs, 0) > 0")
        self._database.execute("UPDATE pending SET position = NULL, epochs = 1")
