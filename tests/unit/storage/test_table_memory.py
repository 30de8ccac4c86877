"""What a connection remembers from one write transaction to the next is what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio.storage.database import Database
from bifolio.storage.meta import Meta
from bifolio.storage.table_memory import table_written


class Interrupted(BaseException):
    """The process is interrupted."""


def asked(database: Database) -> list[str]:
    """The statements that SQLite is asked from now on."""
    found: list[str] = []
    database._connection.set_trace_callback(found.append)
    return found


def test_what_was_read_is_not_asked_for_again_in_the_next_transaction(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    meta = Meta(database)
    with database.transaction():
        assert (database.is_empty("pending"), meta.clock) == (True, "0" * 18)
        meta.clock = "1" * 18
    statements = asked(database)
    with database.transaction():
        assert (database.is_empty("pending"), meta.clock) == (True, "1" * 18)
    assert statements == ["BEGIN IMMEDIATE", "PRAGMA data_version", "COMMIT"]


def test_what_another_connection_wrote_in_between_is_seen(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    other = Database.open(database.path)
    meta = Meta(database)
    for number in range(3):
        with database.transaction():
            assert database.is_empty("underived")
            assert meta.name == (f"name {number - 1}" if number else "")
            mark = database.mark("members")
        with other.transaction():
            other.execute("INSERT INTO underived (record) VALUES ('one')")
            Meta(other).name = f"name {number}"
        with database.transaction():
            assert not database.is_empty("underived")
            assert meta.name == f"name {number}"
            assert database.mark("members") is not mark
            database.execute("DELETE FROM underived")


@pytest.mark.parametrize("how", ["undone", "in a part that is undone", "rehearsed"])
def test_what_was_undone_is_not_remembered(tmp_path: Path, how: str) -> None:
    database = new_database(tmp_path)
    meta = Meta(database)
    with database.transaction():
        meta.name = "before"
        assert database.is_empty("pending")
    undone = database.times_undone

    def write() -> None:
        with database.transaction():
            database.execute("INSERT INTO pending (hash) VALUES (x'01')")
            meta.name = "after"
            assert (database.is_empty("pending"), meta.name) == (False, "after")
            if how != "rehearsed":
                raise Interrupted

    if how == "rehearsed":
        with database.rehearsal():
            write()
    elif how == "undone":
        with pytest.raises(Interrupted):
            write()
    else:
        with database.together(), pytest.raises(Interrupted):
            write()
    assert database.times_undone > undone
    with database.transaction():
        assert (database.is_empty("pending"), meta.name) == (True, "before")
    assert meta.name == "before"


def test_what_is_written_outside_of_a_transaction_is_seen(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    with database.transaction():
        assert database.is_empty("underived")
        assert Meta(database).name == ""
    database.execute("INSERT INTO underived (record) VALUES ('one')")
    Meta(database).store("name", "new")
    with database.transaction():
        assert not database.is_empty("underived")
        assert Meta(database).name == "new"


def test_a_mark_is_the_same_until_its_table_is_written_to(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    assert database.mark("members") is None
    with database.transaction():
        mark = database.mark("members")
        database.execute("INSERT INTO underived (record) VALUES ('one')")
        assert mark is not None
        assert database.mark("members") is mark
    with database.transaction():
        assert database.mark("members") is mark
        database.execute("INSERT INTO members (hash, record) VALUES (x'01', x'02')")
        assert database.mark("members") is not mark


def test_what_was_read_of_rows_stays_as_long_as_rows_are_only_added(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    assert database.rows_known("underived") is not database.rows_known("underived")
    with database.transaction():
        database.rows_known("underived")["one"] = 1
        database.execute("INSERT INTO underived (record) VALUES ('one')")
    with database.transaction():
        assert database.rows_known("underived") == {"one": 1}
        database.execute("UPDATE underived SET record = 'two'")
        assert database.rows_known("underived") == {}
        database.rows_known("underived")["one"] = 1
    with pytest.raises(Interrupted), database.transaction():
        raise Interrupted
    with database.transaction():
        assert database.rows_known("underived") == {}


@pytest.mark.parametrize(
    ("statement", "table", "only_adds"),
    [
        ("SELECT 1 FROM refs", None, False),
        ("PRAGMA data_version", None, False),
        ("INSERT INTO refs (id) VALUES (?)", "refs", True),
        ("INSERT OR IGNORE INTO refs (id) VALUES (?)", "refs", True),
        ("INSERT INTO refs (id) VALUES (?) ON CONFLICT (id) DO NOTHING", "refs", False),
        ('INSERT OR REPLACE INTO "refs" (id) VALUES (?)', "refs", False),
        ("REPLACE INTO refs VALUES (?)", "refs", False),
        ("UPDATE refs SET id = ?", "refs", False),
        ("UPDATE OR IGNORE refs SET id = ?", "refs", False),
        ("DELETE FROM refs", "refs", False),
        ("DELETE FROM temp.refs", "", False),
        ("WITH a AS (SELECT 1) DELETE FROM refs", "", False),
        ("DROP TABLE refs", "", False),
    ],
)
def test_a_statement_tells_which_table_it_writes_to(
    statement: str, table: str | None, only_adds: bool
) -> None:
    assert table_written(statement) == (table, only_adds)
