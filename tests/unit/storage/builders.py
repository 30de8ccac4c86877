"""Builders for storage: fresh files, and rows of references."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from msgspec.structs import replace

from bifolio.storage.database import Database
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.migrations import migrate


def new_database(folder: Path) -> Database:
    """A fresh file in a replica's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Database.create(folder / "library.sqlite")


def back_to(version: int, file: Path) -> None:
    """Make a file as an older version of Bifolio left it: its tables, with what is in them.

    Virtual tables, which the replica fills again, are left empty.
    """
    older = sqlite3.connect(":memory:", isolation_level=None)
    migrate(older, through=version)
    wanted = _objects(older)
    older.close()
    connection = sqlite3.connect(file, isolation_level=None)
    found = _objects(connection)
    for name, (kind, statement) in found.items():
        if wanted.get(name) == (kind, statement) or name not in _objects(connection):
            continue
        columns = _columns(connection, name)
        if kind == "table" and not statement.startswith("CREATE VIRTUAL") and name in wanted:
            connection.execute(f'ALTER TABLE "{name}" RENAME TO "newer"')
            connection.execute(wanted[name][1])
            kept = ", ".join(one for one in _columns(connection, name) if one in columns)
            if _required(connection, name) <= set(columns):  # what is derived is made again
                connection.execute(f'INSERT INTO "{name}" ({kept}) SELECT {kept} FROM "newer"')
            connection.execute('DROP TABLE "newer"')
        else:
            connection.execute(f'DROP {kind} "{name}"')
    for name, (_, statement) in wanted.items():
        if name not in _objects(connection):
            connection.execute(statement)
    if "meta" in wanted:  # the versions that these steps are for knew no such key
        connection.execute("DELETE FROM meta WHERE key = 'derived_version'")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def _objects(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Tables and indexes by name, with the statement that makes each."""
    rows = connection.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE "
        "'refs_fts_%' AND type IN ('table', 'index') ORDER BY type DESC, rowid"
    )
    return {name: (kind, statement) for name, kind, statement in rows}


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]


def _required(connection: sqlite3.Connection, table: str) -> set[str]:
    info = connection.execute(f'PRAGMA table_info("{table}")')
    return {name for _, name, _, has_to_be, default, _ in info if has_to_be and default is None}


def row(number: int, **values: object) -> ReferenceRow:
    """The row of a reference; its id is the number in hex."""
    plain = ReferenceRow(
        id=f"{number:032x}",
        key=f"key{number}",
        key_rank=f"{number:018x}slotAAA",
        type="book",
        title=f"Title {number}",
        creators="Doe, Jane",
        container="",
        abstract=None,
        note=None,
        tags="",
        fields={"author": [{"family": "Doe", "given": "Jane"}]},
        year=2024,
        trashed=False,
        conflicts=0,
    )
    return replace(plain, **values)
