"""What snapshots brought and what they are made of: what this replica holds without its changes.

An envelope that a snapshot covers is merged and not here. Of each chain the end is known, so that
the next envelope of it has its place; and of each record that came with a snapshot the state before
its first change here, where its history begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bifolio.storage.database import Database
from bifolio.storage.hot_states import HotStates
from bifolio.storage.packed_states import pack_state, unpack_state

_IS_NOT_HERE = "NOT EXISTS (SELECT 1 FROM changes WHERE changes.hash = covered.hash)"


class ChainEnd(NamedTuple):
    """Where a device's chain ends in what snapshots cover."""

    device: bytes
    chain: bytes
    seq: int
    hash: bytes


class Declared(NamedTuple):
    """An incarnation that a device declared: its slot, and the nonce that gives its client id."""

    device: bytes
    slot: str
    nonce: bytes


class Base(NamedTuple):
    """What a record held when a snapshot brought it; ``after`` is the last change of the history
    (``history.number``) that came before."""

    state: bytes
    after: int


class StoredBase(NamedTuple):
    """A row of ``snapshot_bases``: ``state`` is None while it is the record's own, ``check`` is
    ``records.check_of`` of it."""

    record: str
    state: bytes | None
    check: bytes | None


class Snapshots:
    """The tables ``covered``, ``covered_chains``, ``declared``, ``snapshot_chunks`` and
    ``snapshot_bases``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- envelopes that are merged and not here -------------------------------------------

    def add_covered(self, hashes: Iterable[bytes]) -> None:
        """These envelopes are in a snapshot that was merged, whether they are here too or not."""
        self._database.execute_many(
            "INSERT OR IGNORE INTO covered (hash) VALUES (?)", [(one,) for one in hashes]
        )
        self._database.note_row("covered")

    def is_covered(self, envelope_hash: bytes) -> bool:
        """Whether an envelope is merged by a snapshot alone."""
        row = self._database.row_of_few(
            "covered",
            f"SELECT 1 FROM covered WHERE hash = ? AND {_IS_NOT_HERE}",
            (envelope_hash,),
        )
        return row is not None

    def is_asserted(self, envelope_hash: bytes) -> bool:
        """Whether a snapshot that was merged has what an envelope brought, which counts by that
        whatever becomes of its author's right; also where the envelope is here itself."""
        row = self._database.row_of_few(
            "covered",
            "SELECT 1 FROM covered WHERE hash = ? "
            "AND hash NOT IN (SELECT hash FROM voided_envelopes)",
            (envelope_hash,),
        )
        return row is not None

    def has_any(self) -> bool:
        """Whether anything is merged by a snapshot alone."""
        row = self._database.row(f"SELECT 1 FROM covered WHERE {_IS_NOT_HERE} LIMIT 1")
        return row is not None

    def covered(self) -> list[bytes]:
        """The envelopes that are merged by a snapshot alone."""
        rows = self._database.rows(f"SELECT hash FROM covered WHERE {_IS_NOT_HERE} ORDER BY hash")
        return [row[0] for row in rows]

    def remove_covered(self, envelope_hash: bytes) -> None:
        """Forget one of them: its hash is damaged."""
        self._database.execute("DELETE FROM covered WHERE hash = ?", (envelope_hash,))

    def position(self, envelope_hash: bytes) -> int | None:
        """Where in the relay's log a covered envelope is, if that is known."""
        row = self._database.row("SELECT position FROM covered WHERE hash = ?", (envelope_hash,))
        return row[0] if row else None

    def set_position(self, envelope_hash: bytes, position: int) -> None:
        """Note where in the relay's log a covered envelope is."""
        self._database.execute(
            "UPDATE covered SET position = ? WHERE hash = ?", (position, envelope_hash)
        )

    def forget_positions(self) -> None:
        """The relay lost its log."""
        self._database.execute("UPDATE covered SET position = NULL WHERE position IS NOT NULL")

    def write_chains(self, ends: Iterable[ChainEnd]) -> None:
        """Note where chains end in a snapshot; an end that is known to be further stays."""
        self._database.execute_many(
            "INSERT INTO covered_chains (device, chain, seq, hash) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (device, chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash "
            "WHERE excluded.seq > covered_chains.seq",
            [tuple(one) for one in ends],
        )
        self._database.note_row("covered_chains")

    def chain_end(self, envelope_hash: bytes) -> ChainEnd | None:
        """The chain that ends with this envelope in what snapshots cover."""
        row = self._database.row_of_few(
            "covered_chains",
            "SELECT device, chain, seq, hash FROM covered_chains WHERE hash = ?",
            (envelope_hash,),
        )
        return ChainEnd(*row) if row else None

    def end_of(self, device: bytes, chain: bytes) -> ChainEnd | None:
        """Where a chain ends in what snapshots cover."""
        row = self._database.row_of_few(
            "covered_chains",
            "SELECT device, chain, seq, hash FROM covered_chains WHERE device = ? AND chain = ?",
            (device, chain),
        )
        return ChainEnd(*row) if row else None

    def chains(self) -> list[ChainEnd]:
        """Where every chain ends that snapshots cover."""
        rows = self._database.rows("SELECT device, chain, seq, hash FROM covered_chains")
        return [ChainEnd(*row) for row in rows]

    def has_changes_of(self, end: ChainEnd) -> bool:
        """Whether the envelopes of a chain are here themselves, from its first one to this end."""
        row = self._database.row(
            "SELECT count(DISTINCT seq) FROM changes "
            "WHERE hash IS NOT NULL AND chain = ? AND seq <= ?",
            (end.chain, end.seq),
        )
        return row is not None and row[0] == end.seq

    # --- who may bear which name ----------------------------------------------------------

    def add_declared(self, incarnations: Iterable[Declared]) -> None:
        """Note what devices declared in their envelopes."""
        self._database.execute_many(
            "INSERT OR IGNORE INTO declared (slot, device, nonce) VALUES (?, ?, ?)",
            [(one.slot, one.device, one.nonce) for one in incarnations],
        )

    def declared(self) -> list[Declared]:
        """All that was declared, as far as it was noted, by device and slot."""
        rows = self._database.rows("SELECT device, slot, nonce FROM declared ORDER BY device, slot")
        return [Declared(*row) for row in rows]

    # --- chunks on their way --------------------------------------------------------------

    def add_chunk(self, snapshot: bytes, number: int, sealed: bytes) -> None:
        """Keep a sealed chunk."""
        self._database.execute(
            "INSERT OR REPLACE INTO snapshot_chunks (snapshot, number, sealed) VALUES (?, ?, ?)",
            (snapshot, number, sealed),
        )

    def count_chunks(self, snapshot: bytes) -> int:
        """How many chunks of a snapshot are here."""
        row = self._database.row(
            "SELECT count(*) FROM snapshot_chunks WHERE snapshot = ?", (snapshot,)
        )
        return int(row[0]) if row else 0

    def chunk(self, snapshot: bytes, number: int) -> bytes | None:
        """One chunk; None if it is not here."""
        row = self._database.row(
            "SELECT sealed FROM snapshot_chunks WHERE snapshot = ? AND number = ?",
            (snapshot, number),
        )
        return row[0] if row else None

    def chunks(self, snapshot: bytes) -> Iterator[bytes]:
        """The chunks of a snapshot, in order, one at a time."""
        number = 0
        while (sealed := self.chunk(snapshot, number)) is not None:
            yield sealed
            number += 1

    def rename_chunks(self, snapshot: bytes, *, to: bytes) -> None:
        """Chunks that were kept under a stand-in have their snapshot's id now."""
        self._database.execute(
            "UPDATE snapshot_chunks SET snapshot = ? WHERE snapshot = ?", (to, snapshot)
        )

    def drop_chunks(self, snapshot: bytes) -> None:
        """Drop the chunks of one snapshot."""
        self._database.execute("DELETE FROM snapshot_chunks WHERE snapshot = ?", (snapshot,))

    def remove_chunks(self, *, but: Sequence[bytes] = ()) -> None:
        """Drop the chunks of all snapshots but some."""
        self._database.execute(
            "DELETE FROM snapshot_chunks WHERE hex(snapshot) NOT IN "
            "(SELECT value FROM json_each(?))",
            (json.dumps([one.hex().upper() for one in but]),),
        )

    def size_of_chunks(self, *, but: Sequence[bytes] = ()) -> tuple[int, int]:
        """How many chunks there are of all snapshots but some, and their bytes."""
        row = self._database.row(
            "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM snapshot_chunks "
            "WHERE hex(snapshot) NOT IN (SELECT value FROM json_each(?))",
            (json.dumps([one.hex().upper() for one in but]),),
        )
        return (int(row[0]), int(row[1])) if row else (0, 0)

    # --- where histories begin ------------------------------------------------------------

    def begin_records(self, record_ids: Iterable[str]) -> None:
        """These records were brought by a snapshot: their history here begins with it."""
        row = self._database.row("SELECT coalesce(max(number), 0) FROM history")
        after = int(row[0]) if row else 0
        self._database.execute_many(
            "INSERT OR REPLACE INTO snapshot_bases (record, state, after) VALUES (?, NULL, ?)",
            [(one, after) for one in record_ids],
        )
        self._database.note_row("snapshot_bases")

    def base(self, record_id: str) -> Base | None:
        """What a record held when a snapshot brought it; None where all its changes are here."""
        row = self._database.row_of_few(
            "snapshot_bases",
            "SELECT coalesce(snapshot_bases.state, records.state), after FROM snapshot_bases "
            "LEFT JOIN records ON id = record WHERE record = ?",
            (record_id,),
        )
        if row is None or row[0] is None:
            return None
        return Base(HotStates(self._database).unpack(record_id, row[0]), row[1])

    def stored_bases(self) -> list[StoredBase]:
        """Where every record's history begins that a snapshot brought, as it is in the file."""
        rows = self._database.rows(
            "SELECT record, state, state_check FROM snapshot_bases ORDER BY record"
        )
        return [StoredBase(one, state and unpack_state(state), check) for one, state, check in rows]

    def write_base(self, record_id: str, state: bytes, check: bytes) -> None:
        """Where a record's history begins is known again; after which change, stays noted."""
        self._database.execute(
            "INSERT INTO snapshot_bases (record, state, state_check, after) VALUES (?, ?, ?, 0) "
            "ON CONFLICT (record) DO UPDATE SET "
            "state = excluded.state, state_check = excluded.state_check",
            (record_id, pack_state(state), check),
        )
        self._database.note_row("snapshot_bases")

    def own_base(self, record_id: str) -> bytes | None:
        """What a record held when a snapshot brought it, where that is kept by itself: where
        something was changed since."""
        row = self._database.row(
            "SELECT state FROM snapshot_bases WHERE record = ? AND state IS NOT NULL", (record_id,)
        )
        return unpack_state(row[0]) if row else None

    def is_brought(self, record_id: str) -> bool:
        """Whether a snapshot brought a record."""
        row = self._database.row_of_few(
            "snapshot_bases", "SELECT 1 FROM snapshot_bases WHERE record = ?", (record_id,)
        )
        return row is not None

    def remove_all(self) -> None:
        """Forget everything (joining another library only)."""
        for table in (
            "covered",
            "covered_chains",
            "declared",
            "snapshot_chunks",
            "snapshot_bases",
        ):
            self._database.execute(f"DELETE FROM {table}")
