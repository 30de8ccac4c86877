"""Notes and annotations made, changed and taken away, as programs of Zotero's interface send them.

What is not different stays as it is, whoever wrote it meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifolio.formats.zotero.interface_items import note_html
from bifolio.formats.zotero.notes import note_text
from bifolio.library.value_edits import ValueEdits
from bifolio.records.notes import ANNOTATION
from bifolio.results import WindowRow
from bifolio.serve.answers import Refusal
from bifolio.serve.item_checks import check_annotation_type, read_tags
from bifolio.serve.note_objects import (
    FILE,
    attribute_values,
    find_annotation,
    find_note,
    is_annotation,
    note_text_of,
)
from bifolio.serve.served_library import ServedLibrary


class NoteWrites:
    """Writes of notes and annotations in one library."""

    def __init__(self, served: ServedLibrary) -> None:
        self._served = served

    def create_note(self, record: str, given: Mapping[str, Any], key: str | None) -> str:
        """Add a note to a reference; its key."""
        text = note_text(str(given.get("note") or ""))
        if not text.strip():
            raise Refusal(400, "The note is empty")
        made = self._served.library.notes.add(record, text, tags=read_tags(given) or ())
        return self._served.names.add(record, made.field, wanted=key)

    def create_annotation(self, given: Mapping[str, Any], key: str | None) -> str:
        """Add an annotation to the file that it names as its parent; its key."""
        parent = given.get("parentItem")
        named = self._served.names.find(parent) if isinstance(parent, str) else None
        if named is None or (named.part and not named.part.startswith(FILE)):
            raise Refusal(400, "An annotation belongs to a file: give 'parentItem'")
        values = attribute_values(given)
        check_annotation_type(values.get("type"))
        if named.part:
            values["file"] = named.part.split("/")[1]
        made = self._served.library.annotations.add(
            named.record, values, tags=read_tags(given) or ()
        )
        return self._served.names.add(named.record, made.field, wanted=key)

    def change(self, row: WindowRow, part: str, given: Mapping[str, Any]) -> bool:
        """Change a note or an annotation; whether anything was different."""
        if given.get("deleted"):
            self.remove(row, part)
            return True
        if is_annotation(part):
            return self._change_annotation(row, part, given)
        text, tags = self._new_text(row, part, given), read_tags(given)
        note = find_note(row, part)
        if tags is not None and set(tags) == set(note.tags if note is not None else ()):
            tags = None
        if text is None and tags is None:
            return False
        if text == "":
            self.remove(row, part)
        elif part == ANNOTATION:  # which is a note to Zotero, and a text without tags here
            return text is not None and ValueEdits(self._served.library).change(
                row.id, {part: text}
            )
        else:
            note_id = note.id if note is not None else part_id(part)
            self._served.library.notes.edit(row.id, note_id, text=text, tags=tags)
        return True

    def remove(self, row: WindowRow, part: str) -> None:
        """Take a note or an annotation away."""
        library = self._served.library
        if is_annotation(part):
            if (annotation := find_annotation(row, part)) is not None:
                library.annotations.remove(row.id, annotation.id)
        elif (note := find_note(row, part)) is not None:
            library.notes.remove(row.id, note.id)
        else:
            ValueEdits(library).change(row.id, {part: None})

    def _new_text(self, row: WindowRow, part: str, given: Mapping[str, Any]) -> str | None:
        """What a note is to say; None where a program sends what it was answered."""
        if "note" not in given:
            return None
        html, before = str(given["note"] or ""), note_text_of(row, part)
        if html == note_html(before):
            return None
        text = note_text(html)
        return None if text == before else text.strip() and text

    def _change_annotation(self, row: WindowRow, part: str, given: Mapping[str, Any]) -> bool:
        found = find_annotation(row, part)
        if found is None:
            return False
        said = attribute_values(given)
        if "type" in said:
            check_annotation_type(said["type"])
        values = {name: value for name, value in said.items() if value != getattr(found, name)}
        tags = read_tags(given)
        if tags is not None and set(tags) == set(found.tags):
            tags = None
        if not values and tags is None:
            return False
        self._served.library.annotations.edit(row.id, found.id, values, tags=tags)
        return True


def part_id(part: str) -> str:
    """The id of the note of a part."""
    return part.rpartition(":")[2] if ":" in part else "0"
