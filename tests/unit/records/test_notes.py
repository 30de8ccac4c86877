"""The names of notes and annotations, and the objects that fields make."""

from __future__ import annotations

from bifolio.records import notes
from bifolio.records.notes import Annotation, Note

ONE = "0VcTc8XUOneMore1"
NOW_MS = 1_700_000_000_000


def test_an_id_says_when_it_was_made_and_is_in_that_order() -> None:
    earlier, later = (notes.make_id(NOW_MS + more, b"\xff" * 6) for more in (0, 1))
    assert earlier < later
    assert notes.made_at(earlier) == NOW_MS
    assert len(notes.make_id(1 << 60, b"\x00" * 6)) == 16
    assert notes.read_part(f"note:{earlier}") == ("note", earlier, "")


def test_no_two_random_numbers_make_one_id_more_often_than_chance() -> None:
    """Of all numbers in six bytes a fifth is above eight digits: all of these made one id, so that
    two notes of one millisecond on two computers were one in 1 of 20."""
    numbers = [(255 << 40 | number).to_bytes(6) for number in range(1000)]
    assert len({notes.make_id(NOW_MS, one) for one in numbers}) == 1000


def test_an_imported_id_keeps_the_name_that_the_other_program_has() -> None:
    made = notes.imported_id(NOW_MS, "MFZ4KQV6")
    assert notes.own_name(made) == "MFZ4KQV6"
    assert made == notes.imported_id(NOW_MS, "MFZ4KQV6")
    hashed = notes.imported_id(3, "a text of any length")
    assert hashed == notes.imported_id(3, "a text of any length")
    assert notes.made_at(hashed) is None
    assert notes.read_part(f"note:{hashed}") is not None


def test_the_first_note_is_before_the_others_and_what_is_empty_is_none() -> None:
    fields = {f"note:{ONE}": "Two.", f"note:{ONE}:tags": ["red"], "note:0:tags": ["blue"]}
    assert notes.notes_of(fields, "One.") == [
        Note("0", "One.", ("blue",)),
        Note(ONE, "Two.", ("red",)),
    ]
    assert notes.notes_of(fields) == [Note(ONE, "Two.", ("red",))]
    assert notes.notes_of({f"note:{ONE}:tags": ["red"]}) == []


def test_annotations_are_in_the_order_of_their_places() -> None:
    fields: dict[str, object] = {"annotation": "A comment from a file of references."}
    for number, sort in ((1, "00002"), (2, "00001")):
        fields[f"annotation:0VcTc8XUOneMore{number}:sort"] = sort
        fields[f"annotation:0VcTc8XUOneMore{number}:type"] = "highlight"
    found = notes.annotations_of(fields)
    assert [one.sort for one in found] == ["", "00001", "00002"]
    assert found[0] == Annotation("0", comment="A comment from a file of references.")


def test_a_colour_that_is_left_of_a_removed_annotation_is_none() -> None:
    assert notes.annotations_of({f"annotation:{ONE}:colour": "#ffd400"}) == []
