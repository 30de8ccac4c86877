"""Sets: an element added unseen by who removed it stays."""

from __future__ import annotations

import pytest
from tests.support.cases import each
from tests.unit.document.builders import Desk, desks, meet

from bifolio import limits
from bifolio.document import sets
from bifolio.errors import NothingToRemoveError
from bifolio.ids import SEPARATOR


def shown_tags(desk: Desk) -> set[str]:
    return {str(one) for one in desk.values["tags"]}


def test_two_tags_added_at_the_same_time_are_both_there() -> None:
    office, home = desks("office", "home")
    office.adds("tags", "paper")
    home.adds("tags", "ink")
    meet(office, home)
    assert shown_tags(office) == {"ink", "paper"}
    assert office.conflicts == {}


def test_the_same_tag_added_twice_at_the_same_time_is_one() -> None:
    office, home = desks("office", "home")
    office.adds("tags", "paper")
    home.adds("tags", "paper")
    meet(office, home)
    assert office.values["tags"] == ("paper",)


def test_a_tag_added_unseen_by_who_removed_it_stays() -> None:
    office, home = desks("office", "home", holding={"tags": ("paper",)})
    office.removes("tags", "paper")
    home.removes("tags", "paper")
    home.adds("tags", "paper")
    meet(office, home)
    assert office.values["tags"] == ("paper",)


def test_a_tag_that_everybody_saw_is_removed() -> None:
    office, home = desks("office", "home", holding={"tags": ("paper", "ink")})
    home.removes("tags", "paper")
    meet(office, home)
    assert office.values["tags"] == ("ink",)


def test_setting_a_set_removes_only_what_was_seen() -> None:
    office, home = desks("office", "home", holding={"tags": ("paper", "ink")})
    office.sets("tags", "glue")
    home.adds("tags", "thread")
    meet(office, home)
    assert shown_tags(office) == {"glue", "thread"}


def test_a_cleared_set_shows_nothing() -> None:
    (office,) = desks("office", holding={"tags": ("paper", "ink")})
    office.clears("tags")
    assert "tags" not in office.values


def test_elements_of_one_composition_are_one() -> None:
    office, home = desks("office", "home")
    office.adds("tags", "Caf\u00e9")
    home.adds("tags", "Cafe\u0301")
    meet(office, home)
    assert len(office.values["tags"]) == 1


@each(
    "element",
    ["a" + SEPARATOR + "b", "100 %", "%1F", "#", "x" * 10_000, "漢" * 100, ""],
    ids=["separator", "percent", "escape", "mark", "long", "wide", "empty"],
)
def test_every_element_comes_back_as_given_and_can_be_removed(element: str) -> None:
    office, home = desks("office", "home")
    office.adds("tags", element)
    meet(office, home)
    assert home.values["tags"] == (element,)
    home.removes("tags", element)
    meet(office, home)
    assert "tags" not in office.values


def test_a_long_element_makes_a_short_key() -> None:
    name = sets.element_name("tags", "x" * 10_000)
    assert len(name.encode()) < 2 * limits.ELEMENT_KEY_BYTES_MAX
    assert name != sets.element_name("tags", "x" * 10_001)


def test_no_two_different_elements_share_a_key() -> None:
    given = ["a\x1fb", "a%1Fb", "a%b", "a%25b", "#a", "a"]
    assert len({sets.element_name("tags", one) for one in given}) == len(given)


def test_elements_stand_in_the_order_in_which_they_were_added() -> None:
    (office,) = desks("office")
    for one in ("zebra", "ant", "moth"):
        office.adds("tags", one)
    assert office.values["tags"] == ("zebra", "ant", "moth")


def test_what_is_not_there_is_not_removed() -> None:
    (office,) = desks("office", holding={"tags": ("paper",)})
    with pytest.raises(NothingToRemoveError, match="ink"):
        office.removes("tags", "ink")
