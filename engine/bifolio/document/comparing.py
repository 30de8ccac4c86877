"""What one change did to a record, as its readers see it: the fields before and after it.

Reads entries only. A change that lost against a concurrent one changes nothing that is shown;
it is told as a value *beside* the shown one, because somebody typed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from bifolio.document import creators, deletion, sets, texts, view
from bifolio.document.entries import Entries, Live, without_superseded_imports
from bifolio.document.groups import MEMBERSHIP
from bifolio.records.fields import FIELDS, MergeRule
from bifolio.records.reference import value_to_json


class Fate(Enum):
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

    fate: Fate
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
    if fate is Fate.CHANGED:
        unheard = [
            one for one in written(before, after, deletion.REGISTER) if one.value is not None
        ]
        if unheard and not new.trashed:
            return Comparison(Fate.DELETED, tuple(fields), unheard[0], holds=False)
    return Comparison(fate, tuple(fields), _fate_writer(before, after, fate))


def written(before: Entries, after: Entries, name: str) -> list[Live]:
    """The values of a register that are new in the later state, newest first."""
    known = {(live.slot, live.stamp) for live in before.live(name)}
    return [live for live in after.live(name) if (live.slot, live.stamp) not in known]


def registers_of(entries: Entries, field: str) -> list[str]:
    """The registers in which a field's value stands."""
    rule = FIELDS.get(field)
    if field == MEMBERSHIP or rule is MergeRule.SET:
        return entries.under(sets.MARK + field)
    if rule is MergeRule.CREATORS:
        return [creators.list_register(field), *entries.under(creators.ELEMENT)]
    return [field]


def _writer(before: Entries, after: Entries, field: str) -> Live | None:
    """The newest value that the change wrote for a field."""
    found = [live for name in registers_of(after, field) for live in written(before, after, name)]
    known = texts.edit_marks(before, field)
    found += [mark[1] for mark in texts.edit_marks(after, field) if mark not in known]
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
        field = conflict.field.partition(view.ELEMENT_MARK)[0]
        if conflict.kind is view.ConflictKind.REVIVED:
            continue
        if conflict.kind is view.ConflictKind.TEXT:
            found += _texts_beside(before, after, field)
            continue
        fresh = {
            (live.slot, live.stamp)
            for name in registers_of(after, field)
            for live in written(before, after, name)
        }
        for one in conflict.values[1:]:
            if (conflict.field, one.slot, one.stamp) in listed:
                continue
            if (one.slot, one.stamp) in fresh:
                shown = conflict.values[0].value
                live = Live(one.stamp, one.slot, None)
                found.append(FieldChange(field, shown, one.value, live, beside=True))
    return found


def _texts_beside(before: Entries, after: Entries, field: str) -> list[FieldChange]:
    """The texts of a conflict that the change wrote or edited, the shown one left out.

    An edit leaves no trace in the field's own register, and where two devices edited one text,
    the conflict tells the later of them: so they are compared by name and content.
    """
    before, after = without_superseded_imports(before), without_superseded_imports(after)
    known = {(one.text, one.content) for one in texts.values(before, field)}
    marks = texts.edit_marks(before, field)
    edits = [mark for mark in texts.edit_marks(after, field) if mark not in marks]
    fresh = {(live.slot, live.stamp) for live in written(before, after, field)}
    shown, *others = texts.values(after, field)
    found = []
    for one in others:
        if (one.text, one.content) in known:
            continue
        live = next((mark for text, mark in edits if text == one.text), None)
        if live is None and (one.slot, one.stamp) in fresh:
            live = Live(one.stamp, one.slot, None)
        if live is not None:
            found.append(FieldChange(field, shown.content, one.content, live, beside=True))
    return found


def _fate(after: Entries, old: view.RecordView, new: view.RecordView) -> Fate:
    if not old.kind and new.kind:
        return Fate.CREATED
    if new.purged and not old.purged:
        return Fate.PURGED
    if old.purged and new.trashed and not new.purged:
        return Fate.UNPURGED
    if new.trashed and not old.trashed:
        return Fate.DELETED
    if old.trashed and not new.trashed:
        return Fate.REVIVED if deletion.is_revived(after) else Fate.RESTORED
    return Fate.CHANGED


def _fate_writer(before: Entries, after: Entries, fate: Fate) -> Live | None:
    if fate is Fate.CREATED:
        found = written(before, after, "kind")
    elif fate is Fate.CHANGED:
        found = []
    else:
        found = [live for name in deletion.MARKS for live in written(before, after, name)]
    return found[0] if found else None
