"""The records of a file out of memory: each comes back once, in its turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio.storage.database import Database
from bifolio.storage.import_staging import ImportStaging, StagedRecord, StagingPlace
from bifolio.storage.records import Records, StoredRecord


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return new_database(tmp_path)


@pytest.fixture
def staging(database: Database) -> ImportStaging:
    return ImportStaging(database)


def in_turn(staging: ImportStaging) -> list[StagedRecord]:
    """All records, three at a time."""
    return [one for page in staging.pages(most=3, bytes_max=100) for one in page]


def ids(staging: ImportStaging) -> list[str]:
    return [staged.id for staged in in_turn(staging)]


def test_records_come_back_in_the_order_in_which_they_were_read(staging: ImportStaging) -> None:
    staging.add([("b", b"1"), ("a", b"2")])
    staging.add([("c", b"3")])
    assert staging.arrange() == 3
    assert [(one.id, one.body) for one in in_turn(staging)] == [
        ("b", b"1"),
        ("a", b"2"),
        ("c", b"3"),
    ]


def test_those_that_the_library_has_go_first(staging: ImportStaging, database: Database) -> None:
    Records(database).write([StoredRecord(one, "reference", b"", 0) for one in ("d", "b")])
    staging.add([(one, b"") for one in "abcd"])
    staging.arrange()
    assert ids(staging) == ["b", "d", "a", "c"]


def test_records_of_one_id_are_told_and_go_together_at_the_turn_of_the_first(
    staging: ImportStaging,
) -> None:
    staging.add([(one, b"%d" % number) for number, one in enumerate("axbxcx", 1)])
    assert list(staging.ids_read_twice()) == [("x", [2, 4, 6])]
    staging.place([2, 4, 6], [StagingPlace(6, "x", 0), StagingPlace(2, "y", 1)])
    assert staging.arrange() == 5
    assert [(one.id, one.body) for one in in_turn(staging)] == [
        ("a", b"1"),
        ("x", b"6"),
        ("y", b"2"),
        ("b", b"3"),
        ("c", b"5"),
    ]


def test_transactions_may_end_while_records_are_taken(
    staging: ImportStaging, database: Database
) -> None:
    staging.add([(f"{number:04}", b"body") for number in range(1200)])
    staging.arrange()
    seen = []
    for page in staging.pages(bytes_max=1000):
        assert sum(len(one.body) for one in page) <= 1000
        with database.transaction():
            Records(database).write([StoredRecord(one.id, "reference", b"", 0) for one in page])
            staging.take(one.id for one in page)
        seen += [one.id for one in page]
    assert seen == [f"{number:04}" for number in range(1200)]
    assert staging.is_taken("0007")
    assert not staging.is_taken("7000")


def test_nothing_of_it_stands_in_the_library_s_file(
    staging: ImportStaging, database: Database, tmp_path: Path
) -> None:
    staging.add([("a", b"planted body")])
    other = Database.open(tmp_path / "library.sqlite")
    named = "SELECT name FROM sqlite_master WHERE name LIKE 'staged%'"
    assert other.rows(named) == database.rows(named) == []
    assert b"planted body" not in b"".join(one.read_bytes() for one in tmp_path.iterdir())


def test_a_second_spool_of_a_connection_begins_anew(
    staging: ImportStaging, database: Database
) -> None:
    staging.add([("a", b"")])
    second = ImportStaging(database)
    second.add([("b", b"")])
    second.arrange()
    assert ids(second) == ["b"]
    second.close()
    second.close()


def test_a_page_goes_on_in_the_order_of_reading_and_says_what_the_library_lacks(
    staging: ImportStaging, database: Database
) -> None:
    Records(database).write([StoredRecord("b", "reference", b"", 0)])
    staging.add([(one, one.encode()) for one in "cba"])
    page = staging.page(after=1, most=5, bytes_max=100)
    assert [(one.number, one.id, one.body, one.is_fresh) for one in page] == [
        (2, "b", b"b", False),
        (3, "a", b"a", True),
    ]
    assert [one.id for one in staging.page(after=0, most=2, bytes_max=100)] == ["c", "b"]
    assert staging.page(after=3, most=5, bytes_max=100) == []


def test_a_page_ends_at_its_size_but_holds_one_record(staging: ImportStaging) -> None:
    staging.add([(one, b"0" * 60) for one in "abc"])
    assert [one.id for one in staging.page(after=0, most=5, bytes_max=130)] == ["a", "b"]
    assert [one.id for one in staging.page(after=1, most=5, bytes_max=10)] == ["b"]


def test_what_was_made_is_found_by_any_number_in_it(staging: ImportStaging) -> None:
    staging.keep_made(1, 100, b"first")
    staging.keep_made(201, 250, b"second")
    found = [staging.read_made(number) for number in (1, 100, 101, 200, 201, 250, 251)]
    assert found == [b"first", b"first", None, None, b"second", b"second", None]


def test_a_record_over_the_size_of_a_page_is_one_by_itself(staging: ImportStaging) -> None:
    staging.add([("a", b"1"), ("b", b"0" * 500), ("c", b"2"), ("d", b"3")])
    staging.arrange()
    pages = [[one.id for one in page] for page in staging.pages(bytes_max=100)]
    assert pages == [["a"], ["b"], ["c", "d"]]
