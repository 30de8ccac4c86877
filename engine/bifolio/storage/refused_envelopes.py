"""Envelopes of which nothing was used: those that broke a rule, and those that ended the process.

Both are kept to be named, with their authors where the signature is theirs; the first bounded.
"""

from __future__ import annotations

from msgspec import Struct

from bifolio import limits
from bifolio.storage.database import Database

#: Why one is kept that is not named: what it brought came in another one of its author's, and a
#: relay may have it, so that a removal says where its chain ends.
SEALED_AGAIN = "its author sealed it again"


class RefusalCount(Struct, frozen=True):
    """Envelopes of one author (a signing key; None where nobody proved to be it) that were
    refused for one reason, with the hash of the first."""

    device: bytes | None
    reason: str
    count: int
    first: bytes


class RefusedEnvelopes:
    """The tables ``refused`` and ``fatal_envelopes``. Writes happen inside the caller's
    transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, envelope_hash: bytes, envelope: bytes, reason: str, device: bytes | None) -> None:
        """Keep a refused envelope with the reason, so that it can be named.

        Of a large one its beginning only, which has the header: a relay may send any bytes. So
        many of one author and no more, so that nobody hides behind many of another's.
        """
        self._database.execute(
            "INSERT OR REPLACE INTO refused (hash, envelope, reason, device) "
            "SELECT ?, ?, ?, ? WHERE (SELECT count(*) FROM refused WHERE device IS ?) < ? "
            "AND (SELECT count(*) FROM refused) < ?",
            (
                envelope_hash,
                envelope[: limits.REFUSED_KEPT_BYTES_MAX],
                reason,
                device,
                device,
                limits.REFUSED_KEPT_PER_AUTHOR_MAX,
                limits.REFUSED_KEPT_MAX,
            ),
        )
        self._database.note_row("refused")

    def is_kept(self, envelope_hash: bytes) -> bool:
        """Whether this very envelope was refused, and is kept."""
        row = self._database.row_of_few(
            "refused", "SELECT 1 FROM refused WHERE hash = ?", (envelope_hash,)
        )
        return row is not None

    def kept(self, envelope_hash: bytes, reason: str) -> bytes | None:
        """The beginning of an envelope that was refused for one reason, if it is kept."""
        row = self._database.row_of_few(
            "refused",
            "SELECT envelope FROM refused WHERE hash = ? AND reason = ?",
            (envelope_hash, reason),
        )
        return row[0] if row else None

    def hashes(self, reason: str) -> list[bytes]:
        """The envelopes that were refused for one reason, as far as they are kept."""
        rows = self._database.rows("SELECT hash FROM refused WHERE reason = ?", (reason,))
        return [row[0] for row in rows]

    def settle(self, envelope_hash: bytes) -> None:
        """Name an envelope that was refused no more: its author sealed it again."""
        self._database.execute(
            "UPDATE refused SET reason = ? WHERE hash = ?", (SEALED_AGAIN, envelope_hash)
        )

    def forget(self, envelope_hash: bytes) -> None:
        """Name an envelope that was refused no more."""
        self._database.execute("DELETE FROM refused WHERE hash = ?", (envelope_hash,))

    def beginnings(self, device: bytes) -> list[tuple[bytes, bytes]]:
        """Hash and beginning of each envelope of a device that was refused or set aside."""
        return self._database.rows(
            "SELECT hash, envelope FROM refused WHERE device = ? "
            "UNION ALL SELECT hash, envelope FROM fatal_envelopes WHERE device = ?",
            (device, device),
        )

    def counts(self) -> list[RefusalCount]:
        """What was refused, by author and reason, in the order of the first."""
        rows = self._database.rows(
            "SELECT device, reason, count(*), hash, min(rowid) FROM refused WHERE reason != ? "
            "GROUP BY device, reason ORDER BY min(rowid)",
            (SEALED_AGAIN,),
        )
        return [
            RefusalCount(device, reason, count, first) for device, reason, count, first, _ in rows
        ]

    # --- what ended the process ---------------------------------------------------------------

    def add_death(self, envelope_hash: bytes) -> None:
        """A process ended while it merged this envelope."""
        self._database.execute(
            "INSERT INTO fatal_envelopes (hash, deaths) VALUES (?, 1) "
            "ON CONFLICT (hash) DO UPDATE SET deaths = deaths + 1",
            (envelope_hash,),
        )
        self._database.note_row("fatal_envelopes")

    def deaths(self) -> dict[bytes, int]:
        """How often each envelope ended a process; there is hardly ever one."""
        if self._database.is_empty("fatal_envelopes"):
            return {}
        return dict(self._database.rows("SELECT hash, deaths FROM fatal_envelopes"))

    def set_fatal_aside(
        self, envelope_hash: bytes, envelope: bytes, device: bytes, position: int | None
    ) -> None:
        """Keep an envelope whole that is not tried again by itself."""
        self._database.execute(
            "UPDATE fatal_envelopes SET envelope = ?, device = ?, position = ? WHERE hash = ?",
            (envelope, device, position, envelope_hash),
        )

    def survive(self, envelope_hash: bytes) -> None:
        """An envelope was tried again, and nothing ended."""
        self._database.execute("DELETE FROM fatal_envelopes WHERE hash = ?", (envelope_hash,))

    def fatal(self, envelope_hash: bytes) -> bytes | None:
        """An envelope that was set aside because it ended the process."""
        row = self._database.row_of_few(
            "fatal_envelopes",
            "SELECT envelope FROM fatal_envelopes WHERE hash = ?",
            (envelope_hash,),
        )
        return row[0] if row else None

    def has_fatal(self) -> bool:
        """Whether any envelope is set aside because it ended the process."""
        row = self._database.row("SELECT 1 FROM fatal_envelopes WHERE envelope IS NOT NULL LIMIT 1")
        return row is not None

    def fatal_by_author(self) -> list[tuple[bytes, int]]:
        """Whose envelopes were set aside because they ended the process, and how many."""
        rows = self._database.rows(
            "SELECT device, count(*) FROM fatal_envelopes WHERE envelope IS NOT NULL "
            "GROUP BY device ORDER BY device"
        )
        return [(row[0], row[1]) for row in rows]

    def forgive(self) -> list[tuple[bytes, int | None]]:
        """Count no deaths of those that were set aside, so that they are tried again; each with its
        position. They stay here until nothing ends."""
        self._database.execute("UPDATE fatal_envelopes SET deaths = 0 WHERE envelope IS NOT NULL")
        rows = self._database.rows(
            "SELECT envelope, position FROM fatal_envelopes WHERE envelope IS NOT NULL"
        )
        return [(row[0], row[1]) for row in rows]
