"""A user's edits as plans: for each field by the rule with which it merges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bifolio.document import creators, registers, sets, texts
from bifolio.document.entries import Entries
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.plan import Plan
from bifolio.errors import FilesFieldError, NothingToRemoveError, UsageError
from bifolio.records import attachments
from bifolio.records.edits import Act, Edit
from bifolio.records.fields import MergeRule, canonical_field, merge_rule
from bifolio.records.names import Name
from bifolio.records.reference import Value, Values
from bifolio.records.values import decode_register, encode_register, parse_value

KIND = "kind"


def plan_creation(plan: Plan, entries: Entries, *, kind: str, values: Values) -> None:
    """Plan a new record of this kind with these values."""
    registers.plan_set(plan, entries, KIND, kind)
    for field, value in values.items():
        plan_value(plan, entries, field, value)


def plan_edits(plan: Plan, entries: Entries, edits: Sequence[Edit]) -> None:
    """Plan a user's edits of one reference; a pure removal is marked as a modification.

    Raises:
        UsageError: an act that the field does not know, or a value that it cannot hold.
        NothingToRemoveError: a removal of what is not there.
    """
    for edit in edits:
        canonical_field(edit.field)
        if edit.field == attachments.FIELD:
            raise FilesFieldError
        if edit.act is Act.SET:
            plan_value(plan, entries, edit.field, parse_value(edit.field, edit.values))
        elif edit.act is Act.CLEAR:
            plan_clear(plan, entries, edit.field)
        elif edit.act is Act.ADD:
            _plan_add(plan, entries, edit)
        else:
            _plan_remove(plan, entries, edit)
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


def rule_of(field: str) -> MergeRule:
    """The merge rule of a field, or of the membership in groups, which no user edits as a field.

    Raises:
        UnknownFieldError: neither known nor extra.
    """
    return MergeRule.SET if field == MEMBERSHIP else merge_rule(field)


def plan_value(plan: Plan, entries: Entries, field: str, value: Value) -> None:
    """Plan one field to have this value."""
    rule = rule_of(field)
    if rule is MergeRule.TEXT:
        texts.plan_set(plan, entries, field, str(value))
    elif rule is MergeRule.CREATORS:
        creators.plan_set(plan, entries, field, _names(value))
    elif rule is MergeRule.SET:
        sets.plan_set(plan, entries, field, _strings(value))
    else:
        registers.plan_set(plan, entries, field, encode_register(value))


def plan_clear(plan: Plan, entries: Entries, field: str) -> None:
    """Plan one field to be empty."""
    rule = rule_of(field)
    if rule is MergeRule.TEXT:
        texts.plan_set(plan, entries, field, None)
    elif rule is MergeRule.CREATORS:
        creators.plan_set(plan, entries, field, ())
    elif rule is MergeRule.SET:
        sets.plan_set(plan, entries, field, ())
    else:
        registers.plan_set(plan, entries, field, None)


def finish(plan: Plan, entries: Entries) -> None:
    """Mark a plan that removes and writes no register: its stamp says that someone edited."""
    if plan.removals and not plan.puts:
        texts.mark_modified(plan, entries)


def _plan_add(plan: Plan, entries: Entries, edit: Edit) -> None:
    rule = merge_rule(edit.field)
    value = parse_value(edit.field, edit.values) if rule is not MergeRule.TEXT else ""
    if rule is MergeRule.TEXT:
        texts.plan_append(plan, entries, edit.field, "\n\n".join(edit.values))
    elif rule is MergeRule.CREATORS:
        creators.plan_add(plan, entries, edit.field, _names(value))
    elif rule is MergeRule.SET:
        for element in _strings(value):
            sets.plan_add(plan, entries, edit.field, element)
    elif rule is MergeRule.LIST:
        wanted = _listed(entries, edit.field) + _strings(value)
        registers.plan_set(plan, entries, edit.field, encode_register(wanted))
    else:
        raise _one_value(edit.field)


def _plan_remove(plan: Plan, entries: Entries, edit: Edit) -> None:
    rule = merge_rule(edit.field)
    if rule not in (MergeRule.CREATORS, MergeRule.SET, MergeRule.LIST):
        raise _one_value(edit.field)
    value = parse_value(edit.field, edit.values)
    if rule is MergeRule.LIST:
        _plan_list_remove(plan, entries, edit.field, _strings(value))
        return
    assert isinstance(value, tuple)
    for one in value:
        if isinstance(one, Name):
            found = creators.plan_remove(plan, entries, edit.field, one)
        else:
            found = sets.plan_remove(plan, entries, edit.field, one)
        if not found:
            raise NothingToRemoveError(edit.field, str(one))


def _plan_list_remove(plan: Plan, entries: Entries, field: str, unwanted: tuple[str, ...]) -> None:
    listed = list(_listed(entries, field))
    for one in unwanted:
        if one not in listed:
            raise NothingToRemoveError(field, one)
        listed.remove(one)
    value = encode_register(tuple(listed)) if listed else None
    registers.plan_set(plan, entries, field, value)


def _listed(entries: Entries, field: str) -> tuple[str, ...]:
    live = registers.shown(entries, field)
    if live is None or live.value is None:
        return ()
    return _strings(decode_register(field, live.value))


def _one_value(field: str) -> UsageError:
    return UsageError(
        f"The field '{field}' holds one value; += and -= are for lists and sets.",
        next_step=f"Write {field}=VALUE to set it, {field}= to clear it.",
    )


def _names(value: Value) -> tuple[Name, ...]:
    return tuple(one for one in value if isinstance(one, Name)) if isinstance(value, tuple) else ()


def _strings(value: Value) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()
