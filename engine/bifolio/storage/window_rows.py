"""References as windows show them: one statement for all that a window needs of each.

What comes back is as it is stored, so that who has it from before sees at once whether it is still
the same, whoever wrote meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from bifolio.records.canonical import read_json
from bifolio.storage.database import Database
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.list_rows import BODY_AT, body_size
from bifolio.storage.list_rows import COLUMNS as LISTED
from bifolio.storage.references import COLUMNS, References

#: Read off their index alone.
_NAMES: Final = (
    "(SELECT json_group_array(json_array(key, part)) FROM "
    "(SELECT key, part FROM short_keys WHERE record = refs.id ORDER BY part))"
)
_SELECT: Final = (
    f"SELECT refs.number, {COLUMNS}, object_versions.version, object_versions.added, "
    f"object_versions.modified, {_NAMES} FROM refs "
    "LEFT JOIN object_versions ON object_versions.record = refs.id "
    "WHERE refs.number IN (SELECT value FROM json_each(?))"
)
#: The places of what may be long.
_TITLE: Final = 1 + LISTED.index("title")
_BODY: Final = 1 + BODY_AT
_AGES: Final = 1 + len(LISTED) + 1


class StoredWindowRow(Struct, frozen=True):
    """What is stored of one reference, its number first; equal to another only where nothing of it
    is different."""

    values: tuple[Any, ...]

    @property
    def number(self) -> int:
        """The number of the reference's row."""
        return int(self.values[0])

    @property
    def record(self) -> str:
        """The id of the reference."""
        return str(self.values[1])

    @property
    def version(self) -> int:
        """That of the last change that touched it; 0 where its history begins later."""
        return int(self.values[_AGES] or 0)

    @property
    def added(self) -> str | None:
        """The stamp of the first change that touched it."""
        stamp: str | None = self.values[_AGES + 1]
        return stamp

    @property
    def modified(self) -> str | None:
        """The stamp of the last change that touched it."""
        stamp: str | None = self.values[_AGES + 2]
        return stamp

    @property
    def size(self) -> int:
        """About how many characters it has."""
        return len(self.values[_TITLE] or "") + body_size(self.values[_BODY])

    def names(self) -> dict[str, str]:
        """The short keys of the reference and of its parts, by part."""
        return {part: key for key, part in read_json(self.values[_AGES + 3])}


class WindowRows:
    """Reads references for windows."""

    def __init__(self, database: Database, references: References) -> None:
        self._database = database
        self._references = references

    def read(self, numbers: Sequence[int]) -> list[StoredWindowRow]:
        """The references of these numbers, in their order; those that are gone are left out."""
        rows = self._database.rows(_SELECT, (json.dumps(list(numbers)),))
        found = {row[0]: row for row in rows}
        return [StoredWindowRow(found[number]) for number in numbers if number in found]

    def reference(self, stored: StoredWindowRow) -> ReferenceRow:
        """What is stored, as a row of the list."""
        return self._references.row_of(stored.values[1:_AGES])
