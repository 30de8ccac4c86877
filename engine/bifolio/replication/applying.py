"""The updates of a judged envelope, merged into the records that they are of.

An update is data until it is proved: its structure is read, then it is compared with the record,
then pycrdt sees it. One that fails costs itself: it is kept with its author and the reason, and the
record's other and later updates go on. One that builds on a part that is not there is tried again
when that comes, so that what a record holds does not depend on the order in which updates came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from bifolio import limits
from bifolio.crypto.envelope import Envelope
from bifolio.document.record import RecordDocument
from bifolio.document.snapshot_states import read_state
from bifolio.document.update_identity import (
    UpdateAuthor,
    UpdateKind,
    check_identity,
    check_settings,
)
from bifolio.document.update_structure import read_update
from bifolio.document.view import kind_of
from bifolio.errors import BifolioError, DocumentError, IncompleteUpdateError
from bifolio.ids import SETTINGS_ID
from bifolio.replica.deletion_guard import Cause
from bifolio.replica.replica import Replica
from bifolio.replica.workspace import Workspace
from bifolio.replication import contested
from bifolio.replication.contested import WROTE_ANOTHER, AuthorOf, Unmerged
from bifolio.storage.quarantined_updates import INCOMPLETE, REFUSED, QuarantinedUpdate
from bifolio.storage.records import StoredRecord
from bifolio.wire.changes import Body, Change


@dataclass(frozen=True, slots=True)
class Source:
    """Where an update comes from: its author, and the hash of its envelope.

    Both are None for what an earlier version of Bifolio set aside.
    """

    author: UpdateAuthor | None
    envelope: bytes | None


class Applier:
    """Merges updates inside one transaction; ``save`` writes what they changed."""

    def __init__(self, replica: Replica, author_of: AuthorOf) -> None:
        self._replica = replica
        self._author_of = author_of
        self._workspace: Workspace = replica.workspace(cause=Cause.RECEIVED)
        #: What was merged since the last save, by record: set aside where that cannot be saved.
        self._unsaved: dict[str, list[tuple[Source, bytes]]] = {}
        self._usage: dict[bytes | None, tuple[int, int]] = {}
        #: The records to be made again, each with updates in it that do not count any more.
        self._contested: dict[str, list[bytes]] = {}
        #: Bytes and updates merged so far.
        self.bytes = 0
        self.updates = 0
        #: The records that changed.
        self.records: set[str] = set()

    @property
    def is_spent(self) -> bool:
        """Whether one transaction has merged as much as it should."""
        return (
            self.bytes >= limits.MERGED_AT_ONCE_BYTES
            or self.updates >= limits.MERGED_AT_ONCE_UPDATES
        )

    @property
    def is_full(self) -> bool:
        """Whether what is open takes so much memory that it should be saved."""
        return self._workspace.is_full

    def apply(self, envelope: Envelope, author: UpdateAuthor, body: Body) -> None:
        """Merge all updates of an envelope, each by itself."""
        source = Source(author, envelope.hash)
        self.bytes += len(envelope.raw)
        updates = [(change, *one) for change in body.changes for one in change.records]
        for start in range(0, len(updates), limits.LOADED_AHEAD):
            part = updates[start : start + limits.LOADED_AHEAD]
            self._workspace.load([record_id for _, record_id, _ in part])
            for change, record_id, update in part:
                self.bytes += len(update)
                self.updates += 1
                self.merge(source, record_id, update, change)
                if self._workspace.is_full:
                    self.save()

    def merge(self, source: Source, record_id: str, update: bytes, change: Change) -> bool:
        """Merge one update and what waited for it, or set it aside; whether it was merged.

        Args:
            source: where it comes from.
            record_id: the record that it is of.
            update: its bytes.
            change: that it is a part of.
        """
        try:
            reached = self._merge_one(source, record_id, update, change)
        except IncompleteUpdateError as error:
            self._set_aside(source, record_id, update, error, INCOMPLETE, error.needs)
            return False
        except DocumentError as error:
            self._set_aside(source, record_id, update, error, REFUSED)
            return False
        self._release(record_id, reached)
        return True

    def has_change(self, change: Change) -> bool:
        """Whether a change came in another envelope, or inside of a snapshot."""
        if self._replica.journal.index.has(change.id):
            return True
        return all(self._is_in_snapshot(*one) for one in change.records)

    def _is_in_snapshot(self, record_id: str, update: bytes) -> bool:
        try:
            structure = read_update(update)
        except DocumentError:
            return False
        held = self._workspace.document(record_id)
        if not held.has_all_of(update, structure):
            return False
        return not structure.structs or contested.is_in_snapshot(
            self._replica, record_id, held, structure
        )

    def merge_state(self, source: Source, record_id: str, state: bytes) -> bool:
        """Merge a record's state of a snapshot, whose names were checked, and what waited for it;
        whether it brought anything. One that does not fit what is here is set aside."""
        self.bytes += len(state)
        self.updates += 1
        document = self._workspace.document(record_id)
        try:
            checked = document.check(state, read_state(state))
            if has_news := document.merge(state, checked):
                self._workspace.mark_changed(record_id, size=len(state))
                self._unsaved.setdefault(record_id, []).append((source, state))
        except DocumentError as error:
            self._set_aside(source, record_id, state, error, REFUSED)
            return False
        self._note_offer(record_id, state)
        self._release(record_id, checked.reached)
        return has_news

    def take_new(self, record: StoredRecord) -> None:
        """Store a reference of a snapshot as it came: it was checked, nothing of it is here, and
        nothing waits for it."""
        self.bytes += len(record.state)
        self.updates += 1
        self._workspace.put_arrived(record)

    def retry(self, one: QuarantinedUpdate) -> bool:
        """Try an update that was set aside once more; whether it was merged now."""
        reached = self._retry(one)
        if reached is None:
            return False
        self._release(one.record, reached)
        return True

    def save(self) -> None:
        """Save every record that changed.

        Where what a record holds now cannot be shown or stored, the updates that were merged
        since its last save are set aside, and the record stays as it was.
        """
        while True:
            try:
                self.records.update(self._workspace.save())
                break
            except BifolioError as error:
                if not isinstance(error, DocumentError):
                    raise
                failed = self._workspace.failed
            if failed is None:
                raise DocumentError("a record cannot be stored")
            self._workspace.drop(failed)
            for source, update in self._unsaved.pop(failed, ()):
                error_of_record = DocumentError("with it the record cannot be read")
                self._set_aside(source, failed, update, error_of_record, REFUSED)
        self._unsaved.clear()
        shown = self._workspace.shown
        if shown is not None and shown.has_news:
            shown.has_news = False
            self._replica.deletion_guard.hold_if_many(self._replica.workspace_to_show)

    def void(self, changes: Iterable[Change]) -> None:
        """What changes brought does not count any more, and is in the history no longer."""
        for change in changes:
            for record_id, update in change.records:
                self._contested.setdefault(record_id, []).append(update)

    def settle(self) -> None:
        """Make the records again of which two updates bear the same names, or some do not count;
        before ``save``, when all that was merged is in the history."""
        while self._contested:
            record_id, voided = self._contested.popitem()
            held = self._workspace.document(record_id)
            rebuilt = contested.rebuild(
                self._replica, self._author_of, record_id, held, voided=voided
            )
            if rebuilt is None:
                continue  # what came first counts here, and the other one is set aside
            self._set_aside_just(record_id, rebuilt.unmerged)
            self._unsaved.pop(record_id, None)
            if rebuilt.document.clocks():
                if kind_of(rebuilt.document.entries()) != kind_of(held.entries()):
                    self._forget_lists(record_id)
                self._workspace.put(record_id, rebuilt.document)
            else:
                self._forget(record_id)

    # --- small steps --------------------------------------------------------------------------

    def _merge_one(
        self, source: Source, record_id: str, update: bytes, change: Change | None = None
    ) -> dict[int, int]:
        """Merge one update; by client id the clock that the record reached with it."""
        structure, author = read_update(update), source.author
        kind = check_identity(record_id, update, structure, author) if author else None
        document = self._workspace.document(record_id)
        if kind is not None and document.has_of(structure):
            is_own = kind is UpdateKind.OWN
            # The same change in two chains is harmless; another one in its place is a lie.
            if is_own and change is not None and self._replica.journal.index.has(change.id):
                return {}
            is_other = is_own or not document.begins_as(structure)
            if is_other and not contested.is_in_snapshot(
                self._replica, record_id, document, structure
            ):
                self._contested.setdefault(record_id, [])
                raise DocumentError(WROTE_ANOTHER)
        elif kind is UpdateKind.OWN and self._may_be_contested(source, record_id):
            self._contested.setdefault(record_id, [])
        checked = document.check(update, structure)
        if author is not None and record_id == SETTINGS_ID:
            check_settings(document, update, checked, author)
        if document.merge(update, checked):
            self._workspace.mark_changed(record_id, size=len(update))
            self._unsaved.setdefault(record_id, []).append((source, update))
        self._note_offer(record_id, update)
        return checked.reached

    def _release(self, record_id: str, reached: dict[int, int]) -> None:
        """Merge what waited for parts that are in the record now, and what waited for that."""
        quarantined = self._replica.quarantined
        if not reached or not quarantined.has_incomplete(record_id):
            return
        arrived = deque(reached.items())
        while arrived:
            client, end = arrived.popleft()
            for one in quarantined.needing(record_id, client, before=end):
                arrived.extend((self._retry(one) or {}).items())

    def _retry(self, one: QuarantinedUpdate) -> dict[int, int] | None:
        """Merge an update that was set aside; None where it stays so."""
        quarantined = self._replica.quarantined
        author = self._author_of(one.envelope) if one.envelope is not None else None
        if author is None and one.device is not None:
            return None  # its envelope cannot be read here any more
        try:
            reached = self._merge_one(Source(author, one.envelope), one.record, one.contents)
        except IncompleteUpdateError as error:
            quarantined.wait_for(one.number, INCOMPLETE, error.reason, error.needs)
            return None
        except DocumentError as error:
            quarantined.wait_for(one.number, REFUSED, error.reason, None)
            return None
        quarantined.remove(one.number)
        return reached

    def _set_aside(
        self,
        source: Source,
        record_id: str,
        update: bytes,
        error: DocumentError,
        kind: str,
        needs: tuple[int, int] | None = None,
    ) -> None:
        """Keep an update with its author and the reason; of one author so many and no more."""
        quarantined = self._replica.quarantined
        device = source.author.signing_key if source.author else None
        if device not in self._usage:
            self._usage[device] = quarantined.usage(device)
        if self._is_over_quota(device, len(update)):
            return
        number, size = self._usage[device]
        self._usage[device] = (number + 1, size + len(update))
        quarantined.add(
            record_id,
            update,
            error.reason,
            device=device,
            envelope=source.envelope,
            kind=kind,
            needs=needs,
        )

    def _is_over_quota(self, device: bytes | None, more: int) -> bool:
        """Whether an author has so much set aside that no more bytes of it are kept."""
        number, size = self._usage[device]
        return (
            number >= limits.QUARANTINED_PER_AUTHOR_MAX
            or size + more > limits.QUARANTINED_PER_AUTHOR_BYTES_MAX
        )

    def _may_be_contested(self, source: Source, record_id: str) -> bool:
        """Whether an author's update to a record was set aside: it may claim the same names."""
        device = source.author.signing_key if source.author else None
        if device is None:
            return False
        quarantined = self._replica.quarantined
        if device not in self._usage:
            self._usage[device] = quarantined.usage(device)
        return self._usage[device][0] > 0 and (
            self._is_over_quota(device, 0) or quarantined.has_of_author(record_id, device)
        )

    def _forget(self, record_id: str) -> None:
        """Nothing is left of a record."""
        self._workspace.drop(record_id)
        self._replica.records.remove(record_id)
        self._forget_lists(record_id)

    def _forget_lists(self, record_id: str) -> None:
        """Nothing that is listed is left of a record: what is, is listed when it is saved."""
        self._replica.references.remove(record_id)
        self._replica.groups.remove(record_id)

    def _set_aside_just(self, record_id: str, unmerged: list[Unmerged]) -> None:
        """Set aside of a record what it was made again without, and nothing else."""
        quarantined = self._replica.quarantined
        left = {(one.update.contents, one.update.device): one for one in unmerged}
        for row in quarantined.of_record(record_id):
            if not row.kind:
                continue  # an earlier version's, which may be in no change
            one = left.pop((row.contents, row.device), None)
            if one is None:
                quarantined.remove(row.number)
            else:
                quarantined.wait_for(row.number, one.kind, one.reason, one.needs)
        for one in left.values():
            source = Source(one.update.author, one.update.envelope)
            error = DocumentError(one.reason)
            self._set_aside(source, record_id, one.update.contents, error, one.kind, one.needs)

    def _note_offer(self, record_id: str, update: bytes) -> None:
        """While joining: keep what the library itself has of a record that we mean to offer."""
        state = self._replica.join_offers.remote(record_id)
        if state is None:
            return
        remote = RecordDocument(state or None)
        remote.merge_incomplete(update)
        self._replica.join_offers.write_remote(record_id, remote.state())
