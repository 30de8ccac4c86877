"""The events of a reference: who wrote what, when, and what was there before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import structs

from bifolio.document import importing
from bifolio.document.comparing import Comparison, FieldChange, RecordTransition, compare
from bifolio.document.entries import Live, is_import
from bifolio.document.groups import MEMBERSHIP
from bifolio.history.replay import Replay, Step
from bifolio.records.attachments import FIELD as FILES
from bifolio.records.attachments import Attachment
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import Event, EventKind

_WHOLE = {
    RecordTransition.DELETED: EventKind.DELETED,
    RecordTransition.PURGED: EventKind.PURGED,
    RecordTransition.UNPURGED: EventKind.UNPURGED,
    RecordTransition.RESTORED: EventKind.RESTORED,
    RecordTransition.REVIVED: EventKind.REVIVED,
}


class EventReader:
    """Tells what the steps of records were, with the names of devices and groups."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._past = Replay(replica)
        self._devices = lookup.device_names(replica)

    def events(self, record_id: str) -> Iterator[Event]:
        """The events of one reference."""
        steps = list(self._past.steps(record_id))
        is_brought = self._replica.snapshots.base(record_id) is not None
        if not steps or is_brought or _begins_late(steps[0]) or self._is_cut(record_id, steps[-1]):
            yield Event("", None, "", EventKind.BEGINS)
        for step in steps:
            yield from self._of_step(step)

    def _is_cut(self, record_id: str, last: Step) -> bool:
        """Whether the changes do not give what the record holds: some are not here."""
        return self._replica.document(record_id).entries() != last.after

    def _of_step(self, step: Step) -> Iterator[Event]:
        compared = compare(step.before, step.after)
        source = _format(step)
        if compared.fate in _WHOLE:
            deed = _WHOLE[compared.fate]
            yield self._event(step, deed, compared.live, source=None, shown=compared.holds)
        for change in compared.fields:
            yield self._of_field(step, compared, change, source)

    def _of_field(
        self, step: Step, compared: Comparison, change: FieldChange, source: str | None
    ) -> Event:
        by_import = source is not None and (change.live is None or is_import(change.live))
        deed = EventKind.EDITED
        if by_import:
            deed = EventKind.IMPORTED
        elif compared.fate is RecordTransition.CREATED:
            deed = EventKind.ADDED
        return self._event(
            step,
            deed,
            change.live,
            source=source if by_import else None,
            field=change.field,
            before=self._with_names(change.field, change.before),
            after=self._with_names(change.field, change.after),
            shown=not change.beside,
        )

    def _event(
        self, step: Step, deed: EventKind, live: Live | None, *, source: str | None, **facts: Any
    ) -> Event:
        """An event, dated and signed by the value that was written, otherwise by its change."""
        logged = step.logged
        stamp, by = logged.stamp, lookup.device_name(self._devices, logged.device)
        if live is not None and not is_import(live):
            stamp = live.stamp
            if not lookup.is_joined(live.slot):
                by = lookup.author(self._devices, live.slot, stamp)
        by = "import" if source else by
        return Event(logged.id.hex(), lookup.moment(stamp), by, deed, source=source, **facts)

    def _with_names(self, field: str, value: Any) -> Any:
        """A value with the names of groups instead of their ids, and with files as objects."""
        if field == FILES and isinstance(value, list):
            files = [Attachment.from_element(str(one)) for one in value]
            return [structs.asdict(one) for one in files if one is not None]
        if field != MEMBERSHIP or not isinstance(value, list):
            return value
        return [self._replica.groups.any_name(one) or one for one in value]


def _begins_late(first: Step) -> bool:
    """Whether the first change brought what had been written before it: a library that joined."""
    written = [live for lives in first.after.registers.values() for live in lives]
    return any(live.stamp < first.logged.stamp and not is_import(live) for live in written)


def _format(step: Step) -> str | None:
    """The format of the file that a step imported, None where it did not."""
    known = set(step.before.under(importing.SOURCE))
    if not any(name not in known for name in step.after.under(importing.SOURCE)):
        return None
    sources = importing.sources(step.after)
    return sources[-1].format if sources else None
