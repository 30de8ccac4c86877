"""Searches of a library: words, operators, groups inside groups, orders."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each
from tests.unit.replica.builders import Computer, owner_of_a_library

from bifolio.document import groups as documents
from bifolio.errors import GroupNotFoundError, QueryError, UsageError
from bifolio.library.groups import Groups
from bifolio.records.attachments import Attachment
from bifolio.records.names import Name
from bifolio.records.sorting import parse_sort
from bifolio.results import GroupKind
from bifolio.search import search
from bifolio.search.search import Searches

PAPER, FOLDING, LEARNING, TRASHED = (f"{number:032x}" for number in (1, 2, 3, 4))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Computer:
    """Three references that live and one that does not, only read."""
    office = owner_of_a_library(tmp_path_factory.mktemp("searched"))
    office.adds(
        PAPER,
        {
            "type": "article-journal",
            "title": "On Paper: a study of Müller's ink",
            "author": (Name("Knuth", "Donald E."), Name("Bibby", "Duane")),
            "container-title": "TUGboat",
            "issued": {"date-parts": [[2015, 3]]},
            "DOI": "10.1000/x:y",
            "citation-key": "Beebe:1999:TBP",
            "tags": ("To read", "C++"),
            "URL": ("https://www.tug.org/paper",),
            "rating": "4",
            "files": (Attachment("paper.pdf", "a" * 64, 7).to_element(),),
        },
    )
    office.adds(
        FOLDING,
        {
            "type": "book",
            "title": "Folding",
            "editor": (Name("Knuth", "Jill"),),
            "abstract": "Of paper and of the sea. 机器学习方法",
            "note": "Bought in Leipzig",
            "issued": {"date-parts": [[2020]]},
            "citation-key": "folding2020",
            "citation-key-aliases": ("sheet2020",),
            "read-status": "read",
            "tags": ("C",),
        },
    )
    office.adds(LEARNING, {"type": "webpage", "title": "The sea", "citation-key": "sea"})
    office.adds(TRASHED, {"type": "book", "title": "Paper lost", "citation-key": "lost"})
    office.deletes(TRASHED)
    return office


def found(office: Computer, query: str, sort: str = "id") -> list[int]:
    rows = Searches(office.replica).rows(query, sort=parse_sort(sort))
    ids = [int(row.id, 16) for row in rows]
    assert Searches(office.replica).count(query) == len(ids)
    return ids


@each(
    ("query", "expected"),
    [
        ("paper", [1, 2]),
        ("pape", [1, 2]),
        ("pap", []),
        ("pap*", [1, 2]),
        ("the", [2, 3]),
        ("muller", [1]),
        ("MÜLLER", [1]),
        ("paper leipzig", [2]),
        ('"of the sea"', [2]),
        ('"sea of the"', []),
        ('"of the s"*', [2]),
        ("paper -leipzig", [1]),
        ("-paper", [3]),
        ("-paper -sea", []),
        ('-"of the sea"', [1, 3]),
        ("leipzig OR tugboat", [1, 2]),
        ("(leipzig | tugboat) -year:2015", [2]),
        ("title:paper", [1]),
        ("author:knuth", [1]),
        ("editor:knuth", [2]),
        ("creator:knuth", [1, 2]),
        ("knuth", [1, 2]),
        ('author:"donald e knuth"', [1]),
        ('author:"knuth donald"', [1]),
        ("-author:knuth", [2, 3]),
        ("journal:tugboat", [1]),
        ("container:tugboat", [1]),
        ("abstract:sea", [2]),
        ("note:leipzig", [2]),
        ("year:2015", [1]),
        ("year:2015..2020", [1, 2]),
        ("year:2016..", [2]),
        ("year:..2019", [1]),
        ("year:>2015", [2]),
        ("year:<=2015", [1]),
        ("year:2020..2015", []),
        ("-has:year", [3]),
        ('tag:"to read"', [1]),
        ("tag:C", [2]),
        ("tag:c++", [1]),
        ("tag:c*", [1, 2]),
        ("tag:to", []),
        ("type:article", [1]),
        ("type:article-journal", [1]),
        ('type:"article"', []),
        ("type:book", [2]),
        ("has:note", [2]),
        ("has:doi", [1]),
        ("has:file", [1]),
        ("-has:file", [2, 3]),
        ("has:tag -has:doi", [2]),
        ("is:read", [2]),
        ("is:unread", [1, 3]),
        ("status:read", [2]),
        ("rating:4", [1]),
        ("rating:3..", [1]),
        ("rating:5", []),
        ("rating:none", [2, 3]),
        ("is:conflict", []),
        ("key:beebe*", [1]),
        ("Beebe:1999:TBP", [1]),
        ("sheet2020", [2]),
        ("key:sheet2020", [2]),
        ("10.1000/x:y", [1]),
        ("https://doi.org/10.1000/X:Y", [1]),
        ("doi:10.1000/*", [1]),
        ("https://tug.org/paper", [1]),
        ("url:tug.org*", [1]),
        ('"On Paper: a study"', [1]),
        ("On Paper: a study", [1]),
        ("学习", [2]),
        ("机器学习", [2]),
        ("学方", []),
        ("abstract:方法", [2]),
        ("lost", []),
        ("", []),
        ("half \ud800", []),
        ("'; DROP TABLE refs; --", []),
        ("NEAR(a b)", []),
        ("{title}", []),
        ("^paper", [1, 2]),
        ('pa"per', []),
        ("\x00", []),
    ],
)
def test_a_search_finds(office: Computer, query: str, expected: list[int]) -> None:
    assert found(office, query) == expected


def test_what_has_the_words_in_its_title_comes_first_then_the_newest(office: Computer) -> None:
    assert found(office, "paper", "relevance") == [1, 2]
    assert found(office, "sea", "relevance") == [3, 2]
    assert found(office, "sea", "-relevance") == [2, 3]
    assert found(office, "sheet2020", "relevance") == [2]
    assert found(office, "has:title", "relevance") == [2, 1, 3]
    rows = Searches(office.replica).rows("paper", most=1)
    assert [int(row.id, 16) for row in rows] == [1]
    rows = Searches(office.replica).rows("sea", most=2)
    assert [int(row.id, 16) for row in rows] == [3, 2]


def test_a_list_is_of_all_of_the_trash_or_of_a_query(office: Computer) -> None:
    def listed(**chosen: object) -> list[int]:
        given: dict[str, object] = {"trash": False, "query": None, "sort": None, "limit": None}
        return [
            int(one.id, 16)
            for one in search.list_references(office.replica, **(given | chosen))  # type: ignore[arg-type]
        ]

    assert listed() == [1, 2, 3]
    assert listed(sort="title") == [2, 1, 3]
    assert listed(limit=2) == [1, 2]
    assert listed(query="paper", sort="-year") == [2, 1]
    assert listed(trash=True) == listed(trash=True, sort="key") == [4]
    with pytest.raises(UsageError, match="trash"):
        listed(trash=True, query="paper")


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[Computer, Groups]:
    office = owner_of_a_library(tmp_path)
    for number, title in enumerate(("Paper", "Ink", "Folding"), start=1):
        office.adds(
            f"{number:032x}",
            {"type": "book", "title": title, "citation-key": f"k{number}"},
        )
    return office, Groups(office.replica)


def test_a_group_is_named_in_a_query_by_name_path_or_id(shelf: tuple[Computer, Groups]) -> None:
    office, groups = shelf
    groups.create("Thesis")
    made = groups.create("To read", parent="Thesis")
    groups.add("To read", ["k1", "k2"])
    for named in ('"To read"', '"Thesis/To read"', made.id, made.id[:8]):
        assert found(office, f"group:{named}") == [1, 2]
    assert found(office, 'group:"To read" -paper') == [2]
    assert found(office, '-group:"To read"') == [3]
    assert found(office, "group:Thesis") == []
    assert found(office, "has:group") == [1, 2]
    with pytest.raises(GroupNotFoundError):
        Searches(office.replica).count("group:nobody")


def test_a_smart_group_stands_inside_another_one(shelf: tuple[Computer, Groups]) -> None:
    _, groups = shelf
    groups.create("By hand")
    groups.add("By hand", ["k1", "k3"])
    groups.create("Inner", query='paper OR ink OR group:"By hand"')
    groups.create("Outer", query="group:Inner -paper")
    assert [one.key for one in groups.references("Outer")] == ["k2", "k3"]
    assert [one.key for one in groups.references("Outer", sort="title", limit=1)] == ["k3"]
    counts = {one.name: (one.kind, one.count) for one in groups.list()}
    assert counts["Inner"] == (GroupKind.SMART, 3)
    assert counts["Outer"] == (GroupKind.SMART, 2)


def test_smart_groups_that_contain_each_other_end(shelf: tuple[Computer, Groups]) -> None:
    _, groups = shelf
    groups.create("A", query="paper")
    groups.create("B", query="ink OR group:A")
    groups.edit("A", query="paper OR group:B")
    assert [one.count for one in groups.list()] == [2, 2]
    groups.edit("A", query="-group:A folding")
    assert [one.key for one in groups.references("A")] == ["k3"]


def test_smart_groups_that_would_double_without_end_are_an_error(
    shelf: tuple[Computer, Groups],
) -> None:
    office, groups = shelf
    groups.create("G0", query="paper OR ink")
    for number in range(1, 9):
        before = f"group:G{number - 1}"
        groups.create(f"G{number}", query=f"{before} OR (folding {before})")
    with pytest.raises(QueryError, match="more than 2,000 words"):
        groups.create("G9", query="group:G8 OR (folding group:G8)")
    assert found(office, "group:G5") == [1, 2]


def test_a_query_that_is_none_makes_no_group_and_stops_no_list(
    shelf: tuple[Computer, Groups],
) -> None:
    _, groups = shelf
    with pytest.raises(QueryError, match="autor"):
        groups.create("Wrong", query="autor:doe")
    groups.create("Gone")
    groups.create("Smart", query="group:Gone OR ink")
    groups.delete("Gone")
    (smart,) = groups.list()
    assert smart.count == 0
    assert smart.problem is not None
    assert "Gone" in smart.problem
    with pytest.raises(GroupNotFoundError):
        list(groups.references("Smart"))
    groups.restore("Gone")
    assert [(one.count, one.problem) for one in groups.list()] == [(0, None), (1, None)]


def test_an_error_in_a_group_that_a_query_names_says_which(shelf: tuple[Computer, Groups]) -> None:
    office, groups = shelf
    made = groups.create("Smart", query="ink")
    newer = {documents.QUERY: "type:hologram"}
    office.commits(made.id, lambda plan, entries: documents.plan_change(plan, entries, newer))
    with pytest.raises(QueryError, match="in the smart group 'Smart', there is no type 'hologram'"):
        Searches(office.replica).count("group:Smart")
