"""Another program's database that somebody forged: it ends, in an error or with what it holds."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.zotero_libraries import Item, ZoteroLibrary
from tests.unit.formats.files import load

from bifolio import limits
from bifolio.errors import FileFormatError
from bifolio.formats.databases.sqlite import open_copy

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
LIBRARY = ZoteroLibrary([Item("AAAA2222", "book", fields={"title": "On Paper"})])


def alter(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            connection.execute(statement)
    return path


@pytest.mark.parametrize(
    "statements",
    [
        ("DROP TABLE itemTags", f"CREATE VIEW itemTags AS SELECT x AS itemID FROM ({ENDLESS})"),
        (f"CREATE TRIGGER t AFTER INSERT ON items BEGIN SELECT count(*) FROM ({ENDLESS}); END",),
        ("ALTER TABLE items ADD COLUMN more AS (hex(zeroblob(9000000)))",),
    ],
    ids=["view", "trigger", "computed column"],
)
def test_what_has_no_end_is_not_read(statements: tuple[str, ...], tmp_path: Path) -> None:
    path = alter(LIBRARY.write(tmp_path), *statements)
    began = time.monotonic()
    loaded = load(path)
    assert [one.values["title"] for one in loaded.references] == ["On Paper"]
    assert time.monotonic() - began < 20


def test_a_view_that_says_that_it_is_a_table_is_refused_at_once(tmp_path: Path) -> None:
    sql = f"CREATE VIEW itemTags AS SELECT x AS itemID, x AS tagID, x AS type FROM ({ENDLESS})"
    path = alter(
        LIBRARY.write(tmp_path),
        f"UPDATE sqlite_master SET sql = '{sql}', rootpage = 0 WHERE name = 'itemTags'",
    )
    with pytest.raises(FileFormatError, match="SQLite cannot read"):
        load(path)


def test_a_query_that_takes_more_steps_than_its_file_has_bytes_for_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FOREIGN_STEPS_MIN", 0)
    path = LIBRARY.write(tmp_path)
    with (
        open_copy(path, shown="a library") as database,
        pytest.raises(FileFormatError, match="interrupted"),
    ):
        list(database.rows(ENDLESS))


def test_a_schema_that_is_no_text_is_a_damaged_library(tmp_path: Path) -> None:
    """SQLite quotes it in the message of its error, which Python cannot read then."""
    path = LIBRARY.write(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = CAST(? AS TEXT) WHERE name = 'itemTags'",
            (b"CREATE TABLE itemTags (a) \x91\xff",),
        )
    with pytest.raises(FileFormatError, match="SQLite cannot read"):
        load(path)


def test_a_database_that_says_more_than_its_file_can_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_SMALL_BYTES", 0)
    path = LIBRARY.write(tmp_path)
    many = "WITH n(x) AS (VALUES (1), (2), (3), (4)) SELECT hex(zeroblob(900000)) FROM n"
    with (
        open_copy(path, shown="a library") as database,
        pytest.raises(FileFormatError, match="more than its file can"),
    ):
        list(database.rows(many))


@pytest.mark.heavy
def test_an_item_of_more_tags_than_a_record_may_have_is_skipped_alone(tmp_path: Path) -> None:
    many = {f"t{number}": 0 for number in range(limits.IMPORT_RECORD_VALUES_MAX + 1)}
    items = [
        Item("AAAA2222", "book", fields={"title": "Big"}, tags=many),
        Item("BBBB2222", "book", fields={"title": "Good"}),
    ]
    loaded = load(ZoteroLibrary(items).write(tmp_path))
    assert [one.values["title"] for one in loaded.references] == ["Good"]
    assert [one.reason for one in loaded.skipped if "AAAA2222" in one.reason]
