"""Long texts merge by character, and no replacement loses an edit that it had not seen."""

from __future__ import annotations

from tests.support.cases import each
from tests.unit.document.builders import NOW_MS, Desk, desks, meet

from bifolio import limits
from bifolio.document import texts
from bifolio.document.conflicts import ConflictKind
from bifolio.document.entries import Entries, join
from bifolio.document.plan import Plan, TextEdit
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import Values

TWO = "The first paragraph speaks of paper.\n\nThe second paragraph speaks of ink."


def with_note(*names: str, note: str = TWO) -> list[Desk]:
    return desks(*names, holding={"title": "On Paper", "note": note})


def test_two_people_editing_two_paragraphs_both_keep_theirs() -> None:
    office, home = with_note("office", "home")
    office.sets("note", TWO.replace("paper", "rag paper"))
    home.sets("note", TWO.replace("ink", "iron gall ink"))
    meet(office, home)
    assert office.values["note"] == TWO.replace("paper", "rag paper").replace(
        "ink", "iron gall ink"
    )
    assert office.conflicts == {}


def test_two_paragraphs_appended_at_the_same_time_are_both_there() -> None:
    office, home = with_note("office", "home")
    office.adds("note", "Office adds this.")
    home.adds("note", "Home adds that.")
    meet(office, home)
    note = office.values["note"]
    assert isinstance(note, str)
    assert note.startswith(TWO)
    assert "Office adds this." in note
    assert "Home adds that." in note
    assert office.conflicts == {}


def test_the_first_paragraph_of_all_is_appended_to_nothing() -> None:
    (office,) = desks("office")
    office.adds("note", "One.", "Two.")
    assert office.values["note"] == "One.\n\nTwo."


def test_a_replaced_text_that_was_edited_unseen_is_a_conflict() -> None:
    office, home = with_note("office", "home")
    office.sets("note", "Something else altogether, which nobody can take for the other.")
    home.sets("note", TWO.replace("ink", "iron gall ink"))
    meet(office, home)
    assert office.conflicts["note"] == [
        "Something else altogether, which nobody can take for the other.",
        TWO.replace("ink", "iron gall ink"),
    ]
    (conflict,) = office.view.conflicts
    assert conflict.kind is ConflictKind.TEXT
    assert [one.slot for one in conflict.values] == [office.slot, home.slot]


def test_a_replaced_text_that_nobody_edited_is_hidden() -> None:
    office, home = with_note("office", "home")
    office.sets("note", "Something else altogether, which nobody can take for the other.")
    meet(office, home)
    assert home.conflicts == {}
    assert len(home.entries.texts) == 2


def test_a_text_edited_unseen_by_who_cleared_it_is_a_conflict_with_nothing() -> None:
    office, home = with_note("office", "home")
    office.clears("note")
    home.sets("note", TWO + " And glue.")
    meet(office, home)
    assert office.conflicts["note"] == [None, TWO + " And glue."]


def test_a_text_replaced_twice_still_knows_what_was_first_replaced() -> None:
    office, home = with_note("office", "home")
    office.sets("note", "Something else altogether, which nobody can take for the other.")
    office.sets("note", "QQQ")
    home.sets("note", TWO + " And glue.")
    meet(office, home)
    assert office.conflicts["note"] == ["QQQ", TWO + " And glue."]


def test_texts_first_written_at_the_same_time_are_a_conflict() -> None:
    office, home = desks("office", "home")
    office.sets("note", "Office began.", now_ms=NOW_MS + 1000)
    home.sets("note", "Home began.", now_ms=NOW_MS + 2000)
    meet(office, home)
    assert office.conflicts["note"] == ["Home began.", "Office began."]


def test_equal_texts_first_written_at_the_same_time_are_none() -> None:
    office, home = desks("office", "home")
    office.sets("note", "The same.")
    home.sets("note", "The same.")
    meet(office, home)
    assert office.values["note"] == "The same."
    assert office.conflicts == {}


def test_a_chosen_text_settles_the_conflict_everywhere() -> None:
    office, home = with_note("office", "home")
    office.sets("note", "Something else altogether, which nobody can take for the other.")
    home.sets("note", TWO + " And glue.")
    meet(office, home)
    chosen = TWO + " And glue."
    home.writes(lambda plan, entries: texts.plan_replace(plan, entries, "note", chosen))
    meet(office, home)
    assert office.values["note"] == chosen
    assert office.conflicts == {}


def test_an_edit_unseen_by_who_settled_a_conflict_is_a_new_one() -> None:
    office, home = with_note("office", "home")
    office.sets("note", "Something else altogether, which nobody can take for the other.")
    home.sets("note", TWO + " And glue.")
    meet(office, home)
    office.writes(lambda plan, entries: texts.plan_replace(plan, entries, "note", "Settled."))
    train = Desk("train").learns(home)
    train.sets("note", "Something else altogether, which nobody can take for the one.")
    meet(office, home, train)
    assert office.values["note"] == "Settled."
    assert office.conflicts["note"][1:] == [
        "Something else altogether, which nobody can take for the one."
    ]


def test_a_cleared_text_shows_nothing_and_can_be_written_again() -> None:
    office, home = with_note("office", "home")
    office.clears("note")
    assert "note" not in office.values
    office.sets("note", "Again.")
    meet(office, home)
    assert home.values["note"] == "Again."
    assert home.conflicts == {}


