"""The replica's SQLite file: opening it, and transactions.

Every write is one ``BEGIN IMMEDIATE`` transaction: several processes use one replica at a time,
and one that finds it locked waits. What is remembered from one to the next is forgotten where
another process wrote in between (``table_memory``). Knows no table.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifolio import lazy, limits
from bifolio.disk import touch_private
from bifolio.errors import (
    DamagedLibraryError,
    ForeignSchemaError,
    NewerLibraryError,
    NotALibraryError,
    ReadOnlyLibraryError,
    ReplacedLibraryError,
)
from bifolio.salvage.pages import Pages
from bifolio.salvage.untouched import close_untouched
from bifolio.storage import schema
from bifolio.storage.migrations import LATEST, migrate

if TYPE_CHECKING:
    from bifolio.storage import sqlite_errors, table_memory
else:
    # For errors, and for writing.
    sqlite_errors = lazy.module("bifolio.storage.sqlite_errors")
    table_memory = lazy.module("bifolio.storage.table_memory")

#: "Bifo" in ASCII: tells our files from every other SQLite file.
APPLICATION_ID = 0x4269666F

#: What every SQLite file begins with (its format's documentation, section 1.3).
_HEADER_BYTES = 100

#: SQLite quotes a damaged schema in the message of its error: where that is no text, Python raises
#: UnicodeDecodeError in place of it.
_NO_TEXT_SCHEMA = "its schema is not valid text"


#: Remembered in a transaction once all tables were asked for.
_ASKED = "all asked for"

#: How a transaction begins, ends and is undone; and one that is a part of another.
_LASTING = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_ENCLOSED = ("SAVEPOINT enclosed", "RELEASE enclosed", ("ROLLBACK TO enclosed", "RELEASE enclosed"))


class Database:
    """A connection to ``library.sqlite``; one thread at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._is_enclosed = False
        self._is_read_only = False
        self._file = _identity(path)
        #: How many transactions this connection has begun: tells one from the next; and how often
        #: something was undone.
        self.transactions_begun = self.times_undone = 0
        #: In a write transaction: what is known of tables, by their names. None outside.
        self.remembered: dict[str, Any] | None = None
        self._tables: table_memory.TableMemory | None = None
        #: What is to be written before the transaction ends.
        self._before_end: list[Callable[[], None]] = []
        #: The tables of which ``is_empty`` was asked: a transaction asks for all of them at once.
        self._asked_for: dict[str, None] = {}

    @classmethod
    def create(cls, path: Path) -> Database:
        """Make a new file with today's schema.

        Raises:
            LibraryError: it cannot be made there.
        """
        try:
            touch_private(path)
        except OSError as error:
            raise ReadOnlyLibraryError(path.parent) from error
        connection = _connect(path, f"file:{_quote(path)}?mode=rwc")
        database = cls(path, connection)
        with _Translated(path):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            migrate(connection)
            _configure(connection)
        return database

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open an existing file, migrated to today's schema.

        Raises:
            NotALibraryError: nothing there, or another program's file.
            NewerLibraryError: written by a later version; untouched.
            ForeignSchemaError: somebody added a trigger, a table or the like; untouched.
            DamagedLibraryError: no SQLite file any more; untouched.
        """
        if not path.is_file():
            raise NotALibraryError(path.parent, found="it has no library.sqlite")
        size_bytes = path.stat().st_size
        if not size_bytes:
            raise NotALibraryError(path.parent, found="its library.sqlite is empty")
        if size_bytes < _HEADER_BYTES:
            raise DamagedLibraryError(path.parent, reason="its library.sqlite is cut off")
        connection = _connect(path, f"file:{_quote(path)}?mode=rw")
        with _Translated(path):
            _check(path, connection)
            _configure(connection)
        return cls(path, connection)

    @classmethod
    def open_image(cls, path: Path, *, in_memory: bool = False) -> Database:
        """Open a file that cannot be written, as its last commit left it, to be read.

        Nothing is written: what its log holds is laid over it in memory.

        Args:
            in_memory: whether all of it is read into memory, and can be changed there.

        Raises:
            LibraryError: as ``open``; ReadOnlyLibraryError of an older version's file.
        """
        if not path.is_file():
            raise NotALibraryError(path.parent, found="it has no library.sqlite")
        wal = path.with_name(path.name + "-wal")
        try:
            has_log = wal.is_file() and wal.stat().st_size > 0
            if has_log or in_memory:
                with closing(Pages(path)) as pages:
                    image = pages.image()
        except OSError as error:
            raise ReadOnlyLibraryError(path.parent) from error
        if has_log or in_memory:
            connection = _connect(path, ":memory:")
            with _Translated(path):
                connection.deserialize(image)
        else:
            connection = _connect(path, f"file:{_quote(path)}?mode=ro&immutable=1")
        with _Translated(path):
            _check(path, connection, may_migrate=False)
        database = cls(path, connection)
        if not in_memory:
            database.forbid_writing()
        return database

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written by this connection."""
        return self._is_read_only

    def forbid_writing(self) -> None:
        """From now on nothing is written by this connection."""
        with _Translated(self.path):
            self._connection.execute("PRAGMA query_only = ON")
        self._is_read_only = True

    def close(self) -> None:
        """Close the connection; a second time is no error."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One write transaction: all of it is durable at the end, or none of it happened."""
        if self._is_read_only:
            raise ReadOnlyLibraryError(self.path.parent)
        is_part = self._is_enclosed
        begin, end, undo = _ENCLOSED if is_part else _LASTING
        with _Translated(self.path), _Uncollected():
            self._connection.execute(begin)
            self.transactions_begun += 1
            try:
                # Asked now that nobody else writes: what is written to a file that was moved away
                # would be seen by nobody.
                if _identity(self.path) != self._file:
                    raise ReplacedLibraryError(self.path.parent)
                if is_part:
                    self._memory.forget_all()
                self.remembered = self._memory.begin(-1 if is_part else self._read_version())
                yield
                while self._before_end:
                    self._before_end.pop()()
                self._connection.execute(end)
            except BaseException:
                self._note_undone()
                for statement in undo if self._connection.in_transaction else ():
                    self._connection.execute(statement)
                raise
            finally:
                self.remembered = None
                if is_part:
                    self._memory.forget_all()

    @property
    def _memory(self) -> table_memory.TableMemory:
        """What is known of tables: begun with the first write transaction."""
        if self._tables is None:
            self._tables = table_memory.TableMemory()
        return self._tables

    def before_end(self, act: Callable[[], None]) -> None:
        """Do this before the write transaction ends, as a part of it."""
        self._before_end.append(act)

    def _note_undone(self) -> None:
        self.times_undone += 1
        self._before_end.clear()
        self._memory.forget_all()

    def _read_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    @contextmanager
    def together(self) -> Iterator[None]:
        """Transactions inside are parts of one: all of them are durable at the end, or none of
        them happened. A part that fails is undone by itself."""
        with self.transaction():
            self.remembered = None  # each part asks for itself
            before, self._is_enclosed = self._is_enclosed, True
            try:
                yield
            finally:
                self._is_enclosed = before

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Transactions inside happen for this connection alone and are undone at the end.

        Other processes that write wait meanwhile.
        """
        with _Translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            self._is_enclosed = True
            try:
                yield
            finally:
                self._is_enclosed = False
                self._note_undone()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read transaction: every row seen inside is of one moment; inside of another
        transaction, a part of that one."""
        inside = self._connection.in_transaction
        if inside:
            yield
            return
        with _Translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    # No context manager in these: one for each statement would take as long as a short one does.

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        if self._tables is not None:
            self._tables.note(statement)
        try:
            return self._connection.execute(statement, values)
        except sqlite3.DatabaseError as error:
            sqlite_errors.raise_translated(error, self.path)

    def execute_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        if not rows:
            return
        if self._tables is not None:
            self._tables.note(statement)
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.DatabaseError as error:
            sqlite_errors.raise_translated(error, self.path)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            sqlite_errors.raise_translated(error, self.path)

    def iterate(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query one by one, for who may not need them all; nothing is written
        meanwhile."""
        try:
            # No ``yield from``: who ends early, and closes the file, would close the rows after it.
            for row in self._connection.execute(statement, values):  # noqa: UP028
                yield row
        except sqlite3.DatabaseError as error:
            sqlite_errors.raise_translated(error, self.path)

    def row(self, statement: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query, or None."""
        try:
            found: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        except sqlite3.DatabaseError as error:
            sqlite_errors.raise_translated(error, self.path)
        return found

    def is_empty(self, table: str) -> bool:
        """Whether a table has no rows: asked in a write transaction where it is not known."""
        remembered = self.remembered
        if remembered is None:
            return self.row(f"SELECT 1 FROM {table} LIMIT 1") is None
        found: bool | None = remembered.get(table)
        if found is None:
            if table in self._asked_for and _ASKED not in remembered:
                remembered[_ASKED] = True
                self._ask_for_all(remembered)
                return bool(remembered[table])
            self._asked_for[table] = None
            found = remembered[table] = self.row(f"SELECT 1 FROM {table} LIMIT 1") is None
        return found

    def _ask_for_all(self, remembered: dict[str, Any]) -> None:
        """Ask of each table that was asked for so far whether it is empty, in one statement."""
        tables = list(self._asked_for)
        row = self.row("SELECT " + ", ".join(f"NOT EXISTS (SELECT 1 FROM {one})" for one in tables))
        assert row is not None
        for table, is_empty in zip(tables, row, strict=True):
            remembered.setdefault(table, bool(is_empty))

    def row_of_few(
        self, table: str, statement: str, values: Sequence[Any] = ()
    ) -> tuple[Any, ...] | None:
        """``row`` of a table that nearly always is empty (``is_empty``)."""
        return None if self.is_empty(table) else self.row(statement, values)

    def note_row(self, table: str) -> None:
        """A row was added to a table of which ``is_empty`` is asked: it need not be any more."""
        if self.remembered is not None:
            self.remembered[table] = False

    def mark(self, table: str) -> object | None:
        """In a write transaction: what is the same object as long as nobody writes to a table."""
        return None if self.remembered is None else self._memory.mark(table)

    def rows_known(self, table: str) -> dict[Any, Any]:
        """In a write transaction: what was read of rows of a table (``TableMemory.rows``)."""
        return {} if self.remembered is None else self._memory.rows(table)

    @property
    def is_in_transaction(self) -> bool:
        """Whether something is written, or only tried, that is not committed yet."""
        return self._connection.in_transaction

    @property
    def is_writing(self) -> bool:
        """Whether this connection is inside a write transaction."""
        return self.remembered is not None

    @property
    def may_write(self) -> bool:
        """Whether a write transaction may begin now: not in a snapshot, nor in another one."""
        return not self._is_read_only and (self._is_enclosed or not self._connection.in_transaction)

    def data_version(self) -> int:
        """A number that changes when another connection commits (SQLite's ``data_version``).

        Raises:
            ReplacedLibraryError: another file, or none, has the place of this one now.
        """
        if not self._is_read_only and _identity(self.path) != self._file:
            raise ReplacedLibraryError(self.path.parent)
        row = self.row("PRAGMA data_version")
        return int(row[0]) if row else 0

    def back_up(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Copy the whole file, consistently, through SQLite's own backup; then check it.

        Raises:
            DamagedLibraryError: this file, or the copy where this one is whole.
            LibraryError: the copy cannot be written.
        """
        with _Translated(target):
            copy = sqlite3.connect(target)
        try:
            with (
                _Translated(target),
                _Translated(self.path, only=sqlite_errors.BUSY | sqlite_errors.DAMAGED),
            ):
                self._connection.backup(
                    copy,
                    pages=1024,
                    progress=(lambda _status, left, total: progress(total - left, total))
                    if progress
                    else None,
                )
        finally:
            copy.close()
        if (copied := integrity_of(target)) == "ok":
            return
        # A copy of what is damaged is damaged: then it is this file that the user hears of.
        if (own := self.integrity().split("\n")[0]) != "ok":
            raise DamagedLibraryError(self.path.parent, reason=own)
        raise DamagedLibraryError(target, reason=f"the backup fails SQLite's check: {copied}")

    def settle(self) -> None:
        """Have all of it in the one file, without a log next to it, before it is closed."""
        with _Translated(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute("PRAGMA journal_mode = DELETE")

    def unused_bytes(self) -> int:
        """The bytes of the pages that hold nothing."""
        pages, size = self.row("PRAGMA freelist_count"), self.row("PRAGMA page_size")
        return int(pages[0]) * int(size[0]) if pages and size else 0

    def compact(self) -> None:
        """Write the file again without what holds nothing; the order of rows stays.

        Raises:
            StorageFullError: there is no room for a second copy; the file is as it was.
            BusyLibraryError: another program has it for so long.
        """
        with _Translated(self.path):
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def integrity(self) -> str:
        """SQLite's own verdict: ``ok``, or what is wrong, a line for each thing."""
        return "\n".join(str(row[0]) for row in self.rows("PRAGMA integrity_check"))


class _Uncollected:
    """No search for garbage in cycles meanwhile, unless the program has none anyway.

    A large transaction keeps some ten thousand small values until its end, and the search goes
    through them and all that is loaded again and again, for a tenth of its time; it leaves no
    cycles behind that would be worth it. What is in none is freed at once as ever.
    """

    __slots__ = ("_collects",)

    def __enter__(self) -> None:
        self._collects = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._collects:
            gc.enable()


def reason_against(path: Path) -> str | None:
    """Why a file that nobody has open, and that anybody may have made, is no library to open.

    What it holds is not run, and nothing is changed.

    Returns:
        the reason, to follow "the backup is damaged:"; None where there is none.
    """
    try:
        with _Translated(path):
            connection = sqlite3.connect(f"file:{_quote(path)}?mode=ro&immutable=1", uri=True)
            try:
                harden(connection)
                if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                    return "its library is another program's file"
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if not 1 <= version <= LATEST:
                    return f"its library has the schema version {version}"
                if (foreign := schema.find_foreign(connection, version)) is not None:
                    return f"its library holds {foreign}, which Bifolio has not made"
                if (missing := schema.find_missing(connection, version)) is not None:
                    return f"its library lacks {missing}"
                verdict = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
            finally:
                connection.close()
    except DamagedLibraryError as error:
        verdict = error.reason
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    except UnicodeDecodeError:
        verdict = _NO_TEXT_SCHEMA
    return None if verdict == "ok" else f"its library fails SQLite's check: {verdict[:200]}"


def harden(connection: sqlite3.Connection) -> None:
    """No function with effects runs from a schema, and no statement reaches into SQLite's own."""
    connection.execute("PRAGMA trusted_schema = OFF")
    if (configure := getattr(connection, "setconfig", None)) is not None:  # Python 3.12
        for name, is_on in (("DEFENSIVE", True), ("ENABLE_TRIGGER", False), ("ENABLE_VIEW", False)):
            configure(getattr(sqlite3, f"SQLITE_DBCONFIG_{name}"), is_on)


def integrity_of(path: Path) -> str:
    """SQLite's verdict on a file that nobody has open: ``ok``, or what is wrong.

    The file is neither changed nor migrated.
    """
    try:
        with _Translated(path):
            connection = sqlite3.connect(f"file:{_quote(path)}?mode=ro&immutable=1", uri=True)
            try:
                return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
            finally:
                connection.close()
    except DamagedLibraryError as error:
        return error.reason


def _connect(path: Path, uri: str) -> sqlite3.Connection:
    with _Translated(path):
        return sqlite3.connect(
            uri,
            uri=True,
            timeout=limits.BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {limits.LOG_PAGES}")
    connection.execute("PRAGMA foreign_keys = ON")


def _check(path: Path, connection: sqlite3.Connection, *, may_migrate: bool = True) -> None:
    harden(connection)
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        close_untouched(connection, path)
        raise NotALibraryError(path.parent, found="its library.sqlite is another program's file")
    if version > LATEST:
        close_untouched(connection, path)
        raise NewerLibraryError(path.parent, version=version, known=LATEST)
    if version < 1:
        # A file is made next to its place and named when it is whole, so never with version 0.
        close_untouched(connection, path)
        raise DamagedLibraryError(path.parent, reason="the version of its schema is missing")
    try:
        foreign = schema.find_foreign(connection, version)
    except UnicodeDecodeError as error:
        close_untouched(connection, path)
        raise DamagedLibraryError(path.parent, reason=_NO_TEXT_SCHEMA) from error
    if foreign is not None:
        close_untouched(connection, path)
        raise ForeignSchemaError(path.parent, found=foreign)
    if version < LATEST:
        if not may_migrate:
            close_untouched(connection, path)
            raise ReadOnlyLibraryError(path.parent)
        migrate(connection)


def _identity(path: Path) -> tuple[int, int] | None:
    """By which a file is known from another one of its name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _quote(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


class _Translated:
    """SQLite's errors as ours; what is none of the user's is passed on as it is.

    A class, as each transaction is inside of one: a generator would take three times as long.
    """

    __slots__ = ("_only", "_path")

    def __init__(self, path: Path, *, only: Set[int] | None = None) -> None:
        """Of errors of the file at a path.

        Args:
            only: the codes to translate; by default all that are known here.
        """
        self._path = path
        self._only = only

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.DatabaseError):
            sqlite_errors.raise_translated(error, self._path, only=self._only)
