"""The texts of attached files, by the hash of their content, in a file of their own.

Derived from the contents, the same for whoever reads them, and never synchronised: the file may be
deleted at any time, and one that is damaged is. The index holds words alone; a text that was
replaced or forgotten leaves words of no text behind, which nothing finds.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Sequence, Set
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from bifolio.disk import touch_private

FILE: Final = "texts.sqlite"

_WAIT_S: Final = 5.0
_LAYOUT: Final = 1
_LEVEL: Final = 6
_TABLES: Final = f"""
    CREATE TABLE texts (
        id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, reader INTEGER NOT NULL,
        pages INTEGER NOT NULL, pages_read INTEGER NOT NULL, characters INTEGER NOT NULL,
        body BLOB NOT NULL);
    CREATE VIRTUAL TABLE words USING fts5(body, content='', detail='full', tokenize='ascii');
    PRAGMA user_version = {_LAYOUT};
"""


class StoredText(Struct, frozen=True):
    """The text of a content.

    ``pages`` are those that it has, 0 where it has none; of these ``pages_read`` are in the text.
    ``reader`` is the number of the reader that made it; 0: another program gave it.
    """

    text: str
    pages: int
    pages_read: int
    reader: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read in it: a scan, a damaged or locked file."""
        return not self.text.strip()


class Texts:
    """The texts of one library's files."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: the library's; the file is made with the first text."""
        self._path = folder / FILE

    def read(self, hash: str) -> StoredText | None:
        """The text of a content; None where it was not read yet."""
        rows = self._rows("SELECT body, pages, pages_read, reader FROM texts WHERE hash = ?", hash)
        if not rows:
            return None
        body, pages, pages_read, reader = rows[0]
        try:
            text = zlib.decompress(body).decode("utf-8", errors="replace")
        except zlib.error:
            return None  # it is read again, and takes this one's place
        return StoredText(text, int(pages), int(pages_read), int(reader))

    def known(self, hashes: Sequence[str], *, reader: int) -> set[str]:
        """Those of these contents that this reader, or another program, has read."""
        rows = self._rows(
            "SELECT hash FROM texts WHERE reader IN (0, ?) "
            "AND hash IN (SELECT value FROM json_each(?))",
            *(reader, json.dumps(list(hashes))),
        )
        return {row[0] for row in rows}

    def with_text(self, hashes: Sequence[str]) -> set[str]:
        """Those of these contents in which there is something to read, as far as known."""
        rows = self._rows(
            "SELECT hash FROM texts WHERE characters > 0 "
            "AND hash IN (SELECT value FROM json_each(?))",
            json.dumps(list(hashes)),
        )
        return {row[0] for row in rows}

    def find(self, expression: str) -> list[str]:
        """The contents whose texts an expression of the index finds."""
        rows = self._rows(
            "SELECT hash FROM texts WHERE id IN "
            "(SELECT rowid FROM words WHERE words MATCH ?) ORDER BY hash",
            expression,
        )
        return [row[0] for row in rows]

    def write(self, hash: str, text: StoredText, folded: str) -> None:
        """Keep the text of a content, in the place of an earlier one.

        Args:
            folded: the same as the index is given it (``records.folding``).
        """
        body = zlib.compress(text.text.encode("utf-8", errors="replace"), _LEVEL)
        values = (text.reader, text.pages, text.pages_read, len(text.text.strip()), body)

        def act(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM texts WHERE hash = ?", (hash,))
            # A number is never given twice: the words of what went are still in the index.
            number = connection.execute(
                "INSERT INTO texts (hash, reader, pages, pages_read, characters, body) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (hash, *values),
            ).lastrowid
            connection.execute("INSERT INTO words(rowid, body) VALUES (?, ?)", (number, folded))

        self._write(act)

    def forget(self, hashes: Set[str]) -> None:
        """The contents are gone, and so are their texts."""
        if hashes and self._path.is_file():
            given = json.dumps(sorted(hashes))
            sql = "DELETE FROM texts WHERE hash IN (SELECT value FROM json_each(?))"
            self._write(lambda connection: connection.execute(sql, (given,)))

    # --- the file: a cache, without which everything is read again ---------------------------

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        if not self._path.is_file():
            return []
        found: list[tuple[Any, ...]] = []
        self._do(lambda one: found.extend(one.execute(sql, values)))
        return found

    def _write(self, act: Callable[[sqlite3.Connection], object]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with connection:
                act(connection)

        self._do(write)

    def _do(self, act: Callable[[sqlite3.Connection], object]) -> None:
        """Do something with the file, where it can be used now; one that is damaged goes."""
        try:
            connection = self._connect()
            if connection is not None:
                with closing(connection):
                    act(connection)
        except (sqlite3.OperationalError, OSError):
            return  # locked, read-only or full: another time
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection | None:
        touch_private(self._path)
        connection = sqlite3.connect(self._path, timeout=_WAIT_S)
        try:
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            if layout == 0:
                connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            if layout in (0, _LAYOUT):
                return connection
        except sqlite3.OperationalError:
            connection.close()
            raise
        except sqlite3.DatabaseError:
            pass
        connection.close()
        self._path.unlink(missing_ok=True)  # damaged, or of another version
        return None