def test_a_text_of_every_width_of_character_is_edited_in_place() -> None:
    note = "Größe: 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 für 漢字 und 👩‍👩‍👧, gut."
    office, home = with_note("office", "home", note=note)
    office.sets("note", note.replace("漢字", "漢字 かな"))
    home.sets("note", note.replace("gut", "sehr gut 👍"))
    meet(office, home)
    assert office.values["note"] == note.replace("漢字", "漢字 かな").replace("gut", "sehr gut 👍")


def test_an_edit_of_a_text_says_who_edited_in_a_stamp() -> None:
    office, home = with_note("office", "home")
    home.sets("note", TWO + " And glue.", now_ms=NOW_MS + 5000)
    ((_, mark),) = texts.edit_marks(home.entries, "note")
    assert mark.slot == home.slot
    meet(office, home)


def authors(desk: Desk, field: str) -> list[str]:
    """Who wrote the values of a conflict, the shown one first."""
    (found,) = [one for one in desk.view.conflicts if one.field == field]
    return [one.slot for one in found.values]


def test_an_edit_unseen_keeps_its_author_whatever_else_is_edited_since() -> None:
    holding: Values = {"title": "On Paper", "note": TWO, "abstract": TWO, "tags": ("a",)}
    office, home = desks("office", "home", holding=holding)
    office.sets("note", "Something else altogether, which nobody can take for the other.")
    home.edits(
        Edit("note", Act.SET, (TWO + " And glue.",)), Edit("abstract", Act.SET, (TWO + " Indeed.",))
    )
    home.removes("tags", "a")
    meet(office, home)
    assert authors(office, "note") == [office.slot, home.slot]
    train = Desk("train").learns(office)
    train.sets("note", "Something else altogether, which nobody can take for another.")
    train.sets("abstract", TWO + " Indeed, indeed.")
    meet(office, home, train)
    assert authors(office, "note") == [office.slot, home.slot]
    assert office.view.conflicts[0].values[1].stamp != "0" * 18


def test_a_text_edited_again_has_the_mark_of_the_last_edit_alone() -> None:
    office, home = with_note("office", "home")
    home.sets("note", TWO + " And glue.", now_ms=NOW_MS + 5000)
    office.learns(home)
    office.sets("note", TWO + " And glue. And thread.", now_ms=NOW_MS - 5000)
    meet(office, home)
    assert [mark.slot for _, mark in texts.edit_marks(home.entries, "note")] == [office.slot]


def marks_as_before(desk: Desk, content: str) -> None:
    """Edit the note as earlier versions did, which had one mark for the whole record."""

    def write(plan: Plan, entries: Entries) -> None:
        (standing,) = texts.values(entries, "note")
        assert standing.content is not None
        key = join("note", str(standing.text))
        plan.edit_text(key, texts.differences(standing.content, content))
        plan.put(texts.MODIFIED, key, seen=entries.live(texts.MODIFIED))

    desk.writes(write)


def test_the_mark_of_an_earlier_version_goes_on_saying_who_edited() -> None:
    office, home = with_note("office", "home")
    office.sets("note", "Something else altogether, which nobody can take for the other.")
    marks_as_before(home, TWO + " And glue.")
    train = Desk("train").learns(home)
    train.adds("tags", "a")
    train.removes("tags", "a")
    meet(office, home, train)
    assert authors(office, "note") == [office.slot, home.slot]


def test_an_edit_takes_the_place_of_a_mark_of_an_earlier_version() -> None:
    office, home = with_note("office", "home")
    marks_as_before(home, TWO + " And glue.")
    office.learns(home)
    office.sets("note", TWO + " And glue. And thread.", now_ms=NOW_MS - 5000)
    assert [mark.slot for _, mark in texts.edit_marks(office.entries, "note")] == [office.slot]


@each(
    ("old", "new"),
    [
        ("", "a"),
        ("a", ""),
        ("abc", "abc"),
        ("aaa", "aa"),
        ("one two three", "one three"),
        ("one two three", "one 2 three four"),
        ("a b a b a", "b a b"),
        ("same start, old end", "same start, new end"),
        ("line one\nline two\nline three", "line one\nline 2\nline three\n"),
    ],
)
def test_differences_make_the_new_of_the_old(old: str, new: str) -> None:
    assert applied(old, texts.differences(old, new)) == new


def test_the_differences_of_one_word_touch_that_word_only() -> None:
    edits = texts.differences("the cat sat on the mat", "the dog sat on the mat")
    assert sum(edit.removed for edit in edits) <= len("cat ")


def test_a_very_long_text_is_compared_by_lines() -> None:
    lines = [f"line {number} of a long note\n" for number in range(4000)]
    old = "".join(lines)
    assert len(old) > limits.DIFF_WORDS_CHARACTERS_MAX
    lines[7] = "the seventh\n"
    lines[3990] = "the last but nine\n"
    new = "".join(lines)
    edits = texts.differences(old, new)
    assert len(edits) == 2
    assert applied(old, edits) == new


def applied(old: str, edits: list[TextEdit]) -> str:
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        old = old[: edit.start] + edit.inserted + old[edit.start + edit.removed :]
    return old
