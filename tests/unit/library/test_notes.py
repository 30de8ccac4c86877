"""Notes and annotations through the library: on two computers, searched, undone, purged, joined."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members

from bifolio.document.view import read_view
from bifolio.errors import InvalidValueError, NoteNotFoundError, TrashedReferenceError
from bifolio.history.history import History
from bifolio.library import conflicts
from bifolio.library.merge_duplicates import merge
from bifolio.library.notes import Annotations, Notes
from bifolio.library.trash import Trash
from bifolio.replica.note_views import note_views
from bifolio.search.search import Searches

ONE, TWO = ("1" * 32, "2" * 32)


def on(computer: Computer) -> Notes:
    """The computer's notes; the clock goes on a little before each use."""
    computer.waits(0.001)
    return Notes(computer.replica)


def marked_on(computer: Computer) -> Annotations:
    computer.waits(0.001)
    return Annotations(computer.replica)


def texts(computer: Computer, ref: str = ONE) -> list[str]:
    return [one.text for one in on(computer).list(ref)]


def found(computer: Computer, query: str) -> list[str]:
    return [row.id for row in Searches(computer.replica).rows(query)]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Computer, Computer]:
    office, laptop = members(tmp_path, "office", "laptop")
    office.adds(ONE, {"title": "One", "citation-key": "one", "note": "The first."})
    meet(office, laptop)
    return office, laptop


@pytest.fixture
def office(two: tuple[Computer, Computer]) -> Computer:
    return two[0]


