"""RIS read: what stands in a file, and what it means."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.files import GOLDEN, load, load_content

from bifolio.records.names import Name


def test_an_article_is_read_whole() -> None:
    article = load(GOLDEN / "small.ris").references[0]
    assert article.values == {
        "type": "article-journal",
        "author": (
            Name(family="Roe", given="Jane Q."),
            Name(family="Berg", given="Jan", suffix="Jr", non_dropping_particle="van der"),
            Name(literal="World Paper Organization"),
        ),
        "title": "On Paper",
        "container-title": "Journal of Made-up Studies",
        "container-title-short": "J. Made-up Stud.",
        "issued": {"date-parts": [[2014, 3, 5]]},
        "volume": "7",
        "issue": "2",
        "page": "1-9",
        "ISSN": ("0896-3207", "1234-5678 (electronic)"),
        "DOI": "10.1000/made.up",
        "abstract": "First section.\n\nSecond section,\nwhich goes on here.",
        "tags": ("paper", "ink", "folding"),
        "URL": ("https://example.org/a",),
        "article-number": "e0815",
        "x.ris.XY": ("nobody knows",),
    }
    assert article.line == 3


def test_single_spaces_and_a_missing_end_lose_nothing() -> None:
    book = load(GOLDEN / "small.ris").references[1]
    assert book.values["title"] == "A Book in Single Spaces"
    assert book.values["ISBN"] == ("978-3-16-148410-0",)
    assert book.values["editor"] == (Name(family="Roe", given="Jane"),)


def test_text_before_the_first_record_is_kept_as_a_block() -> None:
    loaded = load(GOLDEN / "small.ris")
    (blocks,) = loaded.blocks.values()
    assert blocks.blocks == ("Provider: a search made for the tests",)
    assert all(one.source.blocks == blocks.record_id() for one in loaded.references)


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_line_ends_and_character_sets_make_no_difference(
    tmp_path: Path, line_end: str, encoding: str
) -> None:
    text = line_end.join(["TY  - JOUR", "TI  - Étude “sur” le café", "ER  - ", ""])
    (values,) = load_content(tmp_path, text.encode(encoding), "a.ris").values()
    assert values["title"] == "Étude “sur” le café"


def test_an_empty_record_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, "TY  - JOUR\nER  - \n\nTY  - JOUR\nTI  - A\nER  - \n", "a.ris")
    assert [one.line for one in loaded.skipped] == [1]
    assert len(loaded.references) == 1


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("TY  - Journal Article\nTI  - A", "type", "article-journal"),
        ("TY  - XXXX\nTI  - A", "type", "document"),
        ("TY  - BOOK\nA2  - Roe, J.", "collection-editor", (Name("Roe", "J."),)),
        ("TY  - CHAP\nA2  - Roe, J.", "editor", (Name("Roe", "J."),)),
        ("TY  - JOUR\nJO  - Nature", "container-title", "Nature"),
        ("TY  - JOUR\nSP  - 1\nEP  - 9", "page", "1-9"),
        ("TY  - BOOK\nSP  - 300", "number-of-pages", "300"),
        ("TY  - RPRT\nSN  - TR-7", "number", "TR-7"),
        ("TY  - JOUR\nAN  - 123\nDP  - PubMed", "PMID", "123"),
        ("TY  - JOUR\nAN  - WOS:1", "accession-number", "WOS:1"),
        ("TY  - JOUR\nUR  - https://doi.org/10.1000/x", "DOI", "10.1000/x"),
        ("TY  - JOUR\nPY  - 2014\nDA  - JUN 12", "issued", {"date-parts": [[2014, 6, 12]]}),
        ("TY  - JOUR\nN1  - x-bibtex-foo: bar", "x.bibtex.foo", ("bar",)),
        ("TY  - JOUR\nN1  - a note: plain", "note", "a note: plain"),
    ],
)
def test_a_tag_means_what_its_type_says(
    tmp_path: Path, lines: str, field: str, value: object
) -> None:
    assert load_content(tmp_path, lines + "\nER  - \n", "a.ris").values()[0][field] == value
