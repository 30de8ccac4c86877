"""What lists and searches read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database, row

from bifolio.errors import DamagedLibraryError
from bifolio.records.sorting import Order, Sort
from bifolio.storage.database import Database
from bifolio.storage.derived import DerivedReference, ReferenceRow, SourceRow
from bifolio.storage.list_rows import pack_body
from bifolio.storage.references import References


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return new_database(tmp_path)


@pytest.fixture
def references(database: Database) -> References:
    return References(database)


def write(references: References, *rows: ReferenceRow) -> None:
    for one in rows:
        references.write([DerivedReference(one)])


def found(references: References, query: str) -> list[int]:
    """What the index finds of a word, as it stands in it."""
    numbers = references.index.find(f'"{query}"', Sort(Order.ID), most=None)
    return [int(one.id, 16) for one in references.by_number(numbers)]


def test_a_row_comes_back_as_it_was_written(references: References) -> None:
    given = row(1, abstract="It speaks.", fields={"DOI": "10.1/ü", "URL": ["a", "b"]}, conflicts=2)
    write(references, given)
    assert references.read(given.id) == given
    assert references.read("f" * 32) is None


def test_writing_again_replaces_the_row_and_its_words(references: References) -> None:
    write(references, row(1, title="Paper"))
    write(references, row(1, title="Ink"))
    assert found(references, "paper") == []
    assert found(references, "ink") == [1]
    assert references.count(trashed=False) == 1


def test_a_removed_row_is_in_no_list_and_no_search(references: References) -> None:
    write(references, row(1, title="Paper"), row(2))
    references.remove(row(1).id)
    assert found(references, "paper") == []
    assert [one.id for one in references.iter_rows(trashed=False)] == [row(2).id]


def test_lists_go_by_id_page_after_page_and_leave_out_the_trash(
    references: References, database: Database
) -> None:
    with database.transaction():
        write(references, *(row(number, trashed=number % 3 == 0) for number in range(1300, 0, -1)))
    live = [int(one.id, 16) for one in references.iter_rows(trashed=False)]
    trash = [int(one.id, 16) for one in references.iter_rows(trashed=True)]
    assert live == [number for number in range(1, 1301) if number % 3]
    assert trash == [number for number in range(1, 1301) if number % 3 == 0]
    assert references.count(trashed=False) == len(live)
    assert references.count(trashed=True) == len(trash)


def test_a_search_pages_too(references: References, database: Database) -> None:
    with database.transaction():
        write(references, *(row(number, title="Paper") for number in range(1100)))
    assert found(references, "paper") == list(range(1100))


def test_half_a_character_is_no_key(references: References) -> None:
    assert references.ids_with_key("\ud800") == []


def test_the_earlier_of_two_equal_keys_keeps_it(references: References) -> None:
    write(
        references,
        row(1, key="doe2014", key_rank="2" * 25),
        row(2, key="doe2014", key_rank="1" * 25),
        row(3, key="doe2014", key_rank="0" * 25, trashed=True),
    )
    taken = {int(one.id, 16): one.key_is_taken for one in references.iter_rows(trashed=False)}
    assert taken == {1: True, 2: False}
    assert [int(one, 16) for one in references.ids_with_key("doe2014")] == [2, 1, 3]


def test_of_equal_keys_written_at_one_moment_the_smaller_id_keeps_it(
    references: References,
) -> None:
    write(references, *(row(number, key="doe2014", key_rank="0" * 25) for number in (7, 3, 5)))
    kept = [int(one.id, 16) for one in references.iter_rows(trashed=False) if not one.key_is_taken]
    assert kept == [3]


def test_a_key_is_free_again_when_its_keeper_is_deleted(references: References) -> None:
    write(references, row(1, key="doe2014"), row(2, key="doe2014"))
    assert references.key_finds_another("doe2014", but=row(1).id)
    assert references.shared_keys.list() == ["doe2014"]
    write(references, row(1, key="doe2014", trashed=True))
    second = references.read(row(2).id)
    assert second is not None
    assert not second.key_is_taken
    assert references.shared_keys.list() == []


def test_ids_are_found_by_their_beginning(references: References) -> None:
    write(references, row(0xA0), row(0xA1), row(0xB0))
    prefix = row(0xA0).id[:31]
    assert references.ids_with_prefix(prefix, most=5) == [row(0xA0).id, row(0xA1).id]
    assert references.ids_with_prefix(prefix, most=1) == [row(0xA0).id]
    assert references.ids_with_prefix("f", most=5) == []


def test_sources_are_found_by_format_and_id(references: References) -> None:
    sources = [
        SourceRow(row(1).id, "ris", "17", b"c1", ""),
        SourceRow(row(1).id, "bibtex", "doe", b"c2", "blocks"),
    ]
    references.write([DerivedReference(row(1), sources)])
    references.write([DerivedReference(row(2), [SourceRow(row(2).id, "ris", "17", b"c3", "")])])
    assert references.from_sources("ris", ["17", "18"]) == {"17": [row(1).id, row(2).id]}
    assert references.from_sources("bibtex", ["17"]) == {}
    assert sorted(references.sources_of(row(1).id), key=repr) == sorted(sources, key=repr)
    references.write([DerivedReference(row(1))])
    assert references.from_sources("ris", ["17"]) == {"17": [row(2).id]}


def test_conflicts_are_counted_and_their_references_listed(references: References) -> None:
    write(references, row(3, conflicts=2), row(1, conflicts=1), row(2))
    assert references.in_conflict() == [row(1).id, row(3).id]
    assert references.conflict_count() == 3


def test_what_is_in_the_trash_is_neither_listed_nor_counted_as_a_conflict(
    references: References,
) -> None:
    write(references, row(1, conflicts=2, trashed=True), row(2, conflicts=1))
    assert references.in_conflict() == [row(2).id]
    assert references.conflict_count() == 1


def test_clearing_forgets_everything(references: References) -> None:
    references.write(
        [DerivedReference(row(1, title="Paper"), [SourceRow(row(1).id, "ris", "17", b"c1", "")])]
    )
    references.clear()
    assert references.all_rows() == []
    assert found(references, "paper") == []


def test_a_query_without_words_does_not_find_a_reference_whose_key_was_cleared(
    references: References,
) -> None:
    write(references, row(1, key=""))
    assert found(references, "") == []
    assert found(references, "  ") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (pack_body((None, "", "", None, None, "", '{"volume":')), "no JSON"),
        (b"", "cannot be read"),
        (b"\x28\xb5\x2f\xfd\x20", "cannot be read"),
        (pack_body(("",) * 7)[:-1], "cannot be read"),
        ("text", "cannot be read"),
    ],
)
def test_a_row_that_cannot_be_read_any_more_is_a_damaged_library(
    references: References, database: Database, body: object, said: str
) -> None:
    write(references, row(1))
    with database.transaction():
        database.execute("UPDATE refs SET body = ?", (body,))
    with pytest.raises(DamagedLibraryError, match=said):
        list(references.iter_rows(trashed=False))


def test_a_long_abstract_takes_little_more_than_half_of_its_length(
    references: References, database: Database
) -> None:
    words = [f"{first}{second}{third}" for first in "kmt" for second in "aeo" for third in "rsnl"]
    abstract = " ".join(f"{one}{other}" for one in words for other in words[:6])
    write(references, row(1, abstract=abstract))
    [(size,)] = database.rows("SELECT length(body) FROM refs")
    assert size < 0.6 * len(abstract)
    read = references.read(row(1).id)
    assert read is not None
    assert read.abstract == abstract
