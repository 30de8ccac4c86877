"""Which references hold a tag or are in a group, kept with every write of a reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database, row
from tests.unit.storage.test_query_costs import steps

from bifolio.storage.database import Database
from bifolio.storage.derived import DerivedReference
from bifolio.storage.references import References


@pytest.fixture
def references(tmp_path: Path) -> References:
    return References(new_database(tmp_path))


def write(
    references: References, number: int, *, trashed: bool = False, **fields: list[str]
) -> None:
    references.write([DerivedReference(row(number, fields=fields, trashed=trashed))])


def test_counts_and_holders_leave_out_the_trash(references: References) -> None:
    write(references, 1, tags=["red", "blue"])
    write(references, 2, tags=["red"])
    write(references, 3, tags=["red", "green"], trashed=True)
    assert references.elements.counts("tags") == {"blue": 1, "red": 2}
    assert references.elements.count("tags", "red") == 2
    assert list(references.elements.holders("tags", "red")) == [row(1).id, row(2).id]
    assert references.elements.counts("groups") == {}


def test_writing_a_reference_again_replaces_what_it_holds(references: References) -> None:
    write(references, 1, tags=["red"], groups=["aa" * 16])
    write(references, 1, tags=["blue"])
    assert references.elements.all_rows() == [("tags", "blue", row(1).id, 0)]
    write(references, 1, tags=["blue"], trashed=True)
    assert references.elements.counts("tags") == {}
    references.remove(row(1).id)
    assert references.elements.all_rows() == []


def test_two_spellings_of_the_same_characters_are_one_element(references: References) -> None:
    write(references, 1, tags=["Caf\u00e9"])
    write(references, 2, tags=["Cafe\u0301"])
    assert references.elements.counts("tags") == {"Caf\u00e9": 2}
    assert references.elements.count("tags", "Cafe\u0301") == 2


def test_more_holders_than_a_page_all_come_in_order(references: References) -> None:
    for number in range(1, 1203):
        write(references, number, tags=["red"])
    found = list(references.elements.holders("tags", "red"))
    assert found == [row(number).id for number in range(1, 1203)]


def test_clearing_forgets_all(references: References) -> None:
    write(references, 1, tags=["red"])
    references.clear()
    assert references.elements.all_rows() == []


def tagged(folder: Path, count: int) -> tuple[Database, References]:
    """A library in which three references have the tag, and the others another one."""
    database = new_database(folder)
    references = References(database)
    with database.transaction():
        for number in range(1, count + 1):
            write(references, number, tags=["rare" if number <= 3 else "common"])
    return database, references


def test_what_holds_an_element_is_counted_and_listed_without_reading_the_others(
    tmp_path: Path,
) -> None:
    small, in_small = tagged(tmp_path / "small", 10)
    large, in_large = tagged(tmp_path / "large", 500)
    assert steps(small, lambda: in_small.elements.count("tags", "rare")) == steps(
        large, lambda: in_large.elements.count("tags", "rare")
    )
    assert steps(small, lambda: list(in_small.elements.holders("tags", "rare"))) == steps(
        large, lambda: list(in_large.elements.holders("tags", "rare"))
    )


def test_changing_the_trash_and_the_elements_at_once_leaves_none_behind(
    references: References,
) -> None:
    write(references, 1, tags=["red", "blue"], groups=["aa" * 16])
    write(references, 1, tags=["red"], trashed=True)
    assert references.elements.all_rows() == [("tags", "red", row(1).id, 1)]
    write(references, 1, tags=["red"])
    assert references.elements.all_rows() == [("tags", "red", row(1).id, 0)]


def test_an_element_takes_one_entry_without_the_id_of_its_reference(tmp_path: Path) -> None:
    database, _ = tagged(tmp_path, 20)
    indexes = database.rows("SELECT name FROM pragma_index_list('elements')")
    assert len(indexes) == 1  # the table itself
    kinds = database.row("SELECT typeof(field), typeof(number) FROM elements")
    assert kinds == ("integer", "integer")
