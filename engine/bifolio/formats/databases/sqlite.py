"""Other programs' SQLite files, read from a copy: the one place outside ``storage`` with SQLite.

The file itself is never opened by SQLite: that could create, roll back or checkpoint files next to
it. It is copied with its journal and write-ahead log into a folder that is gone afterwards, and
the copy is read; so a library can be read while its own program has it open. Knows no schema.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bifolio import limits
from bifolio.errors import FileFormatError, OpenElsewhereError

_MAGIC: Final = b"SQLite format 3\x00"
_COLLATION: Final = re.compile(r"\bCOLLATE\s+[\"'\[`]?(\w+)", re.IGNORECASE)
_BUILT_IN: Final = frozenset({"binary", "nocase", "rtrim"})

#: SQLite's own settings for a file of unknown origin.
_SETTINGS: Final = (("DEFENSIVE", True), ("ENABLE_TRIGGER", False), ("ENABLE_VIEW", False))

#: Steps of SQLite's machine after which we are asked whether it may go on.
_STEPS_AT_ONCE: Final = 100_000

#: What SQLite keeps next to a database: both belong to its content.
_BESIDE: Final = ("-journal", "-wal")


def is_database(path: Path) -> bool:
    """Whether the file begins as a SQLite database does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


@contextmanager
def open_copy(path: Path, *, shown: str) -> Iterator[ForeignDatabase]:
    """A copy of a database, to read; the copy is removed at the end.

    Args:
        shown: what the file should be, for people.

    Raises:
        FileFormatError: it cannot be read, or is damaged.
        OpenElsewhereError: it goes on changing, or its program lets nobody read it.
    """
    with tempfile.TemporaryDirectory(prefix="bifolio-") as folder:
        copy = Path(folder) / "copy.sqlite"
        _copy(path, copy)
        with ForeignDatabase(copy, named=str(path), shown=shown) as database:
            yield database


