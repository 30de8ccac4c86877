"""One value of a row altered, in each column of each table: rot in which SQLite sees nothing wrong.

``python -m tests.support.rot_values [TABLE ...]`` says what the self-check finds of a replica's
file and of a relay's. The row stays a valid one: only what is compared with a copy, a hash or with
what it was made from can tell.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.support.relay_process import RelayProcess
from tests.support.rot_table import Bench

from bifolio.doctor.examination import examine
from bifolio.results.doctor import CheckVerdict
from bifolio_relay.storage import sqlite_checks

#: Where roles are not known, they are read from the list of members; a check of a chunk that is
#: another library's is one check less. A statement that is no library's, or was heard at another
#: time, is made again by the next greeting of its device.
NO_MATTER = frozenset(
    {"library.roles_known", "chunk_check.library", "statement.library", "statement.heard_ms"}
)


@dataclass(frozen=True, slots=True)
class Value:
    """A column of a table, and by which names and values the row is known that is altered."""

    table: str
    column: str
    key: tuple[str, ...]
    row: tuple[object, ...]

    @property
    def where(self) -> str:
        """What finds the row."""
        return " AND ".join(f'"{one}" = ?' for one in self.key)

    @property
    def name(self) -> str:
        """``table.column``."""
        return f"{self.table}.{self.column}"


def values(path: Path) -> Iterator[Value]:
    """The middle row of each table, column after column; but those of the full-text index."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tables = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "AND name NOT LIKE 'refs_fts%' ORDER BY name"
        ).fetchall()
        for table, sql in tables:
            found = connection.execute(
                "SELECT name, pk FROM pragma_table_info(?)", (table,)
            ).fetchall()
            key = ("rowid",)
            if "WITHOUT ROWID" in sql.upper():
                key = tuple(name for name, place in found if place)
            rows = connection.execute(f"SELECT {', '.join(key)} FROM {table}").fetchall()
            for column, place in found if rows else ():
                if not place or len(key) > 1:
                    yield Value(table, column, key, rows[len(rows) // 2])


def altered(value: object) -> object:
    """Another value of the same kind."""
    match value:
        case bytes() if value:
            return value[:-1] + bytes([value[-1] ^ 4])
        case str() if value:
            return value[:-1] + chr(ord(value[-1]) ^ 1)
        case int():
            return value ^ 1
        case float():
            return value + 1
    return None


def alter(path: Path, place: Value) -> bool:
    """Alter it; False where there is nothing that can be altered, or a rule of the table forbids.

    Indexes stay as they are, second copies of rows among them, as they do where a disk alters one
    page: they are taken out of the schema meanwhile.
    """
    with closing(sqlite3.connect(path)) as connection:
        (value,) = connection.execute(
            f'SELECT "{place.column}" FROM {place.table} WHERE {place.where}', place.row
        ).fetchone()
        other = altered(value)
        if other is None:
            return False
        (version,) = connection.execute("PRAGMA schema_version").fetchone()
        of_table = "type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
        indexes = connection.execute(
            f"SELECT * FROM sqlite_master WHERE {of_table}", (place.table,)
        ).fetchall()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(f"DELETE FROM sqlite_master WHERE {of_table}", (place.table,))
        connection.commit()
        connection.execute(f"PRAGMA schema_version = {version + 1}")
    with closing(sqlite3.connect(path)) as connection:
        try:
            connection.execute(
                f'UPDATE {place.table} SET "{place.column}" = ? WHERE {place.where}',
                (other, *place.row),
            )
            is_altered = True
        except sqlite3.IntegrityError:
            is_altered = False
        connection.execute("PRAGMA writable_schema = ON")
        connection.executemany("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", indexes)
        connection.commit()
        connection.execute(f"PRAGMA schema_version = {version + 2}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return is_altered


def found_in_replica(bench: Bench, place: Value) -> bool | None:
    """Whether ``doctor --deep`` finds it; None where it cannot be altered."""
    path = bench.copy()
    if not alter(path / "library.sqlite", place):
        return None
    checks = examine(path, bench.home, deep=True, offline=True).checks
    return any(
        one.verdict is CheckVerdict.ATTENTION and one.check not in ("pending", "clock")
        for one in checks
    )


def found_in_relay(bench: Bench, place: Value) -> bool | None:
    """Whether the relay's own check finds it."""
    folder = bench.relay_copy()
    if not alter(folder / "relay.sqlite", place):
        return None
    return bool(sqlite_checks.check_all(folder / "relay.sqlite", folder))


def main() -> None:
    """Say of each value whether it is found."""
    with tempfile.TemporaryDirectory(prefix="rot-") as folder, RelayProcess(Path(folder)) as relay:
        bench = Bench(Path(folder), relay, references=6)
        wanted = sys.argv[1:]
        for place in values(bench.path / "library.sqlite"):
            if not wanted or place.table in wanted:
                print("replica", place.name, found_in_replica(bench, place), flush=True)
        relay.stop()
        for place in values(relay.data / "relay.sqlite"):
            if not wanted or place.table in wanted:
                print("relay", place.name, found_in_relay(bench, place), flush=True)
        relay.start()


if __name__ == "__main__":
    main()
