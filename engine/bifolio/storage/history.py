"""Where each record's changes are, and which of them one command made.

``history`` has a row for each change, own or received, that lies in ``changes``, numbered in the
order in which they were made or merged here, which is causal; ``touches`` says which records it
touched. Both are derived from the bodies in ``changes``, so that what happened to one reference is
found without opening every envelope. ``operations`` is this
computer's own: what its commands did, so that they can be undone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec import Struct

from bifolio.storage.database import Database
from bifolio.storage.meta import Meta
from bifolio.storage.object_versions import ObjectVersions
from bifolio.wire.changes import ID_BYTES


class LoggedChange(Struct, frozen=True):
    """One change: its number, where its body lies (a row of ``changes``, and its place inside),
    its id, when it was made and on which device (the tag of its slots)."""

    number: int
    change: int
    place: int
    id: bytes
    stamp: str
    device: str
    records: int


class Operation(Struct, frozen=True):
    """What one command did. ``words`` are its actions, written as text (or the words of an earlier
    version); ``undoes`` is the operation that it took back, ``undone`` the one that took it
    back."""

    number: int
    stamp: str
    words: str | None
    undoes: int | None
    undone: int | None


_LOGGED = "number, change, place, id, stamp, device, records"
_OPERATION = "number, stamp, words, undoes, undone"


class ChangeIndex:
    """The tables ``history`` and ``touches``, and what follows from them: ``object_versions``.
    Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.versions = ObjectVersions(database)

    # --- writing ------------------------------------------------------------------------

    def add(
        self,
        *,
        change: int,
        place: int,
        change_id: bytes,
        stamp: str,
        device: str,
        record_ids: Iterable[str],
        number: int | None = None,
    ) -> None:
        """Note a change that lies at a place of a row of ``changes``, after all that are noted, or
        under the number that it had."""
        records = list(dict.fromkeys(record_ids))
        touched = [bytes.fromhex(one) for one in records]
        given = self._database.execute(
            "INSERT INTO history (number, change, place, id, stamp, device, records) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, change, place, change_id, stamp, device, len(touched)),
        ).lastrowid
        assert given is not None
        self._database.execute_many(
            "INSERT INTO touches (record, entry) VALUES (?, ?)", [(one, given) for one in touched]
        )
        self.versions.note((one, given, stamp) for one in records)

    def add_all(
        self, change: int, changes: Sequence[tuple[bytes, str, Iterable[str]]], *, device: str
    ) -> None:
        """Note the changes of one row of ``changes``, in their places, after all that are noted.

        Args:
            changes: of each its id, its stamp and the records that it touched.
        """
        if len(changes) == 1:
            change_id, stamp, record_ids = changes[0]
            self.add(
                change=change,
                place=0,
                change_id=change_id,
                stamp=stamp,
                device=device,
                record_ids=record_ids,
            )
            return
        row = self._database.row("SELECT max(number) FROM history")
        first = ((row[0] or 0) if row else 0) + 1
        noted: list[tuple[object, ...]] = []
        touched: list[tuple[bytes, int]] = []
        newer: list[tuple[str, int, str]] = []
        for place, (change_id, stamp, record_ids) in enumerate(changes):
            number = first + place
            records = dict.fromkeys(record_ids)
            noted.append((number, change, place, change_id, stamp, device, len(records)))
            touched.extend((bytes.fromhex(one), number) for one in records)
            newer.extend((one, number, stamp) for one in records)
        self._database.execute_many(
            "INSERT INTO history (number, change, place, id, stamp, device, records) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            noted,
        )
        self._database.execute_many("INSERT INTO touches (record, entry) VALUES (?, ?)", touched)
        self.versions.note(newer)

    def move(self, unsealed: Sequence[int], *, to: int) -> None:
        """Unsealed changes lie in one envelope now, in this order."""
        # Found first: the envelope may have the number that one of them had.
        numbers = [self._at(change) for change in unsealed]
        self._database.execute_many(
            "UPDATE history SET change = ?, place = ? WHERE number = ?",
            [(to, place, number) for place, number in enumerate(numbers)],
        )

    def remove_unsealed(self, change: int) -> None:
        """An unsealed change came back in an envelope of the device that made it."""
        self.remove(change)

    def remove(self, change: int) -> list[str]:
        """What lies in a row of ``changes`` does not count; the records that it touched."""
        entries = "SELECT number FROM history WHERE change = ?"
        rows = self._database.rows(
            f"SELECT DISTINCT record FROM touches WHERE entry IN ({entries})", (change,)
        )
        self._database.execute(f"DELETE FROM touches WHERE entry IN ({entries})", (change,))
        self._database.execute("DELETE FROM history WHERE change = ?", (change,))
        touched = [row[0].hex() for row in rows]
        self.versions.derive(touched)
        self._note_cut()
        return touched

    def move_envelope(self, replaced: int, *, to: int, device: str) -> None:
        """What lay in an envelope lies in the one that replaces it, which that device sealed."""
        self._database.execute(
            "UPDATE history SET change = ?, device = ? WHERE change = ?", (to, device, replaced)
        )

    def clear(self) -> None:
        """Forget everything."""
        self._database.execute("DELETE FROM history")
        self._database.execute("DELETE FROM touches")
        self.versions.clear()
        self._note_cut()

    def _note_cut(self) -> None:
        """Records are not told any more to have been touched by what touched them."""
        meta = Meta(self._database)
        meta.history_cuts += 1

    def _at(self, change: int) -> int | None:
        row = self._database.row("SELECT number FROM history WHERE change = ?", (change,))
        return row[0] if row else None

    # --- reading --------------------------------------------------------------------------

    def records_of_changes(self, changes: Collection[int]) -> set[str]:
        """The records that the changes in these rows of ``changes`` touched."""
        found: set[str] = set()
        for one in changes:
            rows = self._database.rows(
                "SELECT DISTINCT record FROM touches JOIN history ON entry = history.number "
                "WHERE history.change = ?",
                (one,),
            )
            found.update(row[0].hex() for row in rows)
        return found

    def of_record(self, record_id: str) -> list[LoggedChange]:
        """The changes that touched a record, in this replica's order, which is causal."""
        return self._read_where(
            "number IN (SELECT entry FROM touches WHERE record = ?) ORDER BY number",
            (bytes.fromhex(record_id),),
        )

    def is_of_device(self, record_id: str, device: str) -> bool:
        """Whether changes touched a record, and each of them was made on this device."""
        row = self._database.row(
            "SELECT count(*), total(device = ?) FROM touches JOIN history ON number = entry "
            "WHERE record = ?",
            (device, bytes.fromhex(record_id)),
        )
        return row is not None and row[0] > 0 and row[0] == row[1]

    def get(self, change_id: bytes) -> LoggedChange | None:
        """The change of an id. A folder that was copied may have sealed it twice."""
        found = self._read_where("id = ? ORDER BY number LIMIT 1", (change_id,))
        return found[0] if found else None

    def has(self, change_id: bytes) -> bool:
        """Whether the change of an id came, whatever became of it."""
        row = self._database.row("SELECT 1 FROM history WHERE id = ? LIMIT 1", (change_id,))
        return row is not None

    def ids_with_prefix(self, prefix: str, *, most: int) -> list[bytes]:
        """The ids of changes that begin with a prefix of hex digits, as long as they are few."""
        low = bytes.fromhex(prefix.ljust(2 * ID_BYTES, "0"))
        high = bytes.fromhex(prefix.ljust(2 * ID_BYTES, "f"))
        rows = self._database.rows(
            "SELECT DISTINCT id FROM history WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?",
            (low, high, most),
        )
        return [row[0] for row in rows]

    def between(self, first: str, last: str, *, device: str | None = None) -> list[LoggedChange]:
        """The changes with stamps from ``first`` to ``last``, in this replica's order."""
        return self._read_where(
            "stamp >= ? AND stamp <= ? AND (? IS NULL OR device = ?) ORDER BY number",
            (first, last, device, device),
        )

    def newest(
        self,
        before: tuple[str, int],
        *,
        first: str,
        tags: Sequence[str] | None,
        most: int,
        but: Sequence[str] = (),
        behind: int = 0,
    ) -> list[LoggedChange]:
        """A page of changes of these devices (None: of all), the latest stamps first: those
        before (stamp, number); without those of the devices ``but``, and only those that lie in
        rows of ``changes`` behind one."""
        among = "1" if tags is None else f"device IN ({', '.join('?' * len(tags))})"
        others = f"device NOT IN ({', '.join('?' * len(but))})"
        return self._read_where(
            f"(stamp, number) < (?, ?) AND stamp >= ? AND {among} AND {others} AND change > ? "
            "ORDER BY stamp DESC, number DESC LIMIT ?",
            (*before, first, *(tags or ()), *but, behind, most),
        )

    def first_row_since(self, stamp: str) -> int | None:
        """The first row of ``changes`` that holds a change of this stamp or a later one."""
        row = self._database.row("SELECT min(change) FROM history WHERE stamp >= ?", (stamp,))
        return row[0] if row else None

    def records_since(self, stamp: str) -> list[str]:
        """The records that changes after a stamp touched, in the order of the first of these."""
        rows = self._database.rows(
            "SELECT record FROM touches WHERE entry IN (SELECT number FROM history "
            "WHERE stamp > ?) GROUP BY record ORDER BY min(entry), record",
            (stamp,),
        )
        return [row[0].hex() for row in rows]

    def records_in(self, rows: Sequence[int]) -> set[str]:
        """The records that the changes in these rows of ``changes`` touched."""
        found = self._database.rows(
            "SELECT DISTINCT record FROM touches WHERE entry IN (SELECT number FROM history "
            "WHERE change IN (SELECT value FROM json_each(?)))",
            (json.dumps(list(rows)),),
        )
        return {row[0].hex() for row in found}

    def devices(self) -> list[str]:
        """The tags of all devices that made a change."""
        return [row[0] for row in self._database.rows("SELECT DISTINCT device FROM history")]

    def numbers(self) -> dict[tuple[int, int], int]:
        """The number of each change by the row of ``changes`` and the place where it lies."""
        rows = self._database.rows("SELECT change, place, number FROM history")
        return {(change, place): number for change, place, number in rows}

    def ids_by_row(self) -> dict[int, bytes]:
        """The id of the first change in each row of ``changes``."""
        rows = self._database.rows("SELECT change, id FROM history WHERE place = 0")
        return dict(rows)

    def all_rows(self) -> list[tuple[Any, ...]]:
        """Everything, in order: to compare upkeep with a rebuild."""
        return self._database.rows(
            f"SELECT {_LOGGED}, record FROM history "
            "LEFT JOIN touches ON entry = number ORDER BY number, record"
        )

    def _read_where(self, condition: str, values: Sequence[object]) -> list[LoggedChange]:
        rows = self._database.rows(f"SELECT {_LOGGED} FROM history WHERE {condition}", values)
        return [LoggedChange(*row) for row in rows]


