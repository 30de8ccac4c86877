"""A table whose root cannot be read is put together from the pages that nothing leads to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bifolio.salvage.filling import fill
from bifolio.salvage.pages import Pages
from bifolio.salvage.trees import Trees

TABLES = """
    CREATE TABLE bodies (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE names (name TEXT PRIMARY KEY, place INTEGER NOT NULL, more TEXT) WITHOUT ROWID;
"""
ROWS = 2_000


def test_all_rows_of_tables_without_a_root_are_found(tmp_path: Path) -> None:
    file = tmp_path / "damaged.sqlite"
    bodies = [(number, b"x" * 300) for number in range(ROWS)]
    names = [(f"name {number:06}", number, None) for number in range(ROWS)]
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(TABLES)
        connection.executemany("INSERT INTO bodies VALUES (?, ?)", bodies)
        connection.executemany("INSERT INTO names VALUES (?, ?, ?)", names)
        connection.commit()
        roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE type = 'table'")
        places = [(root - 1) * 4096 for (root,) in roots]
    raw = bytearray(file.read_bytes())
    for place in places:
        raw[place] = 0
    file.write_bytes(raw)
    with closing(Pages(file)) as pages, closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(TABLES)
        trees = Trees(pages)
        fill(fresh, trees, trees.schema(), leave_out=())
        assert fresh.execute("SELECT * FROM bodies ORDER BY number").fetchall() == bodies
        found = set(fresh.execute("SELECT * FROM names"))
    # An entry of an inner page of an index is in no other page: those of the root are lost.
    assert found <= set(names)
    assert len(found) > 0.9 * ROWS
