"""What is shown of a record: values, conflicts, the trash.

Reads entries only. Who and when are given as slot and stamp; the storage of device names is
the settings record's (``devices``).
"""

from __future__ import annotations

from msgspec import Struct

from bifolio.document import deletion, groups, registers
from bifolio.document.conflicts import DELETED, ConflictKind, ConflictValue, FieldConflict
from bifolio.document.editing import KIND
from bifolio.document.entries import Entries
from bifolio.document.field_kinds import fields_in, read_fields
from bifolio.ids import SEPARATOR
from bifolio.records.canonical import stored_json
from bifolio.records.reference import Values

_REFERENCE = "reference"


class RecordView(Struct, frozen=True):
    """A record as it is shown."""

    kind: str
    values: Values
    conflicts: tuple[FieldConflict, ...]
    trashed: bool
    purged: bool
    key_rank: tuple[str, str] | None


def kind_of(entries: Entries) -> str:
    """The record's kind, empty of one that holds nothing.

    The kind comes with what creates a record. Where only that does not count any more, or a member
    deleted it, the rest tells: what others wrote into a reference is not lost with it.
    """
    live = registers.read_shown(entries, KIND)
    if live is not None:
        return live.value or ""
    if any(name in entries.registers for name in groups.OWN_FIELDS):
        return groups.GROUP
    return _REFERENCE if next(fields_in(entries), None) is not None else ""


def read_view(entries: Entries) -> RecordView:
    """Everything that is shown of a record, its superseded imports already left out."""
    values, conflicts = read_fields(entries)
    if deletion.is_revived(entries):
        conflicts.append(_revival(entries))
    key = registers.read_shown(entries, "citation-key")
    return RecordView(
        kind=kind_of(entries),
        values=values,
        conflicts=tuple(conflicts),
        trashed=deletion.is_trashed(entries),
        purged=deletion.is_purged(entries),
        key_rank=key.rank if key and key.value is not None else None,
    )


def devices(entries: Entries) -> dict[str, str]:
    """From the settings record: the name of each device by the tag of its slots."""
    names: dict[str, list[str]] = {}
    for name in entries.under("device"):
        tag = name.split(SEPARATOR)[1]
        for live in entries.registers[name]:
            stored = stored_json(live.value)
            if isinstance(stored, dict) and stored.get("name"):
                known = names.setdefault(tag, [])
                if str(stored["name"]) not in known:
                    known.append(str(stored["name"]))
    return {tag: " or ".join(sorted(known)) for tag, known in names.items()}


def _revival(entries: Entries) -> FieldConflict:
    """The flag of a reference that an unseen edit brought back."""
    seen = deletion.seen_by_all(entries)
    unseen = max(
        (stamp, slot)
        for slot, stamp in deletion.edits(entries).items()
        if stamp > seen.get(slot, "")
    )
    values = [ConflictValue("kept, because it was edited", unseen[0], unseen[1])]
    for what, marks in (
        ("removed with the trash", deletion.live_purges(entries)),
        ("deleted", deletion.live_deletions(entries)),
    ):
        values += [ConflictValue(what, live.stamp, live.slot) for live, _ in marks]
    return FieldConflict(DELETED, ConflictKind.REVIVED, tuple(values))
