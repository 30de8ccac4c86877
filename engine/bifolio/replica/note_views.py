"""The notes and annotations of a reference as they are shown: numbered, each with its own name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from bifolio.clock import make_stamp
from bifolio.records import notes
from bifolio.replica import lookup
from bifolio.results import AnnotationView, NoteView
from bifolio.storage.derived import ReferenceRow


def note_views(row: ReferenceRow) -> tuple[NoteView, ...]:
    """All notes of a reference, in their order."""
    found = notes.notes_of(row.fields, row.note)
    return tuple(
        NoteView(
            n=number,
            id=one.id,
            field=notes.text_field(notes.NOTE, one.id),
            text=one.text,
            tags=one.tags,
            added=_added(one.id),
        )
        for number, one in enumerate(found, start=1)
    )


def annotation_views(fields: Mapping[str, Any]) -> tuple[AnnotationView, ...]:
    """All annotations of a reference, in their order."""
    found = notes.annotations_of(fields)
    return tuple(
        AnnotationView(
            n=number,
            field=notes.text_field(notes.ANNOTATION, one.id),
            added=_added(one.id),
            **structs.asdict(one),
        )
        for number, one in enumerate(found, start=1)
    )


def _added(part_id: str) -> str | None:
    milliseconds = notes.made_at(part_id)
    if milliseconds is None:
        return None
    return lookup.moment(make_stamp(milliseconds=milliseconds, counter=0))
