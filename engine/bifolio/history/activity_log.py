"""The log: commands and received changes, the latest first.

What a change did is read from a few of the records that it touched, so that a page of the log
costs what is on it; how many there were is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bifolio import limits
from bifolio.document import importing, registers
from bifolio.document.comparing import Comparison, RecordTransition, compare
from bifolio.document.entries import Entries
from bifolio.document.groups import GROUP, NAME, PARENT, POSITION
from bifolio.history.replay import Replay, Step
from bifolio.ids import SETTINGS_ID
from bifolio.replica import lookup
from bifolio.replica.creation import REFERENCE
from bifolio.replica.replica import Replica
from bifolio.results import Action, ActionKind, LogEntry, Subject, read_actions
from bifolio.storage.history import LoggedChange, Operation

#: Fields and names that one line of the log names.
_NAMED_MAX = 3

#: Rows that are read at once while the log is made.
_PAGE = 200

_BEFORE_ALL = ("g", 0)

_FATES = {
    RecordTransition.DELETED: ActionKind.DELETED,
    RecordTransition.RESTORED: ActionKind.RESTORED,
    RecordTransition.PURGED: ActionKind.PURGED,
    RecordTransition.UNPURGED: ActionKind.UNPURGED,
}


@dataclass(frozen=True, slots=True)
class _Touched:
    """Records that changes touched, by kind; ``total`` counts those of more changes than were
    opened."""

    kinds: Mapping[str, str | None]
    total: int

    def of_kind(self, kind: str) -> list[str]:
        """The records of a kind."""
        return [one for one, known in self.kinds.items() if known == kind]

    def sample(self) -> list[str]:
        """A few records of each kind, by which the line is told."""
        return self.of_kind(REFERENCE)[:_NAMED_MAX] + self.of_kind(GROUP)[:_NAMED_MAX]


class ActivityLog:
    """Reads the log of one replica; for one transaction or snapshot."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._past = Replay(replica)
        self._devices = lookup.device_names(replica)
        self._steps: dict[str, list[Step]] = {}

    def page(
        self,
        *,
        limit: int,
        tags: Sequence[str] | None,
        first: str,
        but: Sequence[str] = (),
        behind: int = 0,
    ) -> list[LogEntry]:
        """The latest commands and received changes.

        Args:
            limit: how many at most.
            tags: of the devices whose changes are wanted; None for all.
            first: the earliest stamp.
            but: the tags of devices whose changes are not wanted.
            behind: only those that came here behind this row of ``changes``.
        """
        found: list[tuple[LoggedChange, Operation | None]] = []
        told: set[int] = set()
        seen: set[bytes] = set()
        before = _BEFORE_ALL
        index = self._replica.journal.index
        while len(found) < limit and (
            rows := index.newest(before, first=first, tags=tags, most=_PAGE, but=but, behind=behind)
        ):
            for logged in rows:
                operation = self._replica.journal.operations.of_change(logged.id)
                known = logged.id in seen or (operation is not None and operation.number in told)
                seen.add(logged.id)
                if operation is not None:
                    told.add(operation.number)
                if not known:
                    found.append((logged, operation))
            before = (rows[-1].stamp, rows[-1].number)
        return self._entries(found[:limit])

    def actions(
        self, changes: Sequence[LoggedChange], operation: Operation | None
    ) -> tuple[Action, ...]:
        """What changes did: as the command said, otherwise read from what they touched."""
        if operation is not None and operation.words:
            return read_actions(operation.words)
        touched = self._touched_records(changes)
        self._replay({one: {*changes} for one in touched.sample()})
        return self._read_actions(changes, touched)

    def _entries(self, found: Sequence[tuple[LoggedChange, Operation | None]]) -> list[LogEntry]:
        """A page: each record is replayed once, however many lines are about it."""
        lines = [
            (logged, operation, self._made_by(logged, operation)) for logged, operation in found
        ]
        touched = {}
        wanted: dict[str, set[LoggedChange]] = {}
        for logged, operation, changes in lines:
            if operation is None or not operation.words:
                touched[logged.number] = self._touched_records(changes)
                for record_id in touched[logged.number].sample():
                    wanted.setdefault(record_id, set()).update(changes)
        self._replay(wanted)
        return [
            LogEntry(
                id=changes[0].id.hex(),
                at=lookup.moment(changes[0].stamp),
                by=self._devices.get(logged.device, f"device {logged.device}"),
                what=read_actions(operation.words)
                if operation is not None and operation.words
                else self._read_actions(changes, touched[logged.number]),
                changes=self._count(changes, operation),
                command=operation is not None,
                undone=operation is not None and operation.undone is not None,
            )
            for logged, operation, changes in lines
        ]

    def _made_by(self, logged: LoggedChange, operation: Operation | None) -> list[LoggedChange]:
        """The changes of one line: all of a command's (the first of one that has words of its
        own, which may be an import of thousands), or the one received change."""
        if operation is None:
            return [logged]
        most = 1 if operation.words else None
        ids = self._replica.journal.operations.changes(operation.number, most=most)
        called = [self._replica.journal.index.get(one) for one in ids]
        return [one for one in called if one is not None]

    def _count(self, changes: Sequence[LoggedChange], operation: Operation | None) -> int:
        if operation is None or not operation.words:
            return len(changes)
        return self._replica.journal.operations.count(operation.number)

    def _replay(self, wanted: Mapping[str, set[LoggedChange]]) -> None:
        """Keep the steps of these records that these changes made."""
        for record_id, changes in wanted.items():
            numbers = {one.number for one in changes}
            self._steps[record_id] = [
                step for step in self._past.steps(record_id) if step.logged.number in numbers
            ]

    def _read_actions(
        self, changes: Sequence[LoggedChange], touched: _Touched
    ) -> tuple[Action, ...]:
        """What changes did, from the steps of a few of the records."""
        chosen = {one.number for one in changes}
        actions = []
        for kind, subject in ((REFERENCE, Subject.REFERENCE), (GROUP, Subject.GROUP)):
            records = touched.of_kind(kind)
            if records:
                each = [self._action(one, kind, chosen) for one in records[:_NAMED_MAX]]
                count = max(touched.total, len(records))
                actions.append(_combine([one for one in each if one is not None], count, subject))
        return tuple(actions) or (self._action_on_settings(chosen),)

    def _action_on_settings(self, chosen: set[int]) -> Action:
        """What changes did that touched no reference and no group."""
        for step in self._past.steps(SETTINGS_ID):
            if step.logged.number in chosen:
                name = registers.read_shown(step.after, NAME)
                if name and step.before.live(NAME) != step.after.live(NAME):
                    return Action(ActionKind.NAMED_LIBRARY, name=str(name.value))
                if step.before.under("device") != step.after.under("device"):
                    return Action(ActionKind.FIRST_CHANGE)
        return Action(ActionKind.CHANGED_SETTINGS)

    def _touched_records(self, changes: Sequence[LoggedChange]) -> _Touched:
        """The records of the first few changes; where there are more, all are counted."""
        ids: dict[str, None] = {}
        for logged in changes[: limits.CHANGES_DESCRIBED_MAX]:
            change = self._past.change(logged)
            if change is not None:
                ids.update(dict.fromkeys(record_id for record_id, _ in change.records))
        more = len(changes) > limits.CHANGES_DESCRIBED_MAX
        kinds = {one: self._replica.records.kind(one) for one in ids}
        return _Touched(kinds, sum(one.records for one in changes) if more else 0)

    def _action(self, record_id: str, kind: str, chosen: set[int]) -> Action | None:
        """What the changes did to one record."""
        steps = [one for one in self._steps[record_id] if one.logged.number in chosen]
        if not steps:
            return None
        before, after = steps[0].before, steps[-1].after
        compared = compare(before, after)
        if kind == GROUP:
            return _action_on_group(before, after, compared)
        row = self._replica.references.read(record_id)
        name = lookup.shown_key(row) if row else self._purged_name(record_id)
        known = set(before.under(importing.SOURCE))
        imported = any(one not in known for one in after.under(importing.SOURCE))
        sources = importing.sources(after) if imported else []
        source = sources[-1].format if sources else None
        fields: tuple[str, ...] = ()
        if compared.fate is RecordTransition.CREATED:
            act = ActionKind.IMPORTED if source else ActionKind.ADDED
        elif source:
            act = ActionKind.UPDATED
        elif compared.fate in _FATES:
            act = _FATES[compared.fate]
        else:
            act = ActionKind.EDITED
            fields = tuple(dict.fromkeys(one.field for one in compared.fields))
        return Action(act, Subject.REFERENCE, 1, name, fields=fields, source=source)

    def _purged_name(self, record_id: str) -> str:
        """What a reference was called that went with an emptied trash."""
        purged = self._replica.references.purged.read(record_id)
        return purged.key if purged and purged.key else record_id[:12]


