"""The records of the membership log, in the log's order."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.errors import DamagedLibraryError
from bifolio.storage.database import Database


class Members:
    """The table ``members``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> int:
        """How many records there are."""
        row = self._database.row("SELECT count(*) FROM members")
        return int(row[0]) if row else 0

    def end(self) -> tuple[int, bytes]:
        """How many records there are, and the hash of the last one; empty without any."""
        row = self._database.row(
            "SELECT (SELECT count(*) FROM members), hash FROM members ORDER BY number DESC LIMIT 1"
        )
        return (int(row[0]), bytes(row[1])) if row else (0, b"")

    def records(self) -> list[bytes]:
        """All records, as they are on the wire."""
        rows = self._database.rows("SELECT record FROM members ORDER BY number")
        if any(not isinstance(row[0], bytes) for row in rows):
            folder = self._database.path.parent
            raise DamagedLibraryError(folder, reason="a record of its members is none")
        return [row[0] for row in rows]

    def is_of_an_earlier_program(self) -> bool:
        """Whether the records have a form that is not read any more, as their first bytes tell.

        For who must not load what checks signatures, to say that there is such a list.
        """
        row = self._database.row("SELECT record FROM members ORDER BY number LIMIT 1")
        if row is None:
            return False
        start: bytes = row[0][:5]
        return start[:1] != b"\x93" or start[3:] != b"\x96\x03"

    def append(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Add records at the end: for each its hash and its bytes."""
        self._database.execute_many("INSERT INTO members (hash, record) VALUES (?, ?)", records)

    def clear(self) -> None:
        """Forget the whole log."""
        self._database.execute("DELETE FROM members")
