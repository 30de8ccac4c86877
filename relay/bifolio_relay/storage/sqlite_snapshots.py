"""Statements and snapshots in SQLite: what ``SnapshotStorage`` asks, blocking. One thread's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from bifolio.crypto.snapshot import CoveredChain, root_of
from bifolio.errors import RelayDamagedError, RelayStorageError
from bifolio.ids import content_hash
from bifolio_relay.storage import HeldSnapshot, HeldStatement, HeldVerdict, Stop
from bifolio_relay.storage.sqlite_file import SqliteFile

_COLUMNS = (
    "id, header, device, carrier, n, chunks, snapshot.size_bytes, begun_ms, touched_ms, whole, "
    "attested, snapshot.key"
)


class SqliteSnapshots:
    """The statements and snapshots of all libraries in one file."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def read_statements(self, library: bytes) -> tuple[HeldStatement, ...]:
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT device, replica, n, heard_ms, raw FROM statement WHERE library = ?",
                (self._file.library_key(library),),
            )
            return tuple(HeldStatement(*row) for row in rows)

    def write_statement(
        self, library: bytes, statement: HeldStatement, dropped: Sequence[tuple[bytes, bytes]]
    ) -> None:
        with self._file.transaction() as connection:
            key = self._file.library_key(library)
            if key is None:
                return
            connection.executemany(
                "DELETE FROM statement WHERE library = ? AND device = ? AND replica = ?",
                [(key, device, replica) for device, replica in dropped],
            )
            connection.execute(
                "INSERT OR REPLACE INTO statement VALUES (?, ?, ?, ?, ?, ?)",
                (
                    key,
                    statement.device,
                    statement.replica,
                    statement.n,
                    statement.heard_ms,
                    statement.raw,
                ),
            )

    def read_snapshots(self, library: bytes) -> tuple[HeldSnapshot, ...]:
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM snapshot WHERE library = ? ORDER BY key",
                (self._file.library_key(library),),
            ).fetchall()
            return tuple(_snapshot(connection, row) for row in rows)

    def add_snapshot(self, library: bytes, snapshot: HeldSnapshot) -> None:
        with self._file.transaction() as connection:
            key = self._file.library_key(library)
            if key is None:
                return
            connection.execute(
                "INSERT OR IGNORE INTO snapshot (library, id, header, device, carrier, n, chunks, "
                "size_bytes, begun_ms, touched_ms, whole, attested) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
                (
                    key,
                    snapshot.id,
                    snapshot.header,
                    snapshot.device,
                    snapshot.carrier,
                    snapshot.n,
                    snapshot.chunks,
                    snapshot.size_bytes,
                    snapshot.begun_ms,
                    snapshot.touched_ms,
                ),
            )

    def store_chunk(
        self, library: bytes, snapshot: bytes, number: int, sealed: bytes, now_ms: int
    ) -> int | Stop:
        try:
            with self._file.transaction() as connection:
                key = self._key(connection, library, snapshot)
                if key is None:
                    return Stop.MOVED
                (held,) = connection.execute(
                    "SELECT count(*) FROM snapshot_chunk WHERE snapshot = ?", (key,)
                ).fetchone()
                if number < held:
                    return int(held)
                if number > held:
                    return Stop.MOVED
                connection.execute(
                    "INSERT INTO snapshot_chunk VALUES (?, ?, ?, ?)",
                    (key, number, content_hash(sealed), sealed),
                )
                connection.execute(
                    "UPDATE snapshot SET touched_ms = ? WHERE key = ?", (now_ms, key)
                )
                return int(held) + 1
        except RelayStorageError as error:
            cause = error.__cause__
            if isinstance(cause, sqlite3.OperationalError) and "full" in str(cause):
                return Stop.FULL
            raise

    def finish_snapshot(
        self, library: bytes, snapshot: bytes, root: bytes, chains: Sequence[CoveredChain]
    ) -> bool:
        with self._file.transaction() as connection:
            key = self._key(connection, library, snapshot)
            if key is None:
                return False
            hashes = connection.execute(
                "SELECT hash FROM snapshot_chunk WHERE snapshot = ? ORDER BY number", (key,)
            ).fetchall()
            if root_of([one for (one,) in hashes]) != root:
                return False
            connection.execute("UPDATE snapshot SET whole = 1 WHERE key = ?", (key,))
            library_key = self._file.library_key(library)
            connection.executemany(
                "INSERT INTO chain VALUES (?, ?, ?, ?, ?) ON CONFLICT (library, id) DO UPDATE "
                "SET seq = excluded.seq, hash = excluded.hash WHERE excluded.seq > chain.seq",
                [(library_key, one.author_chain, one.device, one.seq, one.hash) for one in chains],
            )
            return True

    def read_chunk(self, library: bytes, snapshot: bytes, number: int) -> bytes | None:
        with self._file.reading() as connection:
            found = connection.execute(
                "SELECT sealed, hash FROM snapshot_chunk WHERE snapshot = ? AND number = ?",
                (self._key(connection, library, snapshot), number),
            ).fetchone()
            if found is None:
                return None
            sealed = bytes(found[0])
            if content_hash(sealed) != found[1]:
                raise RelayDamagedError(
                    self._file.path, reason="a snapshot is damaged", library=library
                )
            return sealed

    def remove_snapshots(self, library: bytes, snapshots: Sequence[bytes]) -> None:
        if not snapshots:
            return
        with self._file.transaction() as connection:
            library_key = self._file.library_key(library)
            connection.executemany(
                "DELETE FROM snapshot WHERE library = ? AND id = ?",
                [(library_key, one) for one in snapshots],
            )

    def write_verdict(self, library: bytes, snapshot: bytes, verdict: HeldVerdict) -> None:
        with self._file.transaction() as connection:
            key = self._key(connection, library, snapshot)
            if key is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO snapshot_verdict VALUES (?, ?, ?, ?)",
                    (key, verdict.device, int(verdict.is_right), verdict.raw),
                )

    def mark_attested(self, library: bytes, snapshot: bytes, attested: bool) -> None:
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE snapshot SET attested = ? WHERE key = ?",
                (int(attested), self._key(connection, library, snapshot)),
            )

    def _key(self, connection: sqlite3.Connection, library: bytes, snapshot: bytes) -> int | None:
        found = connection.execute(
            "SELECT snapshot.key FROM snapshot JOIN library ON library.key = snapshot.library "
            "WHERE library.id = ? AND snapshot.id = ?",
            (library, snapshot),
        ).fetchone()
        return None if found is None else int(found[0])


def _snapshot(connection: sqlite3.Connection, row: tuple[Any, ...]) -> HeldSnapshot:
    *values, whole, attested, key = row
    held, stored_bytes = connection.execute(
        "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM snapshot_chunk WHERE snapshot = ?",
        (key,),
    ).fetchone()
    verdicts = connection.execute(
        "SELECT device, right_, raw FROM snapshot_verdict WHERE snapshot = ?", (key,)
    )
    found = tuple(HeldVerdict(device, bool(right), raw) for device, right, raw in verdicts)
    values += [held, stored_bytes, bool(whole), bool(attested), found]
    return HeldSnapshot(*values)
