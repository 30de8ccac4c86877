"""Copies of references in another library, which remember where they came from.

A copy is a reference of its own, to which its library's user adds what is nobody else's: tags,
notes, a read status. Its id is a hash of its origin, so that a second copy, be it made on another
computer, finds the first one there, and brings it what the origin says now. For that the copy keeps
what the origin said of each field when it was copied last: where the copy still says the same, it
follows; where its user wrote something else, that stays, and is named where both did. Of fields
with many values, such as tags, each value is taken by itself. Groups belong to their library and
stay behind, and nothing of a copy ever reaches its origin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from bifolio.document import editing, importing, registers
from bifolio.document.entries import Entries
from bifolio.document.field_kinds import field_kind
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.plan import Plan
from bifolio.document.view import read_view
from bifolio.errors import SameLibraryError
from bifolio.ids import SEPARATOR, digest
from bifolio.lazy import pattern
from bifolio.records import attachments
from bifolio.records.attachments import Attachment
from bifolio.records.canonical import canonical_json
from bifolio.records.fields import COPY_ORIGIN
from bifolio.records.reference import Value, Values, value_to_json
from bifolio.replica import lookup
from bifolio.replica.replica import Replica, Write
from bifolio.results import CopiedReference, CopyOrigin, CopyOutcome, CopyReport, MissingFile
from bifolio.storage.derived import ReferenceRow

#: The field that names a copy's origin.
ORIGIN = COPY_ORIGIN

_ORIGIN = pattern("(?P<library>[0-9a-f]{32})/(?P<record>[0-9a-f]{32})")

#: Under which a copy keeps what its origin said of each field: no field, and never shown.
_COPIED = "copied"
#: Of a longer value only its hash is kept: whether it changed shows that too.
_KEPT_CHARACTERS_MAX = 4096


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
            entries = source.document(row.id).visible()
            values = read_view(entries).values
            if there is not None:
                one, write = _renew(target, row, there, _shared(values), _name_of(source, row))
                copied.append(one)
                if write is not None:
                    missing += _copy_files(source, target, row, values)
                    writes.append((copy_id, write))
                continue
            missing += _copy_files(source, target, row, values)
            name = _name_of(source, row)
            writes.append((copy_id, _creation(entries, _copy_values(source, row, values), name)))
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
    return _shared(values) | {ORIGIN: (f"{source.library_id.hex()}/{row.id}",)}


def _shared(values: Values) -> dict[str, Value]:
    """What a copy takes of its origin's values."""
    return {field: value for field, value in values.items() if field not in (MEMBERSHIP, ORIGIN)}


def _renew(
    target: Replica,
    row: ReferenceRow,
    there: ReferenceRow,
    values: Mapping[str, Value],
    name: str,
) -> tuple[CopiedReference, Write | None]:
    """What becomes of a copy that is there: its outcome, and what is to be written into it."""
    key = lookup.shown_key(there)
    if there.trashed:
        return CopiedReference(row.id, there.id, key, CopyOutcome.IN_TRASH), None
    if not _is_copy_of(there, row):
        return CopiedReference(row.id, there.id, key, CopyOutcome.EXISTS), None
    entries = target.document(there.id).visible()
    own = _shared(read_view(entries).values)
    known = _known_origin(entries)
    changes: dict[str, Value | None] = {}
    kept: list[str] = []
    for field in sorted({*values, *own, *known}):
        now, mine, before = values.get(field), own.get(field), known.get(field)
        if before == _text_of(now) or mine == now:
            continue
        if before == _text_of(mine):
            changes[field] = now
        elif before is not None and (merged := _merged(mine, now, before)) is not None:
            if merged != mine:
                changes[field] = merged
        elif before is not None:
            kept.append(field)
    said = {field: _text_of(values.get(field)) for field in {*values, *known}}
    is_new = any(known.get(field) != text for field, text in said.items())
    is_new |= _kept_text(entries, ORIGIN) != name
    outcome = CopyOutcome.UPDATED if changes else CopyOutcome.EXISTS
    after = own | changes
    differ = [field for field in sorted({*values, *own}) if after.get(field) != values.get(field)]
    one = CopiedReference(
        row.id,
        there.id,
        key,
        outcome,
        kept=tuple(kept),
        updated=tuple(changes),
        own=tuple(field for field in differ if field not in kept),
    )
    if not changes and not is_new:
        return one, None

    def write(plan: Plan, entries: Entries) -> None:
        for field, value in changes.items():
            kind = field_kind(field)
            if value is None:
                kind.plan_clear(plan, entries, field)
            else:
                kind.plan_set(plan, entries, field, value)
        for field, text in {**said, ORIGIN: name}.items():
            registers.plan_set(plan, entries, f"{_COPIED}{SEPARATOR}{field}", text)

    return one, write


