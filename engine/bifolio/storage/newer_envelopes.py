"""Envelopes that only a newer program can read, and those that build on them, kept whole.

They are a part of the library like those in ``changes``: a member signed them and had the right to.
They are given back to a relay that lost them, and merged when this program can read them. In the
order in which they came, which is causal except for what a relay mixed up.
"""

from __future__ import annotations

from msgspec import Struct

from bifolio import limits
from bifolio.storage.database import Database


class NewerEnvelope(Struct, frozen=True):
    """An envelope that is kept; ``needs`` is empty where it only builds on another one."""

    number: int
    hash: bytes
    chain: bytes
    position: int | None
    needs: str
    envelope: bytes


_COLUMNS = "number, hash, chain, position, needs, envelope"


class NewerEnvelopes:
    """The ``newer_envelopes`` table. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        envelope: bytes,
        envelope_hash: bytes,
        chain: bytes,
        position: int | None,
        needs: str,
        formats: str,
        of_member: bool,
    ) -> None:
        """Keep an envelope behind all that came before it.

        Args:
            formats: what the program can read that keeps it: another one tries it again.
            of_member: whether its author may write, by what that program knows.
        """
        self._database.execute(
            "INSERT INTO newer_envelopes "
            "(hash, chain, position, needs, kept_back, formats, of_member, envelope) "
            "VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
            (envelope_hash, chain, position, needs, formats, int(of_member), envelope),
        )
        self._database.note_row("newer_envelopes")

    def remove(self, envelope_hash: bytes) -> None:
        """It is kept here no longer."""
        self._database.execute("DELETE FROM newer_envelopes WHERE hash = ?", (envelope_hash,))

    def remove_all(self) -> None:
        """Drop everything (joining another library only, after a backup)."""
        self._database.execute("DELETE FROM newer_envelopes")

    def is_kept(self, envelope_hash: bytes) -> bool:
        """Whether this very envelope is kept here."""
        row = self._database.row_of_few(
            "newer_envelopes", "SELECT 1 FROM newer_envelopes WHERE hash = ?", (envelope_hash,)
        )
        return row is not None

    def position(self, envelope_hash: bytes) -> int | None:
        """Where in the relay's log an envelope is, if it is here and that is known."""
        row = self._database.row(
            "SELECT position FROM newer_envelopes WHERE hash = ?", (envelope_hash,)
        )
        return row[0] if row else None

    def envelope(self, envelope_hash: bytes) -> bytes | None:
        """An envelope that is kept, by its hash."""
        row = self._database.row_of_few(
            "newer_envelopes",
            "SELECT envelope FROM newer_envelopes WHERE hash = ?",
            (envelope_hash,),
        )
        return row[0] if row else None

    def beginnings(self) -> list[tuple[bytes, bytes]]:
        """Hash and beginning of each."""
        return self._database.rows(
            "SELECT hash, substr(envelope, 1, ?) FROM newer_envelopes",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8,),
        )

    def first(self, *, after: int, through: int) -> NewerEnvelope | None:
        """The first one behind a number, up to another."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM newer_envelopes WHERE number > ? AND number <= ? "
            "ORDER BY number LIMIT 1",
            (after, through),
        )
        return NewerEnvelope(*row) if row else None

    def first_of_another(self, formats: str) -> NewerEnvelope | None:
        """The first one that a program of other formats kept."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM newer_envelopes WHERE formats != ? ORDER BY number LIMIT 1",
            (formats,),
        )
        return NewerEnvelope(*row) if row else None

    def bytes_of_strangers(self) -> int:
        """How many bytes are kept of authors who may not write, by what is known."""
        row = self._database.row(
            "SELECT coalesce(sum(length(envelope)), 0) FROM newer_envelopes WHERE of_member = 0"
        )
        return int(row[0]) if row else 0

    def last_number(self) -> int:
        """The greatest number; 0 where nothing is kept."""
        row = self._database.row("SELECT coalesce(max(number), 0) FROM newer_envelopes")
        return int(row[0]) if row else 0

    def needs(self) -> dict[str, int]:
        """What a newer program can do, as it came first, and how many envelopes need it."""
        rows = self._database.rows(
            "SELECT needs, count(*) FROM newer_envelopes WHERE needs != '' "
            "GROUP BY needs ORDER BY min(number)"
        )
        return dict(rows)

    def waiting(self) -> int:
        """How many envelopes are readable and build on one that is not."""
        row = self._database.row("SELECT count(*) FROM newer_envelopes WHERE needs = ''")
        return int(row[0]) if row else 0

    # --- the relay ------------------------------------------------------------------------

    def set_position(self, envelope_hash: bytes, position: int) -> None:
        """Note where in the relay's log an envelope is."""
        self._database.execute(
            "UPDATE newer_envelopes SET position = ? WHERE hash = ?", (position, envelope_hash)
        )

    def forget_positions(self) -> None:
        """The relay lost its log: all of them are to be offered again."""
        self._database.execute("UPDATE newer_envelopes SET position = NULL, kept_back = 0")

    def keep_back(self, chain: bytes) -> None:
        """The relay does not continue this chain, and nobody here can put its contents into
        another one yet: they are offered when they are merged."""
        self._database.execute(
            "UPDATE newer_envelopes SET kept_back = 1 WHERE chain = ? AND position IS NULL",
            (chain,),
        )

    def unacknowledged(self, *, after: int, bytes_max: int) -> list[NewerEnvelope]:
        """Envelopes that the relay does not have, in order, up to a size, but at least one."""
        found: list[NewerEnvelope] = []
        total = 0
        cursor = self._database.execute(
            f"SELECT {_COLUMNS} FROM newer_envelopes "
            "WHERE position IS NULL AND kept_back = 0 AND number > ? ORDER BY number",
            (after,),
        )
        for row in cursor:
            kept = NewerEnvelope(*row)
            if found and total + len(kept.envelope) > bytes_max:
                break
            found.append(kept)
            total += len(kept.envelope)
        cursor.close()
        return found
