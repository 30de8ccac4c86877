"""What is shown of a record: values, conflicts, the trash.

Reads entries only. Who and when are given as slot and stamp; the storage of device names is
the settings record's (``devices``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bifolio.document import creators, deletion, registers, sets, texts
from bifolio.document.editing import KIND
from bifolio.document.entries import Entries, Live
from bifolio.document.groups import MEMBERSHIP
from bifolio.ids import SEPARATOR
from bifolio.records.canonical import stored_json
from bifolio.records.fields import FIELDS, MergeRule, known_rule
from bifolio.records.reference import Values, value_to_json
from bifolio.records.values import decode_by_rule

#: Separates a role from an element's id in the name of a conflict about one creator's name.
ELEMENT_MARK = ":"

DELETED = "deleted"

#: Registers without a separator in their names that are no fields.
_READ_ELSEWHERE = frozenset((KIND, *deletion.MARKS, texts.MODIFIED))


class ConflictKind(StrEnum):
    """What a conflict is about."""

    VALUE = "value"
    TEXT = "text"
    LIST = "list"
    REVIVED = "revived"


@dataclass(frozen=True, slots=True)
class ConflictValue:
    """One of the values: as JSON, and who wrote it when."""

    value: Any
    stamp: str
    slot: str


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """A field with more than one live value; the first is shown."""

    field: str
    kind: ConflictKind
    values: tuple[ConflictValue, ...]


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as it is shown."""

    kind: str
    values: Values
    conflicts: tuple[FieldConflict, ...]
    trashed: bool
    purged: bool
    key_rank: tuple[str, str] | None


def kind_of(entries: Entries) -> str:
    """The record's kind; a record whose kind has not arrived is of none."""
    live = registers.shown(entries, KIND)
    return (live.value or "") if live else ""


def read_view(entries: Entries) -> RecordView:
    """Everything that is shown of a record, its superseded imports already left out."""
    values: Values = {}
    conflicts: list[FieldConflict] = []
    for name in sorted(entries.registers):
        if SEPARATOR not in name and name not in _READ_ELSEWHERE:
            _read_register(entries, name, values, conflicts)
    for role, elements in sorted(creators.living(entries).items()):
        shown = creators.visible(entries, role, elements)
        if shown:
            values[role] = tuple(element.name for element in shown)
        conflicts.extend(_creator_conflicts(entries, role, elements, shown))
    for field, found in sorted(sets.all_elements(entries).items()):
        if field == MEMBERSHIP or FIELDS.get(field) is MergeRule.SET:
            values[field] = tuple(found)
    if deletion.is_revived(entries):
        conflicts.append(_revival(entries))
    key = registers.shown(entries, "citation-key")
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


def _read_register(
    entries: Entries, name: str, values: Values, conflicts: list[FieldConflict]
) -> None:
    """Read one scalar, date, list or text field."""
    rule = known_rule(name)
    if rule is None:
        return  # a newer version's field: carried, not shown
    if rule is MergeRule.TEXT:
        standing = texts.values(entries, name)
        if standing and standing[0].content is not None:
            values[name] = standing[0].content
        if len(standing) > 1:
            listed = [ConflictValue(one.content, one.stamp, one.slot) for one in standing]
            conflicts.append(FieldConflict(name, ConflictKind.TEXT, tuple(listed)))
        return
    lives = registers.distinct(entries.registers[name])
    if lives[0].value is not None:
        values[name] = decode_by_rule(rule, lives[0].value)
    if len(lives) > 1:
        listed = [ConflictValue(_decoded(rule, one), one.stamp, one.slot) for one in lives]
        conflicts.append(FieldConflict(name, ConflictKind.VALUE, tuple(listed)))


def _decoded(rule: MergeRule, live: Live) -> Any:
    return None if live.value is None else value_to_json(decode_by_rule(rule, live.value))


def _creator_conflicts(
    entries: Entries, role: str, elements: list[creators.Creator], shown: list[creators.Creator]
) -> list[FieldConflict]:
    """Lists replaced at the same time, and single names corrected at the same time."""
    found = []
    replacements = creators.lists(entries, role)
    if len(replacements) > 1:
        by_id = {element.id: element for element in elements}
        listed = []
        for live, ids in replacements:
            names = [by_id[one].name.to_csl() for one in ids if one in by_id]
            listed.append(ConflictValue(names, live.stamp, live.slot))
        found.append(FieldConflict(role, ConflictKind.LIST, tuple(listed)))
    for element in shown:
        different = {str(name.to_csl()): (live, name) for live, name in reversed(element.names)}
        if len(different) > 1:
            pairs = sorted(different.values(), key=lambda pair: pair[0].rank, reverse=True)
            listed = [ConflictValue(name.to_csl(), live.stamp, live.slot) for live, name in pairs]
            field = role + ELEMENT_MARK + element.id
            found.append(FieldConflict(field, ConflictKind.VALUE, tuple(listed)))
    return found


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
