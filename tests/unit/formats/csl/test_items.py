"""CSL-JSON read: items as other programs write them, and what ours restores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.formats.files import GOLDEN, export, exported, load, load_content

from bifolio.errors import FileFormatError
from bifolio.records.names import Name
from bifolio.records.reference import ExportedReference, Values


def test_an_item_is_read_whole() -> None:
    article = load(GOLDEN / "small.csl.json").references[0]
    assert article.source.id == "Roe2014"
    assert article.line == 2
    assert article.values == {
        "type": "article-journal",
        "citation-key": "Roe2014",
        "title": "On <i>Paper</i>",
        "author": (
            Name(family="Roe", given="Jane Q."),
            Name(family="Berg", given="Jan", suffix="Jr", non_dropping_particle="van der"),
            Name(literal="World Paper Organization"),
        ),
        "container-title": "Journal of Made-up Studies",
        "container-title-short": "J. Made-up Stud.",
        "issued": {"date-parts": [[2014, 3, 5]]},
        "volume": "7",
        "page": "1-9",
        "ISSN": ("0896-3207", "1234-5678"),
        "DOI": "10.1000/made.up",
        "tags": ("paper", "ink"),
        "abstract": "First.\n\nSecond.",
        "article-number": "e0815",
        "x.ris.XY": ("nobody knows",),
        "x.csl-json.categories": ("x", "2"),
        "x.csl-json.custom/tool": ('{"score": 0.5}',),
    }


def test_what_has_another_shape_than_csl_wants_is_kept_as_an_extra_field() -> None:
    values = load(GOLDEN / "small.csl.json").values()[1]
    assert values["type"] == "document"
    assert "citation-key" not in values
    assert values["issued"] == {"date-parts": [[2001]], "season": 2, "circa": True}
    assert values["accessed"] == {"date-parts": [[2020, 2, 3]]}
    assert values["event-date"] == {"date-parts": [[2001, 2], [2001, 3]]}
    kept = list(values["x.csl-json.event-date"])
    assert json.loads(str(kept[0]))["literal"] == "in early 2001"
    assert values["author"] == (Name(family="nobody"),)


def test_untouched_items_are_written_as_they_were_read() -> None:
    loaded = load(GOLDEN / "small.csl.json")
    text, report = export(exported(loaded), "csl-json")
    assert json.loads(text) == json.loads((GOLDEN / "small.csl.json").read_text(encoding="utf-8"))
    assert report.lost == []


def test_what_is_ours_alone_is_no_variable_of_an_item(tmp_path: Path) -> None:
    values: Values = {
        "type": "book", "citation-key": "k", "title": "A", "citation-key-pinned": "yes",
        "rating": "5", "read-status": "read",
    }  # fmt: skip
    text, report = export([ExportedReference("1", values)], "csl-json")
    (item,) = json.loads(text)
    assert item.keys() == {"id", "type", "title", "custom"}
    assert load_content(tmp_path, text, "a.json").values() == [values]
    assert report.lost == []


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ('{"title": "A"}', ["A"]),
        ('{"one": {"title": "A", "type": "book"}, "two": {"title": "B"}}', ["A", "B"]),
        ('{"items": [{"title": "A"}, {"id": 5, "title": "B"}]}', ["A", "B"]),
        ('[{"title": "A\\u0000B"}]', ["AB"]),
        ('[{"title": "A", "custom": {"issued": {"literal": "a", "b": 0.5}}}]', ["A"]),
    ],
)
def test_objects_and_arrays_of_items_are_read(tmp_path: Path, text: str, titles: list[str]) -> None:
    values = load_content(tmp_path, text, "a.json").values()
    assert [one["title"] for one in values] == titles


def test_a_damaged_array_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, '[{"title": "A"},\n{"title": "B"},\n{"titl', "a.json")
    assert [one["title"] for one in loaded.values()] == ["A", "B"]
    assert [one.line for one in loaded.skipped] == [3]


def test_elements_that_are_no_items_are_named(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, '[{"title": "A"}, 5,\n {"id": "b"}]', "a.json")
    assert [one.line for one in loaded.skipped] == [1, 2]


@pytest.mark.parametrize("text", ["[{", "[" * 100_000, '{"a": '])
def test_json_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileFormatError, match="JSON"):
        load_content(tmp_path, text, "a.json")


@pytest.mark.parametrize("array", [True, False])
def test_a_number_of_thousands_of_digits_stops_no_file(tmp_path: Path, array: bool) -> None:
    items = '{"title": "A", "volume": ' + "9" * 5000 + '}, {"title": "B"}'
    text = f"[{items}]" if array else f'{{"items": [{items}]}}'
    values = load_content(tmp_path, text, "a.json").values()
    assert [one["title"] for one in values] == ["A", "B"]
    assert values[0]["volume"] == "9" * 5000


@pytest.mark.parametrize("first", ['1, "x", null', '"of a list"', "true", "-1.5"])
def test_an_array_whose_first_elements_are_no_objects_gives_its_objects(
    tmp_path: Path, first: str
) -> None:
    loaded = load_content(tmp_path, f'[{first}, {{"title": "A"}}, [2], {{"title": "B"}}]', "a.json")
    assert [one["title"] for one in loaded.values()] == ["A", "B"]
    assert len(loaded.skipped) == first.count(",") + 2


def test_a_list_of_works_by_number_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError):
        load_content(tmp_path, "[1] Doe, J., On folding. 2019.\n[2] Roe, K.\n", "a.txt")
