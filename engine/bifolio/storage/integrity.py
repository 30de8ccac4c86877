"""What a self-check reads, and mending writes, below what the tables' own modules offer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from typing import NamedTuple

import msgpack

from bifolio.storage.database import Database
from bifolio.storage.hot_states import HEAD, HotStates
from bifolio.storage.packed_states import unpack_state
from bifolio.storage.records import StoredRecord

_MODULUS = 1 << 256
_PAGE = 500

#: Tables of envelopes under their hash, and the column that holds the envelope.
_ENVELOPES = ("pending", "refused", "newer_envelopes", "fatal_envelopes")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A row of ``changes``; ``hash`` is None of one that is not sealed."""

    number: int
    hash: bytes | None
    chain: bytes | None
    seq: int | None
    position: int | None
    own: int
    count: int
    frontier: bytes | None
    body: bytes
    slot: str | None


def _unpacked(row: ChangeRow) -> ChangeRow:
    """A row with its change as it was written; what is damaged may be of any type."""
    if row.hash is not None or not isinstance(row.body, bytes):
        return row
    return replace(row, body=unpack_state(row.body))


class CheckedRecord(NamedTuple):
    """A stored record and the check that was written with it; None of an older file."""

    record: StoredRecord
    check: bytes | None


class Integrity:
    """Rows as they are in the file. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hot = HotStates(database)

    # --- members --------------------------------------------------------------------------

    def members(self) -> list[tuple[int, bytes, bytes]]:
        """Number, hash and record of the membership log."""
        return self._database.rows("SELECT number, hash, record FROM members ORDER BY number")

    def keep_members(self, count: int) -> None:
        """Drop the membership records behind the first so many."""
        numbers = [number for number, _, _ in self.members()]
        for number in numbers[count:]:
            self._database.execute("DELETE FROM members WHERE number = ?", (number,))

    def set_member_hash(self, number: int, record_hash: bytes) -> None:
        """Write the hash of a membership record."""
        self._database.execute(
            "UPDATE members SET hash = ? WHERE number = ?", (record_hash, number)
        )

    # --- changes --------------------------------------------------------------------------

    def changes(self) -> Iterator[ChangeRow]:
        """All rows of ``changes``, in order."""
        last = -(1 << 62)
        while rows := self.changes_after(last, most=_PAGE):
            yield from rows
            last = rows[-1].number

    def changes_after(self, number: int, *, most: int) -> list[ChangeRow]:
        """So many rows of ``changes`` behind a number."""
        rows = self._database.rows(
            "SELECT number, hash, chain, seq, position, own, count, frontier, body, slot "
            "FROM changes WHERE number > ? ORDER BY number LIMIT ?",
            (number, most),
        )
        return [_unpacked(ChangeRow(*row)) for row in rows]

    @staticmethod
    def pack_frontier(frontier: Sequence[bytes]) -> bytes:
        """A frontier as the table holds it."""
        packed: bytes = msgpack.packb(list(frontier))
        return packed

    def write_change(self, row: ChangeRow) -> None:
        """Write a row of ``changes`` in its place."""
        self._database.execute(
            "UPDATE OR IGNORE changes SET hash = ?, chain = ?, seq = ?, position = ?, own = ?, "
            "count = ?, frontier = ?, body = ?, slot = ? WHERE number = ?",
            (*astuple(row)[1:], row.number),
        )

    def remove_change(self, number: int) -> None:
        """Drop a row of ``changes``."""
        self._database.execute("DELETE FROM changes WHERE number = ?", (number,))

    # --- records --------------------------------------------------------------------------

    def records(self) -> Iterator[CheckedRecord]:
        """All records, by id."""
        last = ""
        while rows := self.records_after(last, most=_PAGE):
            yield from rows
            last = rows[-1].record.id

    def records_after(self, record_id: str, *, most: int) -> list[CheckedRecord]:
        """So many records behind an id."""
        rows = self._database.rows(
            "SELECT id, kind, state, hash, state_check FROM records WHERE id > ? "
            "ORDER BY id LIMIT ?",
            (record_id, most),
        )
        return [self._checked(*row) for row in rows]

    def _checked(
        self, record_id: str, kind: str, state: bytes, share: bytes, check: bytes | None
    ) -> CheckedRecord:
        # What is damaged may be of any type.
        unpacked, head = state, None
        if isinstance(state, bytes) and state.startswith(HEAD):
            unpacked = self._hot.unpack(record_id, state)
            head = state if unpacked != state else None
        elif isinstance(state, bytes):
            unpacked = unpack_state(state)
        stored = StoredRecord(record_id, kind, unpacked, int.from_bytes(share, "big"), head)
        return CheckedRecord(stored, check)

    def remove_record(self, record_id: str) -> None:
        """Drop a record that is damaged; the state hash is summed again afterwards."""
        self._database.execute("DELETE FROM records WHERE id = ?", (record_id,))

    def remove_stray_bases(self) -> int:
        """Drop what belongs to no record; how many there were."""
        return self._database.execute(
            "DELETE FROM record_bases WHERE record NOT IN "
            "(SELECT id FROM records WHERE substr(state, 1, 3) = ?)",
            (HEAD,),
        ).rowcount

    def sum_hashes(self) -> int:
        """The state hash that the records' shares make."""
        rows = self._database.rows("SELECT hash FROM records")
        return sum(int.from_bytes(row[0], "big") for row in rows) % _MODULUS

    def touched(self) -> set[str]:
        """The ids of the records that changes touched, as the index says."""
        rows = self._database.rows("SELECT DISTINCT record FROM touches")
        return {row[0].hex() for row in rows}

    def touched_by(self, number: int) -> list[str]:
        """The ids of the records that a row of ``changes`` touched, as the index says."""
        rows = self._database.rows(
            "SELECT DISTINCT touches.record FROM history JOIN touches ON entry = history.number "
            "WHERE history.change = ?",
            (number,),
        )
        return [row[0].hex() for row in rows]

    # --- the index of changes -----------------------------------------------------------------

    def history(self) -> dict[int, list[tuple[int, bytes, str, str, int, frozenset[bytes]]]]:
        """By row of ``changes`` what the index says: place, id, stamp, device, how many records,
        and which."""
        touched: dict[int, set[bytes]] = {}
        for record, entry in self._database.rows("SELECT record, entry FROM touches"):
            touched.setdefault(entry, set()).add(record)
        found: dict[int, list[tuple[int, bytes, str, str, int, frozenset[bytes]]]] = {}
        for number, change, *rest in self._database.rows(
            "SELECT number, change, place, id, stamp, device, records FROM history ORDER BY number"
        ):
            place, change_id, stamp, device, records = rest
            entry = (place, change_id, stamp, device, records, frozenset(touched.pop(number, ())))
            found.setdefault(change, []).append(entry)
        if touched:
            found[-1] = []  # of changes that the index does not have
        return found

    # --- envelopes that wait -------------------------------------------------------------------

    def waiting_envelopes(self) -> Iterator[tuple[str, int, bytes, bytes]]:
        """Of each table of envelopes under their hash: table, row, hash and envelope."""
        for table in _ENVELOPES:
            for row in self._database.rows(
                f"SELECT rowid, hash, envelope FROM {table} WHERE envelope IS NOT NULL"
            ):
                yield (table, *row)

    def remove_waiting(self, table: str, number: int) -> None:
        """Drop a damaged row of a table of envelopes."""
        assert table in _ENVELOPES
        self._database.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))

    def quarantined(self) -> list[tuple[int, str, bytes, bytes | None]]:
        """Number, record, contents and envelope of what is set aside."""
        return self._database.rows(
            "SELECT number, record, contents, envelope FROM quarantined_updates ORDER BY number"
        )

    def remove_quarantined(self, number: int) -> None:
        """Drop a damaged update that is set aside."""
        self._database.execute("DELETE FROM quarantined_updates WHERE number = ?", (number,))

    # --- the relay's chain of hashes ------------------------------------------------------------

    def log_hashes(self) -> list[tuple[int, bytes, int, bytes]]:
        """Epoch's number, its id, position and hash, in order; of epochs that are known."""
        return self._database.rows(
            "SELECT epoch, id, position, hash FROM log_hashes JOIN log_epochs ON epoch = number "
            "ORDER BY epoch, position"
        )

    def set_log_hash(self, epoch: int, position: int, chain_hash: bytes) -> None:
        """Write the chain's hash at a position."""
        self._database.execute(
            "UPDATE log_hashes SET hash = ? WHERE epoch = ? AND position = ?",
            (chain_hash, epoch, position),
        )

    def remove_log_hash(self, epoch: int, position: int) -> None:
        """Drop the hash at a position that it is not of."""
        self._database.execute(
            "DELETE FROM log_hashes WHERE epoch = ? AND position = ?", (epoch, position)
        )

    def remove_stray_log_hashes(self) -> int:
        """Drop hashes of epochs that are not known; how many there were."""
        return self._database.execute(
            "DELETE FROM log_hashes WHERE epoch NOT IN (SELECT number FROM log_epochs)"
        ).rowcount

    # --- derived ------------------------------------------------------------------------------

    def rows_of(self, table: str) -> list[tuple[object, ...]]:
        """All rows of a table without their own numbers, in an order of their own."""
        columns = [
            f'"{name}"'
            for (name,) in self._database.rows("SELECT name FROM pragma_table_info(?)", (table,))
            if name != "number"
        ]
        return sorted(self._database.rows(f"SELECT {', '.join(columns)} FROM {table}"), key=repr)
