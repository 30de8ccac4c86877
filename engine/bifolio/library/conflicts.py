"""Settling conflicts: a choice by number holds for what this computer last listed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.document.conflicts import DELETED, ConflictKind
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import (
    ConflictChoiceError,
    Next,
    ReadOnlyLibraryError,
    StorageFullError,
    next_step,
)
from bifolio.records.edits import PARAGRAPH_BREAK
from bifolio.records.fields import canonical_field
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import Conflict
from bifolio.search import group_tree
from bifolio.storage.derived import ReferenceRow

if TYPE_CHECKING:
    from bifolio.document import editing, field_kinds
else:
    editing = lazy.module("bifolio.document.editing")
    field_kinds = lazy.module("bifolio.document.field_kinds")


def list_all(replica: Replica) -> list[Conflict]:
    """Every conflict of a reference, and behind them the groups that were brought back."""
    found: list[Conflict] = []
    for record_id in replica.references.in_conflict():
        row = replica.references.read(record_id)
        if row is not None:
            found.extend(lookup.conflicts(replica, row))
    found.extend(group_tree.revived_groups(replica))
    return found


def remember(replica: Replica, conflicts: Sequence[Conflict]) -> None:
    """Note what was listed, so that a number means what the user saw.

    Where that cannot be written it is shown all the same, and no number of it is taken.
    """
    fresh = []
    for conflict in conflicts:
        listed = lookup.hash_listed(conflict)
        if replica.listings.read(conflict.ref, conflict.field) != listed:
            fresh.append((conflict.ref, conflict.field, listed))
    if not fresh:
        return
    with suppress(ReadOnlyLibraryError, StorageFullError), replica.database.transaction():
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
    if conflict.kind == ConflictKind.REVIVED:
        raise ConflictChoiceError(
            f"'{key}' was deleted and edited at the same time.",
            next_step=next_step(Next.KEEP_OR_DELETE, ref=key),
        )
    for take in takes:
        _check_listed(replica, conflict, take)
    if len(takes) > 1 and conflict.kind != ConflictKind.TEXT:
        raise ConflictChoiceError(
            f"The values of '{name}' are not texts that could be joined: take one of them."
        )

    _, kind = field_kinds.locate_conflict(name)

    def write(plan: Plan, entries: Entries) -> None:
        chosen = [conflict.values[take - 1].value for take in takes]
        if len(chosen) > 1:  # below one another in the order given; a cleared one adds nothing
            joined = PARAGRAPH_BREAK.join(str(one) for one in chosen if one)
            kind.plan_choice(plan, entries, name, joined)
        elif chosen:
            kind.plan_choice(plan, entries, name, chosen[0])
        elif value is not None:
            kind.plan_answer(plan, entries, name, value)
        editing.finish(plan, entries)

    replica.commit_inside([(row.id, write)])


def _field(field: str) -> str:
    if field == DELETED or field_kinds.element_of(field) is not None:
        return field
    return canonical_field(field)


def _check_listed(replica: Replica, conflict: Conflict, take: int) -> None:
    listed = replica.listings.read(conflict.ref, conflict.field)
    if listed is None:
        raise ConflictChoiceError(
            f"The conflict in '{conflict.field}' was not listed on this computer yet, so the "
            f"number {take} has no meaning."
        )
    if listed != lookup.hash_listed(conflict):
        raise ConflictChoiceError(
            f"The conflict in '{conflict.field}' has changed since it was listed."
        )
    if not 1 <= take <= len(conflict.values):
        raise ConflictChoiceError(
            f"The conflict in '{conflict.field}' has values 1 to {len(conflict.values)}; "
            f"there is no {take}."
        )
