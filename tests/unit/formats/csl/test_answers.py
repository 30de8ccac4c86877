"""Shapes of CSL-JSON that CSL does not have: Crossref's answers, and what Zotero writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.formats.files import export, exported, load, load_content

from bifolio.records.names import Name
from bifolio.records.reference import Values

WORK: dict[str, Any] = {
    "type": "journal-article",
    "title": ["On folding"],
    "subtitle": ["A study"],
    "container-title": ["Journal of Examples", "J. Examples"],
    "short-container-title": ["J. Ex."],
    "ISSN": ["2167-8359", "1111-1119"],
    "original-title": [],
    "author": [
        {"given": "Ana", "family": "Doe", "sequence": "first"},
        {"name": "The Folding Consortium", "sequence": "additional"},
    ],
    "published-online": {"date-parts": [[2014, 1]]},
    "published-print": {"date-parts": [[2014, 12, 11]]},
    "DOI": "https://doi.org/10.5555/abc",
    "abstract": "<jats:title>Abstract</jats:title>"
    "<jats:p>We <jats:italic>fold</jats:italic>.</jats:p>",
}


def values_of(tmp_path: Path, item: object) -> Values:
    (values,) = load_content(tmp_path, json.dumps(item), "a.json").values()
    return values


def item(**members: object) -> list[dict[str, object]]:
    return [{"id": "k", "type": "article-journal", "title": "T", **members}]


@pytest.mark.parametrize(
    "whole",
    [
        WORK,
        [WORK],
        {"status": "ok", "message-type": "work", "message": WORK},
        {"status": "ok", "message-type": "work-list", "message": {"total": 1, "items": [WORK]}},
    ],
)
def test_what_crossref_answers_is_read_in_any_envelope(tmp_path: Path, whole: object) -> None:
    values = values_of(tmp_path, whole)
    assert values["type"] == "article-journal"
    assert values["title"] == "On folding: A study"
    assert values["container-title"] == "Journal of Examples"
    assert values["container-title-short"] == "J. Ex."
    assert values["ISSN"] == ("2167-8359", "1111-1119")
    assert values["author"] == (Name("Doe", "Ana"), Name(literal="The Folding Consortium"))
    assert values["issued"] == {"date-parts": [[2014, 12, 11]]}
    assert values["DOI"] == "10.5555/abc"
    assert values["abstract"] == "Abstract\n\nWe <i>fold</i>."
    assert "citation-key" not in values


def test_a_long_answer_is_read_work_by_work(tmp_path: Path) -> None:
    works = [WORK | {"DOI": f"10.5555/{number}", "filler": "x" * 2_000} for number in range(300)]
    answer = {"status": "ok", "message": {"query": {"a": [1]}, "items": works}}
    assert len(load_content(tmp_path, json.dumps(answer), "a.json").references) == 300


@pytest.mark.parametrize(
    ("written", "csl"),
    [
        ("book-chapter", "chapter"),
        ("proceedings-article", "paper-conference"),
        ("posted-content", "article"),
        ("monograph", "book"),
        ("dissertation", "thesis"),
        ("peer-review", "review"),
        ("journalArticle", "article-journal"),
        ("book", "book"),
        ("nothing-known", "document"),
    ],
)
def test_a_type_is_csl_s_by_any_service_s_name(tmp_path: Path, written: str, csl: str) -> None:
    assert values_of(tmp_path, item(type=written))["type"] == csl


def test_an_answer_is_written_as_csl_and_comes_back(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, json.dumps([WORK]), "a.json")
    text, report = export(exported(loaded), "csl-json")
    (written,) = json.loads(text)
    assert (written["type"], written["title"]) == ("article-journal", "On folding: A study")
    assert report.lost == []
    again = load_content(tmp_path, text, "b.json").values()[0]
    assert {**again, "citation-key": ""} == {**loaded.values()[0], "citation-key": ""}
    assert "Folding Consortium" in export(exported(loaded, with_source=False), "bibtex")[0]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ({"name": "The Folding Group"}, Name(literal="The Folding Group")),
        ("Doe, Jane", Name("Doe", "Jane")),
        ("Jane Doe", Name("Doe", "Jane")),
        ("Smith JA", Name("Smith", "JA")),
        ("Vincent van Gogh", Name("Gogh", "Vincent", non_dropping_particle="van")),
        ("World Health Organization", Name(literal="World Health Organization")),
        ({"family": '"van der Berg"', "given": "J"}, Name("van der Berg", "J")),
    ],
)
def test_a_name_is_read_in_any_shape(tmp_path: Path, written: object, name: Name) -> None:
    assert values_of(tmp_path, item(author=[written]))["author"] == (name,)
    if isinstance(written, dict):
        assert values_of(tmp_path, item(author=written))["author"] == (name,)


def test_several_names_in_one_text_are_several(tmp_path: Path) -> None:
    people = (Name("Doe", "Jane"), Name("Roe", "Richard"))
    for text in ("Doe, Jane; Roe, Richard", "Doe, Jane and Roe, Richard"):
        assert values_of(tmp_path, item(author=text))["author"] == people


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ({"date-parts": [[2019, 21]]}, {"date-parts": [[2019]], "season": 1}),
        ({"date-parts": [["2019", "14"]]}, {"date-parts": [[2019]], "season": 2}),
        ({"date-parts": [[2019, 21], [2019, 22]]}, {"literal": "Spring–Summer 2019"}),
        ({"date-parts": [[2019, 24], [2020, 21]]}, {"literal": "Winter 2019 – Spring 2020"}),
        ({"date-parts": [[2019], []]}, {"date-parts": [[2019]]}),
        ({"date-parts": [[2019, 3], [0, 0, 0]]}, {"date-parts": [[2019, 3]]}),
        ({"date-parts": [2019, 3]}, {"date-parts": [[2019, 3]]}),
        ({"year": 2019, "month": 5}, {"date-parts": [[2019, 5]]}),
        ([{"year": 2019}, {"year": 2020}], {"date-parts": [[2019], [2020]]}),
        ([{"date-parts": [[2019]]}], {"date-parts": [[2019]]}),
        ({"raw": "2019-21/2019-23"}, {"literal": "Spring–Autumn 2019"}),
        ({"raw": "12 May 2012"}, {"date-parts": [[2012, 5, 12]]}),
        ("May 2012", {"date-parts": [[2012, 5]]}),
    ],
)
def test_seasons_and_dates_in_words_are_dates(
    tmp_path: Path, written: object, date: dict[str, object]
) -> None:
    assert values_of(tmp_path, item(issued=written))["issued"] == date


def test_a_doi_is_stored_without_its_address(tmp_path: Path) -> None:
    for doi in ("https://doi.org/10.1000/X1", "doi:10.1000/X1", "http://dx.doi.org/10.1000/X1"):
        assert values_of(tmp_path, item(DOI=doi))["DOI"] == "10.1000/X1"


ZOTERO: dict[str, Any] = {
    "key": "K1AAAAAA",
    "itemType": "journalArticle",
    "title": "Folding",
    "creators": [
        {"creatorType": "author", "firstName": "Jane", "lastName": "Doe"},
        {"creatorType": "editor", "name": "Folding Group"},
    ],
    "publicationTitle": "J. Fold.",
    "date": "2020-05-01",
    "DOI": "10.5555/f",
    "tags": [{"tag": "paper"}, {"tag": "made", "type": 1}],
    "collections": ["C1"],
    "dateModified": "2020-01-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("whole", "own_id"),
    [
        (
            [{"key": "K1AAAAAA", "version": 3, "library": {"type": "user"}, "data": ZOTERO}],
            "K1AAAAAA",
        ),
        ([{"library": {"type": "group", "id": 7}, "data": ZOTERO}], "group-7:K1AAAAAA"),
        ({"config": {}, "items": [ZOTERO | {"citationKey": "doe2020"}]}, "K1AAAAAA"),
    ],
)
def test_zotero_s_own_json_is_read_as_its_library_is(
    tmp_path: Path, whole: object, own_id: str
) -> None:
    (reference,) = load_content(tmp_path, json.dumps(whole), "a.json").references
    values = reference.values
    assert reference.source.format == "zotero"
    assert reference.source.id == own_id
    assert values["type"] == "article-journal"
    assert values["author"] == (Name("Doe", "Jane"),)
    assert values["editor"] == (Name(literal="Folding Group"),)
    assert values["container-title"] == "J. Fold."
    assert values["issued"] == {"date-parts": [[2020, 5, 1]]}
    assert values["tags"] == ("paper", "made")
    assert (values.get("citation-key") == "doe2020") == isinstance(whole, dict)


def test_what_of_better_bibtex_is_not_read_is_named(tmp_path: Path) -> None:
    whole = {
        "config": {},
        "items": [ZOTERO, {"itemType": "note", "note": "<p>alone</p>", "key": "N"}],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    reasons = " ".join(one.reason for one in load(path).skipped)
    assert "belongs to no reference" in reasons


def test_what_of_a_list_of_names_is_none_is_kept(tmp_path: Path) -> None:
    values = values_of(tmp_path, item(author=[5, {"family": "Roe"}, ["Doe", "Jane"], {}, None]))
    assert values["author"] == (Name("Roe"),)
    assert values["x.csl-json.author"] == ("5", '["Doe", "Jane"]')


def test_a_day_that_no_month_has_leaves_the_month(tmp_path: Path) -> None:
    values = values_of(tmp_path, item(issued={"date-parts": [[2019, 4, 31]]}))
    assert values["issued"] == {"date-parts": [[2019, 4]]}
    assert values["x.csl-json.issued"] == ('{"date-parts": [[2019, 4, 31]]}',)
