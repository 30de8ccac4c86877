"""A user's edits as plans: each by the kind of its field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bifolio.document import registers, texts
from bifolio.document.entries import Entries
from bifolio.document.field_kinds import field_kind
from bifolio.document.plan import Plan
from bifolio.errors import FilesFieldError
from bifolio.records import attachments
from bifolio.records.edits import Act, Edit
from bifolio.records.fields import canonical_field
from bifolio.records.reference import Values
from bifolio.records.values import parse_value

KIND = "kind"


def plan_creation(plan: Plan, entries: Entries, *, kind: str, values: Values) -> None:
    """Plan a new record of this kind with these values."""
    registers.plan_set(plan, entries, KIND, kind)
    for field, value in values.items():
        field_kind(field).plan_set(plan, entries, field, value)


def plan_edits(plan: Plan, entries: Entries, edits: Sequence[Edit]) -> None:
    """Plan a user's edits of one reference; a pure removal is marked as a modification.

    Raises:
        UsageError: an act that the field does not know, or a value that it cannot hold.
        NothingToRemoveError: a removal of what is not there.
    """
    for edit in edits:
        canonical_field(edit.field)
        field = edit.field
        if field == attachments.FIELD:
            raise FilesFieldError
        kind = field_kind(field)
        if edit.act is Act.SET:
            kind.plan_set(plan, entries, field, parse_value(field, edit.values))
        elif edit.act is Act.CLEAR:
            kind.plan_clear(plan, entries, field)
        elif edit.act is Act.ADD:
            kind.plan_add(plan, entries, field, edit.values)
        else:
            kind.plan_remove(plan, entries, field, edit.values)
    finish(plan, entries)


def in_turns(edits: Sequence[Edit]) -> list[Callable[[Plan, Entries], None]]:
    """Plans for edits in their order: a second one of a field sees what the first one wrote."""
    turns: list[list[Edit]] = [[]]
    for edit in edits:
        if any(other.field == edit.field for other in turns[-1]):
            turns.append([])
        turns[-1].append(edit)
    return [partial(_plan_turn, turn) for turn in turns]


def _plan_turn(edits: Sequence[Edit], plan: Plan, entries: Entries) -> None:
    plan_edits(plan, entries, edits)


def finish(plan: Plan, entries: Entries) -> None:
    """Mark a plan that removes and writes no register: its stamp says that someone edited."""
    if plan.removals and not plan.puts:
        texts.mark_modified(plan, entries)
