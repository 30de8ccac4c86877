"""The citation keys that several live references have: derived, so that ``status`` can count them.

Knows the columns ``key`` and ``trashed`` of ``refs`` and nothing else of references.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from bifolio.storage.database import Database

#: Two live references have the key. The + keeps SQLite to the index of keys: by that of the trash
#: each key of an import would read all references.
_IS_SHARED = (
    "EXISTS (SELECT 1 FROM refs WHERE refs.key = {key} AND +refs.trashed = 0 LIMIT 1 OFFSET 1)"
)


class SharedKeys:
    """The table ``shared_keys``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, ids: Sequence[str]) -> set[str]:
        """The citation keys that references have now."""
        if not ids:
            return set()
        rows = self._database.rows(
            "SELECT key FROM refs WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
        )
        return {row[0] for row in rows}

    def renew(self, *, old: Collection[str], new: Collection[str]) -> None:
        """After a write: keys that references had before it, and that they have now."""
        touched = [(key,) for key in {*old, *new} if key]
        if old:
            self._database.execute_many(
                "DELETE FROM shared_keys WHERE key = ?1 AND NOT " + _IS_SHARED.format(key="?1"),
                touched,
            )
        self._database.execute_many(
            "INSERT OR IGNORE INTO shared_keys (key) SELECT ?1 WHERE "
            + _IS_SHARED.format(key="?1"),
            touched,
        )

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        self._database.execute("DELETE FROM shared_keys")

    def list(self) -> list[str]:
        """All of them, in order."""
        return [row[0] for row in self._database.rows("SELECT key FROM shared_keys ORDER BY key")]

    def count(self) -> int:
        """How many there are."""
        row = self._database.row("SELECT count(*) FROM shared_keys")
        return int(row[0]) if row else 0
