"""Likely duplicates of a library, and what the user sets apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library

from bifolio.errors import InvalidValueError, ReferenceNotFoundError, UsageError
from bifolio.library.duplicates import Duplicates
from bifolio.records.names import Name
from bifolio.records.reference import Value, Values

TITLE = "Breaking paragraphs into lines"


def paper(key: str, **more: Value) -> Values:
    values: Values = {
        "type": "article-journal",
        "title": TITLE,
        "author": (Name("Knuth", "Donald"),),
        "issued": {"date-parts": [[1981]]},
        "citation-key": key,
    }
    return values | more


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    return owner_of_a_library(tmp_path)


def fill(computer: Computer, *works: Values) -> None:
    for number, values in enumerate(works, start=1):
        computer.adds(f"{number:032x}", values)


def keys(computer: Computer, **chosen: object) -> list[set[str]]:
    groups = Duplicates(computer.replica).list(**chosen)  # type: ignore[arg-type]
    return [{one.key for one in group.references} for group in groups]


def test_a_group_says_how_sure_it_is_and_why_and_names_the_fullest_first(
    office: Computer,
) -> None:
    fill(
        office,
        paper("thin"),
        paper("full", DOI="10.1/a", volume="11", page="1119", publisher="Wiley"),
        paper("other", title="Hyphenation"),
    )
    (group,) = Duplicates(office.replica).list()
    assert [one.key for one in group.references] == ["full", "thin"]
    assert group.score == 100
    (pair,) = group.pairs
    assert set(pair.keys) == {"full", "thin"}
    assert "same title" in pair.reasons
    assert "year equal" in pair.reasons


def test_the_surest_group_comes_first_and_the_bound_is_the_user_s(office: Computer) -> None:
    fill(
        office,
        paper("a", title="Digital typography of books"),
        paper("b", title="Digital typography of book"),
        paper("c", DOI="10.1/c"),
        paper("d", DOI="10.1/C"),
        paper("e", title="Type design for printers", volume="1"),
        paper("f", title="Type design for printers", volume="2"),
    )
    assert keys(office) == [{"c", "d"}, {"a", "b"}]
    assert keys(office, min_score=70) == [{"c", "d"}, {"a", "b"}, {"e", "f"}]
    assert keys(office, min_score=99) == [{"c", "d"}]
    assert keys(office, refs=["a"]) == [{"a", "b"}]
    for wrong in (0, 101):
        with pytest.raises(InvalidValueError, match="min-score"):
            Duplicates(office.replica).list(min_score=wrong)
    with pytest.raises(ReferenceNotFoundError):
        Duplicates(office.replica).list(refs=["nobody"])


def test_three_of_one_work_are_one_group(office: Computer) -> None:
    fill(office, paper("a", DOI="10.1/a"), paper("b", DOI="10.1/a", PMID="7"), paper("c", PMID="7"))
    assert keys(office) == [{"a", "b", "c"}]


def test_what_is_in_the_trash_is_no_duplicate(office: Computer) -> None:
    fill(office, paper("a"), paper("b"))
    office.deletes(f"{1:032x}")
    assert keys(office) == []


def test_what_is_set_apart_is_not_proposed_on_any_computer(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    fill(office, paper("a"), paper("b"), paper("c"))
    meet(office, home)
    Duplicates(home.replica).set_apart(["a", "b"])
    Duplicates(office.replica).set_apart(["b", "c"])
    meet(office, home)
    for computer in (office, home):
        assert keys(computer) == [{"a", "c"}]
    Duplicates(home.replica).set_apart(["a", "b", "c"])
    assert keys(home) == []
    with pytest.raises(UsageError, match="this names 1"):
        Duplicates(home.replica).set_apart(["a", "a"])