class Operations:
    """The tables ``operations`` and ``operation_changes``. Writes happen inside the caller's
    transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *, stamp: str, words: str | None, undoes: int | None) -> int:
        """Begin an operation; its number."""
        number = self._database.execute(
            "INSERT INTO operations (stamp, words, undoes) VALUES (?, ?, ?)",
            (stamp, words, undoes),
        ).lastrowid
        assert number is not None
        return number

    def add_change(self, number: int, change_id: bytes) -> None:
        """One more change of an operation."""
        self._database.execute(
            "INSERT OR IGNORE INTO operation_changes (id, operation) VALUES (?, ?)",
            (change_id, number),
        )

    def describe(self, number: int, words: str) -> None:
        """Note what an operation did."""
        self._database.execute("UPDATE operations SET words = ? WHERE number = ?", (words, number))

    def mark_undone(self, number: int, *, by: int | None) -> None:
        """An operation was taken back by another one; None: it counts again."""
        self._database.execute("UPDATE operations SET undone = ? WHERE number = ?", (by, number))

    def remove_all(self) -> None:
        """Forget all operations (joining another library only)."""
        self._database.execute("DELETE FROM operations")
        self._database.execute("DELETE FROM operation_changes")

    def read(self, number: int) -> Operation | None:
        """An operation by its number."""
        return self._one("number = ?", (number,))

    def last(self) -> Operation | None:
        """The last command that counts: no undo, and not undone."""
        return self._one("undoes IS NULL AND undone IS NULL ORDER BY number DESC LIMIT 1", ())

    def of_change(self, change_id: bytes) -> Operation | None:
        """The operation that made a change, where this computer made it."""
        return self._one(
            "number = (SELECT operation FROM operation_changes WHERE id = ?)", (change_id,)
        )

    def changes(self, number: int, *, most: int | None = None) -> list[bytes]:
        """The ids of an operation's changes, in the order in which they were made."""
        rows = self._database.rows(
            "SELECT id FROM operation_changes WHERE operation = ? ORDER BY number LIMIT ?",
            (number, -1 if most is None else most),
        )
        return [row[0] for row in rows]

    def count(self, number: int) -> int:
        """How many changes an operation made."""
        row = self._database.row(
            "SELECT count(*) FROM operation_changes WHERE operation = ?", (number,)
        )
        return int(row[0]) if row else 0

    def _one(self, condition: str, values: Sequence[object]) -> Operation | None:
        row = self._database.row(f"SELECT {_OPERATION} FROM operations WHERE {condition}", values)
        return Operation(*row) if row else None
