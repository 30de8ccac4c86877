"""References that others deleted here since the user last confirmed what they delete.

A few of them lie in the trash as any others. Where they are most of the library, they are shown on
until the user confirms (``replica.deletion_guard``). Not derived: another replica's user may have
confirmed what this one's has not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from bifolio.storage.database import Database


class DeletionCount(Struct, frozen=True):
    """How many references a device deleted, by the tag of its slots, and the stamp of the last."""

    device: str
    references: int
    last: str


class UnconfirmedDeletions:
    """The table ``unconfirmed_deletions``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record_id: str, *, device: str, stamp: str) -> None:
        """Another device's deletion of a reference arrived."""
        self._database.execute(
            "INSERT OR IGNORE INTO unconfirmed_deletions (record, device, stamp) VALUES (?, ?, ?)",
            (record_id, device, stamp),
        )

    def remove(self, record_ids: Sequence[str]) -> None:
        """These are confirmed, or live again; one that is not there is no error."""
        self._database.execute_many(
            "DELETE FROM unconfirmed_deletions WHERE record = ?", [(one,) for one in record_ids]
        )

    def read(self, record_id: str) -> tuple[str, str] | None:
        """The tag of the device that deleted a reference, and the stamp; None if none did."""
        row = self._database.row(
            "SELECT device, stamp FROM unconfirmed_deletions WHERE record = ?", (record_id,)
        )
        return (row[0], row[1]) if row else None

    def among(self, record_ids: Sequence[str]) -> set[str]:
        """Those of these references that others deleted."""
        rows = self._database.rows(
            "SELECT record FROM unconfirmed_deletions "
            "WHERE record IN (SELECT value FROM json_each(?))",
            (json.dumps(record_ids),),
        )
        return {row[0] for row in rows}

    def any(self) -> bool:
        """Whether there is one."""
        return not self._database.is_empty("unconfirmed_deletions")

    def count(self) -> int:
        """How many there are."""
        row = self._database.row("SELECT count(*) FROM unconfirmed_deletions")
        return int(row[0]) if row else 0

    def ids(self, *, after: str = "", most: int) -> list[str]:
        """A page of the references, by id."""
        rows = self._database.rows(
            "SELECT record FROM unconfirmed_deletions WHERE record > ? ORDER BY record LIMIT ?",
            (after, most),
        )
        return [row[0] for row in rows]

    def by_device(self) -> list[DeletionCount]:
        """How many each device deleted, the most first."""
        rows = self._database.rows(
            "SELECT device, count(*), max(stamp) FROM unconfirmed_deletions GROUP BY device "
            "ORDER BY count(*) DESC, device"
        )
        return [DeletionCount(*row) for row in rows]

    def first_stamp(self) -> str:
        """The stamp of the first deletion; zeros without one."""
        row = self._database.row("SELECT min(stamp) FROM unconfirmed_deletions")
        return str(row[0]) if row and row[0] else "0" * 18

    def clear(self) -> None:
        """All are confirmed."""
        self._database.execute("DELETE FROM unconfirmed_deletions")
