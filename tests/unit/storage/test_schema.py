"""A file that came from elsewhere: what of its schema is not ours is found, and never run."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.examples import IS_FULL

from bifolio.errors import DamagedLibraryError, ForeignSchemaError
from bifolio.storage import schema
from bifolio.storage.database import Database, reason_against
from bifolio.storage.migrations import LATEST, migrate

#: A query without end: what runs it hangs.
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"

#: What a version has is made again by all steps up to it: `make test-all` does so for each.
COMPARED = range(1, LATEST + 1) if IS_FULL else (1, LATEST // 2, LATEST - 1, LATEST)

#: What somebody adds to a file, and how the refusal names it.
ADDED = {
    f"CREATE TRIGGER hang AFTER INSERT ON changes BEGIN {ENDLESS}; END": (
        "the trigger 'hang' on the table 'changes'"
    ),
    "CREATE TRIGGER gone AFTER UPDATE ON meta BEGIN DELETE FROM records; END": (
        "the trigger 'gone' on the table 'meta'"
    ),
    f"CREATE VIEW more AS {ENDLESS}": "the view 'more'",
    "CREATE TABLE more (a)": "the table 'more'",
    "CREATE VIRTUAL TABLE more USING fts5(a)": "the table 'more'",
    "CREATE INDEX slow ON records (hex(state))": "the index 'slow' on the table 'records'",
    "CREATE UNIQUE INDEX one ON meta (length(value))": "the index 'one' on the table 'meta'",
    "ALTER TABLE records ADD COLUMN more TEXT": "the column 'more' of the table 'records'",
    "ALTER TABLE meta ADD COLUMN more AS (hex(value))": "the column 'more' of the table 'meta'",
    "CREATE TABLE sqlite_stat9 (a)": "the table 'sqlite_stat9'",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "library.sqlite"
    Database.create(path).close()
    return path


def alter(path: Path, statement: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(statement, values)


def test_a_file_of_any_version_and_what_becomes_of_it_is_ours() -> None:
    """Each version is made of the one before it, as the steps are, and one goes all the way."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for version in range(1, LATEST + 1):
        migrate(connection, through=version)
        if version not in COMPARED:
            continue
        assert schema.find_foreign(connection, version) is None, version
        assert schema.find_missing(connection, version) is None, version
    oldest = sqlite3.connect(":memory:", isolation_level=None)
    migrate(oldest, through=1)
    migrate(oldest)
    assert schema.find_foreign(oldest, LATEST) is None


def test_the_digest_is_that_of_the_latest_schema(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise run ``python -m bifolio.storage.schema`` and write down what it prints."""

    def refuse(_version: int) -> None:
        raise AssertionError("compared part by part")

    monkeypatch.setattr(schema, "_expected", refuse)
    Database.open(file).close()


def test_a_file_whose_index_was_made_again_and_analysed_is_ours(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("DROP TABLE refs_fts")
        connection.execute(
            "CREATE VIRTUAL TABLE refs_fts USING fts5(title, more, tokenize='ascii', prefix='1')"
        )
        connection.execute("ANALYZE")
    Database.open(file).close()
    assert reason_against(file) is None


@pytest.mark.parametrize(("statement", "named"), ADDED.items())
def test_a_file_to_which_somebody_added_something_is_refused_by_its_name(
    file: Path, statement: str, named: str
) -> None:
    alter(file, statement)
    with pytest.raises(ForeignSchemaError) as caught:
        Database.open(file)
    assert caught.value.found == named
    assert named in str(reason_against(file))


@pytest.mark.parametrize(
    "forgery",
    [
        # A view under the name and the kind of a table.
        f"UPDATE sqlite_master SET sql = 'CREATE VIEW purged AS {ENDLESS}' WHERE name = 'purged'",
        # A check and a default in a table of ours.
        "UPDATE sqlite_master SET sql = replace(sql, ')', ' CHECK (length(hex(value)) > 0))') "
        "WHERE name = 'meta'",
        # A trigger that says that it is an index.
        "INSERT INTO sqlite_master VALUES ('index', 'x', 'meta', 0, 'CREATE TRIGGER x AFTER INSERT "
        "ON meta BEGIN DELETE FROM records; END')",
        # One that has the name of a part of ours.
        "INSERT INTO sqlite_master VALUES ('table', 'refs_fts_data', 'refs_fts_data', 0, 'CREATE "
        "TRIGGER refs_fts_data AFTER INSERT ON meta BEGIN DELETE FROM records; END')",
        # A full-text index whose content is another table.
        "UPDATE sqlite_master SET sql = replace(sql, 'tokenize', 'content=''records'', tokenize') "
        "WHERE name = 'refs_fts'",
        "UPDATE sqlite_master SET sql = replace(sql, 'idx_changes_position', 'other') "
        "WHERE name = 'idx_changes_position'",
        "UPDATE sqlite_master SET sql = sql || ' WHERE length(hex(position)) > 1' "
        "WHERE name = 'idx_changes_position'",
    ],
)
def test_a_forged_schema_is_refused(file: Path, forgery: str) -> None:
    alter(file, forgery)
    began = time.monotonic()
    with pytest.raises((ForeignSchemaError, DamagedLibraryError)):
        Database.open(file)
    assert reason_against(file) is not None
    assert time.monotonic() - began < 5


def test_a_schema_that_is_no_text_is_refused(file: Path) -> None:
    """SQLite quotes it in the message of its error, which Python cannot read then."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = CAST(? AS TEXT) WHERE name = 'purged'",
            (b"CREATE TABLE purged (a) \x91\xff",),
        )
    with pytest.raises(DamagedLibraryError):
        Database.open(file)
    assert reason_against(file) is not None


def test_a_file_without_one_of_our_tables_is_no_backups(file: Path) -> None:
    alter(file, "DROP TABLE purged")
    assert reason_against(file) == "its library lacks the table 'purged'"


def test_a_name_from_somebody_elses_file_reaches_no_terminal_as_it_is(file: Path) -> None:
    alter(file, 'CREATE TABLE "\x1b[2J\u202e\n' + "x" * 1000 + '" (a)')
    with pytest.raises(ForeignSchemaError) as caught:
        Database.open(file)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


def test_looking_at_the_schema_takes_no_time(file: Path) -> None:
    """The least of many looks, because other processes use the computer too."""
    with closing(sqlite3.connect(file)) as connection:
        times = []
        for _ in range(50):
            began = time.perf_counter()
            assert schema.find_foreign(connection, LATEST) is None
            times.append(time.perf_counter() - began)
    assert min(times) < 0.003
