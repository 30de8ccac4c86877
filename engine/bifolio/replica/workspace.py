"""The documents of one transaction: each loaded once, and saved once at its end.

Saving a record writes its state, moves the state hash by the difference and renews what lists
read, so the cost of a batch follows the records that it touches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bifolio import limits
from bifolio.document import canonical, registers, sets, view
from bifolio.document.groups import GROUP
from bifolio.document.record import RecordDocument
from bifolio.errors import DATA_FAULTS, DocumentError
from bifolio.replica import hot_records, projection
from bifolio.replica.backlog import Backlog, Noted
from bifolio.replica.creation import REFERENCE, Creation
from bifolio.replica.deletion_guard import Filter
from bifolio.storage.derived import StoredBefore, StoredReference
from bifolio.storage.groups import GroupTable
from bifolio.storage.meta import Meta
from bifolio.storage.records import Records, StoredRecord
from bifolio.storage.references import References

SETTINGS = "settings"

#: In the settings: the set of pairs of ids that are different works, whatever they look like.
SET_APART = "set-apart"

#: The setting that holds the pattern of the library's citation keys.
KEY_PATTERN = "key-pattern"


class Workspace:
    """Documents in use inside one transaction."""

    def __init__(
        self,
        records: Records,
        references: References,
        groups: GroupTable,
        meta: Meta,
        *,
        client_id: int | None = None,
        shown: Filter | None = None,
        derive_later: Backlog | None = None,
    ) -> None:
        self._records = records
        self._meta = meta
        self._references = references
        self._groups = groups
        self._client_id = client_id
        #: What of the references is shown, where it is not all that they say.
        self.shown = shown
        #: Where a large batch notes what is to be derived later; None: nothing is.
        self._derive_later = derive_later
        self._documents: dict[str, RecordDocument] = {}
        #: Those that are stored as a base and what came since, or may be.
        self._large: dict[str, hot_records.Loaded] = {}
        #: States that were read before they were asked for; None of a record that is not here.
        self._states: dict[str, bytes | None] = {}
        self._changed: dict[str, None] = {}
        self._created: list[Creation] = []
        self._arrived: list[StoredRecord] = []
        self._bytes = 0
        #: What is stored of the references that are being saved.
        self._before: Mapping[str, StoredBefore] = {}
        #: The record that ``save`` could not save.
        self.failed: str | None = None

    def document(self, record_id: str) -> RecordDocument:
        """The document of a record; an empty one where the replica has none."""
        document = self._documents.get(record_id)
        if document is None:
            if record_id in self._states:
                state = self._states.pop(record_id)
            else:
                return self._load(record_id)
            document = RecordDocument(state, client_id=self._client_id)
            self._documents[record_id] = document
            self._bytes += len(state) if state is not None else 0
        return document

    def _load(self, record_id: str) -> RecordDocument:
        loaded = hot_records.load(self._records, record_id, client_id=self._client_id)
        self._documents[record_id] = loaded.document
        self._bytes += loaded.size_bytes
        if loaded.is_large:
            self._large[record_id] = loaded
        return loaded.document

    def load(self, record_ids: Sequence[str]) -> None:
        """Read the states of some records at once that are about to be asked for; a large one is
        left to be read alone."""
        wanted = [one for one in dict.fromkeys(record_ids) if one not in self._documents]
        if len(wanted) > 1:
            self._states = self._records.small_states(wanted, limits.LOADED_AHEAD_BYTES_EACH)

    def put(self, record_id: str, document: RecordDocument) -> None:
        """Use a document that was made elsewhere, to be saved."""
        self._documents[record_id] = document
        self._states.pop(record_id, None)
        self._large.pop(record_id, None)
        self.mark_changed(record_id)

    def put_created(self, creation: Creation) -> None:
        """Save a new reference at the end, of which all that is stored was made elsewhere."""
        self._created.append(creation)

    def put_arrived(self, record: StoredRecord) -> None:
        """Save a reference at the end that was not here before, as it came; what lists read of it
        is derived later."""
        self._arrived.append(record)
        self._bytes += len(record.state)

    def mark_changed(self, record_id: str, *, size: int = 0) -> None:
        """A document was written to or merged into, so many bytes: it is saved at the end."""
        self._changed[record_id] = None
        self._bytes += size

    @property
    def changes(self) -> int:
        """How many documents wait to be saved."""
        return len(self._changed)

    @property
    def is_full(self) -> bool:
        """Whether so many documents are open, or so large ones, that they should be saved."""
        return (
            len(self._documents) >= limits.DOCUMENTS_OPEN_MAX
            or len(self._arrived) >= limits.ARRIVED_AT_ONCE
            or self._bytes >= limits.DOCUMENTS_OPEN_BYTES_MAX
        )

    def save(self) -> list[str]:
        """Save every changed document; returns their ids in the order of their first change.

        Raises:
            DocumentError: what a record holds, ``failed``, cannot be read; nothing was saved.
        """
        saved = list(self._changed)
        references = [creation.reference for creation in self._created]
        later: list[Noted] | None = None
        if self._arrived or self._derives_later(len(saved)):
            later = [(one.id, one.state, None) for one in self._arrived]
        self._before = self._read_before(saved) if saved and later is None else {}
        records = [creation.record for creation in self._created] + self._arrived
        for record_id in saved:
            self.failed = record_id
            records.append(self._store_safely(record_id, references, later))
        self.failed = None
        checks = self._records.write(records)
        self._references.store(references)
        if later and self._derive_later is not None:
            self._derive_later.note(later, checks)
        saved += [one.id for one in self._arrived]
        self._changed.clear()
        self._arrived.clear()
        self._documents.clear()
        self._large.clear()
        self._states.clear()
        self._created.clear()
        self._before = {}
        self._bytes = 0
        return saved

    def drop(self, record_id: str) -> None:
        """Leave a document unsaved, as if nothing had been written to it or merged into it."""
        self._documents.pop(record_id, None)
        self._large.pop(record_id, None)
        self._states.pop(record_id, None)
        self._changed.pop(record_id, None)

    def _derives_later(self, count: int) -> bool:
        """Whether so many records are derived after they are committed: behind others that are,
        or where they are many."""
        if self._derive_later is None or not count:
            return False
        return count >= limits.DERIVED_LATER_MIN or not self._derive_later.is_empty()

    def _read_before(self, saved: Sequence[str]) -> Mapping[str, StoredBefore]:
        if len(saved) > 1:
            return self._references.read_stored(saved)
        before = self._references.read_row(saved[0])
        return {} if before is None else {saved[0]: before}

    def _store_safely(
        self, record_id: str, references: list[StoredReference], later: list[Noted] | None
    ) -> StoredRecord:
        """``_store``; values of a form that nothing of ours can read are the record's fault."""
        try:
            return self._store(record_id, references, later)
        except DATA_FAULTS as error:
            kind = type(error).__name__
            raise DocumentError(f"it holds what cannot be read ({kind})") from error

    def _derive(self, record_id: str, document: RecordDocument) -> StoredReference:
        visible, before = document.visible(), self._before.get(record_id)
        known = projection.rederive_whatever(visible, before)
        if known is not None:
            if self.shown is not None:
                self.shown.note_living(record_id)
            return known
        if before is not None and before.sources is None:
            before = self._references.read_whole(before)
        derived = projection.derive_whatever(record_id, visible)
        if self.shown is not None:
            derived = self.shown(derived, document.entries())
        return projection.to_stored_whatever(derived, before)

    def _store(
        self, record_id: str, references: list[StoredReference], later: list[Noted] | None
    ) -> StoredRecord:
        """A changed record as it is to be stored; what lists read is renewed on the way, that of
        references is gathered: in one go it takes a third of the time; or ``later``."""
        document = self._documents[record_id]
        large = self._large.get(record_id)
        stored = large.to_stored() if large is not None and large.document is document else None
        entries = document.entries()
        kind = view.kind_of(entries)
        share = canonical.record_share(record_id, kind, entries)
        if kind == REFERENCE and later is not None:
            later.append((record_id, document.json(), None if document.is_new else entries))
        elif kind == REFERENCE:
            references.append(self._derive(record_id, document))
        elif kind == GROUP:
            self._groups.write(projection.group_row(record_id, entries))
        elif kind == SETTINGS:
            name = registers.read_shown(entries, "name")
            self._meta.name = (name.value if name else None) or ""
            pattern = registers.read_shown(entries, KEY_PATTERN)
            self._meta.key_pattern = (pattern.value if pattern else None) or ""
            self._meta.devices = view.devices(entries)
            self._meta.set_apart = sets.elements(entries, SET_APART)
        if stored is not None:
            return StoredRecord(record_id, kind, b"", share, *stored)
        return StoredRecord(record_id, kind, document.state(), share)
