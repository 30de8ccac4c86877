"""What one change did to a record, as its readers see it: the fields before and after it.

Reads entries only. A change that lost against a concurrent one changes nothing that is shown;
it is told as a value *beside* the shown one, because somebody typed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from bifolio.document import deletion, view
from bifolio.document.conflicts import ConflictKind
from bifolio.document.entries import Entries, Live, find_new_values, without_superseded_imports
from bifolio.document.field_kinds import field_kind, locate_conflict
from bifolio.records.reference import value_to_json


class RecordTransition(Enum):
    """What a change did to the record as a whole."""

    CHANGED = auto()
    CREATED = auto()
    DELETED = auto()
    PURGED = auto()
    UNPURGED = auto()
    RESTORED = auto()
    REVIVED = auto()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after a change, as JSON; None where it was empty.

    ``live`` is the newest value that the change wrote there, None where it only removed;
    ``beside`` marks a value that lost against one written at the same time, which stays shown.
    """

    field: str
    before: Any
    after: Any
    live: Live | None
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that one change did to a record; ``live`` is what wrote its fate.

    A deletion that did not know of an edit does not hold: the record stays where it was.
    """

    fate: RecordTransition
    fields: tuple[FieldChange, ...]
    live: Live | None
    holds: bool = True


def compare(before: Entries, after: Entries) -> Comparison:
    """What lies between two states of one record, the second one step after the first."""
    old = view.read_view(without_superseded_imports(before))
    new = view.read_view(without_superseded_imports(after))
    fields: list[FieldChange] = []
    for name in sorted({*old.values, *new.values}):
        one, other = old.values.get(name), new.values.get(name)
        if one != other:
            one_json = None if one is None else value_to_json(one)
            other_json = None if other is None else value_to_json(other)
            fields.append(FieldChange(name, one_json, other_json, _writer(before, after, name)))
    fields += _beside(before, after, old, new)
    fate = _fate(after, old, new)
    if fate is RecordTransition.CHANGED:
        unheard = [
            one
            for one in find_new_values(before, after, deletion.REGISTER)
            if one.value is not None
        ]
        if unheard and not new.trashed:
            return Comparison(RecordTransition.DELETED, tuple(fields), unheard[0], holds=False)
    return Comparison(fate, tuple(fields), _fate_writer(before, after, fate))


def _writer(before: Entries, after: Entries, field: str) -> Live | None:
    """The newest value that the change wrote for a field."""
    found = field_kind(field).find_new_values(before, after, field)
    return max(found, key=lambda live: live.rank, default=None)


def _beside(
    before: Entries, after: Entries, old: view.RecordView, new: view.RecordView
) -> list[FieldChange]:
    """Values that the change brought into a conflict without being shown."""
    listed = {
        (conflict.field, one.slot, one.stamp)
        for conflict in old.conflicts
        for one in conflict.values
    }
    found = []
    for conflict in new.conflicts:
        if conflict.kind is ConflictKind.REVIVED:
            continue
        field, kind = locate_conflict(conflict.field)
        shown = conflict.values[0].value
        for value, live in kind.find_hidden_values(before, after, field, conflict):
            if (conflict.field, live.slot, live.stamp) not in listed:
                found.append(FieldChange(field, shown, value, live, beside=True))
    return found


def _fate(after: Entries, old: view.RecordView, new: view.RecordView) -> RecordTransition:
    if not old.kind and new.kind:
        return RecordTransition.CREATED
    if new.purged and not old.purged:
        return RecordTransition.PURGED
    if old.purged and new.trashed and not new.purged:
        return RecordTransition.UNPURGED
    if new.trashed and not old.trashed:
        return RecordTransition.DELETED
    if old.trashed and not new.trashed:
        return RecordTransition.REVIVED if deletion.is_revived(after) else RecordTransition.RESTORED
    return RecordTransition.CHANGED


def _fate_writer(before: Entries, after: Entries, fate: RecordTransition) -> Live | None:
    if fate is RecordTransition.CREATED:
        found = find_new_values(before, after, "kind")
    elif fate is RecordTransition.CHANGED:
        found = []
    else:
        found = [live for name in deletion.MARKS for live in find_new_values(before, after, name)]
    return found[0] if found else None
