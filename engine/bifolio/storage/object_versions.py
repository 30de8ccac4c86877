"""How new each record is: the number of the last change that touched it, and when it was first and
last touched.

The library's version is the number of its last change, which only grows while the library is
used; a record's version is that of the last change that touched it. So "what is newer than N" is
one look at an index, whoever asks. Derived from ``history`` and ``touches``, kept by each write to
them, and made again with the lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from msgspec import Struct

from bifolio.storage.database import Database

_NOTE = (
    "INSERT INTO object_versions (record, version, added, modified) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (record) DO UPDATE SET version = max(version, excluded.version), "
    "added = min(added, excluded.added), modified = max(modified, excluded.modified)"
)
_DERIVED = (
    "INSERT INTO object_versions (record, version, added, modified) "
    "SELECT lower(hex(record)), max(entry), min(stamp), max(stamp) "
    "FROM touches JOIN history ON history.number = touches.entry"
)
_COLUMNS = "record, version, added, modified"


class ObjectVersion(Struct, frozen=True):
    """A record's version, and the stamps of the first and the last change that touched it."""

    record: str
    version: int
    added: str
    modified: str


class ObjectVersions:
    """The table ``object_versions``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- writing ------------------------------------------------------------------------

    def note(self, touched: Iterable[tuple[str, int, str]]) -> None:
        """Changes touched records: the record, the change's number and its stamp, for each."""
        self._database.execute_many(
            _NOTE, [(record, number, stamp, stamp) for record, number, stamp in touched]
        )

    def derive(self, record_ids: Sequence[str]) -> None:
        """Derive these records again: changes that had touched them are gone."""
        listed = json.dumps(list(record_ids))
        self._database.execute(
            "DELETE FROM object_versions WHERE record IN (SELECT value FROM json_each(?))",
            (listed,),
        )
        self._database.execute_many(
            f"{_DERIVED} WHERE record = ? GROUP BY record",
            [(bytes.fromhex(one),) for one in record_ids],
        )

    def derive_all(self) -> None:
        """Derive every record again."""
        self.clear()
        self._database.execute(f"{_DERIVED} GROUP BY record")

    def clear(self) -> None:
        """Forget everything."""
        self._database.execute("DELETE FROM object_versions")

    # --- reading --------------------------------------------------------------------------

    def newest(self) -> int:
        """The library's version: the number of its last change; 0 where there is none."""
        row = self._database.row("SELECT max(number) FROM history")
        return int(row[0] or 0) if row else 0

    def among(self, record_ids: Sequence[str]) -> dict[str, ObjectVersion]:
        """Those of these records whose changes are known here, by record."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM object_versions "
            "WHERE record IN (SELECT value FROM json_each(?))",
            (json.dumps(list(record_ids)),),
        )
        return {row[0]: ObjectVersion(*row) for row in rows}

    def since(self, version: int) -> list[ObjectVersion]:
        """The records that changes after a version touched, in the order of the last of these."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM object_versions WHERE version > ? ORDER BY version, record",
            (version,),
        )
        return [ObjectVersion(*row) for row in rows]

    def after(self, version: int, record: str, *, most: int) -> list[ObjectVersion]:
        """The first so many records behind a record of a version, in the order of ``since``."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM object_versions WHERE (version, record) > (?, ?) "
            "ORDER BY version, record LIMIT ?",
            (version, record, most),
        )
        return [ObjectVersion(*row) for row in rows]

    def all_rows(self) -> list[tuple[object, ...]]:
        """Everything, in order: to compare upkeep with what is derived again."""
        return self._database.rows(f"SELECT {_COLUMNS} FROM object_versions ORDER BY record")
