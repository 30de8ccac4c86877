"""Citation keys: made of name, year and title; told apart where two are equal."""

from __future__ import annotations

from tests.support.cases import each

from bifolio.records.citation_keys import make_key, suffixed_key
from bifolio.records.names import Name
from bifolio.records.reference import Values


def key(values: Values, *taken: str) -> str:
    return make_key(values, taken=lambda one: one in taken)


SMITH: Values = {
    "author": (Name(family="Smith", given="A."),),
    "title": "The Neural Basis",
    "issued": {"date-parts": [[2020, 5]]},
}


@each(
    ("values", "made"),
    [
        (SMITH, "smith2020neural"),
        ({"title": "On the Origin"}, "origin"),
        ({"author": (Name(literal="World Paper Organization"),)}, "world"),
        ({"editor": (Name(family="Groß"),), "title": "Über Maß"}, "grossuber"),
        ({"author": (Name(family="de la Croix"),)}, "delacroix"),
        ({"title": "<i>Homo</i> sapiens"}, "homo"),
        ({"title": "The of and"}, "reference"),
        ({"author": (Name(family="李"),)}, "li"),
        ({}, "reference"),
        ({"issued": {"literal": "in press, 2024"}}, "reference2024"),
    ],
)
def test_a_key_says_who_when_and_what(values: Values, made: str) -> None:
    assert key(values) == made


def test_a_taken_key_gets_a_letter() -> None:
    assert key(SMITH, "smith2020neural") == "smith2020neuralb"
    assert key(SMITH, "smith2020neural", "smith2020neuralb") == "smith2020neuralc"


def test_the_letters_never_end() -> None:
    taken = {"reference"}
    for _ in range(60):
        taken.add(make_key({}, taken=taken.__contains__))
    assert "referencez" in taken
    assert "referenceab" in taken
    assert len(taken) == 61


def test_a_suffix_is_the_beginning_of_the_id() -> None:
    assert suffixed_key("smith2020", "0123456789abcdef") == "smith2020-012345"


def test_a_year_before_christ_does_not_make_a_key_that_reads_as_an_option() -> None:
    assert key({"title": "Book", "issued": {"date-parts": [[-44]]}}) == "44book"
