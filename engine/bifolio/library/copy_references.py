"""Copies of references in another library, which remember where they came from.

A copy is a reference of its own: the two libraries have nothing to do with each other, so an edit
of one never reaches the other. Its id is a hash of its origin, so that a second copy, be it made
on another computer, finds the first one there. Groups belong to their library and stay behind.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.document import editing, importing
from bifolio.document.entries import Entries
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.plan import Plan
from bifolio.document.view import read_view
from bifolio.errors import SameLibraryError
from bifolio.ids import digest
from bifolio.records import attachments
from bifolio.records.attachments import Attachment
from bifolio.records.reference import Values
from bifolio.replica import lookup
from bifolio.replica.replica import Replica, Write
from bifolio.results import CopiedReference, CopyOutcome, CopyReport, MissingFile
from bifolio.storage.derived import ReferenceRow

#: The field that names a copy's origin: ``LIBRARY ID/RECORD ID``.
ORIGIN = "x.bifolio.origin"


def copy(source: Replica, target: Replica, refs: Sequence[str]) -> CopyReport:
    """Copy references of one library into another, all in one change there.

    The contents of files come along as far as they are on this computer.

    Raises:
        SameLibraryError, ReferenceNotFoundError, TrashedReferenceError: nothing was copied.
    """
    if source.library_id == target.library_id:
        raise SameLibraryError
    copied: list[CopiedReference] = []
    missing: list[MissingFile] = []
    writes: list[tuple[str, Write]] = []
    with target.database.transaction():
        for record_id in lookup.live_ids(source, refs):
            row = source.references.read(record_id)
            if row is None:
                continue
            copy_id = _copy_id(source, target, row)
            there = target.references.read(copy_id)
            if there is not None:
                outcome = CopyOutcome.IN_TRASH if there.trashed else CopyOutcome.EXISTS
                copied.append(CopiedReference(row.id, copy_id, lookup.shown_key(there), outcome))
                continue
            entries = source.document(row.id).visible()
            values = read_view(entries).values
            missing += _copy_files(source, target, row, values)
            writes.append((copy_id, _creation(entries, _copy_values(source, row, values))))
            copied.append(
                CopiedReference(row.id, copy_id, lookup.shown_key(row), CopyOutcome.COPIED)
            )
        target.commit_inside(writes)
    references = tuple(_with_key(target, one) for one in copied)
    return CopyReport(references, tuple(missing))


def _copy_id(source: Replica, target: Replica, row: ReferenceRow) -> str:
    """Where a copy is, or the reference itself that this one is a copy of."""
    for origin in row.fields.get(ORIGIN) or ():
        library, _, record_id = str(origin).partition("/")
        if library == target.library_id.hex() and target.references.read(record_id) is not None:
            return record_id
    return digest(b"bifolio copy", source.library_id, row.id.encode(), size=16).hex()


def _copy_values(source: Replica, row: ReferenceRow, values: Values) -> Values:
    """The values of a copy: without its groups, and with its origin."""
    kept = {field: value for field, value in values.items() if field != MEMBERSHIP}
    return kept | {ORIGIN: (f"{source.library_id.hex()}/{row.id}",)}


def _copy_files(
    source: Replica, target: Replica, row: ReferenceRow, values: Values
) -> list[MissingFile]:
    """Bring the contents along; returns the files whose content is not on this computer."""
    missing = []
    elements = values.get(attachments.FIELD, ())
    for element in elements if isinstance(elements, tuple) else ():
        attachment = Attachment.from_element(str(element))
        if attachment is None:
            continue
        if source.contents.has(attachment.hash):
            if not target.contents.has(attachment.hash):
                target.contents.add(source.contents.path(attachment.hash))
        else:
            missing.append(MissingFile(lookup.shown_key(row), attachment.name))
    return missing


def _creation(origin: Entries, values: Values) -> Write:
    """A new record with these values and the sources that its origin was imported from."""

    def write(plan: Plan, entries: Entries) -> None:
        editing.plan_creation(plan, entries, kind="reference", values=values)
        for name in origin.under(importing.SOURCE):
            plan.put(name, origin.registers[name][0].value, seen=[])

    return write


def _with_key(target: Replica, one: CopiedReference) -> CopiedReference:
    """The copy's key as its library shows it: another reference may keep the same one."""
    row = target.references.read(one.copy)
    key = lookup.shown_key(row) if row is not None else one.key
    return CopiedReference(one.id, one.copy, key, one.outcome)
