"""Revert: the values that a reference had at an earlier time, written as new edits."""

from __future__ import annotations

from collections.abc import Iterable

from bifolio.clock import COUNTER_MAX, MILLISECONDS_MAX, make_stamp
from bifolio.document import deletion, editing, view
from bifolio.document.entries import Entries, without_superseded_imports
from bifolio.document.field_kinds import field_kind
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.plan import Plan
from bifolio.errors import NotThereThenError, TrashedReferenceError
from bifolio.history.replay import Replay, Step
from bifolio.history.undo import find_change
from bifolio.records.fields import canonical_field
from bifolio.records.reference import Value
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.storage.derived import ReferenceRow


def revert(replica: Replica, ref: str, *, field: str | None, to: int | str) -> str:
    """Take one field of a reference, or all of it, back to a time; inside a transaction.

    Args:
        ref: a citation key or an id.
        field: its name; None for all fields, and whether it lay in the trash.
        to: milliseconds since 1970, or the id of a change: as it was right after that.

    Returns:
        the id of the reference.

    Raises:
        NotThereThenError: it did not exist then, or its history begins later.
        TrashedReferenceError: a field of a reference in the trash.
    """
    row = lookup.find(replica, ref)
    name = None if field is None else field_name(field)
    then = view.read_view(without_superseded_imports(_state_at(replica, row, ref, to)))
    if row.trashed and name is not None:
        raise TrashedReferenceError(ref)

    def write(plan: Plan, entries: Entries) -> None:
        now = view.read_view(without_superseded_imports(entries))
        if name is None and not then.trashed:
            deletion.plan_restore(plan, entries)
        named = [name] if name else sorted({*now.values, *then.values})
        plan_values(plan, entries, now.values, then.values, named)

    def write_fate(plan: Plan, entries: Entries) -> None:
        if name is None and then.trashed:
            deletion.plan_delete(plan, entries)

    # The deletion is planned after the values are written: it must have seen them.
    replica.commit_inside([(row.id, write), (row.id, write_fate)])
    return row.id


def field_name(field: str) -> str:
    """A field's own name; being in groups goes back as well.

    Raises:
        UnknownFieldError.
    """
    return MEMBERSHIP if field in ("group", MEMBERSHIP) else canonical_field(field)


def plan_values(
    plan: Plan,
    entries: Entries,
    now: dict[str, Value],
    then: dict[str, Value],
    names: Iterable[str],
) -> None:
    """Plan fields to have the values of then, where they differ from those of now."""
    for name in names:
        value = then.get(name)
        if now.get(name) != value:
            field_kind(name).plan_replace(plan, entries, name, value)
    editing.finish(plan, entries)


def _state_at(replica: Replica, row: ReferenceRow, ref: str, to: int | str) -> Entries:
    """What the reference was then."""
    past = Replay(replica)
    steps = list(past.steps(row.id))
    whole = bool(steps) and steps[-1].after == replica.document(row.id).entries()
    if isinstance(to, str):
        at = find_change(replica, to)
        earlier = [step for step in steps if step.logged.number <= at.number]
        time = f"the change {at.id.hex()}"
    else:
        last = make_stamp(milliseconds=min(max(to, 0), MILLISECONDS_MAX), counter=COUNTER_MAX)
        # Replayed again without the later ones: what came late may have been written before.
        earlier = list(past.steps(row.id, takes=lambda logged: logged.stamp <= last))
        time = lookup.moment(last) or "that time"
    if not earlier or not whole or not view.kind_of(earlier[-1].after):
        raise NotThereThenError(ref, time=time, begins=_first_missing(steps))
    return earlier[-1].after


def _first_missing(steps: list[Step]) -> str | None:
    return lookup.moment(steps[0].logged.stamp) if steps else None
