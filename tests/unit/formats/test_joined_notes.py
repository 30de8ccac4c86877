"""Formats have one note and one annotation: several are joined, and a report says so."""

from __future__ import annotations

from pathlib import Path

from tests.support.cases import each
from tests.unit.formats.files import export, load_content

from bifolio.formats.joined_notes import join_notes
from bifolio.records.reference import ExportedReference, Values

ONE, TWO = "0VcTc8XUOneMore1", "0VcTc8XZAnother2"
VALUES: Values = {
    "type": "book",
    "title": "On Paper",
    "note": "First.",
    f"note:{ONE}": "Second, 1 < 2.",
    f"note:{ONE}:tags": ("idea",),
    f"annotation:{ONE}:type": "highlight",
    f"annotation:{ONE}:text": "marked",
    f"annotation:{ONE}:page": "3",
    f"annotation:{ONE}:position": "{}",
    f"annotation:{TWO}": "only said",
}


@each("format", "ris bibtex biblatex csl-json enw endnote-xml".split())
def test_every_format_has_all_of_them_as_one_text(format: str) -> None:
    text, report = export([ExportedReference("ab" * 16, VALUES)], format, {})
    assert [(one.field, one.reason) for one in report.lost] == [
        ("notes", "its 2 notes are one text, without tags"),
        ("annotations", "its 2 annotations are one text, without places and colours"),
    ]
    for words in ("First.", "Second, 1", "marked", "only said"):
        assert words in text


def test_what_is_read_back_is_one_note_and_one_annotation(tmp_path: Path) -> None:
    text, _ = export([ExportedReference("ab" * 16, VALUES)], "ris", {})
    (again,) = load_content(tmp_path, text, "again.ris").references
    assert again.values["note"] == "First.\n\nSecond, 1 < 2."
    assert again.values["annotation"] == "> marked (p. 3)\n\nonly said"


def test_one_note_is_itself_and_nothing_is_said_of_it() -> None:
    alone: Values = {"title": "T", f"note:{ONE}": "Only one."}
    assert join_notes(alone) == ({"title": "T", "note": "Only one."}, [])
    before: Values = {"title": "T", "note": "As ever.", "annotation": "As ever."}
    assert join_notes(before)[0] is before
