"""The file of a new library: made once in a process by the migrations, then copied.

The migrations take ten times as long as the copy, and most tests begin with a new file. With
``copy_new_databases`` every new file of a process and of its forks is a copy of the first; the
tests of migrations and of schemas call them by name, and `make test-all` makes every file whole.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.examples import IS_FULL

from bifolio.storage import database
from bifolio.storage.database import Database
from bifolio.storage.migrations import migrate


def copy_new_databases() -> None:
    """From here on ``Database.create`` fills a new file from a copy, where it is asked for.

    Only the steps of the migrations are left out: the file is made, opened and set up as ever.
    """
    if not IS_FULL:
        vars(database)["migrate"] = _migrate


def create_database(path: Path) -> Database:
    """What ``Database.create`` makes, opened."""
    path.write_bytes(_empty_file())
    return Database.open(path)


@cache
def _empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        made = Path(folder) / "library.sqlite"
        Database.create(made).close()
        return made.read_bytes()


def _migrate(connection: sqlite3.Connection) -> None:
    """``migrate``; a file that is new gets all at once."""
    if connection.execute("PRAGMA schema_version").fetchone()[0]:
        migrate(connection)
    else:
        _migrated().backup(connection)


@cache
def _migrated() -> sqlite3.Connection:
    """A database in memory that went through every step."""
    made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    made.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
    migrate(made)
    return made
