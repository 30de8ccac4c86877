"""From a record to the columns that lists read, and back to what is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bifolio import lazy
from bifolio.document import merged_references, sets
from bifolio.document.deletion import MERGED_INTO
from bifolio.document.entries import Entries
from bifolio.document.groups import read_group
from bifolio.errors import DATA_FAULTS
from bifolio.records import attachments
from bifolio.records.attachments import Attachment
from bifolio.records.canonical import nfc
from bifolio.records.dates import date_year
from bifolio.records.key_patterns import KEY_ROLES
from bifolio.records.names import Name
from bifolio.records.notes import ANNOTATION, annotations_text, is_part
from bifolio.records.reference import Source, Value, Values, value_to_json
from bifolio.storage.attachments import AttachmentRow
from bifolio.storage.derived import (
    DerivedReference,
    ReferenceRow,
    SourceRow,
    StoredBefore,
    StoredReference,
)
from bifolio.storage.groups import GroupRow
from bifolio.storage.purged import PurgedRow

if TYPE_CHECKING:
    from bifolio.document import importing
    from bifolio.document import view as views
    from bifolio.replica import rederiving
else:
    rederiving = lazy.module("bifolio.replica.rederiving")
    views = lazy.module("bifolio.document.view")
    importing = lazy.module("bifolio.document.importing")

#: Fields that have columns of their own.
COLUMNS = ("title", "abstract", "note", "citation-key", "type")

#: The title of a reference of which nothing else can be shown.
_UNREADABLE = "(this reference cannot be shown; its content is kept)"

#: Fields that are shown next to the others.
_APART = ("tags", "groups", "files", MERGED_INTO, "shown-on")


def derive(
    record_id: str, entries: Entries, *, sources: Sequence[Source] | None = None
) -> DerivedReference:
    """All that is derived from a reference, its superseded imports already left out.

    Args:
        sources: where it was imported from, for who knows: they need not be read from it.
    """
    if sources is None:
        sources = importing.sources(entries)
    shown = views.read_view(entries)
    row = reference_row(record_id, shown)
    if row.trashed and (kept := merged_references.merged_into(entries)) is not None:
        row.fields[MERGED_INTO] = kept  # next to the fields: lists need no document for it
    merged = [SourceRow(record_id, *one) for one in merged_references.merged_sources(entries)]
    purged = PurgedRow(row.id, row.key, row.title or "") if shown.purged else None
    is_plain = not (row.trashed or row.conflicts or purged)
    return DerivedReference(
        row,
        [*(source_row(record_id, source) for source in sources), *merged],
        attachment_rows(record_id, entries),
        purged,
        rederiving.basis_of(entries) if is_plain else None,
    )


def derive_whatever(record_id: str, entries: Entries) -> DerivedReference:
    """``derive``; a reference whose values no reader here can take is listed by its id and says so.

    What another member wrote is data, but a fault of ours in reading it must not stop a merge.
    """
    try:
        return derive(record_id, entries)
    except DATA_FAULTS as error:
        return _unreadable(record_id, error)


def rederive_whatever(visible: Entries, before: StoredBefore | None) -> StoredReference | None:
    """``rederiving.rederive``; None too of values that it cannot take."""
    if before is None or before.basis is None:
        return None
    try:
        return rederiving.rederive(visible, before)
    except DATA_FAULTS:
        return None


def to_stored_whatever(
    derived: DerivedReference, before: StoredBefore | None = None
) -> StoredReference:
    """``DerivedReference.to_stored``; of values that no table here can take it says so."""
    try:
        return derived.to_stored(before)
    except DATA_FAULTS as error:
        return _unreadable(derived.row.id, error).to_stored()


def _unreadable(record_id: str, error: Exception) -> DerivedReference:
    note = f"its values cannot be read here ({type(error).__name__})"
    shown: Values = {"title": _UNREADABLE, "note": note}
    view = views.RecordView("reference", shown, (), False, False, None)
    return DerivedReference(reference_row(record_id, view), [], [], None)


def reference_row(record_id: str, view: views.RecordView) -> ReferenceRow:
    """What is derived from a reference."""
    values = view.values
    fields: dict[str, Any] = {}
    creators: list[str] = []
    for name, value in values.items():
        if type(value) is str:
            if name not in COLUMNS:
                fields[name] = value
            continue
        if isinstance(value, tuple) and value and isinstance(value[0], Name):
            creators += map(str, value)
        if name not in COLUMNS:
            fields[name] = value_to_json(value)
    issued = values.get("issued")
    return ReferenceRow(
        id=record_id,
        key=nfc(_text(values.get("citation-key"))),
        key_rank="".join(view.key_rank) if view.key_rank else "",
        type=_text(values.get("type")) or "document",
        title=_optional(values.get("title")),
        creators="; ".join(creators),
        container=_text(values.get("container-title")),
        abstract=_optional(values.get("abstract")),
        note=_optional(values.get("note")),
        tags="; ".join(_strings(values.get("tags"))),
        fields=dict(sorted(fields.items())),  # as they are when they are read from the row again
        year=date_year(issued) if isinstance(issued, dict) else None,
        trashed=view.trashed,
        conflicts=len(view.conflicts),
    )


def source_row(record_id: str, source: Source) -> SourceRow:
    """One place where a reference was imported from."""
    return SourceRow(record_id, source.format, source.id, source.content(), source.blocks)


def attachment_rows(record_id: str, entries: Entries) -> list[AttachmentRow]:
    """The files of a reference; an element that is no safe attachment is carried, not shown."""
    found = []
    for (stamp, slot), element in sets.rank_elements(entries, attachments.FIELD):
        if (one := Attachment.from_element(element)) is not None:
            found.append(AttachmentRow(record_id, one.hash, one.name, one.size, stamp, slot))
    return found


def group_row(record_id: str, entries: Entries) -> GroupRow:
    """What is derived from a group."""
    group = read_group(entries)
    return GroupRow(
        id=record_id,
        name=group.name,
        parent=group.parent,
        parent_rank=group.parent_rank,
        position=group.position,
        colour=group.colour,
        query=group.query,
        deleted=group.deleted,
        revived=group.revived,
    )


def shown_fields(row: ReferenceRow) -> dict[str, Any]:
    """The CSL-JSON fields of a row, all annotations as one text; tags, groups, files and further
    notes are shown apart."""
    fields: dict[str, Any] = {}
    for name, value in (("title", row.title), ("abstract", row.abstract), ("note", row.note)):
        if value is not None:
            fields[name] = value
    more = False
    for name, value in row.fields.items():
        if ":" in name and is_part(name):
            more = True
        elif name not in _APART:
            fields[name] = value
    if more and (text := annotations_text(row.fields)):
        fields[ANNOTATION] = text
    return fields


def key_values(row: ReferenceRow) -> Values:
    """What patterns of citation keys read of a reference."""
    values: Values = {"type": row.type}
    for name, value in shown_fields(row).items():
        if isinstance(value, str | dict):
            values[name] = value
        elif name in KEY_ROLES:
            values[name] = tuple(Name.from_csl(one) for one in value)
    return values


def has_parts(row: ReferenceRow) -> bool:
    """Whether a reference has notes or annotations beyond the first ones."""
    return any(is_part(name) for name in row.fields if ":" in name)


def strings_of(fields: Mapping[str, Any], name: str) -> list[str]:
    """A list of strings among a row's fields."""
    value = fields.get(name)
    return [str(one) for one in value] if isinstance(value, list) else []


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""


def _optional(value: Value | None) -> str | None:
    return value if isinstance(value, str) else None


def _strings(value: Value | None) -> list[str]:
    return [str(one) for one in value] if isinstance(value, tuple) else []
