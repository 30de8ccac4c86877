"""What the programs and databases of the field write besides the standard, and what it means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.formats.files import export, exported, load_content

from bifolio.records.names import Name
from bifolio.records.reference import ExportedReference, Values


def bib(tmp_path: Path, fields: str, kind: str = "article") -> Values:
    return load_content(tmp_path, f"@{kind}{{a, title={{T}}, {fields}}}").values()[0]


def ris(tmp_path: Path, *lines: str) -> Values:
    text = "\n".join(["TY  - JOUR", "TI  - T", *lines, "ER  - \n"])
    return load_content(tmp_path, text, "a.ris").values()[0]


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("articleno", "article-number", "123"),
        ("art_number", "article-number", "123"),
        ("Article-Number", "article-number", "123"),
        ("pubmed_id", "PMID", "123"),
        ("abbrev_source_title", "container-title-short", "123"),
        ("Journal-ISO", "container-title-short", "123"),
        ("page_count", "number-of-pages", "123"),
        ("document_type", "genre", "123"),
        ("author_keywords", "tags", ("123",)),
        ("EISSN", "ISSN", ("123",)),
        ("isbn-13", "ISBN", ("123",)),
        ("artnum", "article-number", "123"),
        ("pmc", "PMCID", "123"),
        ("short-title", "title-short", "123"),
        ("callnumber", "call-number", "123"),
        ("publisher-place", "publisher-place", "123"),
        ("abstractNote", "abstract", "123"),
        ("electronic-issn", "ISSN", ("123",)),
        ("lastaccessed", "accessed", {"literal": "123"}),
        ("Group-Author", "author", (Name(literal="123"),)),
    ],
)
def test_a_field_of_another_name_is_the_field(
    tmp_path: Path, name: str, field: str, value: object
) -> None:
    assert bib(tmp_path, f"{name}={{123}}")[field] == value


def test_keywords_of_two_kinds_are_keywords(tmp_path: Path) -> None:
    assert bib(tmp_path, "keywords={a; b}, author_keywords={c; b}")["tags"] == ("a", "b", "c")


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ("eprint={1706.03762}, archivePrefix={arXiv}", "https://arxiv.org/abs/1706.03762"),
        ("eprint={1706.03762}, eprinttype={arxiv}", "https://arxiv.org/abs/1706.03762"),
        ("eprint={arXiv:1706.03762v2}", "https://arxiv.org/abs/1706.03762v2"),
        ("arxivId={arXiv:1706.03762}", "https://arxiv.org/abs/1706.03762"),
        (
            "eprint={2019/123}, archivePrefix={Cryptology ePrint Archive}",
            "https://eprint.iacr.org/2019/123",
        ),
        (
            "eprint={astro-ph/0212469}, archivePrefix={arXiv}",
            "https://arxiv.org/abs/astro-ph/0212469",
        ),
        ("eprint={12345}, eprinttype={jstor}", "https://www.jstor.org/stable/12345"),
        ("eprint={http://example.org/a.pdf}", "http://example.org/a.pdf"),
    ],
)
def test_an_eprint_gives_its_address(tmp_path: Path, fields: str, address: str) -> None:
    assert bib(tmp_path, fields, "misc")["URL"] == (address,)
    assert bib(tmp_path, fields + ", url={http://own.org/}", "misc")["URL"] == ("http://own.org/",)


def test_an_eprint_of_nobody_knows_where_gives_none(tmp_path: Path) -> None:
    assert "URL" not in bib(tmp_path, "eprint={12}, archivePrefix={own}", "misc")


@pytest.mark.parametrize("name", ["type", "howpublished"])
@pytest.mark.parametrize(
    ("words", "csl"),
    [
        ("Web page", "webpage"),
        ("{Website}", "webpage"),
        ("Newspaper Article", "article-newspaper"),
        ("magazine", "article-magazine"),
        ("Speech", "speech"),
        ("Blog post", "post-weblog"),
        ("Privately printed", "document"),
    ],
)
def test_a_type_in_words_is_that_type(tmp_path: Path, name: str, words: str, csl: str) -> None:
    assert bib(tmp_path, f"{name}={{{words}}}", "misc")["type"] == csl


def test_an_article_in_a_newspaper_is_one_and_no_other_type(tmp_path: Path) -> None:
    assert bib(tmp_path, "type={Newspaper article}")["type"] == "article-newspaper"
    assert bib(tmp_path, "type={Report}")["type"] == "article-journal"


ERIC = """OWN - ERIC
TI  - Folding in Schools
AU  - Doe, Jane
JT  - Journal of Folding
SO  - SAGE Publications
IS  - ISSN-0042-1234
ISSN - EISSN-
DP  - Apr 2019
LA  - English
LA  - Spanish
PT  - Journal Articles
PT  - Reports - Research
"""


def test_eric_s_records_are_read_as_eric_means_them(tmp_path: Path) -> None:
    values = load_content(tmp_path, ERIC, "a.nbib").values()[0]
    assert values["type"] == "article-journal"
    assert values["genre"] == "Reports - Research"
    assert values["ISSN"] == ("0042-1234",)
    assert values["publisher"] == "SAGE Publications"
    assert values["issued"] == {"date-parts": [[2019, 4]]}
    assert values["language"] == "English; Spanish"
    thesis = ERIC.replace("SAGE Publications", "Ph.D. Dissertation, Drexel University")
    thesis = thesis.replace("Journal Articles", "Dissertations/Theses")
    values = load_content(tmp_path, thesis, "a.nbib").values()[0]
    assert (values["type"], values["publisher"]) == ("thesis", "Drexel University")


@pytest.mark.parametrize(
    ("note", "field", "value"),
    [
        ("Call Number: QA 76.9", "call-number", "QA 76.9"),
        ("Editor(s): Doe, Jane; Roe, R.", "editor", (Name("Doe", "Jane"), Name("Roe", "R."))),
        ("Language: eng", "language", "eng"),
        ("Accession Number: 123", "accession-number", "123"),
        ("Series: Studies in Paper", "collection-title", "Studies in Paper"),
        ("ISSN: 1234-5678", "ISSN", ("1234-5678",)),
        ("A remark: it is one", "note", "A remark: it is one"),
    ],
)
def test_a_labelled_note_is_the_field_that_it_names(
    tmp_path: Path, note: str, field: str, value: object
) -> None:
    values = ris(tmp_path, f"N1  - {note}")
    assert values[field] == value
    assert ("note" in values) == (field == "note")


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.ris", "TY  - JOUR\nTI  - T\nLA  - eng\nLA  - fre\nER  - \n", "LA  - eng\nLA  - fre\n"),
        ("a.enw", "%0 Journal Article\n%T T\n%G eng\n%G fre\n", "%G eng\n%G fre\n"),
    ],
)
def test_several_languages_are_several(tmp_path: Path, name: str, text: str, lines: str) -> None:
    loaded = load_content(tmp_path, text, name)
    assert loaded.values()[0]["language"] == "eng; fre"
    written, _ = export(exported(loaded, with_source=False), name[2:])
    assert lines in written
    assert load_content(tmp_path, written, name).values()[0]["language"] == "eng; fre"


def test_longer_tags_are_tags(tmp_path: Path) -> None:
    values = ris(tmp_path, "PMID  - 33355555", "AIMS  - to fold", "AB  - One", "IL -6 is a word")
    assert (values["type"], values["PMID"]) == ("article-journal", "33355555")
    assert values["x.ris.AIMS"] == ("to fold",)
    assert values["abstract"] == "One\nIL -6 is a word"


def test_entities_are_characters_and_part_no_keyword(tmp_path: Path) -> None:
    values = ris(
        tmp_path,
        "KW  - R&amp;D; energy",
        "AB  - a &lt; b &#233; &unknown;",
        "UR  - http://x.org/?a=1&amp;copy=2",
    )
    assert values["tags"] == ("R&D", "energy")
    assert values["abstract"] == "a < b é &unknown;"
    assert values["URL"] == ("http://x.org/?a=1&copy=2",)
    assert ris(tmp_path, "UR  - http://x.org/?a=1&copy=2")["URL"] == ("http://x.org/?a=1&copy=2",)
    assert bib(tmp_path, "keywords={R&amp;D, energy, cost}")["tags"] == ("R&D", "energy", "cost")


def test_a_text_that_holds_an_entity_comes_back(tmp_path: Path) -> None:
    values: Values = {"type": "book", "title": "On &amp; in HTML", "x.own": ("a &lt; b",)}
    for format, name in (("ris", "a.ris"), ("enw", "a.enw")):
        text, report = export([ExportedReference("a" * 32, values, None)], format)
        assert report.lost == []
        assert load_content(tmp_path, text, name).values()[0] == values


@pytest.mark.parametrize("name", ["a.b", "a+b", "a:b", "naïve", "a_2e_b", "a b", "_5f_"])
def test_names_of_extra_fields_are_letters_that_every_program_reads(
    tmp_path: Path, name: str
) -> None:
    values: Values = {"type": "book", "title": "T", f"x.ris.{name}": ("v",), f"x.{name}": ("w",)}
    text, report = export([ExportedReference("a" * 32, values, None)], "bibtex")
    assert report.lost == []
    assert all(
        re.fullmatch(r"[A-Za-z0-9_-]+", one) for one in re.findall(r"^  (\S+) =", text, re.M)
    )
    assert load_content(tmp_path, text).values()[0] == values


@pytest.mark.parametrize(
    ("source", "field"), [("Scopus", "source"), ("{Web of Science}", "source"), ("us", "")]
)
def test_the_source_of_an_entry_is_a_database_only_by_its_name(
    tmp_path: Path, source: str, field: str
) -> None:
    values = bib(tmp_path, f"source={{{source}}}")
    assert ("source" in values) == (field == "source")
    assert ("x.bibtex.source" in values) == (field == "")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ("date={2001}, location={München and {Frankfurt and Main}}", "München; Frankfurt and Main"),
        ("date={2001}, location={{Trinidad and Tobago}}", "Trinidad and Tobago"),
        ("year={2001}, address={Durham and London}", "Durham and London"),
    ],
)
def test_biblatex_s_lists_of_places_are_lists(tmp_path: Path, fields: str, place: str) -> None:
    assert bib(tmp_path, fields, "book")["publisher-place"] == place
