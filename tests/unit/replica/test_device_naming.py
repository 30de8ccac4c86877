"""What devices are called where they are shown."""

from __future__ import annotations

from tests.support.cases import each

from bifolio.replica.device_naming import distinct_names

ONE, TWO, THREE = "AAAAAAAA", "BBBBBBBB", "CCCCCCCC"


def test_names_that_differ_are_shown_as_they_are() -> None:
    names = {ONE: "office", TWO: "Ada's laptop", THREE: "Büro (alt)"}
    assert distinct_names(names) == names


@each(
    "alike",
    ["office", "OFFICE", " office", "of\u200bfice", "o\u202effice", "ｏｆｆｉｃｅ", "office\n"],
)
def test_who_is_called_like_another_is_shown_with_its_tag(alike: str) -> None:
    shown = distinct_names({ONE: "office", TWO: alike, THREE: "lab"})
    assert shown[ONE] == f"office ({ONE})"
    assert shown[TWO].endswith(f" ({TWO})")
    assert shown[THREE] == "lab"


def test_a_tag_at_the_end_of_a_name_is_no_other_device_s() -> None:
    shown = distinct_names({ONE: "office", TWO: "office", THREE: f"office ({ONE})"})
    assert len(set(shown.values())) == 3
    assert shown[THREE].endswith(f" ({THREE})")


def test_a_name_makes_no_further_column_and_no_further_line() -> None:
    shown = distinct_names({ONE: "bob\towner\t\nnew", TWO: " \t"})
    assert shown == {ONE: "bob owner new", TWO: f"device {TWO}"}
