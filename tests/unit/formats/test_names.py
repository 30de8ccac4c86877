"""Names in BibTeX and RIS."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each
from tests.unit.formats.files import load_content

from bifolio.formats.names import (
    parse_bibtex_names,
    parse_ris_name,
    write_bibtex_names,
    write_ris_name,
)
from bifolio.records.names import Name
from bifolio.records.people import split_people


@each(
    ("written", "name"),
    [
        ("Jane Q. Roe", Name(family="Roe", given="Jane Q.")),
        ("Roe, Jane", Name(family="Roe", given="Jane")),
        (
            "Charles de la Croix",
            Name(family="Croix", given="Charles", non_dropping_particle="de la"),
        ),
        (
            "von Berg, Jr., Jan",
            Name(family="Berg", given="Jan", suffix="Jr.", non_dropping_particle="von"),
        ),
        ("{World Paper Organization}", Name(literal="World Paper Organization")),
        ("Anonymous", Name(family="Anonymous")),
        (r"G{\"o}del, Kurt", Name(family="Gödel", given="Kurt")),
        ("given=Hans, family=Berg, prefix=von", Name("Berg", "Hans", "", "von")),
        ("others", Name(literal="others")),
    ],
)
def test_bibtex_names_are_parted_as_bibtex_parts_them(written: str, name: Name) -> None:
    assert parse_bibtex_names(written) == (name,)
    assert parse_bibtex_names(write_bibtex_names((name,))) == (name,)


@pytest.mark.parametrize(
    "written",
    [
        "{given={David}, family={Spoel}, prefix={van der}, useprefix=false}",
        'family=Spoel, prefix=van der, "given={David}", useprefix=false, given-i=D',
    ],
)
def test_a_prefix_that_is_not_used_is_a_dropping_particle(written: str) -> None:
    name = Name(family="Spoel", given="David", dropping_particle="van der")
    assert parse_bibtex_names(written) == (name,)
    assert write_bibtex_names((name,)) == "van der Spoel, David"


def test_the_space_that_ends_a_command_parts_no_words() -> None:
    (name,) = parse_bibtex_names(r"Dezs\H o Brise\~ no-\O stergaard")
    assert name == Name(family="Briseño-Østergaard", given="Dezső")


def test_and_inside_braces_joins_no_names() -> None:
    names = parse_bibtex_names("{Ink and Paper} and Roe, Jane\n and others")
    assert [name.literal or name.family for name in names] == ["Ink and Paper", "Roe", "others"]
    assert write_bibtex_names(names) == "{Ink and Paper} and Roe, Jane and others"


def test_a_family_name_in_small_letters_is_no_particle() -> None:
    name = Name(family="da Silva", given="Ana")
    assert parse_bibtex_names(write_bibtex_names((name,))) == (name,)


@each(
    ("written", "name"),
    [
        ("Roe, Jane, Jr", Name(family="Roe", given="Jane", suffix="Jr")),
        ("van der Berg, J.", Name(family="Berg", given="J.", non_dropping_particle="van der")),
        ("World Paper Organization,", Name(literal="World Paper Organization")),
        ("Fanning E.", Name(family="Fanning", given="E.")),
        ("Fanning E,", Name(literal="Fanning E")),
        ("Elisabeth Fanning", Name(literal="Elisabeth Fanning")),
        ("Plato", Name(family="Plato")),
        ("Acme,", Name(literal="Acme")),
    ],
)
def test_ris_names_come_back(written: str, name: Name) -> None:
    assert parse_ris_name(written) == name
    assert parse_ris_name(write_ris_name(name)) == name


@each(
    ("written", "people"),
    [
        ("Smith, J.;Roe, R.", ["Smith, J.", "Roe, R."]),
        (
            "Smith, John A.; van der Berg, J.; Öz, Ü",
            ["Smith, John A.", "van der Berg, J.", "Öz, Ü"],
        ),
        ("Smith, J.; Roe", ["Smith, J.", "Roe"]),
        ("Office; Paper, Ink and Press; Town", ["Office; Paper, Ink and Press; Town"]),
        ("A, B; C, D,", ["A, B; C, D,"]),
        ("Roe, Jane, Jr", ["Roe, Jane, Jr"]),
    ],
)
def test_several_people_on_one_line_are_parted_where_each_has_a_comma(
    written: str, people: list[str]
) -> None:
    assert [one.strip() for one in split_people(written)] == people


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ris", "TY  - JOUR\nTI  - A\nAU  - Smith, J.;Roe, R.\nER  - \n"),
        ("a.enw", "%0 Journal Article\n%T A\n%A Smith, J.; Roe, R.\n"),
    ],
)
def test_several_people_on_one_line_are_several_authors(
    tmp_path: Path, name: str, text: str
) -> None:
    (values,) = load_content(tmp_path, text, name).values()
    assert values["author"] == (Name("Smith", "J."), Name("Roe", "R."))
