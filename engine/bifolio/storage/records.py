"""The states of the records, and the state hash that is kept with each write.

Most states are stored whole; of a record that was edited often the row holds what came since
(``hot_states``). Whoever asks for the state gets all of it, in parts (``records.state_parts``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bifolio import limits
from bifolio.storage.database import Database
from bifolio.storage.hot_states import HEAD, Base, Head, HotStates, read_head
from bifolio.storage.meta import Meta
from bifolio.storage.packed_states import (
    COMPRESSED,
    COMPRESSED_FROM_BYTES,
    pack_state,
    unpack_state,
)

_MODULUS = 1 << 256

#: What is remembered of the table in a transaction: the shares of the state hash of records that
#: were read (None: no such record), by id.
_TABLE = "records"


class StoredRecord(NamedTuple):
    """One record: its kind, its CRDT state and its share of the state hash."""

    id: str
    kind: str
    #: As one update, or in parts; not asked for of one that is written with a head.
    state: bytes
    hash: int
    #: What is stored in the place of the state where it is not stored whole.
    head: bytes | None = None
    #: To be stored with the head: a new base, where it has one.
    base: Base | None = None


def check_of(record: StoredRecord) -> bytes:
    """What tells whether a stored record is the one that was written, 8 bytes.

    The share of the state hash covers what is shown; this also covers what is kept behind it.
    """
    if record.head is None:
        hashed = hashlib.blake2b(record.state, digest_size=8)
    else:  # which names its base
        hashed = hashlib.blake2b(record.head, digest_size=8, salt=b"head")
    hashed.update(record.hash.to_bytes(32, "big") + f"{record.id} {record.kind}".encode())
    return hashed.digest()


class Records:
    """The ``records`` table. All writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._meta = Meta(database)
        self._hot = HotStates(database)

    def read(self, record_id: str) -> StoredRecord | None:
        """A record, or None where the replica has none of this id."""
        row = self._database.row(
            "SELECT id, kind, state, hash FROM records WHERE id = ?", (record_id,)
        )
        return self._record(row) if row else None

    def is_whole(self, record: StoredRecord) -> bool:
        """Whether a record is as it was written, as far as that was noted."""
        row = self._database.row("SELECT state_check FROM records WHERE id = ?", (record.id,))
        return row is None or row[0] is None or row[0] == check_of(record)

    def state(self, record_id: str) -> bytes | None:
        """A record's CRDT state, or None."""
        row = self._database.row("SELECT state FROM records WHERE id = ?", (record_id,))
        return self._hot.unpack(record_id, row[0]) if row else None

    def load(self, record_id: str) -> bytes | Head | None:
        """What is stored of a record's state: all of it, or what came since its base; None where
        there is no such record."""
        row = self._database.row("SELECT state, hash FROM records WHERE id = ?", (record_id,))
        self._remember({record_id: row[1] if row else None})
        if row is None:
            return None
        head = read_head(row[0]) if row[0].startswith(HEAD) else None
        return unpack_state(row[0]) if head is None else head

    def whole(self, record_id: str, head: Head) -> bytes:
        """A record's state of its base and what came since; of a damaged base nothing that any
        document takes."""
        return self._hot.join(record_id, head) or HEAD

    def names(self, record_id: str) -> bytes:
        """The filter of the names in a record's base; empty where there is none."""
        base = self._hot.read(record_id)
        return base.names if base is not None else b""

    def count_of_content(self) -> int:
        """How many records there are but for the settings."""
        row = self._database.row("SELECT count(*) FROM records WHERE kind != 'settings'")
        return int(row[0]) if row else 0

    def states(self, record_ids: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
        """Of those of these ids that the replica has: the state, and what tells whether it is
        still the same (empty of an older file's), by id."""
        rows = self._database.rows(
            "SELECT id, state, state_check FROM records "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(record_ids),),
        )
        return {row[0]: (self._hot.unpack(row[0], row[1]), row[2] or b"") for row in rows}

    def small_states(self, record_ids: Sequence[str], bytes_max: int) -> dict[str, bytes | None]:
        """The states of these ids, but of larger ones than that; None where there is no record."""
        rows = self._database.rows(
            "SELECT wanted.value, CASE WHEN length(state) <= ? AND substr(state, 1, 3) != ? "
            "THEN state END, state IS NULL, hash "
            "FROM json_each(?) AS wanted LEFT JOIN records ON records.id = wanted.value",
            (bytes_max, HEAD, json.dumps(record_ids)),
        )
        self._remember({row[0]: row[3] for row in rows})
        return {
            row[0]: None if row[1] is None else unpack_state(row[1])
            for row in rows
            if row[1] is not None or row[2]
        }

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
        # What a snapshot brought is where a record's history begins.
        if not self._database.is_empty("snapshot_bases"):
            self._keep_where_histories_begin(json.dumps([record.id for record in written]))
        difference = sum(record.hash for record in written)
        difference -= sum(self._shares([record.id for record in written]))
        checks = {one.id: check_of(one) for one in written}
        self._database.execute_many(
            "INSERT INTO records (id, kind, state, hash, state_check) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, state = excluded.state, "
            "hash = excluded.hash, state_check = excluded.state_check",
            [
                (
                    *(one.id, one.kind, one.head or pack_state(one.state)),
                    *(one.hash.to_bytes(32, "big"), checks[one.id]),
                )
                for one in written
            ],
        )
        self._hot.write(
            {one.id: one.base for one in written if one.base is not None},
            without=[one.id for one in written if one.head is None],
        )
        if difference:
            self._meta.state_hash = (self._meta.state_hash + difference) % _MODULUS
        return checks

    def _remember(self, shares: dict[str, bytes | None]) -> None:
        remembered = self._database.remembered
        if remembered is None:
            return
        known: dict[str, bytes | None] = remembered.setdefault(_TABLE, {})
        if len(known) > limits.ROWS_REMEMBERED:
            known.clear()
        known.update(shares)

    def _shares(self, record_ids: Sequence[str]) -> list[int]:
        """The shares of the state hash that those of these records have that are here."""
        known: dict[str, bytes | None] = (self._database.remembered or {}).get(_TABLE, {})
        found = [known[one] for one in record_ids if one in known]
        asked = [one for one in record_ids if one not in known]
        if asked:
            rows = self._database.rows(
                "SELECT hash FROM records WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(asked),),
            )
            found += [row[0] for row in rows]
        return [int.from_bytes(one, "big") for one in found if one is not None]

    def remove(self, record_id: str) -> None:
        """Forget a record and its share of the state hash (where nothing is left of it)."""
        row = self._database.row("SELECT hash FROM records WHERE id = ?", (record_id,))
        if row is None:
            return
        self._database.execute("DELETE FROM records WHERE id = ?", (record_id,))
        self._hot.write({}, without=[record_id])
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
                yield self._record(row)
            last = rows[-1][0]

    def ids_by_arrival(self, kind: str) -> list[str]:
        """The ids of the records of a kind, in the order in which this replica got them."""
        rows = self._database.rows("SELECT id FROM records WHERE kind = ? ORDER BY number", (kind,))
        return [row[0] for row in rows]

    def hashes(self, kind: str) -> dict[str, int]:
        """The share in the state hash of each record of a kind, by id: it tells what changed."""
        rows = self._database.rows("SELECT id, hash FROM records WHERE kind = ?", (kind,))
        return {row[0]: int.from_bytes(row[1], "big") for row in rows}

    def size_bytes(self) -> int:
        """The bytes of all states as they are stored."""
        row = self._database.row(
            "SELECT (SELECT total(length(state)) FROM records) + "
            "(SELECT total(length(state) + length(names)) FROM record_bases)"
        )
        return int(row[0]) if row else 0

    def unpacked_ids(self) -> list[str]:
        """The records whose states are stored as they are, and could be compressed."""
        rows = self._database.rows(
            "SELECT id FROM records WHERE length(state) >= ? AND substr(state, 1, 2) != ? "
            "AND substr(state, 1, 3) != ? ORDER BY id",
            (COMPRESSED_FROM_BYTES, COMPRESSED, HEAD),
        )
        return [row[0] for row in rows]

    def pack(self, record_id: str, *, dry_run: bool = False) -> int:
        """Store a record's state compressed, where that is smaller; the bytes that it saves."""
        row = self._database.row("SELECT state FROM records WHERE id = ?", (record_id,))
        if row is None or row[0].startswith((COMPRESSED, HEAD)):
            return 0
        packed = pack_state(unpack_state(row[0]))
        if len(packed) >= len(row[0]):
            return 0
        if not dry_run:
            self._database.execute("UPDATE records SET state = ? WHERE id = ?", (packed, record_id))
        return len(row[0]) - len(packed)

    def all_ids(self) -> list[str]:
        """The ids of all records, in order."""
        return [row[0] for row in self._database.rows("SELECT id FROM records ORDER BY id")]

    def _record(self, row: tuple[str, str, bytes, bytes]) -> StoredRecord:
        record_id, kind, stored, share = row
        state = self._hot.unpack(record_id, stored)
        head = stored if state != stored and stored.startswith(HEAD) else None
        return StoredRecord(record_id, kind, state, int.from_bytes(share, "big"), head)

    def _keep_where_histories_begin(self, ids: str) -> None:
        """Keep what snapshots brought of records that are changed for the first time since."""
        self._database.execute(
            "UPDATE snapshot_bases SET (state, state_check) = (SELECT state, state_check "
            "FROM records WHERE records.id = snapshot_bases.record) "
            "WHERE record IN (SELECT value FROM json_each(?)) AND state IS NULL "
            "AND record NOT IN (SELECT record FROM record_bases)",
            (ids,),
        )
        rows = self._database.rows(
            "SELECT record FROM snapshot_bases JOIN record_bases USING (record) "
            "WHERE record IN (SELECT value FROM json_each(?)) AND snapshot_bases.state IS NULL",
            (ids,),
        )
        for (record_id,) in rows:
            record = self.read(record_id)
            if record is not None:
                self._database.execute(
                    "UPDATE snapshot_bases SET state = ?, state_check = ? WHERE record = ?",
                    (
                        pack_state(record.state),
                        check_of(record._replace(head=None)),
                        record_id,
                    ),
                )
