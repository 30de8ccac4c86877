"""Files into records: each record of a file is new, matched, updated or unchanged (DESIGN §4).

A record *matches* one of the library if its source's id is the same and an identifier or the
title too, or if the source's id is globally unique; it is compared with the imported
sources of that record, never with local edits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bifolio import limits
from bifolio.document import importing
from bifolio.document.importing import ImportVersion
from bifolio.document.record import RecordDocument
from bifolio.formats import MAPPING_VERSION, map_source, source_identity
from bifolio.ids import digest
from bifolio.records.canonical import nfc
from bifolio.records.keys import make_key
from bifolio.records.reference import (
    ImportedBlocks,
    ImportedReference,
    SkippedRecord,
    Source,
    Values,
    value_to_json,
)
from bifolio.replica.projection import shown_fields, source_content
from bifolio.replica.replica import Replica
from bifolio.storage.references import ReferenceRow
from bifolio.wire.changes import Change

#: Records of a file in one transaction, so that other commands get their turn.
_RECORDS_AT_ONCE = 500

Item = ImportedReference | ImportedBlocks | SkippedRecord


@dataclass(slots=True)
class Imported:
    """What an import did, or would do."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    trashed: list[str] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Write:
    """A record's new state or update, ready to be committed."""

    record_id: str
    document: RecordDocument
    update: bytes


