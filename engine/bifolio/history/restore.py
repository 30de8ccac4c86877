"""The whole library as it was at a moment, written as new edits.

Only what changed since then is looked at: each record's past is replayed up to the moment, and what
it says differently is written. What was deleted since comes back, and what was made since goes to
the trash. It is a change like any other, so it syncs, merges with what others do meanwhile, and can
be undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bifolio import limits
from bifolio.clock import COUNTER_MAX, MILLISECONDS_MAX, make_stamp
from bifolio.document import deletion, groups, registers, view
from bifolio.document.entries import Entries, without_superseded_imports
from bifolio.document.plan import Plan
from bifolio.history.replay import Replay
from bifolio.history.revert import plan_values
from bifolio.replica.deletion_guard import SHOWN_ON
from bifolio.replica.replica import Replica, Write

#: What of a group, and of the library's settings, goes back.
_OF_A_GROUP = (groups.NAME, groups.PARENT, groups.POSITION, groups.COLOUR, groups.QUERY)
_OF_THE_SETTINGS = ("name", "key-pattern")

_REFERENCE, _SETTINGS = "reference", "settings"


@dataclass(slots=True)
class Restored:
    """How many references came back, went to the trash and got earlier values; how many groups
    changed; and of how many records the past is not known here, which stay as they are."""

    back: int = 0
    trashed: int = 0
    changed: int = 0
    groups: int = 0
    unknown: int = 0


def restore(replica: Replica, *, to_ms: int) -> Restored:
    """Write what differs from the state at a moment (Unix time), a part of the records in each
    transaction: one that is killed can be run again."""
    last = make_stamp(milliseconds=min(max(to_ms, 0), MILLISECONDS_MAX), counter=COUNTER_MAX)
    done = Restored()
    touched = replica.journal.index.records_since(last)
    for start in range(0, len(touched), limits.UNDONE_AT_ONCE):
        with replica.database.transaction():
            _restore_part(replica, touched[start : start + limits.UNDONE_AT_ONCE], last, done)
    return done


def _restore_part(replica: Replica, record_ids: Sequence[str], last: str, done: Restored) -> None:
    past = Replay(replica)
    writes: list[tuple[str, Write]] = []
    for one in record_ids:
        then, whole = past.then_and_now(one, through=last)
        if whole != replica.document(one).entries():
            done.unknown += 1
            continue
        writes += [(one, write) for write in _writes(then)]
    before = {one: _is_listed(replica, one) for one, _ in writes}
    for one in dict.fromkeys(replica.commit_inside(writes)):
        kind = replica.records.kind(one)
        now = _is_listed(replica, one)
        if kind == groups.GROUP:
            done.groups += 1
        elif kind != _REFERENCE:
            continue
        elif now == before.get(one, now):
            done.changed += 1
        elif now:
            done.back += 1
        else:
            done.trashed += 1


def _writes(then: Entries) -> list[Write]:
    """What gives a record what it said then; in turns, as a deletion must have seen the values."""
    existed = bool(view.kind_of(then))
    deleted = deletion.is_trashed(then)

    def write_values(plan: Plan, entries: Entries) -> None:
        if not existed:
            return
        kind = view.kind_of(entries)
        if kind == _REFERENCE:
            _plan_reference(plan, entries, then, deleted=deleted)
        elif kind == groups.GROUP:
            if not deleted:
                deletion.plan_restore(plan, entries)
            _plan_registers(plan, entries, then, _OF_A_GROUP)
        elif kind == _SETTINGS:
            _plan_registers(plan, entries, then, _OF_THE_SETTINGS)

    def write_fate(plan: Plan, entries: Entries) -> None:
        if view.kind_of(entries) in (_REFERENCE, groups.GROUP) and (deleted or not existed):
            deletion.plan_delete(plan, entries)

    return [write_values, write_fate]


def _plan_reference(plan: Plan, entries: Entries, then: Entries, *, deleted: bool) -> None:
    if not deleted:
        deletion.plan_restore(plan, entries)
    earlier = view.read_view(without_superseded_imports(then)).values
    now = view.read_view(without_superseded_imports(entries)).values
    if earlier == now or (deletion.is_purged(entries) and deleted):
        return  # an edit would bring back what lay in the trash then, and is gone now
    plan_values(plan, entries, now, earlier, sorted({*now, *earlier}))


def _plan_registers(plan: Plan, entries: Entries, then: Entries, names: Sequence[str]) -> None:
    for name in names:
        earlier = registers.read_shown(then, name)
        now = registers.read_shown(entries, name)
        value = earlier.value if earlier else None
        if (now.value if now else None) != value:
            registers.plan_set(plan, entries, name, value)


def _is_listed(replica: Replica, record_id: str) -> bool:
    """Whether a reference is out of the trash for everybody: one that is only shown on is not."""
    row = replica.references.read(record_id)
    return row is not None and not row.trashed and SHOWN_ON not in row.fields
