"""The states of the records, and the state hash that is kept with each write."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.support.stored_changes import sum_of_hashes
from tests.unit.storage.builders import new_database

from bifolio.storage.database import Database
from bifolio.storage.meta import Meta
from bifolio.storage.records import Records, StoredRecord


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return new_database(tmp_path)


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database)


def record(number: int, *, hashed: int, kind: str = "reference") -> StoredRecord:
    return StoredRecord(f"{number:032x}", kind, b"state %d" % number, hashed)


def kept(database: Database) -> int:
    return Meta(database).state_hash


def test_a_record_comes_back_as_it_was_written(records: Records) -> None:
    given = record(1, hashed=7)
    records.write([given])
    assert records.read(given.id) == given
    assert records.state(given.id) == b"state 1"
    assert records.exists(given.id)
    assert records.present([given.id, "f" * 32]) == {given.id}
    assert records.read("f" * 32) is None
    assert records.state("f" * 32) is None
    assert not records.exists("f" * 32)


def test_the_kept_state_hash_is_the_sum_over_all_records(
    records: Records, database: Database
) -> None:
    generator = random.Random(3)
    for _ in range(100):
        with database.transaction():
            for _ in range(3):
                batch = [
                    record(generator.randrange(40), hashed=generator.getrandbits(256))
                    for _ in range(generator.randrange(1, 4))
                ]
                records.write(batch)
            records.remove(f"{generator.randrange(40):032x}")
        assert kept(database) == sum_of_hashes(database)


def test_the_state_hash_wraps_around(records: Records, database: Database) -> None:
    records.write([record(1, hashed=(1 << 256) - 1), record(2, hashed=5)])
    assert kept(database) == sum_of_hashes(database) == 4


def test_a_removed_record_takes_its_share_along(records: Records, database: Database) -> None:
    records.write([record(1, hashed=5), record(2, hashed=9)])
    records.remove(record(1, hashed=5).id)
    records.remove("f" * 32)
    assert kept(database) == 9
    assert records.all_ids() == [record(2, hashed=9).id]


def test_records_of_a_kind_come_by_id_page_after_page(records: Records, database: Database) -> None:
    with database.transaction():
        records.write([record(number, hashed=1) for number in range(1200, 0, -1)])
        records.write([record(9999, hashed=1, kind="settings")])
    assert [int(one.id, 16) for one in records.of_kind("reference")] == list(range(1, 1201))
    assert len(records.all_ids()) == 1201
