"""Settling conflicts: a choice by number holds for what this computer last listed."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.document import creators, editing, registers, texts, view
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import ConflictChoiceError
from bifolio.records.edits import PARAGRAPH_BREAK
from bifolio.records.fields import FIELDS, MergeRule, canonical_field
from bifolio.records.names import Name, parse_name
from bifolio.records.reference import Value
from bifolio.records.values import encode_register, parse_value
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import Conflict
from bifolio.storage.derived import ReferenceRow


def remember(replica: Replica, conflicts: Sequence[Conflict]) -> None:
    """Note what was listed, so that a number means what the user saw."""
    fresh = []
    for conflict in conflicts:
        listed = lookup.listing(conflict)
        if replica.listings.read(conflict.ref, conflict.field) != listed:
            fresh.append((conflict.ref, conflict.field, listed))
    if fresh:
        with replica.database.transaction():
            replica.listings.write(fresh)


def resolve(
    replica: Replica,
    row: ReferenceRow,
    field: str,
    *,
    take: int | Sequence[int] | None,
    value: str | None,
) -> None:
    """Settle one conflict of a reference.

    Args:
        take: the number of a value; of a text several, which are then joined as paragraphs.
        value: another value instead.

    Raises:
        ConflictChoiceError: there is none, it changed since it was listed, no such number, or
            several of what is no text.
    """
    # In one transaction: a value that another process merges meanwhile was never listed, and
    # must not be settled away with the others.
    with replica.database.transaction():
        takes = [take] if isinstance(take, int) else list(dict.fromkeys(take or ()))
        _resolve(replica, row, _field(field), takes, value=value)


def _resolve(
    replica: Replica, row: ReferenceRow, name: str, takes: Sequence[int], *, value: str | None
) -> None:
    conflict = next((one for one in lookup.conflicts(replica, row) if one.field == name), None)
    key = lookup.shown_key(row)
    if conflict is None:
        raise ConflictChoiceError(f"'{key}' has no conflict in '{name}'.")
    if conflict.kind == view.ConflictKind.REVIVED:
        raise ConflictChoiceError(
            f"'{key}' was deleted and edited at the same time: 'bifolio restore {key}' keeps it, "
            f"'bifolio delete {key}' deletes it."
        )
    for take in takes:
        _check_listed(replica, conflict, take)
    if len(takes) > 1 and conflict.kind != view.ConflictKind.TEXT:
        raise ConflictChoiceError(
            f"The values of '{name}' are no texts that could be joined: take one of them."
        )

    def write(plan: Plan, entries: Entries) -> None:
        if len(takes) > 1:
            _plan_joined(plan, entries, conflict, takes)
        elif takes:
            _plan_take(plan, entries, conflict, takes[0])
        elif value is not None:
            _plan_value(plan, entries, conflict, value)

    replica.commit_inside([(row.id, write)])


def _field(field: str) -> str:
    if field == view.DELETED or _creator(field) is not None:
        return field
    return canonical_field(field)


def _creator(field: str) -> tuple[str, str] | None:
    """The role and the id where a conflict is about one creator's name; else None."""
    role, mark, element = field.partition(view.ELEMENT_MARK)
    return (role, element) if mark and FIELDS.get(role) is MergeRule.CREATORS else None


def _check_listed(replica: Replica, conflict: Conflict, take: int) -> None:
    listed = replica.listings.read(conflict.ref, conflict.field)
    if listed is None:
        raise ConflictChoiceError(
            f"The conflict in '{conflict.field}' was not listed on this computer yet, so "
            f"--take {take} has no meaning."
        )
    if listed != lookup.listing(conflict):
        raise ConflictChoiceError(
            f"The conflict in '{conflict.field}' has changed since it was listed."
        )
    if not 1 <= take <= len(conflict.values):
        raise ConflictChoiceError(
            f"The conflict in '{conflict.field}' has values 1 to {len(conflict.values)}; "
            f"there is no {take}."
        )


def _plan_take(plan: Plan, entries: Entries, conflict: Conflict, take: int) -> None:
    chosen = conflict.values[take - 1].value
    if conflict.kind == view.ConflictKind.TEXT:
        texts.plan_replace(plan, entries, conflict.field, chosen)
    elif conflict.kind == view.ConflictKind.LIST:
        names = tuple(Name.from_csl(one) for one in chosen)
        creators.plan_set(plan, entries, conflict.field, names)
    elif (creator := _creator(conflict.field)) is not None:
        role, element = creator
        creators.plan_rename(plan, entries, element, role, Name.from_csl(chosen))
    else:
        stored = None if chosen is None else encode_register(_value(chosen))
        registers.plan_set(plan, entries, conflict.field, stored)
    editing.finish(plan, entries)


def _plan_joined(plan: Plan, entries: Entries, conflict: Conflict, takes: Sequence[int]) -> None:
    """Texts below one another in the order given; one that was cleared adds nothing."""
    chosen = [conflict.values[take - 1].value for take in takes]
    joined = PARAGRAPH_BREAK.join(str(one) for one in chosen if one)
    texts.plan_replace(plan, entries, conflict.field, joined)
    editing.finish(plan, entries)


def _plan_value(plan: Plan, entries: Entries, conflict: Conflict, value: str) -> None:
    if (creator := _creator(conflict.field)) is not None:
        role, element = creator
        name = parse_name(value, field=role)
        creators.plan_rename(plan, entries, element, role, name)
    elif conflict.kind == view.ConflictKind.TEXT:
        texts.plan_replace(plan, entries, conflict.field, value)
    elif conflict.kind == view.ConflictKind.LIST:
        parsed = parse_value(conflict.field, [one for one in value.split(";") if one.strip()])
        editing.plan_value(plan, entries, conflict.field, parsed)
    else:
        editing.plan_value(plan, entries, conflict.field, parse_value(conflict.field, (value,)))
    editing.finish(plan, entries)


def _value(chosen: object) -> Value:
    """A conflict's value as JSON, as the value that it was."""
    if isinstance(chosen, list):
        return tuple(str(one) for one in chosen)
    if isinstance(chosen, dict):
        return chosen
    return str(chosen)
