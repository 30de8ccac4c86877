"""Which references name which contents: the index behind lists of files and their transfer.

Derived; one row for each file of a reference, the trash included, because what lies there keeps
its files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from bifolio.storage.database import Database
from bifolio.storage.transfers import Transfers

_COLUMNS = "reference, hash, name, size, stamp, slot"

_PAGE = 500


class AttachmentRow(Struct, frozen=True):
    """A file of a reference, and the stamp and slot of who attached it first."""

    reference: str
    hash: str
    name: str
    size: int
    stamp: str
    slot: str


class Attachments:
    """The table ``attachments``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._transfers = Transfers(database)

    def write(self, rows: Iterable[AttachmentRow]) -> None:
        """Store the files of references that have none stored."""
        stored = list(rows)
        if not stored:
            return
        self._database.execute_many(
            f"INSERT OR IGNORE INTO attachments ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
            [(row.reference, row.hash, row.name, row.size, row.stamp, row.slot) for row in stored],
        )
        self._database.note_row("attachments")
        self._transfers.know({row.hash for row in stored})

    def remove(self, references: Iterable[str]) -> None:
        """Forget the files of references."""
        self._database.execute_many(
            "DELETE FROM attachments WHERE reference = ?", [(one,) for one in references]
        )

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        self._database.execute("DELETE FROM attachments")

    def among(self, ids: Sequence[str]) -> set[str]:
        """Those of these references that have files."""
        if self._database.is_empty("attachments"):
            return set()
        rows = self._database.rows(
            "SELECT reference FROM attachments WHERE reference IN (SELECT value FROM json_each(?))",
            (json.dumps(ids),),
        )
        return {row[0] for row in rows}

    def of(self, reference: str) -> list[AttachmentRow]:
        """The files of one reference, by name, those of one name in the order of attaching."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM attachments WHERE reference = ? "
            "ORDER BY name, stamp, slot, hash",
            (reference,),
        )
        return [AttachmentRow(*row) for row in rows]

    def with_content(self, hash: str) -> list[AttachmentRow]:
        """Every reference's file with this content."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM attachments WHERE hash = ? ORDER BY reference, name",
            (hash,),
        )
        return [AttachmentRow(*row) for row in rows]

    def with_content_prefix(self, start: str) -> list[AttachmentRow]:
        """Every reference's file whose content's hash begins so (hex digits)."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM attachments WHERE hash >= ? AND hash < ? "
            "ORDER BY reference, name",
            (start, start + "g"),
        )
        return [AttachmentRow(*row) for row in rows]

    def references(self) -> Iterator[str]:
        """The ids of the references that have files, in order, a page at a time."""
        last = ""
        while rows := self._database.rows(
            "SELECT DISTINCT reference FROM attachments WHERE reference > ? "
            f"ORDER BY reference LIMIT {_PAGE}",
            (last,),
        ):
            yield from (row[0] for row in rows)
            last = rows[-1][0]

    def contents(self) -> Iterator[tuple[str, int]]:
        """Every content that a reference names, by hash, with its size, a page at a time.

        Of two sizes that are given for one content the smaller: one of them is a lie, and the
        hash will say which.
        """
        last = ""
        while rows := self._database.rows(
            "SELECT hash, min(size) FROM attachments WHERE hash > ? GROUP BY hash "
            f"ORDER BY hash LIMIT {_PAGE}",
            (last,),
        ):
            yield from ((row[0], int(row[1])) for row in rows)
            last = rows[-1][0]

    def names_of_contents(self) -> list[tuple[str, str]]:
        """Every content that a reference names, by hash, with each name that it has."""
        rows = self._database.rows("SELECT DISTINCT hash, name FROM attachments ORDER BY hash")
        return [(row[0], row[1]) for row in rows]

    def live_numbers_with(self, hashes: Sequence[str]) -> set[int]:
        """The numbers of the live references that have a file with one of these contents."""
        rows = self._database.rows(
            "SELECT refs.number FROM attachments JOIN refs ON refs.id = attachments.reference "
            "WHERE refs.trashed = 0 AND hash IN (SELECT value FROM json_each(?))",
            (json.dumps(list(hashes)),),
        )
        return {row[0] for row in rows}

    def contents_of_the_trash(self) -> list[str]:
        """Every content that a reference in the trash names and no live one, by hash."""
        rows = self._database.rows(
            "SELECT hash FROM attachments JOIN refs ON refs.id = attachments.reference "
            "GROUP BY hash HAVING min(refs.trashed) = 1 ORDER BY hash"
        )
        return [row[0] for row in rows]

    def all_rows(self) -> list[tuple[Any, ...]]:
        """Everything, in order: to compare upkeep with a rebuild."""
        return self._database.rows(
            f"SELECT {_COLUMNS} FROM attachments ORDER BY reference, hash, name"
        )
