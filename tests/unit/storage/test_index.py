"""The search index: what it holds, in which orders it lists, and how it comes to be."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database, row

from bifolio.records.sorting import parse_sort
from bifolio.records.terms import Mark, mark
from bifolio.storage.database import Database
from bifolio.storage.derived import DerivedReference, ReferenceRow
from bifolio.storage.references import References


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return new_database(tmp_path)


@pytest.fixture
def references(database: Database) -> References:
    return References(database)


def write(references: References, *rows: ReferenceRow) -> None:
    references.write([DerivedReference(one) for one in rows])


def found(references: References, expression: str, sort: str = "id") -> list[int]:
    numbers = references.index.find(expression, parse_sort(sort), most=None)
    return [int(one.id, 16) for one in references.by_number(numbers)]


def author(family: str, given: str = "Jane") -> dict[str, object]:
    return {"author": [{"family": family, "given": given}]}


def test_names_are_found_both_ways_round_and_never_across_two_of_them(
    references: References,
) -> None:
    names = [{"family": "Knuth", "given": "Donald"}, {"family": "Bibby", "given": "Duane"}]
    write(references, row(1, fields={"author": names}))
    for phrase in ("donald knuth", "knuth donald", "duane bibby"):
        assert found(references, f'"{phrase}"') == [1]
    assert found(references, '"knuth duane"') == []
    assert found(references, '"knuth bibby"') == []


def test_a_phrase_never_runs_from_one_tag_into_the_next(references: References) -> None:
    write(references, row(1, fields={"tags": ["to read", "later"]}))
    assert found(references, '"to read"') == [1]
    assert found(references, '"read later"') == []


def test_the_marks_in_front_of_an_abstract_are_no_words_of_it(references: References) -> None:
    year = mark(Mark.TYPE, "book")
    write(references, row(1, abstract="Paper and ink"), row(2, title="Paper"))
    assert found(references, '"paper and"') == [1]
    assert found(references, '{abstract} : "paper"') == [1]
    assert found(references, '{title} : "paper"') == [2]
    assert found(references, f'"{year}"') == [1, 2]
    assert found(references, '{abstract} : "book"') == []
    assert found(references, '"book"') == []


def test_most_words_of_an_index_are_in_its_first_column(
    references: References, database: Database
) -> None:
    """FTS5 names the column of each word in two bytes, but that of the first column."""
    words = [f"{first}{second}{third}" for first in "kmt" for second in "aeo" for third in "rsnl"]
    write(references, *(row(number, abstract=" ".join(words)) for number in range(1, 101)))
    references.index.optimize()
    [(size,)] = database.rows("SELECT sum(length(block)) FROM refs_fts_data")
    # 328 bytes a reference; 439 where the abstract and the marks are in later columns.
    assert size / 100 < 380


def test_what_is_in_the_trash_is_listed_there_and_never_found(references: References) -> None:
    write(references, row(1), row(2))
    write(references, row(1, trashed=True))
    every = f'"{mark(Mark.ANY)}"'
    assert found(references, every) == [2]
    assert len(references.index.all(parse_sort("id"), trashed=True, most=None)) == 1
    write(references, row(1))
    assert found(references, every) == [1, 2]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("year", [3, 2, 1, 4]),
        ("-year", [2, 1, 3, 4]),
        ("title", [2, 3, 1, 4]),
        ("-title", [1, 3, 2, 4]),
        ("author", [1, 3, 2, 4]),
        ("-author", [2, 3, 1, 4]),
        ("key", [4, 3, 2, 1]),
        ("-key", [1, 2, 3, 4]),
        ("added", [3, 1, 2, 4]),
        ("-added", [4, 2, 1, 3]),
        ("id", [1, 2, 3, 4]),
        ("-id", [4, 3, 2, 1]),
    ],
)
def test_an_order_is_kept_and_what_lacks_the_value_comes_last(
    references: References, sort: str, expected: list[int]
) -> None:
    write(
        references,
        row(3, title="ink", year=1999, key="beta", fields=author("Éluard")),
        row(1, title="“Zebra”", year=2020, key="Delta", fields=author("Adams")),
        row(2, title="Élan", year=2020, key="charlie", fields=author("zola")),
        row(4, title=None, year=None, key="Alpha", fields={}),
    )
    every = f'"{mark(Mark.ANY)}"'
    order = parse_sort(sort)
    assert found(references, every, sort) == expected
    numbers = references.index.all(order, trashed=False, most=None)
    assert [int(one.id, 16) for one in references.by_number(numbers)] == expected
    assert references.index.find(every, order, most=2) == numbers[:2]
    assert references.index.all(order, trashed=False, most=2) == numbers[:2]


def test_many_references_come_back_in_the_order_asked_for(
    references: References, database: Database
) -> None:
    with database.transaction():
        write(references, *(row(number, title="Paper") for number in range(1100)))
    assert found(references, '"paper"', "-id") == list(range(1099, -1, -1))
