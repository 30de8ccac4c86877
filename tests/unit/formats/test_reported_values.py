"""Values that other programs' users reported as wrong, each for its kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.formats.files import export, exported, load, load_content

from bifolio.errors import FileFormatError
from bifolio.records.names import Name
from bifolio.records.reference import Values


def read(tmp_path: Path, text: str, name: str) -> Values:
    (only,) = load_content(tmp_path, text, name).values()
    return only


def title(tmp_path: Path, latex: str) -> object:
    return read(tmp_path, f"@misc{{k, title={{{latex}}}}}", "a.bib")["title"]


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\foreignquote{german}{Zug} \textcquote[3]{key}{Ink}", "“Zug” “Ink”"),
        (r"\foreignlanguage[date]{german}{Zug}", "Zug"),
        (r"\selectlanguage{german}Zug", "Zug"),
        (r"\unboldmath $p$ \boldmath $q$", "p q"),
        (r"\MakeUppercase{d\emph{e}f} \uppercase{abc}", "D<i>E</i>F ABC"),
        (r"\lowercase{ABC}", "abc"),
        (r'\accent19e \accent 127 u \accent"7F o', "é ü ö"),
        (r"\nicefrac{1}{2} \tfrac12 \dfrac{a}{b}", "1/2 1/2 a/b"),
        (r"20\celsius", "20°C"),
        (r"R\&amp;D {\&}amp; x &amp; y", "R&D & x & y"),
        (r"caf&eacute; \&\#233;", "café é"),
        (r"AT&T; a & b; c", "AT&T; a & b; c"),
    ],
)
def test_latex_is_what_a_reader_sees(tmp_path: Path, latex: str, shown: str) -> None:
    assert title(tmp_path, latex) == shown


def test_an_entity_that_is_meant_as_text_comes_back_as_it_was(tmp_path: Path) -> None:
    item = [{"id": "a", "type": "book", "title": "The entity &amp;amp; of HTML"}]
    loaded = load_content(tmp_path, json.dumps(item), "a.json")
    assert loaded.values()[0]["title"] == "The entity &amp; of HTML"
    for format, name in (("bibtex", "b.bib"), ("csl-json", "b.json"), ("ris", "b.ris")):
        text, report = export(exported(loaded), format)
        assert report.lost == []
        assert read(tmp_path, text, name)["title"] == "The entity &amp; of HTML"


@pytest.mark.parametrize(
    ("written", "pages"),
    [("pp. 1--9", "1-9"), ("p. 12", "12"), ("S. 12--15", "12-15"), ("pages 3-4", "3-4")],
)
def test_a_word_for_pages_is_no_part_of_them(tmp_path: Path, written: str, pages: str) -> None:
    bib = read(tmp_path, f"@article{{k, title={{T}}, pages={{{written}}}}}", "a.bib")
    assert bib["page"] == pages
    ris = read(tmp_path, f"TY  - JOUR\nTI  - T\nSP  - {written}\nER  - \n", "a.ris")
    assert ris["page"] == pages.replace("--", "-")


@pytest.mark.parametrize("written", ["S1--S9", "P12--P15", "pp+3", "xii+345"])
def test_letters_of_pages_stay(tmp_path: Path, written: str) -> None:
    bib = read(tmp_path, f"@article{{k, title={{T}}, pages={{{written}}}}}", "a.bib")
    assert bib["page"] == written.replace("--", "-")


@pytest.mark.parametrize(
    ("written", "people"),
    [
        ("Smith, Jr., John", [Name("Smith", "John", suffix="Jr.")]),
        ("Smith, John, III", [Name("Smith", "John", suffix="III")]),
        (
            "Smith J; WHO Study Group; Doe K",
            [Name("Smith", "J"), Name(literal="WHO Study Group"), Name("Doe", "K")],
        ),
        ("Office of Ink; Paper Board", [Name(literal="Office of Ink; Paper Board")]),
        ("al-Khwarizmi M.", [Name("al-Khwarizmi", "M.")]),
        ("DE LA CRUZ J", [Name("DE LA CRUZ", "J")]),
    ],
)
def test_people_of_a_line_are_people(tmp_path: Path, written: str, people: list[Name]) -> None:
    ris = read(tmp_path, f"TY  - JOUR\nTI  - T\nAU  - {written}\nER  - \n", "a.ris")
    assert ris["author"] == tuple(people)


def test_a_suffix_is_one_wherever_a_bibtex_name_has_it(tmp_path: Path) -> None:
    names = "King, Martin Luther, Jr. and Doe, Jr., Jane and Roe, R., III"
    values = read(tmp_path, f"@misc{{k, title={{T}}, author={{{names}}}}}", "a.bib")
    assert values["author"] == (
        Name("King", "Martin Luther", suffix="Jr."),
        Name("Doe", "Jane", suffix="Jr."),
        Name("Roe", "R.", suffix="III"),
    )


def test_a_name_without_any_capital_has_a_given_name(tmp_path: Path) -> None:
    names = "sudhin jacob and van dijk and Ludwig van Beethoven"
    values = read(tmp_path, f"@misc{{k, title={{T}}, author={{{names}}}}}", "a.bib")
    assert values["author"] == (
        Name("jacob", "sudhin"),
        Name("dijk", non_dropping_particle="van"),
        Name("Beethoven", "Ludwig", non_dropping_particle="van"),
    )


def test_entities_stay_in_an_abstract(tmp_path: Path) -> None:
    text = "@misc{k, title={A &lt; B}, abstract={p &lt; 0.05}, url={http://a/?x=1&amp;y=2}}"
    values = read(tmp_path, text, "a.bib")
    assert (values["title"], values["abstract"]) == ("A < B", "p &lt; 0.05")
    assert values["URL"] == ("http://a/?x=1&y=2",)


def test_people_whom_ovid_parts_by_full_stops_are_several(tmp_path: Path) -> None:
    text = "<1>\nUnique Identifier\n  1\nAuthors\n  Doe J. Roe RA. Poe P.\nTitle\n  A title.\n"
    assert read(tmp_path, text, "a.txt")["author"] == (
        Name("Doe", "J"),
        Name("Roe", "RA"),
        Name("Poe", "P"),
    )


def answer(kind: str, **more: Any) -> str:
    return json.dumps(
        {"message": {"DOI": "10.1000/x", "type": kind, "title": ["A &amp; B"], **more}}
    )


@pytest.mark.parametrize("kind", ["book-chapter", "proceedings-article"])
def test_the_series_of_an_answer_of_crossref_comes_before_the_volume(
    tmp_path: Path, kind: str
) -> None:
    values = read(tmp_path, answer(kind, **{"container-title": ["LNCS", "Proc."]}), "a.json")
    assert (values["collection-title"], values["container-title"]) == ("LNCS", "Proc.")
    assert values["title"] == "A & B"


def test_what_of_an_answer_is_in_an_object_or_a_number_with_a_point_is_read(
    tmp_path: Path,
) -> None:
    more = {"journal-issue": {"issue": "2"}, "volume": 12.0, "author": [{"family": "O&apos;N"}]}
    values = read(tmp_path, answer("journal-article", **more), "a.json")
    assert (values["issue"], values["volume"]) == ("2", "12")
    assert values["author"] == (Name("O'N"),)


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("a.yaml", "---\nreferences:\n- id: a\n  type: book\n", "CSL YAML"),
        ("a.yml", "doe:\n  type: Article\n  title: x\n", "Hayagriva"),
        ("a.xml", '<?xml version="1.0"?>\n<article><front/></article>', "JATS"),
        ("a.xml", "<bibliography><biblioentry/></bibliography>", "DocBook"),
    ],
)
def test_a_known_format_is_refused_by_name(
    tmp_path: Path, name: str, text: str, shown: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=shown) as caught:
        load(tmp_path / name)
    assert caught.value.next_step is not None
