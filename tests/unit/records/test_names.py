"""Names as a user writes them."""

from __future__ import annotations

import pytest
from tests.support.cases import each

from bifolio.errors import InvalidValueError
from bifolio.records.names import Name, parse_name


@each(
    ("written", "name"),
    [
        ("Doe, Jane", Name(family="Doe", given="Jane")),
        ("Doe, Jane, Jr.", Name(family="Doe", given="Jane", suffix="Jr.")),
        ("  Doe ,  Jane  ", Name(family="Doe", given="Jane")),
        ("Plato", Name(family="Plato")),
        ("{World Paper Organization}", Name(literal="World Paper Organization")),
        ("{Smith, Jones & Co.}", Name(literal="Smith, Jones & Co.")),
        ("van der Berg, Jan", Name(family="van der Berg", given="Jan")),
        ("李, 明", Name(family="李", given="明")),
    ],
)
def test_a_name_is_read_and_written_back(written: str, name: Name) -> None:
    assert parse_name(written) == name
    assert parse_name(str(name)) == name


@each("written", ["", "   ", ",", ", Jane", "{}", "{ }", "{Doe", "Doe}", "a,b,c,d"])
def test_what_is_no_name_is_refused_with_the_forms_that_are(written: str) -> None:
    with pytest.raises(InvalidValueError, match="Family, Given"):
        parse_name(written)


def test_a_name_goes_to_csl_and_back() -> None:
    name = Name(
        family="Gogh",
        given="Vincent",
        suffix="Jr.",
        non_dropping_particle="van",
        dropping_particle="de",
    )
    assert name.to_csl() == {
        "family": "Gogh",
        "given": "Vincent",
        "suffix": "Jr.",
        "non-dropping-particle": "van",
        "dropping-particle": "de",
    }
    assert Name.from_csl(name.to_csl()) == name
    assert str(name) == "de van Gogh, Vincent, Jr."


def test_parts_of_a_newer_csl_are_left_out() -> None:
    assert Name.from_csl({"family": "Doe", "comma-suffix": True}) == Name(family="Doe")
