"""How alike references are: what speaks for one work, and what for two."""

from __future__ import annotations

from typing import Any

from tests.support.cases import each

from bifolio.records.similarity import Similarity, Traits, compare_works, may_reach

PAPER: dict[str, Any] = {
    "type": "article-journal",
    "title": "Breaking paragraphs into lines",
    "author": [{"family": "Knuth", "given": "D. E."}, {"family": "Plass", "given": "M. F."}],
    "container-title": "Software: Practice and Experience",
    "issued": {"date-parts": [[1981]]},
    "volume": "11",
    "page": "1119-1184",
}


def traits(**changed: Any) -> Traits:
    given = {name: value for name, value in (PAPER | changed).items() if value is not None}
    issued = given.get("issued")
    return Traits.of(
        "0" * 32,
        type=given["type"],
        title=given.get("title", ""),
        year=issued["date-parts"][0][0] if issued else None,
        fields=given,
    )


def compared(**changed: Any) -> Similarity:
    return compare_works(traits(), traits(**changed))


@each(
    "changed",
    [
        {},
        {"title": "Breaking Paragraphs into Lines."},
        {"title": "Breaking paragraphs into line"},
        {"title": "Breaking paragraphs into lines: an optimum-fit method"},
        {"author": [{"family": "Knuth"}]},
        {"author": [{"literal": "Knuth"}]},
        {"author": PAPER["author"][::-1]},
        {"container-title": "Softw. Pract. Exper."},
        {"container-title": "Software Practice & Experience"},
        {"container-title": None, "volume": None, "page": None},
        {"issued": {"date-parts": [[1982]]}},
        {"issued": None},
        {"type": "document"},
        {"type": "paper-conference"},
        {"page": "1119"},
    ],
)
def test_what_other_tools_write_differently_is_one_work(changed: dict[str, Any]) -> None:
    assert compared(**changed).score >= 85, compared(**changed)


@each(
    ("changed", "why"),
    [
        ({"volume": "12"}, "another volume"),
        ({"page": "7-9"}, "another page"),
        ({"issued": {"date-parts": [[1995]]}}, "another year"),
        ({"author": [{"family": "Mittelbach"}]}, "another first author"),
        ({"type": "thesis"}, "another kind of work"),
        ({"container-title": "Nature"}, "another container"),
        ({"title": "Breaking words into syllables"}, "title"),
    ],
)
def test_what_speaks_against_one_work_keeps_the_score_low_and_is_named(
    changed: dict[str, Any], why: str
) -> None:
    found = compared(**changed)
    assert found.score < 85
    assert any(why in one for one in found.why)


def test_parts_of_a_series_are_different_works() -> None:
    one = traits(title="The history of printing types, part I", page=None)
    other = traits(title="The history of printing types, part II", page=None)
    assert compare_works(one, other).score < 60


def test_a_shared_identifier_is_nearly_enough_and_named_first() -> None:
    one = traits(DOI="10.1000/abc")
    for changed in (
        {"DOI": "https://doi.org/10.1000/ABC", "issued": {"date-parts": [[1999]]}, "volume": "3"},
        {"DOI": "10.1000/abc", "author": [{"family": "Other"}]},
    ):
        found = compare_works(one, traits(**changed))
        assert found.score >= 99
        assert found.why[0] == "same DOI"


def test_one_doi_with_another_title_is_the_book_s_doi_in_its_chapters() -> None:
    one = traits(DOI="10.1000/book", title="Ink")
    found = compare_works(one, traits(DOI="10.1000/book", title="Paper in the age of print"))
    assert found.score <= 70


def test_two_identifiers_of_one_kind_are_two_works() -> None:
    found = compare_works(traits(DOI="10.1000/preprint"), traits(DOI="10.1000/journal"))
    assert found.score == 60
    assert "another DOI" in found.why


def test_an_arxiv_id_is_found_where_tools_put_it() -> None:
    one = traits(title="A", URL=["https://arxiv.org/abs/2101.00001v2"])
    other = traits(title="A", number="arXiv:2101.00001")
    assert compare_works(one, other).why[0] == "same arXiv id"


def test_one_isbn_is_one_book_but_not_its_chapters() -> None:
    book = {"type": "book", "ISBN": ["0-201-13448-9"], "issued": {"date-parts": [[1984]]}}
    one = traits(**book)
    found = compare_works(one, traits(**book | {"ISBN": ["0201134489"], "volume": "2"}))
    assert found.why[0] == "same ISBN"
    assert found.score == 95
    chapter = book | {"type": "chapter"}
    apart = compare_works(traits(**chapter), traits(**chapter | {"page": "7"}))
    assert apart.score < 85


def test_references_without_titles_are_never_alike() -> None:
    assert compare_works(traits(title=None), traits(title=None)).score == 0


@each(
    "changed",
    [
        {"volume": "12"},
        {"issued": {"date-parts": [[1995]]}, "volume": "7"},
        {"title": "Breaking paragraphs into 7"},
        {"title": "Breaking 2 into 7", "DOI": "10.1/a"},
        {"type": "book", "ISBN": ["1"], "issued": {"date-parts": [[1950]]}},
        {"issue": "2", "page": "9"},
    ],
)
def test_what_is_not_compared_would_not_have_reached_the_score(changed: dict[str, Any]) -> None:
    one = traits(issue="3", **({"DOI": "10.1/A"} if "DOI" in changed else {}))
    other = traits(**changed)
    for score in range(1, 101):
        if not may_reach(one, other, score):
            assert compare_works(one, other).score < score


def test_being_alike_goes_both_ways() -> None:
    one, other = traits(), traits(title="Breaking paragraphs", volume="3", DOI="10.1/x")
    assert compare_works(one, other) == compare_works(other, one)
