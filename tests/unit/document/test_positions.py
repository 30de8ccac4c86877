"""Positions: there is always room between two, and one writer's run stays together."""

from __future__ import annotations

import random

from tests.support.cases import each
from tests.unit.document.builders import Desk, desks, names, shown_names

from bifolio.document import creators, groups
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.document.positions import between, run

OFFICE, HOME = "offAAAA", "homAAAA"


def test_there_is_always_room_between_two_neighbours() -> None:
    generator = random.Random(7)
    places = run("", None, slot=OFFICE, count=2)
    for number in range(1500):
        at = generator.choice((0, len(places), generator.randrange(len(places) + 1)))
        low = places[at - 1] if at else ""
        high = places[at] if at < len(places) else None
        (made,) = run(low, high, slot=f"{number % 7:03d}AAAA", count=1)
        assert low < made
        assert high is None or made < high
        places.insert(at, made)
    assert places == sorted(set(places))


def test_a_position_is_never_the_beginning_of_the_one_after_it() -> None:
    for low, high in (("", "V"), ("V", "W"), ("V", "V0"), ("-", "0"), ("aZ", "b")):
        made = between(low, high)
        assert low < made < high
        assert not high.startswith(made)


@each("foreign", ["-", "---", "V-", "V--", "é", "V!", " ", "V", ""])
def test_what_is_no_position_above_the_lower_one_sets_no_bound(foreign: str) -> None:
    for low in ("", "V"):
        assert between(low, foreign if foreign > low else low) > low


def test_whatever_stands_as_a_position_names_are_put_before_it() -> None:
    """A foreign or damaged program may have written anything: it counts as none."""
    (office,) = desks("office", holding={"author": names("Doe", "Roe")})
    first, second = (one.id for one in creators.read_creators(office.entries)["author"])
    for foreign in ("---", "V-", "\u00e9"):

        def write(plan: Plan, entries: Entries, position: str = foreign) -> None:
            register = creators.position_register(first)
            plan.put(register, position, seen=entries.live(register))

        office.writes(write)
        assert [one.id for one in creators.read_creators(office.entries)["author"]] == [
            second,
            first,
        ]
        office.sets("author", "Poe", "Roe", "Doe")
        assert shown_names(office) == ["Poe", "Roe", "Doe"]
        office.sets("author", "Doe", "Roe")
        assert shown_names(office) == ["Doe", "Roe"]


def test_a_group_with_a_foreign_position_has_none() -> None:
    desk = Desk("office")
    desk.writes(
        lambda plan, entries: groups.plan_creation(
            plan, entries, {groups.NAME: "Shelf", groups.POSITION: "---"}
        )
    )
    assert groups.read_group(desk.entries).position == ""


def test_a_run_rises_and_has_no_equal_pair() -> None:
    places = run("", None, slot=OFFICE, count=1000)
    assert places == sorted(set(places))


def test_runs_of_two_writers_at_one_place_lie_side_by_side() -> None:
    (start,) = run("", None, slot=OFFICE, count=1)
    office = run(start, None, slot="offBBBB", count=5)
    home = run(start, None, slot=HOME, count=5)
    merged = sorted([*office, *home])
    assert merged in ([*office, *home], [*home, *office])


def test_positions_of_two_writers_are_never_equal() -> None:
    assert run("", None, slot=OFFICE, count=1) != run("", None, slot=HOME, count=1)


def test_what_one_device_appends_later_stays_right_behind_its_own() -> None:
    places: list[str] = []
    for number in range(20):
        places += run(places[-1] if places else "", None, slot=f"off{number:04d}", count=1)
    assert places == sorted(set(places))


def test_the_positions_of_a_run_stay_short() -> None:
    assert max(map(len, run("", None, slot=OFFICE, count=5000))) == 11
