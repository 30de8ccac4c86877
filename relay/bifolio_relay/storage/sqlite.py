"""The store of logs for one machine: one SQLite file.

WAL and ``synchronous=FULL``: what a method has returned survives ``kill -9`` and power loss. One
commit, with one fsync, takes what any number of libraries append. A lock file keeps a second
relay off the same folder; SQLite's own locking holds it, so that a killed relay leaves none.
With ``sqlite_blobs``, which uses the same file, the only user of SQLite in the relay.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from bifolio.crypto.envelope import Envelope
from bifolio.errors import RelayStorageError
from bifolio.wire.chain import log_next, log_start
from bifolio.wire.messages import Code
from bifolio_relay.storage import (
    BlobStorage,
    ChainHead,
    LibraryHead,
    Outcome,
    Placed,
    Refused,
    Unavailable,
    sqlite_blobs,
)
from bifolio_relay.storage.sqlite_blobs import FolderBlobStorage

FILE_NAME = "relay.sqlite"
LOCK_NAME = "relay.lock"
APPLICATION_ID = 0x42664C52  # "BfLR"
VERSION = 3

_SCHEMA = """
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

#: What each version of the file added.
_STEPS = (_SCHEMA, sqlite_blobs.SCHEMA, sqlite_blobs.TALLY_SCHEMA)


