"""What holds nothing is given back once it is a large share of the file."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio import limits
from bifolio.storage import free_pages
from bifolio.storage.changes import Changes
from bifolio.storage.database import Database
from bifolio.storage.records import Records, StoredRecord

CHANGE = 40_000


def with_unused(path: Path, count: int) -> Database:
    """A file with three changes, from which so many others went."""
    database = new_database(path)
    changes = Changes(database)
    with database.transaction():
        for number in range(count + 3):
            changes.add_unsealed(random.Random(number).randbytes(CHANGE), [])
    with database.transaction():
        changes.remove_unsealed(changes.unsealed(bytes_max=1 << 40)[3:])
    return database


def size(database: Database) -> int:
    return database.path.stat().st_size


def test_what_sealed_changes_leave_empty_is_given_back(tmp_path: Path) -> None:
    with closing(with_unused(tmp_path, 40)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = size(database)
        kept = Changes(database).unsealed(bytes_max=1 << 40)
        given = free_pages.give_back(database)
        assert given >= 40 * CHANGE
        assert size(database) == before - given
        assert Changes(database).unsealed(bytes_max=1 << 40) == kept
        assert database.integrity() == "ok"
        assert free_pages.give_back(database) == 0


def test_little_stays_for_what_comes(tmp_path: Path) -> None:
    with closing(with_unused(tmp_path, 20)) as database:
        assert database.unused_bytes() > 0
        assert free_pages.give_back(database) == 0


def test_a_file_that_was_just_filled_is_written_again_from_a_size_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(new_database(tmp_path)) as database:
        records = Records(database)
        names = [random.Random(number).randbytes(16).hex() for number in range(2_000)]
        for start in range(0, len(names), 100):
            with database.transaction():
                records.write(
                    StoredRecord(one, "reference", b"\x00\x00", 0)
                    for one in names[start : start + 100]
                )
        assert free_pages.give_back(database, was_filled=True) == 0
        monkeypatch.setattr(limits, "FILLED_BYTES_MIN", 100_000)
        assert free_pages.give_back(database) == 0
        assert free_pages.give_back(database, was_filled=True) > 0
        assert database.integrity() == "ok"
        assert [one.id for one in records.of_kind("reference")] == sorted(names)


def test_nothing_is_given_back_without_room_for_a_second_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(with_unused(tmp_path, 40)) as database:
        monkeypatch.setattr(free_pages, "_room", lambda _: 1_000)
        assert free_pages.give_back(database) == 0


def test_nothing_is_given_back_while_it_is_written_or_read_by_this_or_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BUSY_TIMEOUT_S", 0.05)
    with closing(with_unused(tmp_path, 40)) as database:
        with database.transaction():
            assert free_pages.give_back(database) == 0
        with database.snapshot():
            assert free_pages.give_back(database) == 0
        with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert free_pages.give_back(database) == 0
            other.execute("ROLLBACK")
        assert free_pages.give_back(database) > 0
