"""``docs/storage.md`` names every table and column of a fresh library, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.storage.builders import new_database

from bifolio.storage.database import APPLICATION_ID

PAGE = Path(__file__).parents[3] / "docs" / "storage.md"

#: What SQLite and FTS5 make by themselves.
NOT_OURS = re.compile(r"sqlite_.*|refs_fts_.+")


def test_the_page_lists_the_tables_and_columns_of_a_fresh_library(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    tables = [
        name
        for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not NOT_OURS.fullmatch(name)
    ]
    schema = {
        table: [row[1] for row in database.rows(f"PRAGMA table_info([{table}])")]
        for table in tables
    }
    listed = re.findall(r"(?m)^\| `(\w+)` \| `([\w ]+)` \|", PAGE.read_text(encoding="utf-8"))
    assert {table: columns.split() for table, columns in listed} == schema


def test_the_page_gives_the_file_s_mark() -> None:
    assert f"0x{APPLICATION_ID:08X}" in PAGE.read_text(encoding="utf-8")
