"""A sample of the file, checked with each sync: rot is found while other copies are whole.

Changes, records, and what lists read of them, in turn: where one sample ends, the next one begins,
so that all of the file comes round. The checks are those of ``doctor --deep``, and nothing is
mended; what is found is noted for ``status`` until the library is mended.
"""

from __future__ import annotations

from bifolio import limits
from bifolio.document.record import RecordDocument, is_loaded
from bifolio.errors import DocumentError, EnvelopeError
from bifolio.repair.mender import FAULTS, is_whole, parse_whole
from bifolio.replica import projection
from bifolio.replica.deletion_guard import Cause, DeletionGuard, Filter
from bifolio.replica.replica import Replica
from bifolio.storage.integrity import ChangeRow, CheckedRecord, Integrity
from bifolio.storage.records import StoredRecord, check_of
from bifolio.storage.underived import Underived
from bifolio.wire.changes import Change

_REFERENCE = "reference"
_FIRST = (0, "")


class Sampler:
    """Checks one replica's file a little at a time."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._rows = Integrity(replica.database)
        self._last_s: float | None = None

    def check(self, worked_s: float) -> None:
        """Check a sample and note what is damaged; inside the transaction that notes the sync.

        Args:
            worked_s: how long the sync took, of which this is to be a small part.
        """
        now_s = self._replica.runtime.monotonic_s()
        if self._last_s is not None:
            if now_s - self._last_s < limits.SAMPLE_WAIT_S:
                return
            worked_s = now_s - self._last_s  # a watch, which works all the time
        self._last_s = now_s
        # Half of it for changes and records, half for what lists read. A short sync allows for less
        # than one of either: now and then, then.
        budget_s = min(worked_s * limits.SAMPLE_PART, limits.SAMPLE_S_MAX) / 2
        if not self._is_due(budget_s / limits.SAMPLE_LEAST_S):
            return
        allowed_s = max(budget_s, limits.SAMPLE_LEAST_S)
        reference_s = limits.SAMPLE_REFERENCE_S
        if not is_loaded():
            reference_s += limits.SAMPLE_LOADING_S
        with_lists = self._is_due(allowed_s / reference_s)
        # What waits to be derived is no damage, and is not derived for this.
        with_lists &= Underived(self._replica.database).is_empty()
        meta = self._replica.meta
        found: set[str] = set()
        change, record = begin = meta.sampled or _FIRST
        try:
            shown = DeletionGuard(self._replica.database).filter(Cause.SHOWING)
            while True:
                change = self._check_changes(change, found)
                record = self._check_records(record, found, shown if with_lists else None)
                is_round = change == 0 and not record
                if is_round or self._replica.runtime.monotonic_s() - now_s >= budget_s:
                    break
        except FAULTS:
            found.add(self._replica.database.path.name)
        if (change, record) != begin:
            meta.sampled = (change, record)
        if new := found.difference(meta.damaged_tables):
            meta.damaged_tables = sorted({*meta.damaged_tables, *new})

    def _is_due(self, chance: float) -> bool:
        """True with this chance, of 1; always from 1 on."""
        return self._replica.runtime.random_bytes(1)[0] < chance * 256

    def _check_changes(self, number: int, found: set[str]) -> int:
        """The changes behind a number; the last one, or 0 where there are no more."""
        rows = self._rows.changes_after(number, most=limits.SAMPLE_ROWS)
        if not all(map(_is_whole_change, rows)):
            found.add("changes")
        return rows[-1].number if len(rows) == limits.SAMPLE_ROWS else 0

    def _check_records(self, record_id: str, found: set[str], shown: Filter | None) -> str:
        """The records behind an id, and their rows in lists; the last one, or "" at the end."""
        rows = self._rows.records_after(record_id, most=limits.SAMPLE_ROWS)
        whole = [one.record for one in rows if _is_whole_record(one)]
        if len(whole) < len(rows):
            found.add("records")
        references = [one for one in whole if one.kind == _REFERENCE]
        if shown is not None and not self._are_listed_right(references, shown):
            found.add("refs")
        return rows[-1].record.id if len(rows) == limits.SAMPLE_ROWS else ""

    def _are_listed_right(self, records: list[StoredRecord], shown: Filter) -> bool:
        """Whether lists read of these references what is in their records."""
        references = self._replica.references
        stored = references.read_stored([one.id for one in records])
        for record in records:
            document = RecordDocument(record.state)
            try:
                visible = document.visible()
            except DocumentError:
                continue  # it is named as damaged where it is merged
            derived = shown(projection.derive_whatever(record.id, visible), document.entries())
            before = stored.get(record.id)
            if derived.purged is not None:
                if before is not None:
                    return False
                continue
            right = derived.to_stored()
            if before is None or before.row != right.row:
                return False
            if sorted(before.sources or ()) != sorted(right.sources):
                return False
        return True


def _is_whole_record(checked: CheckedRecord) -> bool:
    """Whether a record is the one that was written: by its check, or by reading it without one."""
    if checked.check is None:
        return is_whole(checked)
    return checked.check == check_of(checked.record)


def _is_whole_change(row: ChangeRow) -> bool:
    if row.hash is not None:
        # What is to come again, or was compacted, has no body.
        return not row.body or parse_whole(row.body, row.hash) is not None
    if row.chain is not None:
        return True
    try:
        Change.parse(row.body)
    except EnvelopeError:
        return False
    return True
