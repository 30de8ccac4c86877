"""RIS read: what stands in a file, and what it means."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.files import GOLDEN, load, load_content

from bifolio.formats import map_source
from bifolio.formats.registry import RIS
from bifolio.formats.writing import compose
from bifolio.records.names import Name
from bifolio.records.reference import ExportedReference, Source


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
        "ISSN": ("0896-3207", "1234-5678"),
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
        (
            "TY  - JOUR\nUR  - https://a.b/c, https://d.e/f",
            "URL",
            ("https://a.b/c", "https://d.e/f"),
        ),
        ("TY  - JOUR\nUR  - https://a.b/c,d https://e/", "URL", ("https://a.b/c,d", "https://e/")),
        ("TY  - JOUR\nUR  - https://a.b/?u=c,https://e", "URL", ("https://a.b/?u=c,https://e",)),
        ("TY  - JOUR\nPY  - 2014\nDA  - JUN 12", "issued", {"date-parts": [[2014, 6, 12]]}),
        ("TY  - JOUR\nN1  - x-bibtex-foo: bar", "x.bibtex.foo", ("bar",)),
        ("TY  - JOUR\nN1  - a note: plain", "note", "a note: plain"),
    ],
)
def test_a_tag_means_what_its_type_says(
    tmp_path: Path, lines: str, field: str, value: object
) -> None:
    assert load_content(tmp_path, lines + "\nER  - \n", "a.ris").values()[0][field] == value


def test_a_replaced_date_gives_way_and_a_text_that_is_none_is_kept() -> None:
    tags = (("Y1", "1900/01/01"), ("DA", "1950/01/01"))
    values = map_source(Source("ris", "JOUR", "", tags))
    assert values["issued"] == {"date-parts": [[1950, 1, 1]]}
    assert values["x.ris.Y1"] == ("1900/01/01",)
    values = map_source(Source("ris", "JOUR", "", (("DA", "Spring term"), ("PY", "in press"))))
    assert values["issued"] == {"literal": "in press"}


def test_pubmed_ids_in_notes_and_a_repeated_abstract_are_read_once() -> None:
    tags = (
        ("U1", "26957754[pmid]"), ("U2", "PMC4756000 [PMCID]"), ("AB", "One."), ("N2", "One."),
        ("SN", "0915-5287 (Print)"), ("SN", "ISBN: 978-3-16-148410-0"),
    )  # fmt: skip
    values = map_source(Source("ris", "JOUR", "", tags))
    assert values["PMID"] == "26957754"
    assert values["PMCID"] == "PMC4756000"
    assert values["abstract"] == "One."
    assert values["ISSN"] == ("0915-5287",)
    assert values["ISBN"] == ("978-3-16-148410-0",)


def test_a_changed_field_keeps_the_tag_that_its_tool_writes() -> None:
    tags = (("T1", "A"), ("A1", "Roe, J."), ("JF", "Full"), ("T2", "Section"), ("N2", "Abstract"),
            ("L2", "https://example.org/a"), ("UR", "https://doi.org/10.1000/a"),
            ("DO", "10.1000/a"))  # fmt: skip
    source = Source("ris", "JOUR", "", tags)
    values = map_source(source)
    for field, value, tag in [
        ("title", "B", "T1"), ("container-title", "Other", "JF"), ("abstract", "New", "N2"),
        ("DOI", "10.1000/b", "DO"),
    ]:  # fmt: skip
        edited = ExportedReference("1", {**values, field: value}, source)
        composed, lost = compose(edited, RIS, dialect="ris", blocks=None)
        assert lost == []
        assert composed.tags == tuple((name, value if name == tag else raw) for name, raw in tags)


def test_a_file_that_ends_inside_its_last_record_names_the_cut(tmp_path: Path) -> None:
    record = "TY  - JOUR\nTI  - One\nER  - \n"
    whole = load_content(tmp_path, record * 2 + "TY  - JOUR\nTI  - Two\nER  - ", "a.ris")
    assert whole.skipped == []
    cut = load_content(tmp_path, record * 2 + "TY  - JOUR\nTI  - Two, and mo", "a.ris")
    assert [one["title"] for one in cut.values()] == ["One", "One", "Two, and mo"]
    assert [one.line for one in cut.skipped] == [7]
    assert "ends inside this record" in cut.skipped[0].reason
    unended = load_content(tmp_path, "TY  - JOUR\nTI  - One\n\nTY  - JOUR\nTI  - Two\n", "a.ris")
    assert unended.skipped == []


def test_a_lone_number_inside_a_record_is_text_and_before_the_next_one_a_counter(
    tmp_path: Path,
) -> None:
    record = "TY  - JOUR\nTI  - List\nN1  - In a box\n\n12\nAB  - Year:\n\n2019\n"
    ended = load_content(tmp_path, (record + "ER  - \n\n2.\n") * 2, "a.ris")
    for values in ended.values():
        assert (values["note"], values["abstract"]) == ("In a box\n\n12", "Year:\n\n2019")
    plain = "TY  - JOUR\nTI  - List\nAB  - Year:\n"
    unended = load_content(tmp_path, plain + "\n2.\n" + plain + "\n2019\n", "a.ris")
    assert [one["abstract"] for one in unended.values()] == ["Year:", "Year:\n\n2019"]


def test_tags_in_small_letters_are_read_where_the_record_begins_with_one(tmp_path: Path) -> None:
    small = "ty - JOUR\nti - lower\nau - Roe, J.\nkw - one\ner -\nin - between\n"
    capital = "TY  - JOUR\nTI  - Upper\nAB  - studied\nin - vitro\nER  - \n"
    loaded = load_content(tmp_path, small + capital, "a.ris")
    assert loaded.skipped == []
    assert [one.blocks for one in loaded.blocks.values()] == [("in - between",)]
    assert loaded.values() == [
        {
            "type": "article-journal",
            "title": "lower",
            "author": (Name("Roe", "J."),),
            "tags": ("one",),
        },
        {"type": "article-journal", "title": "Upper", "abstract": "studied\nin - vitro"},
    ]
