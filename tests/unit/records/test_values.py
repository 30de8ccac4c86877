"""Values from what a user writes, and registers' texts back into values."""

from __future__ import annotations

import pytest
from tests.support.cases import each

from bifolio.errors import InvalidValueError
from bifolio.records.fields import form_of
from bifolio.records.names import Name
from bifolio.records.reference import Value
from bifolio.records.values import decode_register, encode_register, parse_value, value_text


@each(
    ("field", "texts", "value"),
    [
        ("title", ("On Paper",), "On Paper"),
        ("title", ("",), ""),
        ("issued", ("2024",), {"date-parts": [[2024]]}),
        ("author", ("Doe, Jane", "{WHO}"), (Name("Doe", "Jane"), Name(literal="WHO"))),
        ("tags", ("a", "b"), ("a", "b")),
        ("x.shelf", ("a", "b"), ("a", "b")),
        ("type", ("book",), "book"),
        ("rating", ("0",), "0"),
        ("rating", ("5",), "5"),
        ("read-status", ("unread",), "unread"),
    ],
)
def test_a_text_becomes_what_the_field_holds(
    field: str, texts: tuple[str, ...], value: Value
) -> None:
    assert parse_value(field, texts) == value


@each(
    ("field", "texts", "part"),
    [
        ("title", ("a", "b"), "one value"),
        ("title", (), "one value"),
        ("type", ("articel-journal",), "article-journal"),
        ("type", ("zzz",), "a CSL type"),
        ("rating", ("6",), "0, 1, 2, 3, 4 or 5"),
        ("rating", ("4.5",), "4 or 5"),
        ("rating", ("five",), "4 or 5"),
        ("read-status", ("maybe",), "read or unread"),
        ("citation-key", ("two words",), "without spaces"),
        ("citation-key", ("",), "without spaces"),
        ("author", ("",), "Family"),
    ],
)
def test_what_a_field_cannot_hold_is_refused(field: str, texts: tuple[str, ...], part: str) -> None:
    with pytest.raises(InvalidValueError, match=part):
        parse_value(field, texts)


@each(
    ("field", "value"),
    [
        ("title", "On Paper"),
        ("title", '["no list"]'),
        ("issued", {"date-parts": [[2024, 5]], "circa": True}),
        ("x.shelf", ("a", "b")),
        ("x.shelf", ()),
    ],
)
def test_a_register_gives_back_what_it_was_given(field: str, value: Value) -> None:
    assert decode_register(form_of(field), encode_register(value)) == value


def test_values_are_lines_for_people() -> None:
    assert value_text(None) == ""
    assert value_text("On Paper") == "On Paper"
    assert value_text({"date-parts": [[2024, 5]]}) == "2024-05"
    assert value_text((Name("Doe", "Jane"), Name(literal="WHO"))) == "Doe, Jane; {WHO}"
