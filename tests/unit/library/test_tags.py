"""Tags of many references at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members

from bifolio import limits
from bifolio.errors import (
    InvalidValueError,
    NotTaggedError,
    ReferenceNotFoundError,
    TagNotFoundError,
    TrashedReferenceError,
)
from bifolio.library.tags import Tags

ONE, TWO = ("1" * 32, "2" * 32)


def on(computer: Computer) -> Tags:
    """The computer's tags; the clock goes on a little before each use."""
    computer.waits(0.001)
    return Tags(computer.replica)


def counts(computer: Computer) -> dict[str, int]:
    return {one.name: one.count for one in on(computer).list()}


@pytest.fixture
def two(tmp_path: Path) -> tuple[Computer, Computer]:
    office, laptop = members(tmp_path, "office", "laptop")
    office.adds(ONE, {"title": "One", "citation-key": "one", "tags": ("red", "blue")})
    office.adds(TWO, {"title": "Two", "citation-key": "two", "tags": ("red",)})
    meet(office, laptop)
    return office, laptop


@pytest.fixture
def office(two: tuple[Computer, Computer]) -> Computer:
    return two[0]


def test_tags_are_counted_put_on_and_taken_off(office: Computer) -> None:
    assert counts(office) == {"blue": 1, "red": 2}
    assert [one.tags for one in on(office).add("green", ["one", "two"])] == [
        ("blue", "red", "green"),
        ("red", "green"),
    ]
    on(office).remove("red", ["one", "two"])
    assert counts(office) == {"blue": 1, "green": 2}
    taken = on(office).remove("blue", ["one", "two"])
    assert ([one.id for one in taken.references], set(taken.without)) == ([ONE, TWO], {TWO})
    assert counts(office) == {"green": 2}


def test_what_cannot_be_done_changes_nothing(office: Computer) -> None:
    state = office.state
    with pytest.raises(InvalidValueError):
        on(office).add(" ", ["one"])
    with pytest.raises(InvalidValueError):
        on(office).rename("red", "")
    with pytest.raises(ReferenceNotFoundError):
        on(office).add("x", ["one", "nobody"])
    with pytest.raises(InvalidValueError):
        on(office).add("two\nlines", ["one"])
    with pytest.raises(NotTaggedError, match="one does not have the tag 'yellow'"):
        on(office).remove("yellow", ["one"])
    with pytest.raises(TagNotFoundError):
        on(office).rename("yellow", "green")
    assert office.state == state


def test_a_tag_is_renamed_on_all_references_in_one_change(office: Computer) -> None:
    before = office.replica.changes.unsent()
    assert on(office).rename("red", "blue") == 2
    assert office.replica.changes.unsent() == before + 1
    assert counts(office) == {"blue": 2}


def test_very_many_references_are_renamed_in_several_changes_or_none(
    office: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECORDS_PER_CHANGE_MAX", 1)
    before = office.replica.changes.unsent()
    assert on(office).rename("red", "green") == 2
    assert office.replica.changes.unsent() == before + 2


def test_a_tag_renamed_to_its_own_name_stays(office: Computer) -> None:
    on(office).add("Caf\u00e9", ["one"])
    state = office.state
    assert on(office).rename("red", "red") == 0
    assert on(office).rename("Caf\u00e9", "Cafe\u0301") == 0
    assert office.state == state


def test_what_lies_in_the_trash_is_not_brought_back_by_a_rename(office: Computer) -> None:
    office.deletes(TWO)
    assert on(office).rename("red", "green") == 1
    assert office.shows(TWO).trashed
    with pytest.raises(TrashedReferenceError):
        on(office).add("green", ["two"])


def test_an_old_name_given_elsewhere_at_the_same_time_stays(two: tuple[Computer, Computer]) -> None:
    office, laptop = two
    laptop.adds("3" * 32, {"title": "Three", "citation-key": "three", "tags": ("red",)})
    on(office).rename("red", "green")
    meet(office, laptop)
    for computer in two:
        assert counts(computer) == {"blue": 1, "green": 2, "red": 1}
