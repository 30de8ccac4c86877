"""Fills an empty file with the tables of a damaged one, as far as they can be read.

Tables that nothing else could restore have a second copy of each row in an index, ``copy_of_`` and
the table's name, with a third in another form, so that the copies tell which of them is damaged.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bifolio.salvage.trees import Part, Row, Trees, Value

#: The indexes that are copies of rows.
COPY = re.compile("copy_of_")

_KINDS: Mapping[str, tuple[type, ...]] = {
    "TEXT": (str,),
    "INTEGER": (int,),
    "BLOB": (bytes,),
}


class _Column(NamedTuple):
    name: str
    kind: str
    not_null: bool
    is_number: bool  # the row's own number under a name


@dataclass(slots=True)
class Salvaged:
    """What was read: by table the rows, those that a copy mended, and what could not be read."""

    rows: dict[str, int] = field(default_factory=dict)
    mended: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    #: Pages of what is derived, and of indexes, that cannot be read.
    broken: dict[str, int] = field(default_factory=dict)


def fill(
    connection: sqlite3.Connection,
    trees: Trees,
    parts: Sequence[Part],
    *,
    leave_out: Collection[str],
) -> Salvaged:
    """Copy the rows of a damaged file into an empty one; inside the caller's transaction.

    Args:
        connection: the new file, with all its tables.
        trees: the damaged one.
        parts: its schema.
        leave_out: tables that are made again from others.
    """
    filling = _Filling(connection, trees, parts, leave_out)
    filling.fill()
    return filling.salvaged


class _Filling:
    """Copies what can be read, table after table."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        trees: Trees,
        parts: Sequence[Part],
        leave_out: Collection[str],
    ) -> None:
        self._connection = connection
        self._trees = trees
        self._leave_out = leave_out
        self.salvaged = self._salvaged = Salvaged()
        self._roots = {part.name: part.root for part in parts}
        self._columns = {
            name: _columns_of(connection, name)
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
        }

    def fill(self) -> None:
        """Read every tree, so that what is left over is nobody's, then write the rows."""
        for name, root in self._roots.items():
            if name not in self._columns and not COPY.match(name) and root:
                self._pass(name, root)
        wanted = [name for name in self._columns if name not in self._leave_out]
        rows = {name: self._read(name) for name in wanted}
        for name in self._columns:
            if name not in rows and self._roots.get(name):
                self._pass(name, self._roots[name])
        copies = {name: self._read_copies(name) for name in wanted}
        if any(self._salvaged.lost.values()):
            self._adopt_strays(rows)
        for name in wanted:
            merged = self._merge(name, rows[name], copies[name])
            self._salvaged.rows[name] = self._write(name, merged)

    def _pass(self, name: str, root: int) -> None:
        """Read a tree of which nothing is kept."""
        lost = self._trees.read(root).lost
        if lost:
            self._salvaged.broken[name] = lost

    def _read(self, name: str) -> list[Row]:
        found = self._trees.read(self._roots.get(name, 0))
        rows = [row for row in found.rows if _fits(row, self._columns[name])]
        lost = found.lost + len(found.rows) - len(rows)
        if lost:
            self._salvaged.lost[name] = lost
        return rows

    def _read_copies(self, table: str) -> dict[int, dict[str, Value]]:
        """By row number what the copies say of some of its columns; damaged ones are left out."""
        found: dict[int, dict[str, Value]] = {}
        for name in self._copies_of(table):
            columns = self._columns_of_copy(name)
            if not columns or not self._roots.get(name):
                continue
            read = self._trees.read(self._roots[name])
            bad = read.lost
            for row in read.rows:
                values, number = row.values[: len(columns)], row.values[-1]
                if (
                    len(row.values) != len(columns) + 2
                    or not isinstance(number, int)
                    or self._quote(values) != row.values[-2]
                ):
                    bad += 1
                else:
                    found.setdefault(number, {}).update(zip(columns, values, strict=True))
            if bad:
                self._salvaged.mended[name] = bad
        return found

    def _copies_of(self, table: str) -> list[str]:
        """The indexes that are copies of a table's rows."""
        rows = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", (table,)
        )
        return [name for (name,) in rows.fetchall() if COPY.match(name)]

    def _columns_of_copy(self, index: str) -> list[str]:
        rows = self._connection.execute("SELECT name FROM pragma_index_info(?)", (index,))
        return [name for (name,) in rows.fetchall() if name is not None]

    def _quote(self, values: Sequence[Value]) -> str:
        quoted = " || ',' || ".join(["quote(?)"] * len(values))
        found: str = self._connection.execute(f"SELECT {quoted}", values).fetchone()[0]
        return found

    def _merge(
        self, name: str, rows: Sequence[Row], copies: Mapping[int, Mapping[str, Value]]
    ) -> Iterator[tuple[int, dict[str, Value]]]:
        """The rows with what their copies say; those too of which only a whole copy is left."""
        columns = self._columns[name]
        seen, mended = set(), 0
        plain = any(one.is_number for one in columns) or bool(copies)
        for row in rows:
            values = dict(zip((one.name for one in columns), row.values, strict=False))
            values |= {one.name: row.number for one in columns if one.is_number}
            copy = copies.get(row.number)
            if copy is None and copies and self._has_all_copies(name):
                continue  # its number is damaged: its copy comes below
            if copy is not None and any(values.get(one) != copy[one] for one in copy):
                values |= copy
                mended += 1
            seen.add(row.number)
            yield (row.number if plain else 0), values
        for number, copy in copies.items():
            if number not in seen and {one.name for one in columns} <= copy.keys():
                mended += 1
                yield number, dict(copy)
        if mended:
            self._salvaged.mended[name] = mended

    def _has_all_copies(self, name: str) -> bool:
        """Whether the copies of a table's rows are whole: then a row without one is damaged."""
        return f"copy_of_{name}" not in self._salvaged.mended

    def _adopt_strays(self, rows: dict[str, list[Row]]) -> None:
        """Give pages to which nothing leads to the one table with losses that they can be of."""
        short = [name for name in rows if name in self._salvaged.lost]
        #: The numbers of the rows of each that has some.
        known = {
            name: {row.number for row in rows[name]}
            for name in short
            if not _is_without_numbers(self._connection, name)
        }
        for is_table, found in self._trees.strays():
            fitting = [
                name
                for name in short
                if is_table == (name in known)
                and all(_fits(row, self._columns[name], exactly=True) for row in found)
            ]
            if len(fitting) != 1:
                continue
            (name,) = fitting
            if is_table:
                found = [row for row in found if row.number not in known[name]]
                known[name].update(row.number for row in found)
            rows[name] += found

    def _write(self, name: str, rows: Iterable[tuple[int, dict[str, Value]]]) -> int:
        written = 0
        for number, values in rows:
            given = dict(values)
            if number and not any(one.is_number for one in self._columns[name]):
                given["rowid"] = number
            names = ", ".join(f'"{one}"' if one != "rowid" else one for one in given)
            try:
                done = self._connection.execute(
                    f"INSERT OR IGNORE INTO {name} ({names}) "
                    f"VALUES ({', '.join('?' * len(given))})",
                    tuple(given.values()),
                ).rowcount
            except (sqlite3.Error, OverflowError):
                done = 0
            written += done
            if not done:
                self._salvaged.lost[name] = self._salvaged.lost.get(name, 0) + 1
        return written