class SqliteLogStorage:
    """A ``LogStorage`` in the folder ``folder``, which is made if it is missing.

    Raises:
        RelayStorageError: another relay uses the folder, or its file is damaged, of a newer
            version, or no relay's.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RelayStorageError(
                folder,
                reason=f"the folder cannot be made ({error.strerror})",
                next_step="Name another folder with --data DIR.",
            ) from error
        with self._errors():
            self._lock = _locked(folder / LOCK_NAME)
        try:
            with self._errors():
                self._connection = _opened(self.path)
                self._blobs = FolderBlobStorage(folder, self._transaction, self._moment)
        except RelayStorageError:
            self._lock.close()
            raise

    @property
    def blobs(self) -> BlobStorage:
        return self._blobs

    def create_library(self, library: bytes, *, epoch: bytes, genesis: bytes, head: bytes) -> bool:
        with self._transaction() as connection:
            if self._row(library) is not None:
                return False
            key = connection.execute(
                "INSERT INTO library (id, epoch, n, chain_hash, size_bytes, floor, members,"
                " members_head) VALUES (?, ?, 0, ?, 0, 0, 1, ?)",
                (library, epoch, log_start(library, epoch), head),
            ).lastrowid
            connection.execute("INSERT INTO member VALUES (?, 0, ?)", (key, genesis))
            return True

    def count_libraries(self) -> int:
        with self._errors():
            count: int = self._connection.execute("SELECT count(*) FROM library").fetchone()[0]
            return count

    def library_head(self, library: bytes) -> LibraryHead | None:
        with self._errors():
            row = self._row(library)
            return None if row is None else row[1]

    def chain_hash(self, library: bytes, n: int) -> bytes | None:
        with self._errors():
            row = self._row(library)
            if row is None or n > row[1].n:
                return None
            key, head = row
            if n == head.n:
                return head.chain_hash
            if n == 0:
                return log_start(library, head.epoch)
            found = self._connection.execute(
                "SELECT chain_hash FROM entry WHERE library = ? AND position = ?", (key, n)
            ).fetchone()
            return None if found is None else bytes(found[0])

    def chain_head(self, library: bytes, chain: bytes) -> ChainHead | None:
        with self._errors():
            row = self._row(library)
            return None if row is None else self._chain_head(row[0], chain)

    def members(self, library: bytes, *, start: int, limit: int) -> tuple[bytes, ...]:
        with self._errors():
            rows = self._connection.execute(
                "SELECT record FROM member JOIN library ON library.key = member.library"
                " WHERE library.id = ? AND number >= ? ORDER BY number LIMIT ?",
                (library, start, limit),
            )
            return tuple(record for (record,) in rows)

    def append_member(
        self, library: bytes, *, expected_head: bytes, record: bytes, head: bytes
    ) -> bool:
        with self._transaction() as connection:
            row = self._row(library)
            if row is None or row[1].members_head != expected_head:
                return False
            key, held = row
            connection.execute("INSERT INTO member VALUES (?, ?, ?)", (key, held.members, record))
            connection.execute(
                "UPDATE library SET members = members + 1, members_head = ? WHERE key = ?",
                (head, key),
            )
            return True

    def append(
        self, envelopes: Sequence[Envelope], *, library_bytes_max: int
    ) -> tuple[Outcome, ...]:
        numbers_by_library: dict[bytes, list[int]] = {}
        for number, envelope in enumerate(envelopes):
            numbers_by_library.setdefault(envelope.header.library, []).append(number)
        outcomes: dict[int, Outcome] = {}
        with self._transaction():
            for library, numbers in numbers_by_library.items():
                batch = [envelopes[number] for number in numbers]
                found = self._append_apart(library, batch, library_bytes_max)
                outcomes.update(zip(numbers, found, strict=True))
        return tuple(outcomes[number] for number in range(len(envelopes)))

    def read(
        self, library: bytes, *, after: int, bytes_max: int, count_max: int
    ) -> tuple[bytes, ...]:
        with self._errors():
            row = self._row(library)
            if row is None or after < row[1].floor:
                return ()
            found: list[bytes] = []
            size_bytes = 0
            rows = self._connection.execute(
                "SELECT envelope FROM entry WHERE library = ? AND position > ?"
                " ORDER BY position LIMIT ?",
                (row[0], after, count_max),
            )
            for (envelope,) in rows:
                size_bytes += len(envelope)
                if found and size_bytes > bytes_max:
                    break
                found.append(envelope)
            rows.close()
            return tuple(found)

    def close(self) -> None:
        self._blobs.close()
        self._connection.close()
        self._lock.close()

    def _append_apart(
        self, library: bytes, envelopes: Sequence[Envelope], bytes_max: int
    ) -> Sequence[Outcome]:
        """One library's part of a commit, undone alone when it fails."""
        connection = self._connection
        connection.execute("SAVEPOINT library")
        try:
            outcomes = self._append_to_one(library, envelopes, bytes_max)
        except sqlite3.DatabaseError as error:
            # A full disk ends the whole transaction; then there is nothing left to keep.
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO library")
            outcomes = [Unavailable(envelope.hash, str(error)) for envelope in envelopes]
        connection.execute("RELEASE library")
        return outcomes

    def _append_to_one(
        self, library: bytes, envelopes: Sequence[Envelope], bytes_max: int
    ) -> list[Outcome]:
        row = self._row(library)
        if row is None:
            return [
                Refused(Code.UNKNOWN_LIBRARY, envelope.hash, "this relay does not hold it")
                for envelope in envelopes
            ]
        key, head = row
        n, chain_hash, size_bytes = head.n, head.chain_hash, head.size_bytes
        chains: dict[bytes, ChainHead | None] = {}
        outcomes: list[Outcome] = []
        for envelope in envelopes:
            header, raw = envelope.header, envelope.raw
            if header.chain not in chains:
                chains[header.chain] = self._chain_head(key, header.chain)
            outcome = self._judged(key, envelope, chains[header.chain])
            if outcome is None and size_bytes + len(raw) > bytes_max:
                outcome = Refused(Code.QUOTA, envelope.hash, f"a library may have {bytes_max} B")
            if outcome is None:
                n, size_bytes = n + 1, size_bytes + len(raw)
                chain_hash = log_next(chain_hash, envelope.hash)
                self._connection.execute(
                    "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (key, n, header.chain, header.seq, envelope.hash, chain_hash, raw),
                )
                chains[header.chain] = ChainHead(header.device, header.seq, envelope.hash)
                outcome = Placed(envelope.hash, n, fresh=True)
            outcomes.append(outcome)
        if n > head.n:
            self._write_heads(key, chains, n, chain_hash, size_bytes)
        return outcomes

    def _write_heads(
        self,
        key: int,
        chains: dict[bytes, ChainHead | None],
        n: int,
        chain_hash: bytes,
        size_bytes: int,
    ) -> None:
        self._connection.execute(
            "UPDATE library SET n = ?, chain_hash = ?, size_bytes = ? WHERE key = ?",
            (n, chain_hash, size_bytes, key),
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO chain VALUES (?, ?, ?, ?, ?)",
            [
                (key, chain, head.device, head.seq, head.hash)
                for chain, head in chains.items()
                if head is not None
            ],
        )

    def _judged(self, key: int, envelope: Envelope, head: ChainHead | None) -> Outcome | None:
        """What keeps an envelope from being the next of its chain; None if it is."""
        header = envelope.header
        seq, head_hash = (head.seq, head.hash) if head else (0, bytes(32))

        def refused(code: Code, detail: str) -> Refused:
            return Refused(code, envelope.hash, detail, seq, head_hash)

        if head is not None and head.device != header.device:
            return refused(Code.FORBIDDEN, "the chain is another device's")
        if header.seq > seq + 1:
            return refused(Code.GAP, f"the relay has this chain up to {seq}")
        if header.seq == seq + 1:
            if header.previous == head_hash:
                return None
            return refused(Code.FORK, "it does not link to the last one here")
        found = self._connection.execute(
            "SELECT position, hash FROM entry WHERE library = ? AND chain = ? AND seq = ?",
            (key, header.chain, header.seq),
        ).fetchone()
        if found is None or found[1] != envelope.hash:
            return refused(Code.FORK, "another envelope has its place in the chain")
        return Placed(envelope.hash, found[0], fresh=False)

    def _chain_head(self, key: int, chain: bytes) -> ChainHead | None:
        found = self._connection.execute(
            "SELECT device, seq, hash FROM chain WHERE library = ? AND id = ?", (key, chain)
        ).fetchone()
        return None if found is None else ChainHead(*found)

    def _row(self, library: bytes) -> tuple[int, LibraryHead] | None:
        found = self._connection.execute(
            "SELECT key, epoch, n, chain_hash, size_bytes, floor, members, members_head"
            " FROM library WHERE id = ?",
            (library,),
        ).fetchone()
        return None if found is None else (found[0], LibraryHead(*found[1:]))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _moment(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            yield self._connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise RelayStorageError(
                self.path,
                reason=str(error),
                next_step="Check the disk's free space and health; what was acknowledged before "
                "stays in the file. Without it, an empty relay is filled again by the replicas.",
            ) from error


def _locked(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        raise RelayStorageError(
            path.parent,
            reason=f"another relay uses it, or it cannot be written ({error})",
            next_step="Stop the other relay, or name another folder with --data DIR.",
        ) from error
    return connection


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _check_file(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        version = _pragma(connection, "user_version")
        if version < VERSION:
            missing = "".join(_STEPS[version:])
            connection.executescript(
                f"BEGIN IMMEDIATE; {missing} PRAGMA application_id = {APPLICATION_ID};"
                f" PRAGMA user_version = {VERSION}; COMMIT;"
            )
    except (sqlite3.Error, RelayStorageError):
        connection.close()
        raise
    return connection


def _check_file(connection: sqlite3.Connection, path: Path) -> None:
    """Only an empty file or one of ours is touched."""
    try:
        application_id = _pragma(connection, "application_id")
        version = _pragma(connection, "user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise RelayStorageError(
            path,
            reason=f"it is damaged or no SQLite file ({error}); it was not touched",
            next_step="Move it away and start again: the replicas fill an empty relay by "
            "themselves.",
        ) from error
    if version > VERSION and application_id == APPLICATION_ID:
        raise RelayStorageError(
            path,
            reason=f"a newer relay wrote it (version {version}; this one knows up to {VERSION}); "
            "it was not touched",
            next_step="Upgrade Bifolio on this computer: pip install --upgrade bifolio",
        )
    if application_id != APPLICATION_ID and (application_id or version or tables):
        raise RelayStorageError(
            path,
            reason="it is another program's file; it was not touched",
            next_step="Name another folder with --data DIR.",
        )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
