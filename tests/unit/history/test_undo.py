"""Undo: what a command or a device did goes back, and what was edited since stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.replica.builders import NOW_S, Computer, meet, members, owner_of_a_library, ris

from bifolio import Library
from bifolio.document import deletion
from bifolio.errors import (
    AmbiguousChangeError,
    ChangeNotFoundError,
    DeviceNotFoundError,
    Next,
    NextStep,
    NothingToUndoError,
)
from bifolio.history.history import History
from bifolio.history.undo import UndoResult, UndoSelection
from bifolio.home import Home
from bifolio.library.groups import Groups
from bifolio.library.merge_duplicates import merge
from bifolio.library.tags import Tags
from bifolio.records.names import Name
from bifolio.replica.journal import Command
from bifolio.replica.replica import Replica
from bifolio.results import UndoReport
from bifolio_cli.text.history_text import actions_text

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)

Act = Callable[[Computer], object]


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    """A library with one reference."""
    office = owner_of_a_library(tmp_path)
    office.adds(
        ONE,
        {
            "type": "book",
            "title": "One",
            "volume": "1",
            "note": "Sheets of paper.",
            "tags": ("a", "b"),
            "author": (Name(family="Doe"), Name(family="Roe"), Name(family="Poe")),
        },
    )
    return office


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Computer, Computer]:
    """Two computers with one reference, at the same moment."""
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "One", "volume": "1", "note": "Sheets.", "tags": ("a",)})
    meet(office, home)
    home.wall_s = office.wall_s
    return office, home


def undo(computer: Computer, change: str | None = None) -> UndoReport:
    computer.waits(1)
    return History(computer.replica).undo(change)


def undo_device(computer: Computer, device: str, since_s: float) -> UndoReport:
    computer.waits(1)
    return History(computer.replica).undo_device(device, since=datetime.fromtimestamp(since_s, UTC))


def kept(report: UndoReport) -> list[tuple[str | None, str]]:
    return [(one.field, one.reason) for one in report.kept]


def shown(computer: Computer, record_id: str = ONE) -> dict[str, object]:
    one = computer.shows(record_id).to_json()
    one["tags"] = sorted(one["tags"])  # in the order in which they were added
    return {name: one[name] for name in ("key", "fields", "tags", "groups", "trashed")}


EDITS: dict[str, Act] = {
    "a title": lambda one: one.sets(ONE, "title", "Two"),
    "a field that was empty": lambda one: one.sets(ONE, "issue", "7"),
    "a long text edited": lambda one: one.sets(ONE, "note", "Sheets of linen paper."),
    "a long text replaced": lambda one: one.sets(ONE, "note", "Something else entirely."),
    "a text that was not there": lambda one: one.sets(ONE, "abstract", "On folding."),
    "tags": lambda one: one.sets(ONE, "tags", "b", "c"),
    "authors replaced": lambda one: one.sets(ONE, "author", "Foe, Max"),
    "an author less, and another order": lambda one: one.sets(ONE, "author", "Poe", "Doe"),
    "a tag renamed": lambda one: Tags(one.replica).rename("a", "z"),
    "a deletion": lambda one: one.deletes(ONE),
    "a date": lambda one: one.sets(ONE, "issued", "2020-05"),
}


@pytest.mark.parametrize("act", EDITS.values(), ids=EDITS.keys())
def test_an_undo_gives_back_what_was_and_its_own_undo_what_the_command_did(
    office: Computer, act: Act
) -> None:
    before = shown(office)
    office.waits(1)
    act(office)
    after = shown(office)
    assert after != before
    report = undo(office)
    assert shown(office) == before
    assert (report.references, report.kept) == (1, ())
    again = undo(office, report.id)
    assert shown(office) == after
    assert again.kept == ()
    assert undo(office).kept == ()
    assert shown(office) == before


def test_undoing_goes_back_command_by_command_to_the_first(office: Computer) -> None:
    office.sets(ONE, "title", "Two")
    office.sets(ONE, "title", "Three")
    office.sets(ONE, "volume", "2")
    titles = []
    for _ in range(3):
        undo(office)
        titles.append((office.shows(ONE).fields["title"], office.shows(ONE).fields["volume"]))
    assert titles == [("Three", "1"), ("Two", "1"), ("One", "1")]
    undo(office)
    assert office.shows(ONE).trashed
    with pytest.raises(NothingToUndoError):
        undo(office)


def test_who_joined_with_nothing_of_its_own_is_told_how_to_leave(
    pair: tuple[Computer, Computer],
) -> None:
    """There is no command to undo, and joining may have been the mistake."""
    office, home = pair
    with pytest.raises(NothingToUndoError, match="It joined 'Thesis'") as error:
        undo(home)
    assert error.value.next_step == NextStep(Next.LEAVE_OR_SHOW_LOG)
    undo(office)
    with pytest.raises(NothingToUndoError) as error:
        undo(office)
    assert error.value.library == ""


@pytest.mark.parametrize("named", [False, True])
def test_two_undos_at_once_take_back_two_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    home = Home(tmp_path / "home", device_name="desk")
    path = tmp_path / "Paper.bifolio"
    with Library.create(path, home=home) as one, Library.open(path, home=home) as other:
        for key in "abc":
            one.add({"title": key, "citation-key": key})
        first = one.history.log(limit=1)[0].id
        take_back = UndoSelection.take_back
        reports: list[UndoReport | None] = []

        def after_the_other(
            undoing: UndoSelection, replica: Replica, command: Command
        ) -> UndoResult | None:
            """Between the choice and the first write another process undoes the same."""
            if not reports:
                reports.append(None)
                reports.append(other.history.undo())
            return take_back(undoing, replica, command)

        monkeypatch.setattr(UndoSelection, "take_back", after_the_other)
        report = one.history.undo(first if named else None)
        assert reports[1] is not None
        assert (actions_text(reports[1].what), reports[1].references) == ("added c", 1)
        if named:  # as it would be after the other one
            assert (actions_text(report.what), report.references) == ("added c", 0)
        else:
            assert (actions_text(report.what), report.references) == ("added b", 1)
        assert len(list(one.list())) == (2 if named else 1)


def test_a_command_of_several_changes_is_undone_as_one(office: Computer) -> None:
    with office.replica.journal.command():
        office.sets(ONE, "title", "Two")
        office.sets(ONE, "volume", "2")
    undo(office)
    fields = office.shows(ONE).fields
    assert (fields["title"], fields["volume"]) == ("One", "1")


def test_a_command_is_undone_by_its_id_and_what_was_edited_since_stays_and_is_named(
    office: Computer,
) -> None:
    with office.replica.journal.command():
        office.sets(ONE, "title", "Two")
        office.sets(ONE, "volume", "2")
        office.sets(ONE, "note", "Another note.")
    (change, *_) = History(office.replica).log(limit=1)
    office.sets(ONE, "title", "Three")
    office.sets(ONE, "note", "Another note, edited.")
    report = undo(office, change.id[:8])
    fields = office.shows(ONE).fields
    assert (fields["title"], fields["volume"]) == ("Three", "1")
    assert fields["note"] == "Another note, edited."
    assert kept(report) == [("title", "edited-since"), ("note", "edited-since")]


def test_the_undo_of_an_addition_leaves_a_reference_that_was_edited_since(
    office: Computer,
) -> None:
    office.adds(TWO, {"title": "Two"})
    (added, *_) = History(office.replica).log(limit=1)
    office.sets(TWO, "title", "Two, corrected")
    report = undo(office, added.id)
    assert not office.shows(TWO).trashed
    assert kept(report) == [(None, "edited-since")]


def test_the_undo_of_an_addition_leaves_a_reference_that_others_were_merged_into(
    office: Computer,
) -> None:
    for record_id in (TWO, THREE):
        office.adds(record_id, {"title": "Two", "volume": "2"})
    added = History(office.replica).log(limit=2)[1]
    assert merge(office.replica, [TWO, THREE]).taken == ()
    report = undo(office, added.id)
    assert not office.shows(TWO).trashed
    assert kept(report) == [(None, "edited-since")]
    undo(office)
    assert undo(office, added.id).kept == ()
    assert office.shows(TWO).trashed
    assert not office.shows(THREE).trashed


def test_undos_in_a_row_take_back_a_merge_and_the_additions_before_it(office: Computer) -> None:
    for record_id in (TWO, THREE):
        office.adds(record_id, {"title": "Two", "volume": "2"})
    merge(office.replica, [TWO, THREE])
    for _ in range(3):
        assert undo(office).kept == ()
    assert office.shows(TWO).trashed
    assert office.shows(THREE).trashed


def test_the_undo_of_an_addition_leaves_a_reference_with_another_value_beside_its_own(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    office.adds(TWO, {"title": "Two"})
    added = History(office.replica).log(limit=1)[0]
    meet(office, home)
    home.sets(TWO, "title", "Of home")
    office.waits(5)
    for title in ("Of the office", "Two"):
        office.sets(TWO, "title", title)
    meet(office, home)
    (conflict,) = office.shows(TWO).conflicts
    assert [one.value for one in conflict.values] == ["Two", "Of home"]
    assert kept(undo(office, added.id)) == [(None, "edited-since")]


def test_an_edit_of_what_lies_in_the_trash_now_brings_nothing_back(office: Computer) -> None:
    office.sets(ONE, "title", "Two")
    (edited, *_) = History(office.replica).log(limit=1)
    office.deletes(ONE)
    report = undo(office, edited.id)
    assert office.shows(ONE).trashed
    assert kept(report) == [(None, "in-trash")]


def test_an_undone_revert_of_a_trashed_reference_gives_back_its_values_in_the_trash(
    office: Computer,
) -> None:
    (added, *_) = History(office.replica).log(limit=1)
    office.sets(ONE, "title", "Two")
    office.sets(ONE, "note", "Something else entirely.")
    office.sets(ONE, "tags", "b")
    office.deletes(ONE)
    before = shown(office)
    History(office.replica).revert(ONE, to=added.id)
    reverted = shown(office)
    report = undo(office)
    assert shown(office) == before
    assert report.kept == ()
    again = undo(office, report.id)
    assert shown(office) == reverted
    office.deletes(ONE)
    assert kept(undo(office, again.id)) == [(None, "in-trash")]
    assert office.shows(ONE).fields["title"] == "One"


def test_an_undone_restoration_lies_in_the_trash_as_merged_again(office: Computer) -> None:
    office.adds(TWO, {"title": "One"})
    merge(office.replica, [ONE, TWO])
    office.commits(TWO, deletion.plan_restore)
    assert office.shows(TWO).merged_into is None
    undo(office)
    assert (office.shows(TWO).trashed, office.shows(TWO).merged_into) == (True, ONE)


def test_an_undone_import_puts_new_references_into_the_trash_and_takes_updates_back(
    tmp_path: Path,
) -> None:
    office = owner_of_a_library(tmp_path)
    office.imports(*ris(tmp_path, {"ID": "1", "TI": "One", "VL": "1", "KW": "a"}))
    (old,) = [row.id for row in office.replica.references.iter_rows(trashed=False)]
    office.waits(1)
    with office.replica.journal.command():
        office.imports(
            *ris(tmp_path, {"ID": "1", "TI": "One", "VL": "2", "KW": "b"}, {"ID": "2", "TI": "Two"})
        )
    assert office.shows(old).fields["volume"] == "2"
    report = undo(office)
    assert (report.references, report.kept) == (2, ())
    assert office.shows(old).fields["volume"] == "1"
    assert office.shows(old).tags == ("a",)
    assert office.titles() == ["One"]
    # What the file says is known already: importing it again changes nothing.
    again = office.imports(
        *ris(tmp_path, {"ID": "1", "TI": "One", "VL": "2", "KW": "b"}, {"ID": "2", "TI": "Two"})
    )
    assert (again.added, again.updated, again.unchanged, again.trashed) == (0, 0, 1, 1)
    undo(office, report.id)
    assert office.titles() == ["One", "Two"]
    assert office.shows(old).fields["volume"] == "2"


def test_groups_are_unmade_renamed_and_moved_back(office: Computer) -> None:
    groups = Groups(office.replica)
    one, two = groups.create("One"), groups.create("Two")
    groups.move("Two", parent="One")
    groups.rename("Two", "Second")
    groups.add("Second", [ONE])
    groups.delete("Second")
    undo(office)
    assert office.shows(ONE).groups == ("Second",)
    undo(office)
    assert office.shows(ONE).groups == ()
    undo(office)
    undo(office)
    assert [(shown.id, shown.name, shown.parent) for shown in groups.list()] == [
        (one.id, "One", None),
        (two.id, "Two", None),
    ]
    undo(office)
    assert [shown.name for shown in groups.list()] == ["One"]


def test_an_undo_after_a_sync_goes_to_the_others_and_leaves_what_they_wrote(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    office.sets(ONE, "title", "Of the office")
    office.sets(ONE, "volume", "2")
    meet(office, home)
    home.sets(ONE, "volume", "3")
    meet(office, home)
    assert kept(undo(office)) == [("volume", "edited-since")]
    undo(office)
    meet(office, home)
    fields = home.shows(ONE).fields
    assert (fields["title"], fields["volume"]) == ("One", "3")
    assert home.shows(ONE).conflicts == ()
    assert actions_text(undo(home).what) == "edited volume of 111111111111"
    with pytest.raises(NothingToUndoError):
        undo(home)


def test_a_value_written_at_the_same_time_by_somebody_else_is_what_an_undo_leaves(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    home.sets(ONE, "title", "Of home")
    office.waits(5)
    office.sets(ONE, "title", "Of the office")
    meet(office, home)
    assert len(office.shows(ONE).conflicts) == 1
    report = undo(office)
    meet(office, home)
    assert office.shows(ONE).fields["title"] == "Of home"
    assert office.shows(ONE).conflicts == ()
    undo(office, report.id)
    meet(office, home)
    (conflict,) = office.shows(ONE).conflicts
    assert [one.value for one in conflict.values] == ["Of the office", "Of home"]


def test_a_reference_that_somebody_else_deleted_too_stays_in_the_trash(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    office.deletes(ONE)
    home.deletes(ONE)
    meet(office, home)
    report = undo(office)
    meet(office, home)
    assert office.shows(ONE).trashed
    assert kept(report) == [(None, "deleted-by-others-too")]


def test_a_trash_that_somebody_else_emptied_too_stays_empty(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    office.deletes(ONE)
    meet(office, home)
    for computer in pair:
        computer.commits(ONE, deletion.plan_purge)
    meet(office, home)
    report = undo(office)
    meet(office, home)
    assert kept(report) == [(None, "deleted-by-others-too")]
    assert home.replica.references.read(ONE) is None


AGAIN: dict[str, tuple[Act, Act, Act]] = {
    "a deletion": (
        lambda one: one.deletes(ONE),
        lambda one: one.commits(ONE, deletion.plan_restore),
        lambda one: one.deletes(ONE),
    ),
    "a removal": (
        lambda one: Tags(one.replica).remove("a", [ONE]),
        lambda one: Tags(one.replica).add("a", [ONE]),
        lambda one: Tags(one.replica).remove("a", [ONE]),
    ),
    "a value": (
        lambda one: one.sets(ONE, "title", "Two"),
        lambda one: one.sets(ONE, "title", "Three"),
        lambda one: one.sets(ONE, "title", "Two"),
    ),
    "a text": (
        lambda one: one.sets(ONE, "note", "Something else."),
        lambda one: one.sets(ONE, "note", "Written anew by another."),
        lambda one: one.sets(ONE, "note", "Something else."),
    ),
}


@pytest.mark.parametrize("acts", AGAIN.values(), ids=AGAIN.keys())
def test_what_somebody_else_took_back_and_did_again_since_stays_and_is_named(
    pair: tuple[Computer, Computer], acts: tuple[Act, Act, Act]
) -> None:
    office, home = pair
    do, take_back, do_again = acts
    do(office)
    meet(office, home)
    take_back(home)
    do_again(home)
    meet(office, home)
    before = shown(office)
    report = undo(office)
    assert shown(office) == before
    assert len(report.kept) == 1


@pytest.mark.parametrize("acts", AGAIN.values(), ids=AGAIN.keys())
def test_what_one_did_again_oneself_goes_back_by_its_id(
    office: Computer, acts: tuple[Act, Act, Act]
) -> None:
    before = shown(office)
    do, take_back, do_again = acts
    do(office)
    (done, *_) = History(office.replica).log(limit=1)
    take_back(office)
    do_again(office)
    assert undo(office, done.id).kept == ()
    assert shown(office) == before


def test_what_a_device_wrote_since_a_time_goes_back_and_later_edits_of_others_stay(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    home.sets(ONE, "volume", "before")
    home.adds(THREE, {"title": "Three"})
    meet(office, home)
    since = home.wall_s + 3600
    for computer in pair:
        computer.waits(7200)
    home.sets(ONE, "title", "Of home")
    home.sets(ONE, "title", "Of home, again")
    home.sets(ONE, "issue", "7")
    home.sets(ONE, "tags", "b")
    home.sets(ONE, "note", "Sheets of home.")
    home.adds(TWO, {"title": "Two"})
    home.deletes(THREE)
    meet(office, home)
    office.waits(60)
    office.sets(ONE, "issue", "8")
    meet(office, home)

    report = undo_device(office, "home", since)
    meet(office, home)
    fields = home.shows(ONE).fields
    assert (fields["title"], fields["volume"], fields["issue"]) == ("One", "before", "8")
    assert fields["note"] == "Sheets."
    assert home.shows(ONE).tags == ("a",)
    assert home.shows(TWO).trashed
    assert not home.shows(THREE).trashed
    assert kept(report) == [("issue", "edited-since")]
    undo(office)
    assert office.shows(ONE).fields["title"] == "Of home, again"


def test_a_later_edit_of_another_between_two_of_a_device_is_what_comes_back(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    since = home.wall_s
    home.waits(1)
    home.sets(ONE, "title", "Of home")
    meet(office, home)
    office.waits(5)
    office.sets(ONE, "title", "Of the office")
    meet(office, home)
    home.waits(60)
    home.sets(ONE, "title", "Of home again")
    meet(office, home)
    undo_device(office, "home", since)
    assert office.shows(ONE).fields["title"] == "Of the office"


def test_a_new_reference_of_a_device_stays_where_another_one_edited_it(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    since = home.wall_s
    home.waits(1)
    home.adds(TWO, {"title": "Two"})
    meet(office, home)
    office.sets(TWO, "volume", "2")
    report = undo_device(office, "home", since)
    assert not office.shows(TWO).trashed
    assert kept(report) == [(None, "edited-since")]


def test_a_dry_run_says_what_an_undo_would_do_and_changes_nothing(office: Computer) -> None:
    office.sets(ONE, "title", "Two")
    before = office.tables()
    report = History(office.replica).undo(dry_run=True)
    assert (report.references, actions_text(report.what)) == (1, "edited title of 111111111111")
    assert report.id is None
    assert office.tables() == before
    undo_report = History(office.replica).undo_device(
        "office", since=datetime.fromtimestamp(NOW_S, UTC), dry_run=True
    )
    assert undo_report.references == 1
    assert office.tables() == before


def test_no_name_of_a_change_or_a_device_is_taken_for_another(office: Computer) -> None:
    history = History(office.replica)
    for unknown in ("ffff", "nothing", "", "12"):
        with pytest.raises(ChangeNotFoundError):
            history.undo(unknown)
    with pytest.raises(DeviceNotFoundError, match="office"):
        undo_device(office, "nobody", NOW_S)
    office.replica.database.execute("UPDATE history SET id = x'abcd000000000000'")
    office.sets(ONE, "title", "Two")
    office.replica.database.execute(
        "UPDATE history SET id = x'abcd000000000001' WHERE number = (SELECT max(number) "
        "FROM history)"
    )
    with pytest.raises(AmbiguousChangeError, match="abcd000000000001"):
        history.undo("abcd")


def test_a_deletion_that_was_undone_covers_nothing_afterwards(office: Computer) -> None:
    office.deletes(ONE)
    undo(office)
    entries = office.replica.document(ONE).entries()
    assert not deletion.live_deletions(entries)


def test_an_emptied_trash_is_the_trash_again_and_then_emptied_again(office: Computer) -> None:
    office.deletes(ONE)
    office.commits(ONE, deletion.plan_purge)
    assert office.replica.references.read(ONE) is None
    report = undo(office)
    assert (actions_text(report.what), report.kept) == (
        "removed, with the trash, 111111111111",
        (),
    )
    assert office.shows(ONE).trashed
    undo(office, report.id)
    assert office.replica.references.read(ONE) is None
    undo(office)
    undo(office)
    assert not office.shows(ONE).trashed
