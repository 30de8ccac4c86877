"""Notes and annotations as Zotero's objects: what each says, and which item each belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bifolio.formats.zotero.children import ANNOTATION_FIELDS
from bifolio.formats.zotero.interface_items import note_html
from bifolio.records.notes import ANNOTATION, NOTE
from bifolio.results import AnnotationView, NoteView, WindowRow

FILE: Final = "file/"

_IS_ANNOTATION: Final = f"{ANNOTATION}:"


def is_note(part: str) -> bool:
    """Whether a part of a reference is a note: also the annotation that is only a text."""
    return part in (NOTE, ANNOTATION) or part.startswith(f"{NOTE}:")


def is_annotation(part: str) -> bool:
    """Whether a part of a reference is an annotation of a file."""
    return part.startswith(_IS_ANNOTATION)


def find_note(row: WindowRow, part: str) -> NoteView | None:
    """A note with its tags; None of one that is only the text of a field."""
    return next((one for one in row.notes if one.field == part), None)


def find_annotation(row: WindowRow, part: str) -> AnnotationView | None:
    """An annotation; None where it is gone."""
    return next((one for one in row.annotations if one.field == part), None)


def note_text_of(row: WindowRow, part: str) -> str:
    """What a note says, as it is stored."""
    if part == ANNOTATION and (first := find_annotation(row, part)) is not None:
        return first.comment
    note = find_note(row, part)
    return str(row.fields.get(part, "")) if note is None else note.text


def note_data(row: WindowRow, part: str) -> dict[str, Any]:
    """What Zotero's object of a note has."""
    note = find_note(row, part)
    tags = note.tags if note is not None else ()
    return {"note": note_html(note_text_of(row, part)), "tags": [{"tag": one} for one in tags]}


def annotation_data(row: WindowRow, part: str) -> dict[str, Any]:
    """What Zotero's object of an annotation has."""
    annotation = find_annotation(row, part)
    if annotation is None:
        return {"tags": []}
    data: dict[str, Any] = {
        theirs: getattr(annotation, ours) for ours, theirs in ANNOTATION_FIELDS.items()
    }
    return {**data, "tags": [{"tag": one} for one in annotation.tags]}


def added_of(row: WindowRow, part: str) -> str | None:
    """When a note or an annotation was made; with its reference, where nobody knows."""
    found = find_note(row, part) or find_annotation(row, part)
    return row.added if found is None or found.added is None else found.added


def note_texts(row: WindowRow) -> list[str]:
    """What all notes of a reference say; behind them all annotations, as one text."""
    notes = [one.text for one in row.notes] or [str(row.fields.get(NOTE, ""))]
    return [*filter(None, (*notes, str(row.fields.get(ANNOTATION, ""))))]


def parent_part(row: WindowRow, part: str, parts: Iterable[str]) -> str:
    """The part that a note or an annotation hangs on: the file that an annotation is in.

    Args:
        parts: those that the reference has.

    Returns:
        empty for the reference itself.
    """
    annotation = find_annotation(row, part) if is_annotation(part) else None
    if annotation is None:
        return ""
    files = [one for one in parts if one.startswith(FILE)]
    for one in files:
        if is_in(annotation, one):
            return one
    return files[0] if len(files) == 1 else ""  # another version of it


def is_in(annotation: AnnotationView, file: str) -> bool:
    """Whether an annotation names a file: ``file/HASH/NAME``."""
    _, content, name = file.split("/", 2)
    return bool(annotation.file) and (
        annotation.file == content or annotation.file.rpartition("/")[2] == name
    )


def attribute_values(given: Mapping[str, Any]) -> dict[str, str]:
    """What a program says of an annotation, by our names."""
    return {
        ours: str(given[theirs] or "")
        for ours, theirs in ANNOTATION_FIELDS.items()
        if theirs in given
    }