def _columns_of(connection: sqlite3.Connection, table: str) -> list[_Column]:
    found = connection.execute(
        'SELECT name, type, "notnull", pk, (SELECT count(*) FROM pragma_table_info(?) WHERE pk) '
        "FROM pragma_table_info(?)",
        (table, table),
    ).fetchall()
    without = _is_without_numbers(connection, table)
    return [
        _Column(name, kind, bool(not_null), kind == "INTEGER" and pk == keys == 1 and not without)
        for name, kind, not_null, pk, keys in found
    ]


def _is_without_numbers(connection: sqlite3.Connection, table: str) -> bool:
    (sql,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).fetchone()
    return "WITHOUT ROWID" in str(sql).upper()


def _fits(row: Row, columns: Sequence[_Column], *, exactly: bool = False) -> bool:
    """Whether a row's values can be those of a table: older rows lack the last columns."""
    if len(row.values) > len(columns) or (exactly and len(row.values) != len(columns)):
        return False
    for value, column in zip(row.values, columns, strict=False):
        if column.is_number:
            if value is not None:
                return False
        elif value is None:
            if column.not_null:
                return False
        elif not isinstance(value, _KINDS.get(column.kind, (int, float, str, bytes))):
            return False
    return not any(
        column.not_null and not column.is_number for column in columns[len(row.values) :]
    )
