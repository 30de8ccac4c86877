"""``.enw`` and Refer read: what stands in a file, and what it means."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.files import GOLDEN, export, exported, load, load_content

from bifolio.records.names import Name


def test_an_article_is_read_whole() -> None:
    article = load(GOLDEN / "small.enw").references[0]
    assert article.source.id == "Roe2014"
    assert article.values == {
        "type": "article-journal",
        "author": (
            Name(family="Roe", given="Jane Q."),
            Name(family="Poe", given="C. D."),
            Name(literal="World Paper Organization"),
        ),
        "title": "On Paper",
        "container-title": "Journal of Made-up Studies",
        "issued": {"date-parts": [[2014, 3, 5]]},
        "volume": "7",
        "issue": "2",
        "page": "1-9",
        "ISSN": ("0896-3207", "1234-5678"),
        "DOI": "10.1000/made.up",
        "abstract": "First section.\n\nSecond section,\nwhich goes on here.",
        "tags": ("paper", "ink"),
        "PMID": "123456",
        "source": "NLM",
        "article-number": "e0815",
        "citation-key": "Roe2014",
        "x.enw.>": ("file://C/somewhere.pdf",),
    }


def test_a_book_has_a_series_a_number_of_pages_and_a_date_in_words() -> None:
    book = load(GOLDEN / "small.enw").references[1]
    assert book.line == 27
    assert book.values == {
        "type": "book",
        "editor": (Name(family="Roe", given="Jane"),),
        "collection-title": "Series of Folds",
        "title": "A Book",
        "number-of-pages": "XX, 327",
        "issued": {"literal": "in press"},
        "ISBN": ("978-3-16-148410-0",),
    }


def test_an_untouched_file_is_written_as_it_was_read() -> None:
    loaded = load(GOLDEN / "small.enw")
    text, _ = export(exported(loaded), "enw", loaded.blocks)
    assert text.strip() == (GOLDEN / "small.enw").read_text(encoding="utf-8").strip()


def test_refer_without_types_is_parted_by_empty_lines(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, "%A Roe, J.\n%T A\n\n%A Poe, K.\n%T B\n  and C\n", "a.end")
    assert [values["title"] for values in loaded.values()] == ["A", "B and C"]


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("%0 Report\n%N TR-7", "number", "TR-7"),
        ("%0 Report\n%@ TR-7", "number", "TR-7"),
        ("%0 Journal Article\n%D 2014\n%8 16 May 2014", "issued", {"date-parts": [[2014, 5, 16]]}),
        ("%0 Journal Article\n%D 2014\n%8 12.05.2014", "issued", {"date-parts": [[2014, 5, 12]]}),
        ("%0 Journal Article\n%D 2014\n%8 soon", "x.enw.8", ("soon",)),
        ("%0 Journal Article\n%R S0896", "x.enw.R", ("S0896",)),
        ("%0 Nothing Known\n%T A", "type", "document"),
        ("%0 Computer Program\n%7 2.1", "version", "2.1"),
        ("%0 Journal Article\n%Z x-bibtex-foo: bar", "x.bibtex.foo", ("bar",)),
    ],
)
def test_a_tag_means_what_its_type_says(
    tmp_path: Path, lines: str, field: str, value: object
) -> None:
    assert load_content(tmp_path, lines + "\n", "a.enw").values()[0][field] == value