def _action_on_group(before: Entries, after: Entries, compared: Comparison) -> Action:
    old, new = registers.read_shown(before, NAME), registers.read_shown(after, NAME)
    name = str(new.value) if new else ""
    if compared.fate is RecordTransition.CREATED:
        return Action(ActionKind.CREATED, Subject.GROUP, 1, name)
    if compared.fate in (RecordTransition.DELETED, RecordTransition.RESTORED):
        return Action(_FATES[compared.fate], Subject.GROUP, 1, name)
    if old and new and old.value != new.value:
        return Action(ActionKind.RENAMED, Subject.GROUP, 1, str(old.value), name)
    moved = any(before.live(one) != after.live(one) for one in (PARENT, POSITION))
    return Action(ActionKind.MOVED if moved else ActionKind.CHANGED, Subject.GROUP, 1, name)


def _combine(actions: Sequence[Action], count: int, subject: Subject) -> Action:
    """One action for all: the kind where it was the same, by name where it was one record."""
    if not actions or any(_likeness(one) != _likeness(actions[0]) for one in actions):
        return Action(ActionKind.CHANGED, subject, count)
    first = actions[0]
    if count == 1:
        return first
    return Action(first.kind, subject, count, fields=first.fields, source=first.source)


def _likeness(action: Action) -> tuple[object, ...]:
    return (action.kind, action.fields, action.source)