def _is_copy_of(there: ReferenceRow, row: ReferenceRow) -> bool:
    """Whether a reference is a copy of another, and not the one that this is a copy of."""
    origins = there.fields.get(ORIGIN) or ()
    return any(str(origin).endswith(f"/{row.id}") for origin in origins)


def _known_origin(entries: Entries) -> dict[str, str]:
    """By field what the origin said of it when it was copied last."""
    found = {}
    for name in entries.under(_COPIED):
        field = name.partition(SEPARATOR)[2]
        text = _kept_text(entries, field)
        if text is not None and field != ORIGIN:
            found[field] = text
    return found


def _kept_text(entries: Entries, field: str) -> str | None:
    """What a copy keeps of a field of its origin; None where it keeps nothing."""
    lives = entries.live(f"{_COPIED}{SEPARATOR}{field}")
    return (lives[0].value or "") if lives else None


def _name_of(source: Replica, row: ReferenceRow) -> str:
    """What the origin is called, as a copy keeps it: the library's name, and the key there."""
    return json.dumps([source.meta.name, lookup.shown_key(row)], ensure_ascii=False)


def origin_of(replica: Replica, row: ReferenceRow) -> CopyOrigin | None:
    """What a reference is a copy of; None where it is none, or cannot be told."""
    origins = row.fields.get(ORIGIN) or []
    named = _ORIGIN.fullmatch(str(origins[0])) if len(origins) == 1 else None
    if named is None:
        return None
    entries = replica.document(row.id).visible()
    lives = entries.live(ORIGIN)
    try:
        said: object = json.loads(_kept_text(entries, ORIGIN) or "null")
    except (ValueError, RecursionError):
        said = None
    library = key = ""
    if isinstance(said, list) and len(said) == 2:
        library, key = map(str, said)
    at = lookup.moment(lives[0].stamp) if lives else None
    return CopyOrigin(library, key, named["library"], named["record"], at)


def _merged(mine: Value | None, now: Value | None, before: str) -> Value | None:
    """Of fields with many values: ours, with what the origin got and without what it lost since;
    None where the field has one value, or it is not known what it was."""
    if not isinstance(mine or (), tuple) or not isinstance(now or (), tuple):
        return None
    try:
        stored = json.loads(before) if before else []
    except ValueError:
        return None
    if not isinstance(stored, list):
        return None
    ours = mine if isinstance(mine, tuple) else ()
    theirs = now if isinstance(now, tuple) else ()
    earlier = {canonical_json(one) for one in stored}

    def text(one: object) -> str:
        return canonical_json(value_to_json((one,))[0])  # type: ignore[arg-type]

    lost = earlier - {text(one) for one in theirs}
    have = {text(one) for one in ours}
    fresh = [one for one in theirs if text(one) not in earlier | have]
    return (*(one for one in ours if text(one) not in lost), *fresh)  # type: ignore[return-value]


def _text_of(value: Value | None) -> str:
    """A value as it is kept: as JSON, of a long one its hash; empty where there is none."""
    if value is None or value == ():
        return ""
    text = canonical_json(value_to_json(value))
    return text if len(text) <= _KEPT_CHARACTERS_MAX else f"#{digest(text.encode()).hex()}"


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


def _creation(origin: Entries, values: Values, name: str) -> Write:
    """A new record with these values and the sources that its origin was imported from."""

    def write(plan: Plan, entries: Entries) -> None:
        editing.plan_creation(plan, entries, kind="reference", values=values)
        for source in origin.under(importing.SOURCE):
            plan.put(source, origin.registers[source][0].value, seen=[])
        for field, value in values.items():
            text = name if field == ORIGIN else _text_of(value)
            registers.plan_set(plan, entries, f"{_COPIED}{SEPARATOR}{field}", text)

    return write


def _with_key(target: Replica, one: CopiedReference) -> CopiedReference:
    """The copy's key as its library shows it: another reference may keep the same one."""
    row = target.references.read(one.copy)
    key = lookup.shown_key(row) if row is not None else one.key
    return replace(one, key=key)
