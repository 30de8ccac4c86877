"""The log in words: commands and received changes, the latest first.

What a change did is read from a few of the records that it touched, so that a page of the log
costs what is on it; how many there were is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bifolio import limits
from bifolio.document import importing, registers
from bifolio.document.comparing import Comparison, Fate, compare
from bifolio.document.entries import Entries
from bifolio.document.groups import GROUP, NAME, PARENT, POSITION
from bifolio.history.replay import Past, Step
from bifolio.ids import SETTINGS_ID
from bifolio.replica import lookup
from bifolio.replica.creation import REFERENCE
from bifolio.replica.replica import Replica
from bifolio.results import LogEntry
from bifolio.storage.history import LoggedChange, Operation

#: Fields and names that one line of the log names.
_NAMED_MAX = 3

#: Rows that are read at once while the log is made.
_PAGE = 200

_BEFORE_ALL = ("g", 0)


@dataclass(frozen=True, slots=True)
class _Deed:
    """What was done to one record: the act, what it was done to, and from which format."""

    act: str
    fields: tuple[str, ...]
    name: str
    source: str | None = None


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


class Logbook:
    """Reads the log of one replica; for one transaction or snapshot."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._past = Past(replica)
        self._devices = lookup.device_names(replica)
        self._steps: dict[str, list[Step]] = {}

    def page(self, *, limit: int, tags: Sequence[str] | None, first: str) -> list[LogEntry]:
        """The latest commands and received changes.

        Args:
            limit: how many at most.
            tags: of the devices whose changes are wanted; None for all.
            first: the earliest stamp.
        """
        found: list[tuple[LoggedChange, Operation | None]] = []
        told: set[int] = set()
        seen: set[bytes] = set()
        before = _BEFORE_ALL
        index = self._replica.journal.index
        while len(found) < limit and (
            rows := index.newest(before, first=first, tags=tags, most=_PAGE)
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

    def words(self, changes: Sequence[LoggedChange], operation: Operation | None) -> str:
        """What changes did, in words: the command's own, else read from what they touched."""
        if operation is not None and operation.words:
            return operation.words
        touched = self._touched(changes)
        self._replay({one: {*changes} for one in touched.sample()})
        return self._told(changes, touched)

    def _entries(self, found: Sequence[tuple[LoggedChange, Operation | None]]) -> list[LogEntry]:
        """A page in words: each record is replayed once, however many lines are about it."""
        lines = [
            (logged, operation, self._made_by(logged, operation)) for logged, operation in found
        ]
        touched = {}
        wanted: dict[str, set[LoggedChange]] = {}
        for logged, operation, changes in lines:
            if operation is None or not operation.words:
                touched[logged.number] = self._touched(changes)
                for record_id in touched[logged.number].sample():
                    wanted.setdefault(record_id, set()).update(changes)
        self._replay(wanted)
        return [
            LogEntry(
                id=changes[0].id.hex(),
                at=lookup.moment(changes[0].stamp),
                by=self._devices.get(logged.device, f"device {logged.device}"),
                what=(operation.words if operation else None)
                or self._told(changes, touched[logged.number]),
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
        called = [self._replica.journal.index.called(one) for one in ids]
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

    def _told(self, changes: Sequence[LoggedChange], touched: _Touched) -> str:
        """What changes did, from the steps of a few of the records."""
        chosen = {one.number for one in changes}
        told = []
        for kind, noun in ((REFERENCE, "references"), (GROUP, "groups")):
            records = touched.of_kind(kind)
            if records:
                deeds = [self._deed(one, kind, chosen) for one in records[:_NAMED_MAX]]
                count = max(touched.total, len(records))
                told.append(_sentence([one for one in deeds if one is not None], count, noun))
        return "; ".join(told) or self._of_settings(chosen)

    def _of_settings(self, chosen: set[int]) -> str:
        """What changes did that touched no reference and no group."""
        for step in self._past.steps(SETTINGS_ID):
            if step.logged.number in chosen:
                name = registers.shown(step.after, NAME)
                if name and step.before.live(NAME) != step.after.live(NAME):
                    return f"named the library {name.value}"
                if step.before.under("device") != step.after.under("device"):
                    return "wrote for the first time"
        return "changed the settings of the library"

    def _touched(self, changes: Sequence[LoggedChange]) -> _Touched:
        """The records of the first few changes; where there are more, all are counted."""
        ids: dict[str, None] = {}
        for logged in changes[: limits.CHANGES_DESCRIBED_MAX]:
            change = self._past.change(logged)
            if change is not None:
                ids.update(dict.fromkeys(record_id for record_id, _ in change.records))
        more = len(changes) > limits.CHANGES_DESCRIBED_MAX
        kinds = {one: self._replica.records.kind(one) for one in ids}
        return _Touched(kinds, sum(one.records for one in changes) if more else 0)

    def _deed(self, record_id: str, kind: str, chosen: set[int]) -> _Deed | None:
        """What the changes did to one record."""
        steps = [one for one in self._steps[record_id] if one.logged.number in chosen]
        if not steps:
            return None
        before, after = steps[0].before, steps[-1].after
        compared = compare(before, after)
        if kind == GROUP:
            return _group_deed(before, after, compared)
        row = self._replica.references.read(record_id)
        name = lookup.shown_key(row) if row else self._gone(record_id)
        known = set(before.under(importing.SOURCE))
        imported = any(one not in known for one in after.under(importing.SOURCE))
        sources = importing.sources(after) if imported else []
        source = sources[-1].format if sources else None
        fields = tuple(one.field for one in compared.fields)
        if compared.fate is Fate.CREATED:
            return _Deed("imported" if source else "added", (), name, source)
        if source:
            return _Deed("updated", (), name, source)
        if compared.fate not in (Fate.CHANGED, Fate.REVIVED):
            return _Deed(compared.fate.name.lower(), (), name)
        return _Deed("edited", tuple(dict.fromkeys(fields)), name)

    def _gone(self, record_id: str) -> str:
        """What a reference was called that went with an emptied trash."""
        purged = self._replica.references.purged.read(record_id)
        return purged.key if purged and purged.key else record_id[:12]


def _group_deed(before: Entries, after: Entries, compared: Comparison) -> _Deed:
    old, new = registers.shown(before, NAME), registers.shown(after, NAME)
    name = f"the group {new.value if new else ''}"
    if compared.fate is Fate.CREATED:
        return _Deed("made", (), name)
    if compared.fate in (Fate.DELETED, Fate.RESTORED):
        return _Deed(compared.fate.name.lower(), (), name)
    if old and new and old.value != new.value:
        return _Deed("renamed", (), f"the group {old.value} to {new.value}")
    moved = any(before.live(one) != after.live(one) for one in (PARENT, POSITION))
    return _Deed("moved" if moved else "changed", (), name)


def _sentence(deeds: Sequence[_Deed], count: int, noun: str) -> str:
    """One line for all: the act where it was the same, by name where it was one record."""
    if not deeds or any(_alike(one) != _alike(deeds[0]) for one in deeds):
        return f"changed {count:,} {noun}"
    first = deeds[0]
    named = first.name if count == 1 else f"{count:,} {noun}"
    source = f" from {first.source}" if first.source else ""
    return f"{first.act} {_listed(first.fields)}{named}{source}"


def _alike(deed: _Deed) -> tuple[object, ...]:
    return (deed.act, deed.fields, deed.source)


def _listed(fields: Sequence[str]) -> str:
    """``title and note of``, ``title, note, tags and 2 more of``; nothing where there are none."""
    if not fields:
        return ""
    named = list(fields[:_NAMED_MAX])
    if len(fields) > _NAMED_MAX:
        named.append(f"{len(fields) - _NAMED_MAX} more")
    *most, last = named
    return f"{', '.join(most)} and {last} of " if most else f"{last} of "
