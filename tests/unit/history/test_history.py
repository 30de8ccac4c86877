"""The history of a reference: who, when, what was before."""

from __future__ import annotations

from pathlib import Path

from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library, ris

from bifolio.document import deletion, groups, sets
from bifolio.history.history import History
from bifolio.library.groups import Groups
from bifolio.records.attachments import Attachment
from bifolio.replication import joining
from bifolio.results import Event, EventKind
from bifolio_cli.text.history_text import actions_text

ONE = "1" * 32


def history(computer: Computer, ref: str = ONE) -> list[Event]:
    return list(History(computer.replica).of(ref))


def of_field(computer: Computer, field: str, ref: str = ONE) -> list[tuple[object, object, str]]:
    """Before, after and by whom, for each event of one field."""
    return [(one.before, one.after, one.by) for one in history(computer, ref) if one.field == field]


def test_each_edit_tells_who_when_and_what_was_before(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "One"})
    meet(office, home)
    home.waits(60)
    home.sets(ONE, "title", "Two")
    meet(office, home)
    for computer in (office, home):
        assert of_field(computer, "title") == [(None, "One", "office"), ("One", "Two", "home")]
    added, edited = (one for one in history(office) if one.field == "title")
    assert (added.what, edited.what) == (EventKind.ADDED, EventKind.EDITED)
    assert added.at == "2023-11-14T22:13:20.001Z"
    assert edited.at == "2023-11-14T22:14:20.001Z"
    assert added.change != edited.change


def test_lists_and_texts_show_all_of_them_before_and_after(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"tags": ("a", "b"), "note": "Sheets of paper."})
    office.sets(ONE, "tags", "b", "c")
    office.sets(ONE, "note", "Sheets of linen.")
    assert of_field(office, "tags")[1][:2] == (["a", "b"], ["b", "c"])
    assert of_field(office, "note")[1][:2] == ("Sheets of paper.", "Sheets of linen.")


def test_an_edit_that_lost_against_one_made_at_the_same_time_is_there_with_its_own_time(
    tmp_path: Path,
) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "One"})
    meet(office, home)
    home.waits(1)
    home.sets(ONE, "title", "Earlier")
    office.waits(60)
    office.sets(ONE, "title", "Later")
    meet(office, home)
    lost = next(one for one in history(office) if not one.shown)
    shown = history(home)[-1]
    assert (lost.after, lost.by, lost.shown) == ("Earlier", "home", False)
    assert (shown.before, shown.after, shown.by, shown.shown) == (
        "Earlier",
        "Later",
        "office",
        True,
    )
    assert (lost.at or "") < (shown.at or "")


def test_deletion_restoration_and_revival_are_events_without_a_field(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "One"})
    meet(office, home)
    office.deletes(ONE)
    home.sets(ONE, "volume", "2")
    meet(office, home)
    found = [(one.what, one.field) for one in history(office)]
    assert found[-3:] == [
        (EventKind.DELETED, None),
        (EventKind.REVIVED, None),
        (EventKind.EDITED, "volume"),
    ]
    unheard = history(home)[-1]
    assert (unheard.what, unheard.by, unheard.shown) == (EventKind.DELETED, "office", False)


def test_an_import_is_by_the_import_with_its_format_and_at_its_time(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    office.imports(*ris(tmp_path, {"ID": "1", "TI": "One"}))
    (row,) = office.replica.references.iter_rows(trashed=False)
    office.imports(*ris(tmp_path, {"ID": "1", "TI": "One", "VL": "7"}))
    events = [one for one in history(office, row.id) if one.field in ("title", "volume")]
    assert [(one.what, one.by, one.source) for one in events] == [
        (EventKind.IMPORTED, "import", "ris")
    ] * 2
    assert all(one.at is not None and one.at.startswith("2023-11-14") for one in events)


def test_groups_are_named(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "One"})
    made = Groups(office.replica).create("Folding")
    office.commits(ONE, lambda plan, entries: groups.plan_add(plan, entries, made.id))
    assert of_field(office, "groups") == [(None, ["Folding"], "office")]


def test_it_says_where_it_begins_in_a_library_that_joined_another_one(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path, "office")
    laptop = owner_of_a_library(tmp_path, "laptop")
    laptop.adds(ONE, {"title": "One"})
    assert EventKind.BEGINS not in [one.what for one in history(laptop)]
    with laptop.replica.database.transaction():
        joining.begin(laptop.replica, laptop.member_log, office.replica.library_id)
    assert [one.what for one in history(laptop)] == [EventKind.BEGINS]
    laptop.joins(office)
    laptop.waits(3600)
    joining.settle_offers(laptop.replica)
    begins, *events = history(laptop)
    assert begins.what is EventKind.BEGINS
    title = next(one for one in events if one.field == "title")
    assert (title.by, title.at) == ("laptop", "2023-11-14T22:13:20.001Z")


def test_files_are_told_by_name_size_and_hash(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "One"})
    file = Attachment("paper.pdf", "ab" * 32, 7)
    office.commits(
        ONE, lambda plan, entries: sets.plan_add(plan, entries, "files", file.to_element())
    )
    assert of_field(office, "files") == [
        (None, [{"name": "paper.pdf", "hash": "ab" * 32, "size": 7}], "office")
    ]


def test_what_went_with_an_emptied_trash_and_came_back_has_that_in_its_history(
    tmp_path: Path,
) -> None:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "One"})
    office.deletes(ONE)
    office.commits(ONE, deletion.plan_purge)
    office.commits(ONE, deletion.plan_restore)
    assert [one.what for one in history(office) if one.field is None] == [
        EventKind.DELETED,
        EventKind.PURGED,
        EventKind.RESTORED,
    ]


def test_an_edit_of_a_text_that_was_replaced_at_the_same_time_is_there_too(tmp_path: Path) -> None:
    office, home, train = members(tmp_path, "office", "home", "train")
    office.adds(ONE, {"abstract": "Of paper. And of ink."})
    meet(office, home, train)
    office.sets(ONE, "abstract", "Something else altogether.")
    home.sets(ONE, "abstract", "Of rag paper. And of ink.")
    train.waits(-1)
    train.sets(ONE, "abstract", "Of paper. And of iron gall ink.")
    office.learns(home)
    meet(office, home, train)
    edits = [one for one in history(office) if one.field == "abstract"][1:]
    assert [(one.by, one.after, one.shown) for one in edits] == [
        ("office", "Something else altogether.", True),
        ("home", "Of rag paper. And of ink.", False),
        ("train", "Of rag paper. And of iron gall ink.", False),
    ]
    log = History(office.replica).log(limit=3)
    assert {actions_text(one.what) for one in log} == {"edited abstract of 111111111111"}
