"""The states of the records, and the state hash that is kept with each write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bifolio.storage.database import Database
from bifolio.storage.meta import Meta

_MODULUS = 1 << 256


class StoredRecord(NamedTuple):
    """One record: its kind, its CRDT state and its share of the state hash."""

    id: str
    kind: str
    state: bytes
    hash: int


def check_of(record: StoredRecord) -> bytes:
    """What tells whether a stored record is the one that was written, 8 bytes.

    The share of the state hash covers what is shown; this also covers what is kept behind it.
    """
    hashed = hashlib.blake2b(record.state, digest_size=8)
    hashed.update(record.hash.to_bytes(32, "big") + f"{record.id} {record.kind}".encode())
    return hashed.digest()


class Records:
    """The ``records`` table. All writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._meta = Meta(database)

    def read(self, record_id: str) -> StoredRecord | None:
        """A record, or None where the replica has none of this id."""
        row = self._database.row(
            "SELECT id, kind, state, hash FROM records WHERE id = ?", (record_id,)
        )
        return _record(row) if row else None

    def is_whole(self, record: StoredRecord) -> bool:
        """Whether a record is as it was written, as far as that was noted."""
        row = self._database.row("SELECT state_check FROM records WHERE id = ?", (record.id,))
        return row is None or row[0] is None or row[0] == check_of(record)

    def state(self, record_id: str) -> bytes | None:
        """A record's CRDT state, or None."""
        row = self._database.row("SELECT state FROM records WHERE id = ?", (record_id,))
        return row[0] if row else None

    def states(self, record_ids: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
        """Of those of these ids that the replica has: the state, and what tells whether it is
        still the same (empty of an older file's), by id."""
        rows = self._database.rows(
            "SELECT id, state, state_check FROM records "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(record_ids),),
        )
        return {row[0]: (row[1], row[2] or b"") for row in rows}

    def small_states(self, record_ids: Sequence[str], bytes_max: int) -> dict[str, bytes | None]:
        """The states of these ids, but of larger ones than that; None where there is no record."""
        rows = self._database.rows(
            "SELECT wanted.value, CASE WHEN length(state) <= ? THEN state END, state IS NULL "
            "FROM json_each(?) AS wanted LEFT JOIN records ON records.id = wanted.value",
            (bytes_max, json.dumps(record_ids)),
        )
        return {row[0]: row[1] for row in rows if row[1] is not None or row[2]}

    def kind(self, record_id: str) -> str | None:
        """A record's kind, or None where the replica has none of this id."""
        row = self._database.row("SELECT kind FROM records WHERE id = ?", (record_id,))
        return row[0] if row else None

    def exists(self, record_id: str) -> bool:
        """Whether the replica has a record of this id."""
        return self._database.row("SELECT 1 FROM records WHERE id = ?", (record_id,)) is not None

    def present(self, record_ids: Sequence[str]) -> set[str]:
        """Those of these ids of which the replica has a record."""
        rows = self._database.rows(
            "SELECT id FROM records WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(record_ids),),
        )
        return {row[0] for row in rows}

    def write(self, records: Iterable[StoredRecord]) -> dict[str, bytes]:
        """Store records and move the state hash by the difference that they make; returns what
        tells whether each is still the same, by id."""
        written = list({record.id: record for record in records}.values())
        before = self._database.rows(
            "SELECT hash FROM records WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps([record.id for record in written]),),
        )
        difference = sum(record.hash for record in written)
        difference -= sum(int.from_bytes(row[0], "big") for row in before)
        checks = {one.id: check_of(one) for one in written}
        self._database.execute_many(
            "INSERT INTO records (id, kind, state, hash, state_check) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, state = excluded.state, "
            "hash = excluded.hash, state_check = excluded.state_check",
            [
                (one.id, one.kind, one.state, one.hash.to_bytes(32, "big"), checks[one.id])
                for one in written
            ],
        )
        if difference:
            self._meta.state_hash = (self._meta.state_hash + difference) % _MODULUS
        return checks

    def remove(self, record_id: str) -> None:
        """Forget a record and its share of the state hash (where nothing is left of it)."""
        row = self._database.row("SELECT hash FROM records WHERE id = ?", (record_id,))
        if row is None:
            return
        self._database.execute("DELETE FROM records WHERE id = ?", (record_id,))
        total = (self._meta.state_hash - int.from_bytes(row[0], "big")) % _MODULUS
        self._meta.state_hash = total

    def of_kind(self, kind: str) -> Iterator[StoredRecord]:
        """The records of a kind, in the order of their ids."""
        last = ""
        while rows := self._database.rows(
            "SELECT id, kind, state, hash FROM records WHERE kind = ? AND id > ? "
            "ORDER BY id LIMIT 500",
            (kind, last),
        ):
            for row in rows:
                yield _record(row)
            last = rows[-1][0]

    def ids_by_arrival(self, kind: str) -> list[str]:
        """The ids of the records of a kind, in the order in which this replica got them."""
        rows = self._database.rows("SELECT id FROM records WHERE kind = ? ORDER BY number", (kind,))
        return [row[0] for row in rows]

    def hashes(self, kind: str) -> dict[str, int]:
        """The share in the state hash of each record of a kind, by id: it tells what changed."""
        rows = self._database.rows("SELECT id, hash FROM records WHERE kind = ?", (kind,))
        return {row[0]: int.from_bytes(row[1], "big") for row in rows}

    def all_ids(self) -> list[str]:
        """The ids of all records, in order."""
        return [row[0] for row in self._database.rows("SELECT id FROM records ORDER BY id")]


def _record(row: tuple[str, str, bytes, bytes]) -> StoredRecord:
    return StoredRecord(row[0], row[1], row[2], int.from_bytes(row[3], "big"))
