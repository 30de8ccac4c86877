"""Where each reference was imported from, for matching a file's records: the table ``sources``.

Derived: kept by each write, and made again. Ids of records are stored as the 16 bytes that they
are, as they are here and in an index of theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bifolio.storage.database import Database

#: Record, format, id in that format, hash of the content, and the blocks that it was in.
SourceValues = tuple[str, str, str, bytes, str]

_VALUES: Final = "lower(hex(record)), format, source_id, content, blocks"
_INSERT: Final = (
    "INSERT INTO sources (record, format, source_id, content, blocks) VALUES (?, ?, ?, ?, ?)"
)

#: So many ids are asked for in one statement.
_AT_ONCE: Final = 500


class Sources:
    """The table ``sources``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- writing ------------------------------------------------------------------------

    def write(self, given: Iterable[SourceValues]) -> None:
        """Note where references were imported from."""
        rows = [(bytes.fromhex(record), *values) for record, *values in given]
        self._database.execute_many(_INSERT, rows)

    def remove(self, records: Iterable[str]) -> None:
        """Forget where these references were imported from."""
        rows = [(bytes.fromhex(one),) for one in records]
        self._database.execute_many("DELETE FROM sources WHERE record = ?", rows)

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        self._database.execute("DELETE FROM sources")

    # --- reading --------------------------------------------------------------------------

    def among(self, records: Sequence[str]) -> dict[str, list[SourceValues]]:
        """The sources of those of these references that have any, by reference."""
        found: dict[str, list[SourceValues]] = {}
        for listed, ids in _pages(records):
            for row in self._database.rows(
                f"SELECT {_VALUES} FROM sources WHERE record IN ({listed})", ids
            ):
                found.setdefault(row[0], []).append((row[0], row[1], row[2], row[3], row[4]))
        return found

    def find(self, source_format: str, source_ids: Sequence[str]) -> dict[str, list[str]]:
        """The references that were imported from records of this format and these ids, by id of
        the source; ids of which there is none are left out."""
        rows = self._database.rows(
            "SELECT DISTINCT source_id, lower(hex(record)) FROM sources "
            "WHERE format = ? AND source_id IN (SELECT value FROM json_each(?)) ORDER BY record",
            (source_format, json.dumps(source_ids)),
        )
        found: dict[str, list[str]] = {}
        for source_id, record in rows:
            found.setdefault(source_id, []).append(record)
        return found

    def first_ids(self, source_format: str, records: Sequence[str]) -> dict[str, str]:
        """The id that each of these references had first in a format; of the others nothing."""
        found: dict[str, str] = {}
        for listed, ids in _pages(records):
            rows = self._database.rows(
                "SELECT lower(hex(record)), source_id FROM sources WHERE format = ? "
                f"AND record IN ({listed}) ORDER BY rowid DESC",
                (source_format, *ids),
            )
            found |= dict(rows)
        return found

    def has_format(self, source_format: str) -> bool:
        """Whether any reference was imported from this format."""
        row = self._database.row("SELECT 1 FROM sources WHERE format = ? LIMIT 1", (source_format,))
        return row is not None

    def all_rows(self) -> list[tuple[object, ...]]:
        """Everything, in order: to compare upkeep with a rebuild."""
        return self._database.rows(
            f"SELECT {_VALUES} FROM sources ORDER BY record, format, source_id, content"
        )


def _pages(records: Sequence[str]) -> Iterator[tuple[str, list[bytes]]]:
    """Ids as they are stored, so many at once, each time with a place for each of them."""
    for start in range(0, len(records), _AT_ONCE):
        ids = [bytes.fromhex(one) for one in records[start : start + _AT_ONCE]]
        yield ", ".join("?" * len(ids)), ids
