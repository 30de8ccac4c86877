"""Revert: a field, or a whole reference, as it was at a time or after a change."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library

from bifolio.document import deletion
from bifolio.errors import (
    ChangeNotFoundError,
    NotThereThenError,
    TrashedReferenceError,
    UnknownFieldError,
)
from bifolio.history.history import History
from bifolio.library.groups import Groups
from bifolio.records.names import Name
from bifolio.results import ReferenceView

ONE = "1" * 32


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def reverts(computer: Computer, to: datetime | str, field: str | None = None) -> ReferenceView:
    computer.waits(1)
    return History(computer.replica).revert(ONE, to=to, field=field)


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    office = owner_of_a_library(tmp_path)
    office.adds(
        ONE,
        {
            "title": "One",
            "note": "Sheets of paper.",
            "tags": ("a",),
            "author": (Name(family="Doe"), Name(family="Roe")),
        },
    )
    return office


def test_the_whole_reference_goes_back_in_every_kind_of_field(office: Computer) -> None:
    group = Groups(office.replica).create("Folding")
    Groups(office.replica).add("Folding", [ONE])
    before = office.shows(ONE)
    then = office.wall_s
    office.waits(60)
    office.sets(ONE, "title", "Two")
    office.sets(ONE, "note", "Sheets of linen.")
    office.sets(ONE, "tags", "b")
    office.sets(ONE, "author", "Poe, Max")
    office.sets(ONE, "issued", "2020")
    Groups(office.replica).remove(group.id, [ONE])
    assert reverts(office, at(then)).to_json() == before.to_json()
    assert reverts(office, at(then)).to_json() == before.to_json()
    assert office.shows(ONE).to_json() == before.to_json()


def test_one_field_goes_back_and_the_others_stay(office: Computer) -> None:
    then = office.wall_s
    office.waits(60)
    office.sets(ONE, "title", "Two")
    office.sets(ONE, "volume", "2")
    fields = reverts(office, at(then), "title").fields
    assert (fields["title"], fields["volume"]) == ("One", "2")
    assert "volume" not in reverts(office, at(then), "volume").fields


def test_a_revert_to_a_change_is_to_what_was_right_after_it(office: Computer) -> None:
    office.sets(ONE, "title", "Two")
    second = History(office.replica).of(ONE)[-1].change
    office.sets(ONE, "title", "Three")
    assert reverts(office, second[:10]).fields["title"] == "Two"
    with pytest.raises(ChangeNotFoundError):
        reverts(office, "abcdef")


def test_a_reference_that_was_live_then_is_restored_and_one_in_the_trash_goes_there(
    office: Computer,
) -> None:
    live = office.wall_s
    office.waits(60)
    office.deletes(ONE)
    trashed = office.wall_s
    office.waits(60)
    office.commits(ONE, deletion.plan_restore)
    office.sets(ONE, "title", "Two")
    shown = reverts(office, at(trashed))
    assert (shown.trashed, shown.fields["title"]) == (True, "One")
    assert reverts(office, at(live)).trashed is False
    assert office.shows(ONE).conflicts == ()


def test_a_field_of_a_reference_in_the_trash_is_not_reverted(office: Computer) -> None:
    then = office.wall_s
    office.waits(60)
    office.sets(ONE, "title", "Two")
    office.deletes(ONE)
    with pytest.raises(TrashedReferenceError):
        reverts(office, at(then), "title")
    with pytest.raises(UnknownFieldError):
        reverts(office, at(then), "titel")


def test_a_reference_that_did_not_exist_then_cannot_go_back(office: Computer) -> None:
    with pytest.raises(NotThereThenError, match=r"begins at 2023-11-14T22:13:20\.001Z"):
        reverts(office, at(office.wall_s - 60))


def test_what_was_written_before_a_time_and_came_after_it_counts(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "One"})
    meet(office, home)
    home.sets(ONE, "volume", "2")
    then = home.wall_s
    office.waits(60)
    office.sets(ONE, "title", "Two")
    meet(office, home)
    fields = reverts(office, at(then)).fields
    assert (fields["title"], fields["volume"]) == ("One", "2")


def test_a_reverted_text_keeps_what_somebody_wrote_into_it_at_the_same_time(
    tmp_path: Path,
) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"note": "Sheets of paper, folded."})
    then = office.wall_s
    office.waits(60)
    office.sets(ONE, "note", "Sheets of linen, folded.")
    meet(office, home)
    home.sets(ONE, "note", "Sheets of linen, folded twice.")
    reverts(office, at(then), "note")
    meet(office, home)
    (conflict,) = office.shows(ONE).conflicts
    assert [one.value for one in conflict.values] == [
        "Sheets of paper, folded.",
        "Sheets of linen, folded twice.",
    ]
