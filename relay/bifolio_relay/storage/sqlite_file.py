"""The relay's SQLite file: whose it is, its tables, its lock, its transactions.

WAL and ``synchronous=FULL``: what is committed survives ``kill -9`` and power loss. A lock file
keeps other relays off the folder, except those that share it, as all of them must have been told
to; SQLite's own locking holds it, so that a killed relay leaves none, and one lock can be held by
one or shared by many. Used by one thread.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bifolio import limits
from bifolio.disk import keep_private, make_private_folder, touch_private
from bifolio.errors import Next, RelayDamagedError, RelayFullError, RelayStorageError
from bifolio.salvage.untouched import close_untouched

FILE_NAME = "relay.sqlite"
LOCK_NAME = "relay.lock"

#: The folder of the files' sealed bytes.
BLOBS_NAME = "blobs"
APPLICATION_ID = 0x42664C52  # "BfLR"

_LOGS = """
CREATE TABLE library (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    epoch BLOB NOT NULL,
    n INTEGER NOT NULL,
    chain_hash BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    members INTEGER NOT NULL,
    members_head BLOB NOT NULL
);
CREATE TABLE entry (
    library INTEGER NOT NULL REFERENCES library(key),
    position INTEGER NOT NULL,
    chain BLOB NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    chain_hash BLOB NOT NULL,
    envelope BLOB NOT NULL
);
CREATE UNIQUE INDEX entry_position ON entry (library, position);
CREATE UNIQUE INDEX entry_seq ON entry (library, chain, seq);
CREATE TABLE chain (
    library INTEGER NOT NULL REFERENCES library(key),
    id BLOB NOT NULL,
    device BLOB NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (library, id)
) WITHOUT ROWID;
CREATE TABLE member (
    library INTEGER NOT NULL REFERENCES library(key),
    number INTEGER NOT NULL,
    record BLOB NOT NULL
);
CREATE UNIQUE INDEX member_number ON member (library, number);
"""

_BLOBS = """
CREATE TABLE blob (
    library INTEGER NOT NULL REFERENCES library(key),
    id BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    held INTEGER NOT NULL,
    PRIMARY KEY (library, id)
) WITHOUT ROWID;
CREATE TABLE blob_room (
    library INTEGER PRIMARY KEY REFERENCES library(key),
    size_bytes INTEGER NOT NULL,
    drops INTEGER NOT NULL
);
"""

#: What was completed and dropped, by which a client knows a relay that has forgotten some of it.
_TALLY = """
CREATE TABLE blob_tally (
    library INTEGER NOT NULL REFERENCES library(key),
    n INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (library, n)
) WITHOUT ROWID;
"""

#: Which device sends an unfinished blob: one content comes from one computer.
_LEASES = """
CREATE TABLE upload_lease (
    library INTEGER NOT NULL REFERENCES library(key),
    blob BLOB NOT NULL,
    device BLOB NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (library, blob)
) WITHOUT ROWID;
"""

#: Who a library's members are, by which a greeting is answered without reading its members' log;
#: when it came and was used, and by which token.
_STRANGERS = """
ALTER TABLE library ADD COLUMN members_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE library ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE library ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE library ADD COLUMN token BLOB;
ALTER TABLE library ADD COLUMN roles_known INTEGER NOT NULL DEFAULT 0;
UPDATE library SET members_bytes =
    (SELECT coalesce(sum(length(record)), 0) FROM member WHERE member.library = library.key);
