"""Where references were imported from: found by format and id, and by reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio.storage.database import Database
from bifolio.storage.sources import Sources, SourceValues

ONE, OTHER = "0a" * 16, "ff" * 16


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return new_database(tmp_path)


@pytest.fixture
def sources(database: Database) -> Sources:
    return Sources(database)


def source(record: str, source_id: str, format: str = "ris") -> SourceValues:
    return (record, format, source_id, b"hash", "")


def test_references_are_found_by_what_they_were_imported_from(sources: Sources) -> None:
    given = [source(OTHER, "a"), source(ONE, "a"), source(ONE, "b"), source(ONE, "c", "csl-json")]
    sources.write(given)
    assert sources.find("ris", ["a", "b", "c"]) == {"a": [ONE, OTHER], "b": [ONE]}
    assert sources.find("csl-json", ["c"]) == {"c": [ONE]}
    assert sources.has_format("ris")
    assert not sources.has_format("bibtex")
    assert sources.among([ONE, "00" * 16]) == {ONE: given[1:]}
    assert sources.all_rows() == sorted([given[3], *given[:3]], key=lambda one: one[:3])
    assert sources.first_ids("ris", [ONE, OTHER]) == {ONE: "a", OTHER: "a"}


def test_what_is_forgotten_of_a_reference_leaves_the_others(sources: Sources) -> None:
    sources.write([source(ONE, "a"), source(OTHER, "a")])
    sources.remove([ONE])
    assert sources.find("ris", ["a"]) == {"a": [OTHER]}
    sources.clear()
    assert sources.all_rows() == []


def test_more_references_than_a_statement_takes_are_asked_for(sources: Sources) -> None:
    records = [f"{number:032x}" for number in range(1_203)]
    sources.write(source(one, f"id{number}") for number, one in enumerate(records))
    assert set(sources.among(records)) == set(records)
    assert len(sources.first_ids("ris", records)) == len(records)


def test_a_record_is_stored_as_the_bytes_of_its_id(sources: Sources, database: Database) -> None:
    sources.write([source(ONE, "a")])
    assert database.rows("SELECT record FROM sources") == [(bytes.fromhex(ONE),)]
