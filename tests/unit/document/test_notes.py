"""Notes and annotations merge each by itself, and nothing written into one is lost."""

from __future__ import annotations

from tests.unit.document.builders import Desk, desks, meet

from bifolio.document import importing, snapshots, view
from bifolio.document.importing import ImportVersion
from bifolio.document.record import RecordDocument
from bifolio.ids import SEPARATOR
from bifolio.records import notes
from bifolio.records.fields import MergeRule, known_rule
from bifolio.records.reference import Source, Values

ONE = "note:0VcTc8XUOneMore1"
OTHER = "note:0VcTc8XZAnother2"
MARKED = "annotation:0VcTc8XUOneMore1"

TWO = "The first paragraph speaks of paper.\n\nThe second paragraph speaks of ink."


def with_notes(*names: str) -> list[Desk]:
    return desks(*names, holding={"title": "On Paper", "note": "Mine.", ONE: TWO})


def test_notes_added_on_two_computers_are_both_there() -> None:
    office, home = with_notes("office", "home")
    office.sets(OTHER, "Written in the office.")
    home.sets("note:0VcTc8XZAthome22", "Written at home.")
    meet(office, home)
    texts = [one.text for one in notes.notes_of(office.values)]
    assert texts == ["Mine.", TWO, "Written in the office.", "Written at home."]
    assert office.conflicts == {}
    assert office.json() == home.json()


def test_two_paragraphs_of_one_note_are_edited_at_the_same_time() -> None:
    office, home = with_notes("office", "home")
    office.sets(ONE, TWO.replace("paper", "rag paper"))
    home.sets(ONE, TWO.replace("ink", "iron gall ink"))
    meet(office, home)
    assert office.values[ONE] == TWO.replace("paper", "rag paper").replace("ink", "iron gall ink")
    assert office.conflicts == {}


def test_what_is_written_into_a_removed_note_is_a_conflict_of_that_note() -> None:
    office, home = with_notes("office", "home")
    office.clears(ONE)
    edited = TWO.replace("ink", "iron gall ink")
    home.sets(ONE, edited)
    meet(office, home)
    assert office.conflicts == {ONE: [None, edited]}
    assert [one.text for one in notes.notes_of(office.values)] == ["Mine."]
    assert office.json() == home.json()


def test_removing_one_note_leaves_the_others() -> None:
    office, home = with_notes("office", "home")
    office.clears("note")
    home.sets(OTHER, "Another.")
    meet(office, home)
    assert [one.text for one in notes.notes_of(home.values)] == [TWO, "Another."]
    assert home.conflicts == {}


def test_the_tags_of_a_note_are_a_set_of_its_own() -> None:
    office, home = with_notes("office", "home")
    office.adds(f"{ONE}:tags", "red")
    home.adds(f"{ONE}:tags", "blue")
    meet(office, home)
    (_, note) = notes.notes_of(office.values)
    assert sorted(note.tags) == ["blue", "red"]
    assert "tags" not in office.values


def test_the_parts_of_an_annotation_merge_each_by_itself() -> None:
    office, home = desks(
        *("office", "home"), holding={"title": "On Paper", MARKED: TWO, f"{MARKED}:type": "note"}
    )
    office.sets(f"{MARKED}:colour", "#ffd400")
    home.sets(MARKED, TWO.replace("ink", "iron gall ink"))
    meet(office, home)
    (annotation,) = notes.annotations_of(office.values)
    assert (annotation.type, annotation.colour) == ("note", "#ffd400")
    assert annotation.comment == TWO.replace("ink", "iron gall ink")
    assert office.conflicts == {}


def test_a_part_of_an_annotation_that_is_edited_twice_is_a_conflict() -> None:
    office, home = desks("office", "home", holding={"title": "T", f"{MARKED}:type": "highlight"})
    office.sets(f"{MARKED}:colour", "#ffd400")
    home.sets(f"{MARKED}:colour", "#ff6666")
    meet(office, home)
    assert sorted(map(str, office.conflicts[f"{MARKED}:colour"])) == ["#ff6666", "#ffd400"]


def test_an_edit_of_a_note_brings_its_deleted_reference_back() -> None:
    office, home = with_notes("office", "home")
    office.deletes()
    home.sets(ONE, f"{TWO}\n\nMore.")
    meet(office, home)
    assert not office.view.trashed
    assert office.values[ONE] == f"{TWO}\n\nMore."


def test_a_joining_library_brings_all_notes() -> None:
    (office,) = with_notes("office")
    office.sets(OTHER, "Another.")
    office.adds(f"{ONE}:tags", "red")
    offered = snapshots.offered_update("ab" * 16, office.document.state())
    shown = view.read_view(RecordDocument(offered).visible()).values
    assert shown == office.values


def test_imported_notes_are_the_same_bytes_everywhere_and_one_that_went_is_taken_away() -> None:
    first: Values = {"type": "book", "title": "T", "note": "One.", ONE: "Two.", OTHER: "Three."}
    second: Values = {"type": "book", "title": "T", "note": "One.", ONE: "Two and a half."}
    source = Source("zotero", "book", "AAAA2222", (("title", "T"),))
    versions = [ImportVersion(first, source)]
    versions.append(ImportVersion(second, Source("zotero", "book", "AAAA2222", (("x", "y"),))))
    made = importing.import_updates("ab" * 16, versions, mapping="1")
    assert made == importing.import_updates("ab" * 16, versions, mapping="1")
    read = view.read_view(importing.document_of(made).visible())
    assert [one.text for one in notes.notes_of(read.values)] == ["One.", "Two and a half."]
    assert read.conflicts == ()


def test_a_reference_with_one_note_holds_what_it_held_before() -> None:
    (office,) = desks("office", holding={"title": "On Paper", "note": TWO})
    held = office.entries.keys()
    names = {key.split(SEPARATOR)[0] for key in held}
    assert names == {"kind", "note", "title"}


def test_a_field_is_of_a_note_only_by_its_whole_name() -> None:
    assert known_rule(ONE) is MergeRule.TEXT
    assert known_rule(f"{ONE}:tags") is MergeRule.SET
    assert known_rule("note:0:tags") is MergeRule.SET
    assert known_rule(f"{MARKED}:page") is MergeRule.SCALAR
    names = ("note:0", "note:", "note:short", f"{ONE}:page", f"{ONE}:", f"{MARKED}:x", f"{ONE}\x1f")
    assert [known_rule(one) for one in names] == [None] * len(names)
