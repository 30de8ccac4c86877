"""Undo: what a command, a change or a device did, taken back as new changes.

Each record's past is replayed up to now, and ``document.undoing`` says what of it is still there
and how it goes back. Records are taken in parts, each in a transaction of its own: an undo that
is killed has taken back some of them whole, and can be run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bifolio import limits
from bifolio.clock import COUNTER_MAX, MILLISECONDS_MAX, make_stamp
from bifolio.document.entries import Entries, Live, is_import
from bifolio.document.plan import Plan
from bifolio.document.undoing import Kept, Reason, UndoTrace
from bifolio.errors import (
    AmbiguousChangeError,
    AmbiguousMemberError,
    ChangeNotFoundError,
    DeviceNotFoundError,
    NothingToUndoError,
    SealedChangeError,
)
from bifolio.history.replay import Replay
from bifolio.ids import slot_tag
from bifolio.lazy import pattern
from bifolio.replica import lookup
from bifolio.replica.journal import Command
from bifolio.replica.replica import Replica, Write
from bifolio.storage.history import LoggedChange, Operation
from bifolio.wire.changes import ID_BYTES

_ID = pattern(rf"[0-9a-f]{{4,{2 * ID_BYTES}}}")
_CANDIDATES_MAX = 5

#: What ``undoes`` says of an undo of a change that no command of this computer made, and what
#: ``undone`` says where nothing was left to be taken back.
NO_OPERATION = 0


@dataclass(slots=True)
class UndoResult:
    """Which records an undo changed, and what it left as it was."""

    records: list[str] = field(default_factory=list)
    kept: list[tuple[str, Kept]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class UndoSelection:
    """The changes that are to be taken back, and the rule by which something counts as still there.

    ``records`` are those that they touched, in order; ``operation`` is the command that made
    them, None where no command of this computer did.
    """

    changes: tuple[LoggedChange, ...]
    records: tuple[str, ...]
    operation: Operation | None = None
    by_value: bool = True
    counts: Callable[[Live], bool] = lambda _: True

    def take_back(self, replica: Replica, command: Command) -> UndoResult | None:
        """Write what goes back as this command, a part of the records in each transaction; with
        the last part the operation is noted as undone.

        Returns:
            what was taken back; None, and nothing is written, where another process took the
            operation back (or did it again) since it was chosen.
        """
        taken = UndoResult()
        chosen = frozenset(one.number for one in self.changes)
        starts = range(0, max(len(self.records), 1), limits.UNDONE_AT_ONCE)
        for start in starts:
            part = self.records[start : start + limits.UNDONE_AT_ONCE]
            with replica.database.transaction():
                if start == 0 and not self._is_as_chosen(replica):
                    return None
                past = Replay(replica)
                writes = [
                    (one, _plan_write(one, self._trace(replica, past, one, chosen), taken))
                    for one in part
                ]
                taken.records += replica.commit_inside(writes)
                if start == starts[-1] and self.operation is not None:
                    _mark(replica, self.operation, by=command.number or NO_OPERATION)
        return taken

    def _is_as_chosen(self, replica: Replica) -> bool:
        if self.operation is None:
            return True
        now = replica.journal.operations.read(self.operation.number)
        return now is not None and now.undone == self.operation.undone

    def _trace(
        self, replica: Replica, past: Replay, record_id: str, chosen: frozenset[int]
    ) -> UndoTrace:
        """What the changes did to one record."""
        trail = UndoTrace(by_value=self.by_value, counts=self.counts)
        for step in past.steps(record_id):
            trail.step(
                step.before,
                step.after,
                taken_back=step.logged.number in chosen,
                ours=step.logged.device == replica.keys.tag,
            )
        return trail


def of_last_command(replica: Replica) -> UndoSelection:
    """The last command of this computer that is in effect; inside a transaction.

    Raises:
        NothingToUndoError, SealedChangeError.
    """
    operation = replica.journal.operations.last()
    if operation is None:
        raise NothingToUndoError
    return _of_operation(replica, operation)


def of_change(replica: Replica, change: str) -> UndoSelection:
    """A change by its id, or the whole command that it is a part of; inside a transaction.

    Raises:
        ChangeNotFoundError, AmbiguousChangeError, SealedChangeError.
    """
    logged = find_change(replica, change)
    operation = replica.journal.operations.of_change(logged.id)
    if operation is not None:
        return _of_operation(replica, operation)
    return UndoSelection((logged,), _records_of(replica, [logged]))


def of_device(
    replica: Replica, device: str, *, first_ms: int, last_ms: int | None = None
) -> UndoSelection:
    """All that a device wrote from one moment to another (or now); inside a transaction.

    Raises:
        DeviceNotFoundError, SealedChangeError.
    """
    tags = device_tags(replica, device)
    first = make_stamp(milliseconds=max(first_ms, 0), counter=0)
    latest = MILLISECONDS_MAX if last_ms is None else min(max(last_ms, 0), MILLISECONDS_MAX)
    last = make_stamp(milliseconds=latest, counter=COUNTER_MAX)
    found = [one for tag in tags for one in replica.journal.index.between(first, last, device=tag)]
    found.sort(key=lambda one: one.number)

    def counts(live: Live) -> bool:
        own = slot_tag(live.slot) in tags and first <= live.stamp <= last
        return own or is_import(live)

    return UndoSelection(tuple(found), _records_of(replica, found), by_value=False, counts=counts)


def _mark(replica: Replica, operation: Operation, *, by: int) -> None:
    """Note that an operation is taken back; where it took back another one, that one counts again.

    Inside a transaction.
    """
    operations = replica.journal.operations
    operations.mark_undone(operation.number, by=by)
    if operation.undoes:
        operations.mark_undone(operation.undoes, by=None)


def find_change(replica: Replica, change: str) -> LoggedChange:
    """The change of an id or its beginning.

    Raises:
        ChangeNotFoundError, AmbiguousChangeError.
    """
    wanted = change.strip().lower()
    if not _ID.fullmatch(wanted):
        raise ChangeNotFoundError(change)
    index = replica.journal.index
    found = index.ids_with_prefix(wanted, most=_CANDIDATES_MAX)
    if len(found) > 1:
        raise AmbiguousChangeError(change, candidates=tuple(one.hex() for one in found))
    logged = index.get(found[0]) if found else None
    if logged is None:
        raise ChangeNotFoundError(change)
    return logged


def device_tags(replica: Replica, device: str) -> list[str]:
    """The tags of the device of a name; a member's too that wrote nothing yet.

    Raises:
        DeviceNotFoundError: neither a member nor anybody who wrote something is called so.
        AmbiguousMemberError: several are.
    """
    names = lookup.device_names(replica)
    wrote = replica.journal.index.devices()
    named = lookup.tags_named(replica, device)
    found = [tag for tag in wrote if tag in named or f"device {tag}" == device.strip()]
    if not found and named:
        found = named
    if not found:
        known = sorted({lookup.device_name(names, tag) for tag in wrote})
        raise DeviceNotFoundError(device, known=tuple(known))
    successors = replica.meta.successors
    if len({successors.get(tag, tag) for tag in found}) > 1:
        shown = tuple(lookup.device_name(names, tag) for tag in found)
        raise AmbiguousMemberError(device, ids=shown, next_step="Give one of these names.")
    return found


def _of_operation(replica: Replica, operation: Operation) -> UndoSelection:
    journal = replica.journal
    ids = journal.operations.changes(operation.number)
    found = [one for change_id in ids if (one := journal.index.get(change_id)) is not None]
    return UndoSelection(tuple(found), _records_of(replica, found), operation)


def _records_of(replica: Replica, changes: Sequence[LoggedChange]) -> tuple[str, ...]:
    """The records that changes touched, in the order in which they did."""
    past = Replay(replica)
    records: dict[str, None] = {}
    for logged in changes:
        change = past.change(logged)
        if change is None:
            raise SealedChangeError(logged.id.hex())
        records.update(dict.fromkeys(record_id for record_id, _ in change.records))
    return tuple(records)


def _plan_write(record_id: str, trail: UndoTrace, taken: UndoResult) -> Write:
    def write(plan: Plan, entries: Entries) -> None:
        if not trail.gives(entries):
            taken.kept.append((record_id, Kept(None, Reason.UNKNOWN)))
            return
        taken.kept += [(record_id, one) for one in trail.plan_undo(plan, entries)]

    return write
