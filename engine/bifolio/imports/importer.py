"""Files into records: each record of a file is new, matched, updated or unchanged (DESIGN §4).

In two passes, neither of which holds more than a few records: the file is read into a staging on
disk, where records of one id are told apart; then each record in its turn is decided about
(``matching``) and written, in changes of bounded size. A dry run is the same, undone
(``Database.rehearsal``).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from bifolio import limits
from bifolio.document import importing, importing_groups, rejoining
from bifolio.document.record import RecordDocument
from bifolio.document.view import read_view
from bifolio.formats import MAPPING_VERSION
from bifolio.ids import digest
from bifolio.imports.attached_files import Intake
from bifolio.imports.known_notes import KnownNotes, brings_joined
from bifolio.imports.matching import Decision, Matcher, MatchKind, with_citation_key
from bifolio.imports.prefetch import Prefetch
from bifolio.imports.same_groups import SameGroups
from bifolio.records.notes import ANNOTATION, NOTE, annotations_of, is_part, notes_of
from bifolio.records.reference import (
    ImportedBlocks,
    ImportedGroup,
    ImportedReference,
    LeftOut,
    SkippedRecord,
    Values,
)
from bifolio.replica.creation import Creation
from bifolio.replica.replica import Replica
from bifolio.results import ClearedFields, ImportReport, ImportTally
from bifolio.storage.import_staging import ImportStaging, StagedRecord, StagingPlace
from bifolio.wire.changes import Change

#: Records of a file in one transaction, so that other commands get their turn.
_RECORDS_AT_ONCE = 500

#: Records that go to the staging together, unless they are large.
_SPOOLED_AT_ONCE = 100

Item = ImportedReference | ImportedBlocks | ImportedGroup | SkippedRecord | LeftOut


@dataclass(frozen=True, slots=True)
class _Write:
    """Updates that are merged into their document, in this order, ready to be committed."""

    record_id: str
    document: RecordDocument
    updates: tuple[bytes, ...]


class Importer:
    """Imports one file into one replica."""

    def __init__(self, replica: Replica, *, file: str, keeps_files: bool = True) -> None:
        """Args: keeps_files: whether the records' files are taken in, or only looked at."""
        self._replica = replica
        self._file = file
        self._tally = ImportTally()
        self._skipped_unnamed = self._left_out_unnamed = 0
        self._blocks: list[ImportedBlocks] = []
        self._groups: list[ImportedGroup] = []
        self._same_groups = SameGroups(replica)
        self._known_notes: dict[str, KnownNotes] = {}
        self._intake = Intake(replica, keeps=keeps_files)

    def run(
        self, items: Iterable[Item], *, progress: Callable[[int, int], None] | None = None
    ) -> ImportReport:
        """Import what a file holds, and say what became of each record.

        Args:
            items: as ``formats.read`` gives them; read once, and not kept.
            progress: called with references done and references in all.
        """
        staging = ImportStaging(self._replica.database)
        matcher = Matcher(self._replica, staging)
        ahead = Prefetch(staging)
        try:
            self._read(items, staging, matcher, ahead)
            self._tally.files = self._intake.taken
            self._tally.missing_files = len(self._intake.left_out)
            self._tally.linked_files_left_out = self._intake.unwanted_links
            self._tally.left_out += self._intake.left_out
            self._tell_apart(staging)
            self._write_groups()
            total = staging.arrange()
            done = 0
            for chunk in self._chunks(staging, matcher, ahead):
                done += chunk
                if progress is not None:
                    progress(done, total)
            with self._replica.database.transaction():
                self._replica.references.index.optimize_after(done)
        finally:
            ahead.close()
            staging.close()
        return self._tally.report()

    # --- reading --------------------------------------------------------------------------

    def _read(
        self, items: Iterable[Item], staging: ImportStaging, matcher: Matcher, ahead: Prefetch
    ) -> None:
        """Put the references into the staging, and keep the little that is not one."""
        waiting: list[tuple[str, bytes]] = []
        size = 0
        for item in items:
            if isinstance(item, SkippedRecord):
                self._skip(item)
            elif isinstance(item, LeftOut):
                self._leave_out(item)
            elif isinstance(item, ImportedGroup):
                if not self._same_groups.has(item):
                    self._groups.append(item)
            elif isinstance(item, ImportedBlocks):
                self._blocks.append(item)
                matcher.learn(item)
            else:
                whole = self._intake.with_files(item)
                values = with_citation_key(self._same_groups.in_values(whole.values))
                if values is not whole.values:
                    whole = replace(whole, values=values)
                body = pickle.dumps(whole, protocol=5)
                waiting.append((item.record_id(), body))
                size += len(body)
            if len(waiting) >= _SPOOLED_AT_ONCE or size >= limits.CHANGE_TARGET_BYTES:
                staging.add(waiting)
                ahead.advance()
                waiting, size = [], 0
        staging.add(waiting)
        if self._skipped_unnamed:
            reason = f"{self._skipped_unnamed:,} more records could not be read"
            self._tally.skipped.append(SkippedRecord(self._file, 0, reason))
        if self._left_out_unnamed:
            what = f"{self._left_out_unnamed:,} more"
            self._tally.left_out.append(LeftOut(what, "only the first are named"))

    def _skip(self, item: SkippedRecord) -> None:
        if len(self._tally.skipped) < limits.IMPORT_NAMED_MAX:
            self._tally.skipped.append(item)
        else:
            self._skipped_unnamed += 1

    def _leave_out(self, item: LeftOut) -> None:
        if len(self._tally.left_out) < limits.IMPORT_NAMED_MAX:
            self._tally.left_out.append(item)
        else:
            self._left_out_unnamed += 1

    def _tell_apart(self, staging: ImportStaging) -> None:
        """Of several records with one id the first by content hash keeps it, and the others add
        theirs; equal ones are one."""
        for record_id, numbers in staging.ids_read_twice():
            different: dict[bytes, int] = {}
            for number in numbers:
                different.setdefault(_reference(staging.body(number)).content_hash(), number)
            self._tally.unchanged += len(numbers) - len(different)
            places = []
            for rank, content in enumerate(sorted(different)):
                own = digest(record_id.encode(), content, size=16).hex() if rank else record_id
                places.append(StagingPlace(different[content], own, rank))
            staging.place(numbers, places)

    # --- writing --------------------------------------------------------------------------

    def _chunks(self, staging: ImportStaging, matcher: Matcher, ahead: Prefetch) -> Iterator[int]:
        """Commit in chunks; yields how many references each one took."""
        pages = staging.pages(most=_RECORDS_AT_ONCE, bytes_max=limits.TRANSACTION_TARGET_BYTES)
        for page in pages:
            with self._replica.database.transaction():
                read = [(staged, _reference(staged.body)) for staged in page]
                matcher.look([(staged.id, reference) for staged, reference in read])
                decided = (self._decide(*one, matcher, ahead) for one in read)
                writes = [write for write in decided if write is not None]
                if writes:
                    self._commit([*writes, *self._block_writes()])
                self._part_joined_notes()
            yield len(page)

    def _part_joined_notes(self) -> None:
        """Of what came as one note, take out what the references have as notes of their own."""
        if self._known_notes:
            known = [(record_id, one.write) for record_id, one in self._known_notes.items()]
            self._replica.commit_inside(known)
            self._known_notes = {}

    def _decide(
        self, staged: StagedRecord, reference: ImportedReference, matcher: Matcher, ahead: Prefetch
    ) -> _Write | Creation | None:
        """What is to be written for one record of the file; None where that is nothing."""
        report = self._tally
        decision = matcher.decide(staged.id, reference)
        if decision.verdict is MatchKind.TRASHED:
            report.trashed_keys.append(decision.name)
            return None
        if decision.verdict is MatchKind.PURGED:
            report.purged_keys.append(decision.name)
            return None
        if decision.verdict is MatchKind.UNCHANGED:
            report.unchanged += 1
            return None
        if decision.verdict is MatchKind.NEW:
            write = ahead.creation(staged.number, decision.id, reference)
            if not self._fits([write.update], reference.line, "the record has"):
                return None
            if reference.source.is_trashed:
                report.trashed_keys.append(str(reference.values["citation-key"]))
            else:
                report.added += 1
            return write
        return self._update(decision, reference, matcher)

    def _update(
        self, decision: Decision, reference: ImportedReference, matcher: Matcher
    ) -> _Write | None:
        """Merge a newer version as if the file were a replica of its own."""
        record_id = decision.id
        document = self._replica.document(record_id)
        before = read_view(document.visible())
        versions = [
            importing.ImportVersion(self._same_groups.in_values(one.values), one.source)
            for one in matcher.versions(document.entries(), reference)
        ]
        imports = importing.import_updates(record_id, versions, mapping=MAPPING_VERSION)
        if not self._fits(imports, reference.line, "the record has"):
            return None
        write = _Write(record_id, document, rejoining.merge_imports(document, imports))
        if brings_joined(before.values, reference.values):
            self._known_notes[record_id] = KnownNotes(before.values)
        after = read_view(document.visible())
        self._tally.updated_keys.append(decision.name)
        in_conflict = {conflict.field for conflict in before.conflicts}
        self._tally.conflicts += sum(one.field not in in_conflict for one in after.conflicts)
        if cleared := _cleared(before.values, after.values):
            self._tally.cleared.append(ClearedFields(decision.name, cleared))
        return write

    def _write_groups(self) -> None:
        """New groups, and newer states of those that are here; before what is in them."""
        for start in range(0, len(self._groups), _RECORDS_AT_ONCE):
            with self._replica.database.transaction():
                part = self._groups[start : start + _RECORDS_AT_ONCE]
                writes = [write for one in part if (write := self._group_write(one)) is not None]
                if writes:
                    self._commit(writes)
                self._tally.groups += len(writes)
        self._groups = []

    def _group_write(self, group: ImportedGroup) -> _Write | None:
        """A group's import; None where this state of it is here."""
        record_id = group.record_id()
        document = self._replica.document(record_id)
        known = importing_groups.group_sources(document.entries())
        if group in known:
            return None
        imports = importing_groups.group_updates([*known, group])
        return _Write(record_id, document, rejoining.merge_imports(document, imports))

    def _block_writes(self) -> list[_Write]:
        """The file's own blocks, with the first change that needs them."""
        writes = []
        for one in self._blocks:
            record_id, update = importing.blocks_update(one)
            write = _Write(record_id, RecordDocument(update), (update,))
            exists = self._replica.records.exists(record_id)
            if not exists and self._fits([update], 1, "the file's own blocks have"):
                writes.append(write)
        self._blocks = []
        return writes

    def _fits(self, updates: Sequence[bytes], line: int, what: str) -> bool:
        """Whether envelopes can hold the updates; what is too large is named as skipped."""
        size = max(map(len, updates))
        most = limits.RECORD_UPDATE_BYTES_MAX
        if size <= most:
            return True
        reason = f"{what} {size:,} bytes; one change may have {most:,}"
        self._tally.skipped.append(SkippedRecord(self._file, line, reason))
        return False

    def _commit(self, writes: Sequence[_Write | Creation]) -> None:
        """Records, their index and their places in the outbox, in changes of bounded size."""
        replica = self._replica
        workspace = replica.workspace()
        for write in writes:
            if isinstance(write, Creation):
                workspace.put_created(write)
            else:
                workspace.put(write.record_id, write.document)
        workspace.save()
        for updates in _changes(writes):
            replica.add_change(Change(replica.next_stamp(), updates))


def _cleared(before: Values, after: Values) -> tuple[str, ...]:
    """The fields that an update took away; of notes and annotations, whether there are fewer."""
    fewer = {
        NOTE: len(notes_of(before)) > len(notes_of(after)),
        ANNOTATION: len(annotations_of(before)) > len(annotations_of(after)),
    }
    gone = (name for name in before if name not in after and not is_part(name))
    return (
        *(name for name in gone if name not in fewer),
        *(name for name, is_so in fewer.items() if is_so),
    )


def _changes(writes: Sequence[_Write | Creation]) -> Iterator[tuple[tuple[str, bytes], ...]]:
    """What other replicas are sent, cut into pieces of a change's size."""
    updates: list[tuple[str, bytes]] = []
    size = 0
    for write in writes:
        for update in (write.update,) if isinstance(write, Creation) else write.updates:
            updates.append((write.record_id, update))
            size += len(update)
        if size >= limits.CHANGE_TARGET_BYTES:
            yield tuple(updates)
            updates, size = [], 0
    if updates:
        yield tuple(updates)


def _reference(body: bytes) -> ImportedReference:
    """A reference out of the staging, which nobody but this process writes to."""
    reference = pickle.loads(body)
    assert isinstance(reference, ImportedReference)
    return reference