def test_notes_that_two_computers_add_offline_are_both_there(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    on(office).add("one", "Of the office.", tags=["idea"])
    on(laptop).add("one", "Of the laptop.")
    meet(office, laptop)
    assert texts(office) == texts(laptop)
    assert sorted(texts(office)) == ["Of the laptop.", "Of the office.", "The first."]
    assert {one.tags for one in on(laptop).list("one")} == {(), ("idea",)}


def test_the_first_notes_of_all_are_both_there_too(tmp_path: Path) -> None:
    office, laptop = members(tmp_path, "office", "laptop")
    office.adds(ONE, {"title": "One"})
    meet(office, laptop)
    on(office).add(ONE, "Of the office.")
    on(laptop).add(ONE, "Of the laptop.")
    meet(office, laptop)
    assert sorted(texts(office)) == ["Of the laptop.", "Of the office."]


def test_what_is_written_into_a_note_that_another_removes_is_kept(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    made = on(office).add("one", "A thought that is long enough to be edited.")
    meet(office, laptop)
    on(office).remove("one", made.id)
    on(laptop).edit("one", made.id, append="And what follows from it.")
    meet(office, laptop)
    assert texts(office) == texts(laptop) == ["The first."]
    (conflict,) = conflicts.list_all(office.replica)
    assert conflict.field == made.field
    conflicts.remember(office.replica, [conflict])
    row = office.replica.references.read(ONE)
    assert row is not None
    conflicts.resolve(office.replica, row, made.field, take=2, value=None)
    meet(office, laptop)
    assert texts(laptop)[1].endswith("And what follows from it.")


def test_a_note_is_named_by_its_number_or_its_id(office: Computer) -> None:
    made = on(office).add("one", "Another.")
    assert on(office).get("one", 2) == on(office).get("one", "2") == on(office).get("one", made.id)
    assert on(office).edit("one", 1, text="The very first.").field == "note"
    for wanted in (0, 3, "x", "0VcTc8XUOneMore1", ""):
        with pytest.raises(NoteNotFoundError):
            on(office).remove("one", wanted)
    assert texts(office) == ["The very first.", "Another."]


def test_a_blank_note_and_a_trashed_reference_are_refused(office: Computer) -> None:
    with pytest.raises(InvalidValueError):
        on(office).add("one", " \n")
    with pytest.raises(InvalidValueError):
        on(office).add("one", "x", tags=["two\nlines"])
    Trash(office.replica).delete(["one"])
    with pytest.raises(TrashedReferenceError):
        on(office).add("one", "x")


def test_a_note_comes_after_those_that_are_there_whatever_the_clock_says(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    laptop.waits(100)
    on(laptop).add("one", "Ahead.")
    meet(office, laptop)
    on(office).add("one", "Later.")
    assert texts(office) == ["The first.", "Ahead.", "Later."]


def test_every_note_and_annotation_is_found(office: Computer) -> None:
    on(office).add("one", "Of quires and gatherings", tags=["bindery"])
    marked_on(office).add("one", {"text": "folded twice", "comment": "a bifolium?"})
    for query in ("note:quires", "note:bindery", "note:folded", "bifolium", "has:annotation"):
        assert found(office, query) == [ONE], query
    assert found(office, "tag:bindery") == []
    on(office).edit("one", 2, text="Of something else")
    assert found(office, "note:quires") == []
    on(office).remove("one", 2)
    assert found(office, "note:something") == []
    assert found(office, "has:note") == [ONE]


def test_a_note_comes_back_with_an_undo_and_one_that_was_added_goes(office: Computer) -> None:
    made = on(office).add("one", "Another.", tags=["idea"])
    with office.replica.journal.command(()):
        on(office).remove("one", made.id)
    History(office.replica).undo()
    assert on(office).get("one", made.id).tags == ("idea",)
    with office.replica.journal.command(()):
        on(office).add("one", "A third.")
    History(office.replica).undo()
    assert texts(office) == ["The first.", "Another."]


def test_an_annotation_is_added_edited_and_removed(office: Computer) -> None:
    made = marked_on(office).add(
        "one", {"text": "folded twice", "page": "3", "colour": "#ffd400"}, tags=["idea"]
    )
    assert (made.type, made.text, made.page, made.tags) == (
        *("highlight", "folded twice", "3"),
        ("idea",),
    )
    edited = marked_on(office).edit("one", 1, {"comment": "why?", "page": ""}, tags=[])
    assert (edited.comment, edited.page, edited.tags) == ("why?", "", ())
    marked_on(office).remove("one", made.id)
    assert marked_on(office).list("one") == ()
    with pytest.raises(NoteNotFoundError):
        marked_on(office).edit("one", made.id, {"comment": "x"})


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"page": "3"},
        {"text": "x", "type": "scribble"},
        {"text": "x", "page": "3\n4"},
        {"a": ""},
    ],
)
def test_what_is_no_annotation_is_refused(office: Computer, values: dict[str, str]) -> None:
    with pytest.raises(InvalidValueError):
        marked_on(office).add("one", values)


def test_merged_references_keep_the_notes_of_both(office: Computer) -> None:
    office.adds(TWO, {"title": "One", "citation-key": "two", "note": "The first."})
    on(office).add("one", "Of the one.")
    on(office).add("two", "Of the other.")
    marked_on(office).add("two", {"text": "folded"})
    merge(office.replica, ["one", "two"])
    assert texts(office) == ["The first.", "Of the one.", "Of the other."]
    assert [one.text for one in marked_on(office).list("one")] == ["folded"]


def test_notes_go_with_an_emptied_trash_and_come_back_with_it(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    made = on(office).add("one", "A thought.")
    meet(office, laptop)
    Trash(office.replica).delete(["one"])
    Trash(office.replica).empty()
    on(laptop).edit("one", made.id, append="Unseen.")
    meet(office, laptop)
    row = office.replica.references.read(ONE)
    assert row is not None
    assert not row.trashed
    assert [one.text for one in note_views(row)][1] == "A thought.\n\nUnseen."


def test_lists_are_given_no_more_than_before(office: Computer) -> None:
    on(office).add("one", "Another.")
    row = office.replica.references.read(ONE)
    assert row is not None
    shown = read_view(office.replica.document(ONE).visible()).values
    assert row.note == shown["note"] == "The first."
