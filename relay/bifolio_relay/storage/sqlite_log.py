"""The logs in SQLite: what ``LogStorage`` asks, blocking. Used by one thread.

One commit, with one fsync, takes what any number of libraries append. Every write compares what the
file holds with what the caller expects inside its transaction, because other processes may write
between two of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain as joined

from bifolio import limits
from bifolio.crypto.envelope import Envelope
from bifolio.crypto.membership import ChainEnd
from bifolio.errors import RelayDamagedError
from bifolio.ids import content_hash
from bifolio.wire.log_chain import log_next, log_start
from bifolio_relay.storage import (
    Batch,
    BatchResult,
    ChainHead,
    ChainHeads,
    Cuts,
    Growth,
    Heads,
    LibraryHead,
    LogSlice,
    Place,
    Roles,
    Standing,
    Stop,
)
from bifolio_relay.storage.sqlite_file import SqliteFile, is_full

#: library, position, chain, seq, hash, chain_hash, envelope
_EntryRow = tuple[int, int, bytes, int, bytes, bytes, bytes]

_ROWS_AT_ONCE = 16
_INSERT_ONE = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)"
_INSERT_SEVERAL = _INSERT_ONE + ", (?, ?, ?, ?, ?, ?, ?)" * (_ROWS_AT_ONCE - 1)


class _Ends:
    """Where libraries and chains end, as it was read or written inside one transaction.

    ``at`` is the moment at which it holds: the file's ``data_version`` and ``writes``.
    """

    def __init__(self) -> None:
        self.at = (0, 0)
        self.rows: dict[bytes, tuple[int, LibraryHead]] = {}
        self.chains: dict[tuple[int, bytes], ChainHead | None] = {}

    @property
    def is_large(self) -> bool:
        """Whether it is time to begin again."""
        return len(self.rows) + len(self.chains) > limits.RELAY_CHAIN_HEADS_CACHED_MAX


class SqliteLogs:
    """The logs of all libraries in one file."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        #: What the last ``append`` read or wrote of where things end.
        self._ends: _Ends | None = None

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._file.connection

    def create_library(
        self,
        library: bytes,
        epoch: bytes,
        genesis: bytes,
        head: bytes,
        roles: Roles | None = None,
        token: bytes | None = None,
        now_ms: int = 0,
    ) -> bool:
        with self._file.transaction() as connection:
            if self._row(library) is not None:
                return False
            connection.execute("DELETE FROM deleted_library WHERE id = ?", (library,))
            key = connection.execute(
                "INSERT INTO library (id, epoch, n, chain_hash, size_bytes, floor, members,"
                " members_head, members_bytes, created_ms, used_ms, token)"
                " VALUES (?, ?, 0, ?, 0, 0, 1, ?, ?, ?, ?, ?)",
                (
                    library,
                    epoch,
                    log_start(library, epoch),
                    head,
                    len(genesis),
                    now_ms,
                    now_ms,
                    token,
                ),
            ).lastrowid
            assert key is not None
            connection.execute("INSERT INTO member VALUES (?, 0, ?)", (key, genesis))
            if roles is not None:
                self._index(key, roles)
            return True

    def read_standing(self, library: bytes, device: bytes) -> Standing:
        with self._file.reading() as connection:
            found = connection.execute(
                "SELECT key, roles_known FROM library WHERE id = ?", (library,)
            ).fetchone()
            if found is None:
                return Standing(is_known=True, role=None)
            key, is_known = found
            self._check_end(key, library)
            role = connection.execute(
                "SELECT role FROM member_role WHERE library = ? AND device = ?", (key, device)
            ).fetchone()
            return Standing(bool(is_known), None if role is None else str(role[0]))

    def _check_end(self, key: int, library: bytes) -> None:
        """Whether the log ends where the library's row says, at little cost: a client that is told
        something else would take the relay for a liar.

        Raises:
            RelayDamagedError: it does not.
        """
        n, last, chain_hash = self._connection.execute(
            "SELECT n, entry.chain_hash, library.chain_hash FROM library"
            " LEFT JOIN entry ON entry.library = key AND position = n WHERE key = ?",
            (key,),
        ).fetchone()
        if n and last != chain_hash:
            raise RelayDamagedError(
                self._file.path, reason="where its log ends is damaged", library=library
            )

    def write_roles(self, library: bytes, head: bytes, roles: Roles) -> bool:
        with self._file.transaction() as connection:
            row = self._row(library)
            if row is None or row[1].members_head != head:
                return False
            connection.execute("DELETE FROM member_role WHERE library = ?", (row[0],))
            self._index(row[0], roles)
            return True

    def _change_roles(self, key: int, roles: Roles) -> None:
        """Follow a change in the index, if there is one."""
        known = self._connection.execute("SELECT roles_known FROM library WHERE key = ?", (key,))
        if known.fetchone()[0]:
            self._index(key, roles)

    def _index(self, key: int, roles: Roles) -> None:
        connection = self._connection
        connection.execute("UPDATE library SET roles_known = 1 WHERE key = ?", (key,))
        connection.executemany(
            "INSERT OR REPLACE INTO member_role VALUES (?, ?, ?)",
            [(key, device, role) for device, role in roles.items() if role is not None],
        )
        connection.executemany(
            "DELETE FROM member_role WHERE library = ? AND device = ?",
            [(key, device) for device, role in roles.items() if role is None],
        )

    def count_libraries(self) -> int:
        with self._file.errors():
            count: int = self._connection.execute("SELECT count(*) FROM library").fetchone()[0]
            return count

    def read_head(self, library: bytes) -> LibraryHead | None:
        with self._file.errors():
            row = self._row(library)
            return None if row is None else row[1]

    def read_heads(self, library: bytes, chains: Sequence[bytes]) -> Heads | None:
        with self._file.reading():
            row = self._row(library)
            if row is None:
                return None
            key, head = row
            return Heads(head, {chain: self._chain_head(key, chain) for chain in chains})

    def read_chain_hashes(
        self, library: bytes, positions: Sequence[int]
    ) -> tuple[bytes | None, ...]:
        with self._file.reading():
            row = self._row(library)
            return tuple(
                None if row is None else self._chain_hash(row[0], row[1], library, n)
                for n in positions
            )

    def find_places(
        self, library: bytes, links: Sequence[tuple[bytes, int]]
    ) -> tuple[Place | None, ...]:
        with self._file.reading():
            key = self._file.library_key(library)
            return tuple(self._place(key, chain, seq) for chain, seq in links)

    def read_members(self, library: bytes, start: int, limit: int) -> tuple[bytes, ...]:
        with self._file.errors():
            rows = self._connection.execute(
                "SELECT record FROM member JOIN library ON library.key = member.library"
                " WHERE library.id = ? AND number >= ? ORDER BY number LIMIT ?",
                (library, start, limit),
            )
            return tuple(record for (record,) in rows)

    def append_member(
        self,
        library: bytes,
        expected_head: bytes,
        expected_chain_heads: ChainHeads,
        record: bytes,
        head: bytes,
        cuts: Cuts,
        roles: Roles | None = None,
    ) -> int | None:
        """How many members records there are then; None if it was not appended."""
        with self._file.transaction() as connection:
            row = self._row(library)
            if row is None or row[1].members_head != expected_head:
                return None
            key, held = row
            if any(
                self._chain_head(key, chain) != expected
                for chain, expected in expected_chain_heads.items()
            ):
                return None
            if any(self._is_beyond(key, device, cut) for device, cut in cuts.items()):
                return None
            connection.execute("INSERT INTO member VALUES (?, ?, ?)", (key, held.members, record))
            connection.execute(
                "UPDATE library SET members = members + 1, members_head = ?,"
                " members_bytes = members_bytes + ? WHERE key = ?",
                (head, len(record), key),
            )
            self._note_roles(key, roles)
            return held.members + 1

    def replace_members(
        self,
        library: bytes,
        expected_head: bytes,
        kept: int,
        records: Sequence[bytes],
        head: bytes,
        roles: Roles | None = None,
    ) -> int | None:
        """How many membership records there are then; None if nothing was replaced."""
        with self._file.transaction() as connection:
            row = self._row(library)
            if row is None or row[1].members_head != expected_head:
                return None
            key, held = row
            members = kept + len(records)
            if not 0 < kept < held.members <= members:
                return None
            connection.execute("DELETE FROM member WHERE library = ? AND number >= ?", (key, kept))
            connection.executemany(
                "INSERT INTO member VALUES (?, ?, ?)",
                [(key, number, record) for number, record in enumerate(records, kept)],
            )
            connection.execute(
                "UPDATE library SET members = ?, members_head = ?, members_bytes ="
                " (SELECT sum(length(record)) FROM member WHERE library = key) WHERE key = ?",
                (members, head, key),
            )
            self._note_roles(key, roles)
            return members

    def _note_roles(self, key: int, roles: Roles | None) -> None:
        """Follow a change of roles in the index, or let it go where it is not known."""
        if roles is None:
            self._connection.execute("UPDATE library SET roles_known = 0 WHERE key = ?", (key,))
        elif roles:
            self._change_roles(key, roles)

    def _is_beyond(self, key: int, device: bytes, cut: Mapping[bytes, ChainEnd]) -> bool:
        """Whether the log has more of a device than this leaves it."""
        for chain, seq, head in self._connection.execute(
            "SELECT id, seq, hash FROM chain WHERE library = ? AND device = ?", (key, device)
        ):
            end = cut.get(chain)
            if end is None or seq > end.seq or (seq == end.seq and head != end.hash):
                return True
        return False

    def append(self, batches: Sequence[Batch]) -> tuple[BatchResult, ...]:
        # What was remembered holds only where nothing was written since, by anybody.
        remembered, self._ends = self._ends, None
        with self._file.transaction():
            now = (self._file.data_version(), self._file.writes)
            if remembered is None or remembered.at != now or remembered.is_large:
                remembered = _Ends()
            results = tuple(
                self._append_apart(batch, remembered, is_alone=len(batches) == 1)
                for batch in batches
            )
        if all(result.stop is None for result in results):
            remembered.at = (now[0], now[1] + 1)
            self._ends = remembered
        return results

    def read(self, library: bytes, after: int, bytes_max: int, count_max: int) -> LogSlice:
        with self._file.reading():
            row = self._row(library)
            if row is None:
                return LogSlice((), 0)
            key, head = row
            if after < head.floor:
                return LogSlice((), head.n)
            found: list[bytes] = []
            size_bytes = 0
            rows = self._connection.execute(
                "SELECT envelope, hash FROM entry WHERE library = ? AND position > ?"
                " ORDER BY position LIMIT ?",
                (key, after, count_max),
            )
            for envelope, entry_hash in rows:
                if content_hash(envelope) != entry_hash:
                    # Nobody is told what its author did not write: it would be the relay's lie.
                    raise RelayDamagedError(
                        self._file.path, reason="an entry of the log is damaged", library=library
                    )
                size_bytes += len(envelope)
                if found and size_bytes > bytes_max:
                    break
                found.append(envelope)
            rows.close()
            return LogSlice(tuple(found), head.n)

    def prune_some(self, library: bytes, floor: int) -> bool:
        """Raise the floor by one step; False where it has reached ``floor`` or the end.

        The rows stay, without their envelopes: they are the chain of hashes and the places.
        """
        with self._file.transaction() as connection:
            row = self._row(library)
            if row is None:
                return False
            key, head = row
            lowest = min(floor, head.n, head.floor + limits.RELAY_PRUNED_AT_ONCE)
            if lowest <= head.floor:
                return False
            bounds = (key, head.floor, lowest)
            size_bytes = connection.execute(
                "SELECT sum(length(envelope)) FROM entry"
                " WHERE library = ? AND position > ? AND position <= ?",
                bounds,
            ).fetchone()[0]
            connection.execute(
                "UPDATE entry SET envelope = x''"
                " WHERE library = ? AND position > ? AND position <= ?",
                bounds,
            )
            connection.execute(
                "UPDATE library SET floor = ?, size_bytes = size_bytes - ? WHERE key = ?",
                (lowest, size_bytes, key),
            )
            return True

    def read_growth(self, library: bytes) -> Growth:
        """How far the library has come."""
        with self._file.reading() as connection:
            row = self._row(library)
            if row is None:
                return Growth()
            blobs: int = connection.execute(
                "SELECT coalesce(max(n), 0) FROM blob_tally WHERE library = ?", (row[0],)
            ).fetchone()[0]
            return Growth(row[1].n, row[1].members, blobs)

    def _append_apart(self, batch: Batch, ends: _Ends, *, is_alone: bool) -> BatchResult:
        """One library's part of a commit, undone alone when it fails."""
        connection = self._connection
        if not is_alone:
            connection.execute("SAVEPOINT library")
        try:
            result = self._append_to_one(batch, ends)
        except sqlite3.DatabaseError as error:
            # A full disk ends the whole transaction; then there is nothing left to keep.
            if not connection.in_transaction:
                raise
            if is_alone:
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
            else:
                connection.execute("ROLLBACK TO library")
            result = BatchResult((), None, Stop.FAILED, str(error), is_full=is_full(error))
        if not is_alone:
            connection.execute("RELEASE library")
        return result

    def _append_to_one(self, batch: Batch, ends: _Ends) -> BatchResult:
        row = ends.rows.get(batch.library) or self._row(batch.library)
        if row is None:
            return BatchResult((), None, Stop.MOVED)
        key, head = row
        if head.members_head != batch.members_head:
            return BatchResult((), head, Stop.MOVED)
        n, chain_hash, size_bytes = head.n, head.chain_hash, head.size_bytes
        last: dict[bytes, Envelope] = {}
        rows: list[_EntryRow] = []
        stop: Stop | None = None
        for envelope in batch.envelopes:
            header, raw = envelope.header, envelope.raw
            chain = header.author_chain
            if chain not in last:
                place = (key, chain)
                held = ends.chains[place] if place in ends.chains else self._chain_head(*place)
                if held != batch.chain_heads.get(chain):
                    stop = Stop.MOVED
                    break
            n, size_bytes = n + 1, size_bytes + len(raw)
            chain_hash = log_next(chain_hash, envelope.hash)
            rows.append((key, n, chain, header.seq, envelope.hash, chain_hash, raw))
            last[chain] = envelope
        if last:
            self._insert_entries(rows)
            self._write_heads(key, last, n, chain_hash, size_bytes)
        now = LibraryHead(
            head.epoch,
            n,
            chain_hash,
            size_bytes,
            head.floor,
            head.members,
            head.members_head,
            head.members_bytes,
        )
        ends.rows[batch.library] = (key, now)
        ends.chains |= {(key, chain): _head_of(one) for chain, one in last.items()}
        return BatchResult(tuple(range(head.n + 1, n + 1)), now, stop)

    def _insert_entries(self, rows: Sequence[_EntryRow]) -> None:
        """Write rows, many by one statement: each lets the other thread in, and waits for it."""
        whole = len(rows) - len(rows) % _ROWS_AT_ONCE
        for start in range(0, whole, _ROWS_AT_ONCE):
            part = joined.from_iterable(rows[start : start + _ROWS_AT_ONCE])
            self._connection.execute(_INSERT_SEVERAL, tuple(part))
        self._connection.executemany(_INSERT_ONE, rows[whole:])

    def _write_heads(
        self, key: int, last: dict[bytes, Envelope], n: int, chain_hash: bytes, size_bytes: int
    ) -> None:
        self._connection.execute(
            "UPDATE library SET n = ?, chain_hash = ?, size_bytes = ? WHERE key = ?",
            (n, chain_hash, size_bytes, key),
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO chain VALUES (?, ?, ?, ?, ?)",
            [
                (key, chain, one.header.device, one.header.seq, one.hash)
                for chain, one in last.items()
            ],
        )

    def _chain_hash(self, key: int, head: LibraryHead, library: bytes, n: int) -> bytes | None:
        if n == head.n:
            return head.chain_hash
        if n == 0:
            return log_start(library, head.epoch)
        found = self._connection.execute(
            "SELECT chain_hash FROM entry WHERE library = ? AND position = ?", (key, n)
        ).fetchone()
        return None if found is None else bytes(found[0])

    def _chain_head(self, key: int, chain: bytes) -> ChainHead | None:
        found = self._connection.execute(
            "SELECT device, seq, hash FROM chain WHERE library = ? AND id = ?", (key, chain)
        ).fetchone()
        return None if found is None else ChainHead(*found)

    def _place(self, key: int | None, chain: bytes, seq: int) -> Place | None:
        found = self._connection.execute(
            "SELECT position, hash FROM entry WHERE library = ? AND chain = ? AND seq = ?",
            (key, chain, seq),
        ).fetchone()
        return None if found is None else Place(*found)

    def _row(self, library: bytes) -> tuple[int, LibraryHead] | None:
        found = self._connection.execute(
            "SELECT key, epoch, n, chain_hash, size_bytes, floor, members, members_head,"
            " members_bytes FROM library WHERE id = ?",
            (library,),
        ).fetchone()
        return None if found is None else (found[0], LibraryHead(*found[1:]))


def _head_of(envelope: Envelope) -> ChainHead:
    return ChainHead(envelope.header.device, envelope.header.seq, envelope.hash)
