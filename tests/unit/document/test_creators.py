"""Creators merge by element; a list replaced twice at the same time is a conflict."""

from __future__ import annotations

import pytest
from tests.unit.document.builders import NOW_MS, Desk, desks, meet, names, shown_names

from bifolio.document import creators
from bifolio.document.conflicts import ConflictKind
from bifolio.errors import NothingToRemoveError
from bifolio.records.names import parse_name


def with_authors(
    *computers: str, authors: tuple[str, ...] = ("Doe, Jane", "Roe, R.")
) -> list[Desk]:
    return desks(*computers, holding={"title": "On Paper", "author": names(*authors)})


def element_of(desk: Desk, name: str) -> str:
    (found,) = [
        one.id for one in creators.read_creators(desk.entries)["author"] if str(one.name) == name
    ]
    return found


def renames(desk: Desk, old: str, new: str) -> None:
    element = element_of(desk, old)
    desk.writes(
        lambda plan, entries: creators.plan_rename(
            plan, entries, element, "author", parse_name(new)
        )
    )


def test_names_are_shown_in_the_order_given() -> None:
    _, home = with_authors("office", "home", authors=("Zed, A.", "Abel, B.", "Moe, C."))
    assert shown_names(home) == ["Zed, A.", "Abel, B.", "Moe, C."]


def test_two_people_who_add_one_author_each_get_both() -> None:
    office, home = with_authors("office", "home")
    office.adds("author", "Poe, P.")
    home.adds("author", "Loe, L.")
    meet(office, home)
    assert shown_names(office)[:2] == ["Doe, Jane", "Roe, R."]
    assert sorted(shown_names(office)[2:]) == ["Loe, L.", "Poe, P."]
    assert office.conflicts == {}


def test_the_same_author_added_twice_at_the_same_time_is_one() -> None:
    office, home = with_authors("office", "home")
    office.adds("author", "Poe, P.")
    home.adds("author", "Poe, P.")
    meet(office, home)
    assert shown_names(office) == ["Doe, Jane", "Roe, R.", "Poe, P."]
    assert office.conflicts == {}


def test_two_people_of_one_name_are_two() -> None:
    (office,) = with_authors("office", authors=("Wang, Wei", "Wang, Wei"))
    assert shown_names(office) == ["Wang, Wei", "Wang, Wei"]


def test_runs_added_at_the_same_time_do_not_interleave() -> None:
    office, home = with_authors("office", "home")
    for number in range(3):
        office.adds("author", f"Office, {number}")
        home.adds("author", f"Home, {number}")
    meet(office, home)
    added = [name.split(",")[0] for name in shown_names(office)[2:]]
    assert added in (["Office"] * 3 + ["Home"] * 3, ["Home"] * 3 + ["Office"] * 3)


def test_a_corrected_name_and_a_move_merge() -> None:
    office, home = with_authors("office", "home")
    renames(office, "Roe, R.", "Roe, Richard")
    home.sets("author", "Roe, R.", "Doe, Jane")
    meet(office, home)
    assert shown_names(office) == ["Roe, Richard", "Doe, Jane"]
    assert office.conflicts == {}


def test_one_name_corrected_in_two_ways_is_a_conflict_of_that_name() -> None:
    office, home = with_authors("office", "home")
    renames(office, "Roe, R.", "Roe, Richard")
    renames(home, "Roe, R.", "Roe, Rebecca")
    meet(office, home)
    element = element_of(office, shown_names(office)[1])
    (values,) = office.conflicts.values()
    assert list(office.conflicts) == [f"author:{element}"]
    assert sorted(str(one) for one in values) == [
        "{'family': 'Roe', 'given': 'Rebecca'}",
        "{'family': 'Roe', 'given': 'Richard'}",
    ]


def test_a_list_replaced_twice_at_the_same_time_is_a_conflict_and_no_mixture() -> None:
    office, home = with_authors("office", "home")
    office.sets("author", "Poe, P.", "Noe, N.", now_ms=NOW_MS + 1000)
    home.sets("author", "Loe, L.", "Koe, K.", now_ms=NOW_MS + 2000)
    meet(office, home)
    assert shown_names(office) == ["Loe, L.", "Koe, K."]
    (conflict,) = office.view.conflicts
    assert (conflict.field, conflict.kind) == ("author", ConflictKind.LIST)
    assert [[name["family"] for name in one.value] for one in conflict.values] == [
        ["Loe", "Koe"],
        ["Poe", "Noe"],
    ]


def test_a_chosen_list_settles_the_conflict() -> None:
    office, home = with_authors("office", "home")
    office.sets("author", "Poe, P.", "Noe, N.")
    home.sets("author", "Loe, L.", "Koe, K.")
    meet(office, home)
    office.sets("author", "Poe, P.", "Noe, N.")
    meet(office, home)
    assert shown_names(home) == ["Poe, P.", "Noe, N."]
    assert home.conflicts == {}


def test_an_author_added_unseen_by_who_replaced_the_list_stays() -> None:
    office, home = with_authors("office", "home")
    office.sets("author", "Poe, P.", "Noe, N.")
    home.adds("author", "Loe, L.")
    meet(office, home)
    assert sorted(shown_names(office)) == ["Loe, L.", "Noe, N.", "Poe, P."]
    assert office.conflicts == {}


def test_a_name_corrected_unseen_by_who_removed_it_stays() -> None:
    office, home = with_authors("office", "home")
    office.removes("author", "Roe, R.")
    renames(home, "Roe, R.", "Roe, Richard")
    meet(office, home)
    assert sorted(shown_names(office)) == ["Doe, Jane", "Roe, Richard"]


def test_an_element_without_a_position_stands_last() -> None:
    office, home = with_authors("office", "home")
    office.removes("author", "Doe, Jane")
    renames(home, "Doe, Jane", "Doe, Janet")
    meet(office, home)
    assert shown_names(office) == ["Roe, R.", "Doe, Janet"]


def test_setting_the_list_writes_only_what_moves() -> None:
    (office,) = with_authors("office", authors=("A, A", "B, B", "C, C", "D, D"))
    before = {one.id: one.position for one in creators.read_creators(office.entries)["author"]}
    office.sets("author", "D, D", "A, A", "B, B", "C, C")
    after = {one.id: one.position for one in creators.read_creators(office.entries)["author"]}
    assert shown_names(office) == ["D, D", "A, A", "B, B", "C, C"]
    assert sum(before[one] != after[one] for one in before) == 1


def test_a_removed_author_is_gone_and_one_who_is_not_there_is_named() -> None:
    office, home = with_authors("office", "home")
    office.removes("author", "Roe, R.")
    meet(office, home)
    assert shown_names(home) == ["Doe, Jane"]
    with pytest.raises(NothingToRemoveError, match="Nobody"):
        office.removes("author", "Nobody, N.")


def test_clearing_removes_only_whom_the_clearer_saw() -> None:
    office, home = with_authors("office", "home")
    office.clears("author")
    home.adds("author", "Poe, P.")
    meet(office, home)
    assert shown_names(office) == ["Poe, P."]


def test_one_person_may_have_two_roles() -> None:
    (office,) = with_authors("office")
    office.sets("editor", "Doe, Jane")
    office.removes("author", "Doe, Jane")
    assert shown_names(office, "editor") == ["Doe, Jane"]
    assert shown_names(office, "author") == ["Roe, R."]
