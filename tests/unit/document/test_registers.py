"""Scalar fields keep every concurrent value."""

from __future__ import annotations

import pytest
from tests.unit.document.builders import NOW_MS, Desk, desks, meet

from bifolio.errors import InvalidValueError, UsageError


def test_one_write_is_the_value() -> None:
    (office,) = desks("office")
    assert office.values["title"] == "On Paper"
    assert office.conflicts == {}


def test_a_later_write_leaves_one_live_value() -> None:
    office, home = desks("office", "home")
    home.sets("title", "On Ink")
    meet(office, home)
    assert office.values["title"] == "On Ink"
    assert [live.value for live in office.entries.live("title")] == ["On Ink"]


def test_two_concurrent_writes_are_both_kept_and_the_newest_is_shown() -> None:
    office, home = desks("office", "home")
    office.sets("title", "On Ink", now_ms=NOW_MS + 1000)
    home.sets("title", "On Glue", now_ms=NOW_MS + 2000)
    meet(office, home)
    assert office.values["title"] == "On Glue"
    assert office.conflicts == {"title": ["On Glue", "On Ink"]}
    assert home.conflicts == office.conflicts


def test_writes_of_the_same_moment_are_shown_by_slot_the_same_everywhere() -> None:
    office, home = desks("office", "home")
    office.sets("volume", "1")
    home.sets("volume", "2")
    meet(office, home)
    assert office.conflicts["volume"] == home.conflicts["volume"]


def test_three_concurrent_writes_are_all_listed() -> None:
    office, home, train = desks("office", "home", "train")
    for number, desk in enumerate((office, home, train)):
        desk.sets("volume", str(number), now_ms=NOW_MS + 1000 * number)
    meet(office, home, train)
    assert train.conflicts["volume"] == ["2", "1", "0"]


def test_equal_concurrent_values_are_no_conflict() -> None:
    office, home = desks("office", "home")
    office.sets("title", "On Ink")
    home.sets("title", "On Ink")
    meet(office, home)
    assert office.values["title"] == "On Ink"
    assert office.conflicts == {}


def test_values_that_differ_in_composition_only_are_no_conflict() -> None:
    office, home = desks("office", "home")
    office.sets("title", "Caf\u00e9")
    home.sets("title", "Cafe\u0301")
    meet(office, home)
    assert office.conflicts == {}


def test_a_causally_later_write_wins_even_when_its_clock_is_behind() -> None:
    office = Desk("office")
    slow = Desk("slow", behind_ms=10_000_000)
    office.creates({"title": "Before"})
    slow.learns(office)
    slow.sets("title", "After")
    meet(office, slow)
    assert office.values["title"] == "After"
    assert office.conflicts == {}


def test_clearing_against_editing_is_a_conflict_with_nothing() -> None:
    office, home = desks("office", "home")
    office.clears("title")
    home.sets("title", "On Ink", now_ms=NOW_MS + 1000)
    meet(office, home)
    assert office.conflicts == {"title": ["On Ink", None]}


def test_a_cleared_field_shows_nothing() -> None:
    office, home = desks("office", "home")
    office.clears("title")
    meet(office, home)
    assert "title" not in home.values
    assert home.conflicts == {}


def test_one_write_settles_a_conflict_everywhere() -> None:
    office, home = desks("office", "home")
    office.sets("title", "On Ink")
    home.sets("title", "On Glue")
    meet(office, home)
    office.sets("title", "On Ink")
    meet(office, home)
    assert home.values["title"] == "On Ink"
    assert home.conflicts == {}


def test_a_write_of_what_stands_alone_changes_nothing() -> None:
    (office,) = desks("office")
    before = office.json()
    office.sets("title", "On Paper")
    assert office.json() == before


def test_different_fields_merge_without_a_conflict() -> None:
    office, home = desks("office", "home")
    office.sets("title", "On Ink")
    home.sets("volume", "7")
    meet(office, home)
    assert (office.values["title"], office.values["volume"]) == ("On Ink", "7")
    assert office.conflicts == {}


def test_dates_are_compared_whole() -> None:
    office, home = desks("office", "home")
    office.sets("issued", "2024-05")
    home.sets("issued", "2023", now_ms=NOW_MS + 1000)
    meet(office, home)
    assert office.values["issued"] == {"date-parts": [[2023]]}
    assert office.conflicts["issued"] == [{"date-parts": [[2023]]}, {"date-parts": [[2024, 5]]}]


def test_an_extra_field_is_a_list_that_grows_and_shrinks() -> None:
    (office,) = desks("office")
    office.sets("x.shelf", "A1", "A2")
    office.adds("x.shelf", "B1")
    office.removes("x.shelf", "A1")
    assert office.values["x.shelf"] == ("A2", "B1")


def test_concurrent_extra_fields_are_a_conflict() -> None:
    office, home = desks("office", "home")
    office.sets("x.shelf", "A1")
    home.sets("x.shelf", "B1", now_ms=NOW_MS + 1000)
    meet(office, home)
    assert office.conflicts == {"x.shelf": [["B1"], ["A1"]]}


def test_adding_to_a_scalar_is_refused_before_anything_is_written() -> None:
    (office,) = desks("office")
    before = office.json()
    with pytest.raises(UsageError):
        office.adds("title", "more")
    with pytest.raises(UsageError):
        office.removes("title", "On Paper")
    assert office.json() == before


def test_half_a_character_is_refused_before_anything_is_written() -> None:
    (office,) = desks("office")
    before = office.json()
    for field in ("title", "note", "tags", "x.shelf"):
        with pytest.raises(InvalidValueError):
            office.sets(field, "broken \ud800")
    assert office.json() == before