class ForeignDatabase:
    """A copy of another program's database."""

    def __init__(self, copy: Path, *, named: str, shown: str) -> None:
        self._named = named
        self._shown = shown
        self._connection = sqlite3.connect(copy, isolation_level=None)
        self._connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        self._columns: dict[str, list[str]] = {}
        size = sum(
            one.stat().st_size
            for suffix in ("", *_BESIDE)
            if (one := copy.with_name(copy.name + suffix)).exists()
        )
        #: What may still be read: each text a few times; a damaged tree says the same for ever.
        self._room = size * limits.FOREIGN_READINGS_MAX + limits.ARCHIVE_SMALL_BYTES
        self._steps = size * limits.FOREIGN_STEPS_PER_BYTE + limits.FOREIGN_STEPS_MIN
        self._connection.set_progress_handler(self._count_steps, _STEPS_AT_ONCE)
        try:
            self._prepare()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            # SQLite quotes a damaged schema in its message, and Python may not read that.
            self._connection.close()
            raise self._damage_error(error) from error

    def __enter__(self) -> ForeignDatabase:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def columns(self, table: str) -> Sequence[str]:
        """The columns of a table in their order; none where there is no such table."""
        return self._columns.get(table.lower(), [])

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query.

        Raises:
            FileFormatError: the database is damaged, or has not what the query names.
        """
        try:
            for row in self._connection.execute(statement, parameters):
                self._room -= sum(len(one) for one in row if isinstance(one, str | bytes))
                if self._room < 0:
                    raise sqlite3.DatabaseError("its tables hold more than its file can")
                yield row
        except sqlite3.Error as error:
            raise self._damage_error(error) from error

    def records(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a whole table by column, by rowid; none where there is no such table."""
        columns = self.columns(table)
        if not columns:
            return
        names = ", ".join(f'"{name}"' for name in columns)
        for row in self.rows(f'SELECT {names} FROM "{table}" ORDER BY rowid'):
            yield dict(zip(columns, row, strict=True))

    def table(self, name: str, *, numbers: str = "", texts: str = "") -> Iterator[dict[str, Any]]:
        """The rows of a table by rowid, of each the columns that are named.

        Args:
            numbers: columns (space-separated) that hold whole numbers; anything else is 0.
            texts: columns that hold text; NULL is the empty text.

        Raises:
            FileFormatError: the table has not all of these columns. One that is not there at all
                has no rows.
        """
        wanted = [*numbers.split(), *texts.split()]
        if not self.columns(name):
            return
        if missing := [one for one in wanted if one not in self.columns(name)]:
            raise FileFormatError(
                self._named,
                expected=self._shown,
                got=f"one of an unknown version (its table {name} has no {', '.join(missing)})",
                next_step="Open it in the newest version of its own program, and import it again.",
            )
        whole = len(numbers.split())
        names = ", ".join(f'"{one}"' for one in wanted)
        for row in self.rows(f'SELECT {names} FROM "{name}" ORDER BY rowid'):
            values = [*map(as_number, row[:whole]), *map(as_text, row[whole:])]
            yield dict(zip(wanted, values, strict=True))

    def _count_steps(self) -> int:
        """Whether SQLite is to stop: more steps than reading all of the file takes."""
        self._steps -= _STEPS_AT_ONCE
        return int(self._steps < 0)

    def _prepare(self) -> None:
        connection = self._connection
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.FOREIGN_VALUE_BYTES_MAX)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100)
        # The first statement recovers what the write-ahead log or the journal of the copy holds.
        tables = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        ).fetchall()
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        if (configure := getattr(connection, "setconfig", None)) is not None:  # Python 3.12
            for name, is_on in _SETTINGS:
                configure(getattr(sqlite3, f"SQLITE_DBCONFIG_{name}"), is_on)
        # An order of the other program's own: nothing here depends on it, but a table that names
        # an unknown one cannot even be listed.
        for name in {one for _, sql in tables for one in _COLLATION.findall(sql)}:
            if name.lower() not in _BUILT_IN:
                connection.create_collation(name, lambda one, other: (one > other) - (one < other))
        # Tables only: a view could be anything, of any size, and says itself what kind it is.
        for name, kind in connection.execute("SELECT name, type FROM pragma_table_list"):
            if kind not in ("table", "shadow") or name.startswith("sqlite_"):
                continue
            quoted = name.replace('"', '""')
            # Columns that are computed are not among these.
            found = connection.execute(f'PRAGMA table_info("{quoted}")').fetchall()
            self._columns[name.lower()] = [row[1] for row in found]

    def _damage_error(self, error: sqlite3.Error | UnicodeDecodeError) -> FileFormatError:
        is_sqlites = isinstance(error, sqlite3.Error)
        reason = str(error) if is_sqlites else "its schema is not valid text"
        return FileFormatError(
            self._named,
            expected=self._shown,
            got=f"a database that SQLite cannot read ({reason})",
            next_step="Open it in its own program, which can repair it, and import it again.",
        )


def as_text(value: object) -> str:
    """A cell as text, without NUL, which no text of ours can hold."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    return "" if value is None else str(value).replace("\x00", "")


def as_number(value: object) -> int:
    """A cell as a whole number, 0 where it holds something else."""
    if isinstance(value, int):
        return value
    written = as_text(value).strip()
    return int(written) if written.isascii() and written.isdigit() else 0


def _copy(path: Path, copy: Path) -> None:
    """Copy a database and what belongs to it, all of one moment."""
    for _ in range(limits.FOREIGN_COPY_ATTEMPTS_MAX):
        before = _state(path)
        try:
            shutil.copyfile(path, copy)
            for suffix in _BESIDE:
                beside = copy.with_name(copy.name + suffix)
                beside.unlink(missing_ok=True)
                if (own := path.with_name(path.name + suffix)).exists():
                    shutil.copyfile(own, beside)
        except PermissionError as error:
            raise OpenElsewhereError(str(path), reason=error.strerror or str(error)) from error
        except FileNotFoundError:
            continue  # a journal that went while it was copied: the transaction is over
        if _state(path) == before:
            return
    raise OpenElsewhereError(str(path), reason="it keeps changing")


def _state(path: Path) -> list[tuple[int, int] | None]:
    """Size and time of a database's files, None for one that is not there."""
    found: list[tuple[int, int] | None] = []
    for suffix in ("", *_BESIDE):
        try:
            stat = path.with_name(path.name + suffix).stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((stat.st_size, stat.st_mtime_ns))
    return found