CREATE TABLE member_role (
    library INTEGER NOT NULL REFERENCES library(key),
    device BLOB NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (library, device)
) WITHOUT ROWID;
CREATE TABLE token (
    id BLOB PRIMARY KEY,
    public BLOB NOT NULL,
    label TEXT NOT NULL,
    uses INTEGER,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    revoked_ms INTEGER
) WITHOUT ROWID;
CREATE TABLE token_use (
    token BLOB NOT NULL REFERENCES token(id),
    library BLOB NOT NULL,
    used_ms INTEGER NOT NULL,
    PRIMARY KEY (token, library)
) WITHOUT ROWID
"""

#: How far each replica is, and the states of whole libraries that newcomers begin with.
_SNAPSHOTS = """
CREATE TABLE statement (
    library INTEGER NOT NULL REFERENCES library(key),
    device BLOB NOT NULL,
    replica BLOB NOT NULL,
    n INTEGER NOT NULL,
    heard_ms INTEGER NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (library, device, replica)
) WITHOUT ROWID;
CREATE TABLE snapshot (
    key INTEGER PRIMARY KEY,
    library INTEGER NOT NULL REFERENCES library(key),
    id BLOB NOT NULL,
    header BLOB NOT NULL,
    device BLOB NOT NULL,
    carrier BLOB NOT NULL,
    n INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    begun_ms INTEGER NOT NULL,
    touched_ms INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    attested INTEGER NOT NULL
);
CREATE UNIQUE INDEX snapshot_id ON snapshot (library, id);
CREATE TABLE snapshot_chunk (
    snapshot INTEGER NOT NULL REFERENCES snapshot(key) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX snapshot_chunk_number ON snapshot_chunk (snapshot, number);
CREATE TABLE snapshot_verdict (
    snapshot INTEGER NOT NULL REFERENCES snapshot(key) ON DELETE CASCADE,
    device BLOB NOT NULL,
    right_ INTEGER NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (snapshot, device)
) WITHOUT ROWID
"""

#: By what damage is found that nothing else would show: a check of each stored chunk of a file, and
#: a second copy of what cannot be counted or derived again, with a third in another form.
_CHECKS = """
CREATE TABLE chunk_check (
    library INTEGER NOT NULL REFERENCES library(key),
    blob BLOB NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (library, blob, number)
) WITHOUT ROWID;
CREATE INDEX copy_of_library ON library (key, id, epoch, floor, created_ms, used_ms, token,
    quote(key) || ',' || quote(id) || ',' || quote(epoch) || ',' || quote(floor) || ','
    || quote(created_ms) || ',' || quote(used_ms) || ',' || quote(token));
CREATE INDEX copy_of_token ON token (id, public, label, uses, created_ms, expires_ms, revoked_ms,
    quote(id) || ',' || quote(public) || ',' || quote(label) || ',' || quote(uses) || ','
    || quote(created_ms) || ',' || quote(expires_ms) || ',' || quote(revoked_ms));
CREATE INDEX copy_of_token_use ON token_use (token, library, used_ms,
    quote(token) || ',' || quote(library) || ',' || quote(used_ms));
CREATE INDEX copy_of_blob ON blob (library, id, size_bytes, held,
    quote(library) || ',' || quote(id) || ',' || quote(size_bytes) || ',' || quote(held));
CREATE INDEX copy_of_blob_room ON blob_room (library, size_bytes, drops,
    quote(library) || ',' || quote(size_bytes) || ',' || quote(drops));
CREATE INDEX copy_of_blob_tally ON blob_tally (library, n, hash,
    quote(library) || ',' || quote(n) || ',' || quote(hash))
"""

_DELETED = """
CREATE TABLE deleted_library (
    id BLOB PRIMARY KEY,
    deleted_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX copy_of_deleted_library ON deleted_library (id, deleted_ms,
    quote(id) || ',' || quote(deleted_ms))
"""

#: What each version of the file added.
_STEPS = (_LOGS, _BLOBS, _TALLY, _LEASES, _STRANGERS, _CHECKS, _SNAPSHOTS, _DELETED)
VERSION = len(_STEPS)


class SqliteFile:
    """The open file in the folder ``folder``, which is made if it is missing.

    Arguments:
        folder: where it is.
        shared: other relays may use the folder at the same time, if they all say so.
        locked: whether the folder is kept from other relays; who only administers it does not.

    Raises:
        RelayStorageError: another relay uses the folder, or its file is damaged, of a newer
            version, or no relay's.
    """

    def __init__(self, folder: Path, *, shared: bool = False, locked: bool = True) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
        self.shared = shared
        try:
            make_private_folder(folder)
        except OSError as error:
            raise RelayStorageError(
                folder,
                reason=f"the folder cannot be made ({error.strerror})",
                next_step=Next.CHOOSE_RELAY_FOLDER,
            ) from error
        _close_to_others(folder)
        #: Transactions that were begun to write; with ``data_version`` it tells what may have
        #: changed since something was read.
        self.writes = 0
        self._lock: sqlite3.Connection | None = None
        if locked:
            with self.errors():
                self._lock = _lock(folder / LOCK_NAME, shared=shared)
        try:
            with self.errors():
                self.connection = _open(self.path)
                if locked and not shared:
                    # What was being sent was sent to a relay that is gone.
                    self.connection.execute("DELETE FROM upload_lease")
        except RelayStorageError:
            if self._lock is not None:
                self._lock.close()
            raise

    def data_version(self) -> int:
        """A number that is another one after another process has written to the file."""
        with self.errors():
            return _pragma(self.connection, "data_version")

    def library_key(self, library: bytes) -> int | None:
        """The key of a library's rows; None if it is not held."""
        found = self.connection.execute(
            "SELECT key FROM library WHERE id = ?", (library,)
        ).fetchone()
        return None if found is None else int(found[0])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is kept durably, or nothing of it."""
        with self.errors():
            self.connection.execute("BEGIN IMMEDIATE")
            self.writes += 1
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside is of one moment."""
        with self.errors():
            self.connection.execute("BEGIN")
            try:
                yield self.connection
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("COMMIT")

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """SQLite's errors as the relay's."""
        try:
            yield
        except sqlite3.Error as error:
            if is_full(error):
                raise RelayFullError(self.path) from error
            if is_damage(error):
                raise RelayDamagedError(self.path, reason=str(error)) from error
            raise RelayStorageError(
                self.path,
                reason=str(error),
                next_step=Next.CHECK_RELAY_DISK,
            ) from error

    def open_again(self) -> None:
        """Another file has taken the place of the one that was closed with ``let_go``."""
        with self.errors():
            self.connection = _open(self.path)
        self.writes += 1

    def let_go(self) -> None:
        """Close the file, and keep the lock."""
        self.connection.close()

    def close(self) -> None:
        """Close the file and give the lock back."""
        self.connection.close()
        if self._lock is not None:
            self._lock.close()


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says of its file that it is damaged."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_full(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the disk has no room."""
    return _code(error) == sqlite3.SQLITE_FULL


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code; 0 where the module itself raised the error."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def make_tables(connection: sqlite3.Connection) -> None:
    """All tables of today's version in an empty file; inside a transaction."""
    for step in _STEPS:
        for statement in step.split(";"):
            connection.execute(statement)


#: The tables with rows of a library, those first that others do not refer to.
_OF_A_LIBRARY = (
    "entry",
    "chain",
    "member",
    "member_role",
    "blob",
    "blob_room",
    "blob_tally",
    "upload_lease",
    "chunk_check",
    "statement",
    "snapshot",
)


def remove_library(connection: sqlite3.Connection, key: int) -> None:
    """Remove all rows of a library; inside a transaction."""
    for table in ("snapshot_chunk", "snapshot_verdict"):
        connection.execute(
            f"DELETE FROM {table} WHERE snapshot IN (SELECT key FROM snapshot WHERE library = ?)",
            (key,),
        )
    for table in _OF_A_LIBRARY:
        connection.execute(f"DELETE FROM {table} WHERE library = ?", (key,))
    connection.execute("DELETE FROM library WHERE key = ?", (key,))


def _close_to_others(folder: Path) -> None:
    """Take the relay's files from other users; the folder too where it is the relay's alone.

    A folder with anything else in it may be one that others have to enter.
    """
    own = {FILE_NAME, LOCK_NAME, BLOBS_NAME}
    own |= {FILE_NAME + suffix for suffix in ("-wal", "-shm", "-journal")}
    own |= {f"{LOCK_NAME}-journal"}
    with contextlib.suppress(OSError):  # SQLite says what is wrong with a folder
        for name in (FILE_NAME, LOCK_NAME):
            touch_private(folder / name)
        names = {one.name for one in folder.iterdir()}
        for name in names & own:
            keep_private(folder / name)
        if names <= own:
            keep_private(folder)


def _lock(path: Path, *, shared: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
    try:
        if shared:
            # The transaction of a reader: its lock is shared, and held until it ends.
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        else:
            connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        raise RelayStorageError(
            path.parent,
            reason=f"another relay uses it, or it cannot be written ({error})",
            next_step=Next.STOP_OTHER_RELAY,
        ) from error
    return connection


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        timeout=limits.RELAY_STORE_BUSY_S,
        check_same_thread=False,
    )
    try:
        _check_file(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _add_missing_tables(connection)
    except (sqlite3.Error, RelayStorageError):
        close_untouched(connection, path)
        raise
    return connection


def _add_missing_tables(connection: sqlite3.Connection) -> None:
    if _pragma(connection, "user_version") == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    # Asked again inside: another relay that shares the folder may have been faster.
    for step in _STEPS[_pragma(connection, "user_version") :]:
        for statement in step.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _check_file(connection: sqlite3.Connection, path: Path) -> None:
    """Only an empty file or one of ours is touched."""
    try:
        application_id = _pragma(connection, "application_id")
        version = _pragma(connection, "user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.OperationalError:
        raise  # locked, no room, no right: nothing is wrong with what it holds
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise RelayDamagedError(
            path, reason=f"it is damaged or not an SQLite file ({error}); it was not touched"
        ) from error
    if version > VERSION and application_id == APPLICATION_ID:
        raise RelayStorageError(
            path,
            reason=f"a newer relay wrote it (version {version}; this one knows up to {VERSION}); "
            "it was not touched",
            next_step=Next.UPGRADE,
        )
    if application_id != APPLICATION_ID and (application_id or version or tables):
        raise RelayStorageError(
            path,
            reason="it is another program's file; it was not touched",
            next_step=Next.CHOOSE_RELAY_FOLDER,
        )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
