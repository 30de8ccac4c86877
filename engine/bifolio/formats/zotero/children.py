"""Zotero's notes and annotations, as tags of the item that they belong to, and back to fields.

==================  ========================================================================
``note``            the first note of an item (HTML), or the text of an item that is one
``note/ID``         each further one
``note-tag/ID``     a tag of it; of the first one ``note-tag/0``
``annotation/ID``   an annotation: canonical JSON
``annotation``      the same in sources of earlier versions: all of them are one text
==================  ========================================================================

The id is made of the moment at which Zotero made it and of Zotero's key, so that every computer
gives it the same one, and a newer version of the library changes the same note. May not know the
database, nor the files in which they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from bifolio.formats.field_collector import FieldCollector
from bifolio.formats.zotero.notes import note_text
from bifolio.records.canonical import canonical_json, stored_json
from bifolio.records.notes import (
    ANNOTATION,
    ATTRIBUTES,
    FIRST,
    NOTE,
    TAGS,
    attribute_field,
    imported_id,
    read_part,
    text_field,
)

_FURTHER: Final = "note/"
_NOTE_TAG: Final = "note-tag/"
_ANNOTATION: Final = "annotation/"

#: Zotero's database numbers the types of annotations, its interface names them.
ANNOTATION_TYPES: Final = {
    "1": "highlight",
    "2": "note",
    "3": "image",
    "4": "ink",
    "5": "underline",
    "6": "text",
}


#: What the interface calls the parts of an annotation.
ANNOTATION_FIELDS: Final = {
    "type": "annotationType",
    "text": "annotationText",
    "comment": "annotationComment",
    "colour": "annotationColor",
    "page": "annotationPageLabel",
    "position": "annotationPosition",
    "sort": "annotationSortIndex",
    "author": "annotationAuthorName",
}


class ChildNote(Struct, frozen=True):
    """A note of an item: its HTML, Zotero's key, when it was made there, its tags."""

    html: str
    key: str = ""
    added: str = ""
    tags: Sequence[str] = ()


def note_tags(notes: Iterable[ChildNote], *, is_first: bool = True) -> Iterator[tuple[str, str]]:
    """Notes of one item as tags, in this order.

    Args:
        is_first: whether the first of them is the item's first.
    """
    for place, one in enumerate(notes, start=1):
        if is_first:
            part_id, is_first = FIRST, False
            yield NOTE, one.html
        else:
            part_id = _id(one.added, one.key or one.html, place)
            yield _FURTHER + part_id, one.html
        for name in one.tags:
            yield _NOTE_TAG + part_id, name


def annotation_tag(
    said: Mapping[str, Any], *, key: str, added: str, place: int
) -> tuple[str, str] | None:
    """An annotation as a tag; None where it says nothing.

    Args:
        said: by the names of ``records.notes``: ``comment`` (HTML) and its attributes, ``type`` as
            Zotero's number or name.
        key: Zotero's.
        added: when it was made there.
        place: its number among those of its item.
    """
    kept = {name: value for name, value in said.items() if value}
    if not kept.keys() & {"comment", "text", "type"}:
        return None
    written = canonical_json(kept)
    return _ANNOTATION + _id(added, key or written, place), written


def gather_child(collector: FieldCollector, index: int, tag: str, raw: str) -> bool:
    """Give a tag of a further note or an annotation to its fields; False of any other tag."""
    kind, _, part_id = tag.partition("/")
    if not part_id:
        return False
    of = ANNOTATION if kind == ANNOTATION else NOTE
    is_known = part_id == FIRST or read_part(f"{of}:{part_id}") is not None
    if not is_known or (part_id == FIRST and tag != _NOTE_TAG + FIRST):
        return False
    if tag.startswith(_FURTHER):
        collector.append(index, text_field(NOTE, part_id), note_text(raw))
    elif tag.startswith(_NOTE_TAG):
        collector.append(index, attribute_field(NOTE, part_id, TAGS), raw)
    elif tag.startswith(_ANNOTATION):
        _gather_annotation(collector, index, part_id, stored_json(raw))
    else:
        return False
    return True


def _gather_annotation(collector: FieldCollector, index: int, part_id: str, stored: object) -> None:
    said = stored if isinstance(stored, dict) else {}
    collector.append(index, text_field(ANNOTATION, part_id), note_text(_text(said.get("comment"))))
    for name in ATTRIBUTES[ANNOTATION]:
        field = attribute_field(ANNOTATION, part_id, name)
        if name == TAGS:
            for one in said.get(TAGS) or ():
                collector.append(index, field, _text(one))
        else:
            value = _text(said.get(name))
            if name == "type":
                value = ANNOTATION_TYPES.get(value, value)
            collector.candidate(index, field, value)


def _id(added: str, own: str, place: int) -> str:
    milliseconds = _milliseconds(added)
    return imported_id(place if milliseconds is None else milliseconds, own)


def _milliseconds(moment: str) -> int | None:
    """A moment as Zotero writes it, in UTC; None of what is none."""
    try:
        at = datetime.fromisoformat(moment.strip().removesuffix("Z"))
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0, int(at.timestamp() * 1000))


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