class Importer:
    """Imports into one replica; bulk work is cut into changes of bounded size."""

    def __init__(self, replica: Replica, *, file: str, dry_run: bool = False) -> None:
        self._replica = replica
        self._file = file
        self._dry_run = dry_run
        self._result = Imported()
        self._taken: set[str] = set()
        self._blocks: dict[str, ImportedBlocks] = {}

    def run(
        self, items: Iterable[Item], *, progress: Callable[[int, int], None] | None = None
    ) -> Imported:
        """Import what a file holds, and say what became of each record.

        Args:
            items: as ``formats.read`` gives them.
            progress: called with references done and references in all.
        """
        references: list[ImportedReference] = []
        for item in items:
            if isinstance(item, SkippedRecord):
                self._result.skipped.append(item)
            elif isinstance(item, ImportedBlocks):
                self._blocks[item.record_id()] = item
            else:
                references.append(_with_key(item))
        # Records that are here under their own id first: no other may take their place.
        named = sorted(self._named(references), key=lambda pair: not self._exists(pair[0]))
        done = 0
        for chunk in self._chunks(named):
            done += chunk
            if progress is not None:
                progress(done, len(named))
        return self._result

    def _named(
        self, references: Sequence[ImportedReference]
    ) -> Iterator[tuple[str, ImportedReference]]:
        """Each different record with its id; of several with one id the first by content hash
        keeps it, and the others add theirs."""
        groups: dict[str, list[ImportedReference]] = {}
        for reference in references:
            groups.setdefault(reference.record_id(), []).append(reference)
        for record_id, same in groups.items():
            if len(same) == 1:
                yield record_id, same[0]
                continue
            different = {reference.content_hash(): reference for reference in same}
            self._result.unchanged += len(same) - len(different)
            for number, content in enumerate(sorted(different)):
                own = digest(record_id.encode(), content, size=16).hex() if number else record_id
                yield own, different[content]

    def _chunks(self, named: Sequence[tuple[str, ImportedReference]]) -> Iterator[int]:
        """Commit in chunks; yields how many references each one took."""
        blocks_left = list(self._blocks.values())
        index = 0
        while index < len(named):
            began = index
            with self._replica.database.transaction():
                writes: list[_Write] = []
                size = 0
                end = min(len(named), began + _RECORDS_AT_ONCE)
                while index < end and size < limits.CHANGE_TARGET_BYTES:
                    write = self._one(*named[index])
                    index += 1
                    if write is not None:
                        writes.append(write)
                        size += len(write.update)
                if writes and blocks_left:
                    writes += self._block_writes(blocks_left)
                    blocks_left = []
                if writes and not self._dry_run:
                    self._commit(writes)
            yield index - began
        if self._result.added and not self._dry_run:
            self._replica.introduce_device()

    def _one(self, record_id: str, reference: ImportedReference) -> _Write | None:
        """Decide about one record of the file; None where nothing is to be written."""
        found = self._match(record_id, reference)
        if found is None:
            if self._exists(record_id):  # as a version of another record of this file
                record_id = digest(record_id.encode(), reference.content_hash(), size=16).hex()
            self._taken.add(record_id)
            if self._dry_run:
                self._result.added += 1
                return None
            version = ImportVersion(reference.values, reference.source)
            document = importing.import_document(record_id, [version], mapping=MAPPING_VERSION)
            write = self._fitting(reference, _Write(record_id, document, document.state()))
            self._result.added += write is not None
            return write
        self._taken.add(found.id)
        if found.trashed:
            self._result.trashed.append(found.key or found.id[:12])
            return None
        if self._is_unchanged(found.id, reference):
            self._result.unchanged += 1
            return None
        if self._dry_run:
            self._result.updated += 1
            return None
        write = self._fitting(reference, self._update(found.id, reference))
        self._result.updated += write is not None
        return write

    def _fitting(self, reference: ImportedReference, write: _Write) -> _Write | None:
        """The write, unless it is larger than an envelope may be: then it is named as skipped."""
        size = len(write.update)
        if size <= limits.RECORD_UPDATE_BYTES_MAX:
            return write
        self._skip_large(reference.line, "the record has", size)
        return None

    def _skip_large(self, line: int, what: str, size: int) -> None:
        reason = f"{what} {size:,} bytes; one change may have {limits.RECORD_UPDATE_BYTES_MAX:,}"
        self._result.skipped.append(SkippedRecord(self._file, line, reason))

    def _exists(self, record_id: str) -> bool:
        return self._replica.records.exists(record_id)

    def _match(self, record_id: str, reference: ImportedReference) -> ReferenceRow | None:
        """The record of the library that this one is a version of."""
        references = self._replica.references
        same_id = references.read(record_id)
        if same_id is not None and record_id not in self._taken:
            return same_id
        source_id, is_unique = source_identity(reference.source)
        if not source_id:
            return None
        content = source_content(reference.source)
        candidates: list[ReferenceRow] = []
        for one in references.from_source(reference.source.format, source_id):
            row = references.read(one)
            if row is None or one in self._taken:
                continue
            if any(source.content == content for source in references.sources_of(one)):
                return row
            if is_unique or _agrees(row, reference.values):
                candidates.append(row)
        return candidates[0] if candidates else None

    def _is_unchanged(self, record_id: str, reference: ImportedReference) -> bool:
        """Whether this version is merged already, be it the newest or an earlier one.

        Two files that hold one work in two versions would else update it in turn for ever.
        """
        content = source_content(reference.source)
        same = [
            row for row in self._replica.references.sources_of(record_id) if row.content == content
        ]
        if any(row.blocks == reference.source.blocks for row in same):
            return True
        # Equal records of files whose macros differ may mean different things.
        stored = importing.sources(self._replica.document(record_id).entries()) if same else []
        return any(
            source_content(source) == content and self._mapped(source) == reference.values
            for source in stored
        )

    def _update(self, record_id: str, reference: ImportedReference) -> _Write:
        """Merge a newer version as if the file were a replica of its own."""
        document = self._replica.document(record_id)
        stored = importing.sources(document.entries())
        versions = [ImportVersion(self._mapped(source), source) for source in stored]
        versions.append(ImportVersion(reference.values, reference.source))
        update = importing.import_document(record_id, versions, mapping=MAPPING_VERSION).state()
        document.merge(update)
        return _Write(record_id, document, update)

    def _mapped(self, source: Source) -> Values:
        """What today's mapping makes of a stored source."""
        return _keyed(map_source(source, self._blocks_of(source)))

    def _blocks_of(self, source: Source) -> ImportedBlocks | None:
        if not source.blocks:
            return None
        if source.blocks not in self._blocks:
            entries = self._replica.document(source.blocks).entries()
            self._blocks[source.blocks] = importing.read_blocks(entries)
        return self._blocks[source.blocks]

    def _block_writes(self, blocks: Sequence[ImportedBlocks]) -> list[_Write]:
        writes = []
        for one in blocks:
            record_id, update = importing.blocks_update(one)
            if self._exists(record_id):
                continue
            if len(update) > limits.RECORD_UPDATE_BYTES_MAX:
                self._skip_large(1, "the file's own blocks have", len(update))
                continue
            writes.append(_Write(record_id, RecordDocument(update), update))
        return writes

    def _commit(self, writes: Sequence[_Write]) -> None:
        """One change: its records, its index and its place in the outbox."""
        replica = self._replica
        workspace = replica.workspace()
        for write in writes:
            workspace.put(write.record_id, write.document)
        workspace.save()
        stamp = replica.next_stamp()
        updates = tuple((write.record_id, write.update) for write in writes)
        replica.add_change(Change(stamp, updates))


def _with_key(reference: ImportedReference) -> ImportedReference:
    return replace(reference, values=_keyed(reference.values))


def _keyed(values: Values) -> Values:
    """The values with a citation key: made the same way everywhere where the source has none."""
    if values.get("citation-key"):
        return values
    return values | {"citation-key": make_key(values, taken=lambda _: False)}


def _agrees(row: ReferenceRow, values: Values) -> bool:
    """Whether a record of the same source id is the same work: an identifier or the title."""
    shown = shown_fields(row)
    for name in ("DOI", "PMID"):
        stored, given = shown.get(name), values.get(name)
        if (
            isinstance(stored, str)
            and isinstance(given, str)
            and stored
            and (stored.lower() == given.lower())
        ):
            return True
    isbn = value_to_json(values.get("ISBN", ()))
    if set(shown.get("ISBN") or ()) & set(isbn if isinstance(isbn, list) else ()):
        return True
    title = values.get("title")
    wanted = _normalized(title) if isinstance(title, str) else ""
    return bool(wanted) and wanted == _normalized(row.title or "")


def _normalized(title: str) -> str:
    """A title for comparison: no markup, no case, letters and digits only."""
    return re.sub(r"[\W_]+", " ", re.sub(r"<[^>]+>", "", nfc(title))).casefold().strip()
