"""The groups as lists read them: one row each, derived from the groups' records.

A library has few groups compared with its references, so the tree is made of all rows when it is
asked for; what it costs follows the number of groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bifolio.storage.database import Database

_COLUMNS = "id name parent parent_rank position colour query deleted revived".split()
_NAMES = ", ".join(_COLUMNS)
_UPSERT = (
    f"INSERT INTO groups ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in _COLUMNS[1:])}"
)


class GroupRow(Struct, frozen=True):
    """A group as its record says; ``query`` is None for a group that is filled by hand.

    ``revived`` is one that an unseen edit brought back after it was deleted.
    """

    id: str
    name: str
    parent: str | None
    parent_rank: str
    position: str
    colour: str | None
    query: str | None
    deleted: bool
    revived: bool


class GroupTable:
    """The table ``groups``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, row: GroupRow) -> None:
        """Store what is derived from a group."""
        values = [getattr(row, name) for name in _COLUMNS[:-2]]
        self._database.execute(_UPSERT, [*values, int(row.deleted), int(row.revived)])

    def remove(self, group_id: str) -> None:
        """Forget a group: nothing is left of its record."""
        self._database.execute("DELETE FROM groups WHERE id = ?", (group_id,))

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        self._database.execute("DELETE FROM groups")

    def all(self) -> list[GroupRow]:
        """Every group, the deleted ones too, by id."""
        rows = self._database.rows(f"SELECT {_NAMES} FROM groups ORDER BY id")
        return [_row(row) for row in rows]

    def revived_count(self) -> int:
        """How many groups were deleted and edited at the same time."""
        row = self._database.row("SELECT count(*) FROM groups WHERE revived = 1")
        return int(row[0]) if row else 0

    def living_name(self, group_id: str) -> str | None:
        """The name of a group that is not deleted, otherwise None."""
        row = self._database.row(
            "SELECT name FROM groups WHERE id = ? AND deleted = 0", (group_id,)
        )
        return str(row[0]) if row else None

    def any_name(self, group_id: str) -> str | None:
        """The name of a group, a deleted one too; None where the library has none of this id."""
        row = self._database.row("SELECT name FROM groups WHERE id = ?", (group_id,))
        return str(row[0]) if row else None


def _row(row: Sequence[Any]) -> GroupRow:
    values = dict(zip(_COLUMNS, row, strict=True))
    return GroupRow(
        **values | {"deleted": bool(values["deleted"]), "revived": bool(values["revived"])}
    )
