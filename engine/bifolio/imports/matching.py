"""Which record of the library a record of a file is a version of (DESIGN §4); only decides.

A record *matches* one of the library if its source's id is the same and an identifier too, or the
title with little that speaks against it, or if the source's id is globally unique; it is compared
with the imported sources of that record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from bifolio.document import importing, merged_references
from bifolio.document.deletion import MERGED_INTO
from bifolio.document.entries import Entries
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.importing import ImportVersion
from bifolio.document.view import read_view
from bifolio.formats import (
    comes_as_library,
    differences,
    is_as_written,
    is_older,
    join_notes,
    map_source,
    map_sources,
    source_identity,
)
from bifolio.formats.bibtex import library_fields
from bifolio.ids import digest
from bifolio.lazy import pattern
from bifolio.records import attachments
from bifolio.records.attachments import Attachment
from bifolio.records.citation_keys import make_key
from bifolio.records.dates import date_year
from bifolio.records.reference import (
    ImportedBlocks,
    ImportedReference,
    Source,
    Value,
    Values,
    values_to_json,
)
from bifolio.records.similarity import Traits, compare_works
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.import_staging import ImportStaging
from bifolio.storage.purged import PurgedRow

#: Of a hundred points of similarity no more than this are left where two or more of a record's
#: details are another work's: a year and a volume, an author and a journal.
_CONTRADICTED = 50.0

#: What an export leaves in the library, or says in words of its own.
_LEFT_BEHIND = frozenset(
    {MEMBERSHIP, attachments.FIELD, *(f"x.bibtex.{name}" for name in library_fields.NAMES)}
)
#: So many references of one key are compared with a record: "Editorial" may be a thousand.
_SAME_KEY_MAX = 8
_BETWEEN_GROUPS = pattern(r"(?<!\\),")


class MatchKind(Enum):
    """What is to become of a record of a file."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    TRASHED = "trashed"
    PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one record, the id it goes to, and what people call that reference."""

    verdict: MatchKind
    id: str
    name: str = ""


class Matcher:
    """Decides about the records of one file, in their turn, inside the caller's transactions.

    A record of the library takes one version out of a file: ``staging`` remembers which have.
    """

    def __init__(self, replica: Replica, staging: ImportStaging) -> None:
        self._replica = replica
        self._spool = staging
        self._blocks: dict[str, ImportedBlocks] = {}
        #: Of the records that are looked at: which ids the library has, which of its references
        #: came from the same source, by (format, source id), and which have that id as their key.
        self._present: set[str] = set()
        self._same_source: dict[tuple[str, str], list[str]] = {}
        self._same_key: dict[str, list[str]] = {}
        #: What has found its version since they were looked at.
        self._taken: set[str] = set()

    def learn(self, blocks: ImportedBlocks) -> None:
        """The file's own blocks, which its references name."""
        self._blocks[blocks.record_id()] = blocks

    def look(self, records: Sequence[tuple[str, ImportedReference]]) -> None:
        """Look at records, each with the id that it would have, before they are decided about:
        a few statements for all of them. What is decided is written before the next ones."""
        self._spool.take(self._taken)
        self._taken.clear()
        self._present = self._replica.records.present([record_id for record_id, _ in records])
        wanted: dict[str, list[str]] = {}
        keys: list[str] = []
        for _, reference in records:
            source_id, _ = source_identity(reference.source)
            keys.append(_key_of(reference))
            if source_id:
                wanted.setdefault(reference.source.format, []).append(source_id)
        self._same_key = self._replica.references.with_keys(keys)
        self._same_source = {
            (source_format, source_id): found
            for source_format, ids in wanted.items()
            for source_id, found in self._replica.references.from_sources(
                source_format, ids
            ).items()
        }

    def decide(self, record_id: str, reference: ImportedReference) -> Decision:
        """What is to become of a record that would have this id; it was looked at."""
        exists = record_id in self._present
        same_id = self._replica.references.read(record_id) if exists else None
        kept = None
        if exists and (same_id is None or same_id.trashed):
            kept = self._follow_merges(record_id)
        others = self._of_same_source(reference.source)
        found = kept or self._match(same_id, others, reference)
        gone = None
        if found is None and (exists or others):
            gone = self._find_purged(record_id, others, reference)
        if gone is not None:
            decision = Decision(MatchKind.PURGED, gone.id, gone.key or gone.id[:12])
        elif found is None and (same := self._says_the_same(reference)) is not None:
            is_there = self._holds_all_of(same, reference)
            kind = MatchKind.UNCHANGED if is_there else MatchKind.CHANGED
            decision = Decision(kind, same.id, same.key)
        elif found is None:
            if exists:  # as a version of another of this file
                record_id = digest(record_id.encode(), reference.content_hash(), size=16).hex()
            decision = Decision(MatchKind.NEW, record_id)
        else:
            name = found.key or found.id[:12]
            decision = Decision(self._verdict(found, reference), found.id, name)
        # What was merged away takes its own version, not that of the reference that was kept.
        self._taken.add(decision.id if kept is None else record_id)
        return decision

    def _is_taken(self, record_id: str) -> bool:
        """Whether a record of the library has found its version in the file."""
        return record_id in self._taken or self._spool.is_taken(record_id)

    def versions(self, entries: Entries, reference: ImportedReference) -> list[ImportVersion]:
        """All that was imported of a record, mapped as today, and what it has become."""
        sources = [*importing.sources(entries), reference.source]
        mapped = map_sources([(source, self._blocks_of(source)) for source in sources])
        return [
            ImportVersion(with_citation_key(values), source)
            for values, source in zip(mapped, sources, strict=True)
        ]

    def _verdict(self, found: ReferenceRow, reference: ImportedReference) -> MatchKind:
        if found.trashed:
            return MatchKind.TRASHED
        if self._is_unchanged(found.id, reference) or self._is_own_writing(found, reference):
            return MatchKind.UNCHANGED
        return MatchKind.CHANGED

    def _of_same_source(self, source: Source) -> list[str]:
        """The records that were imported from a record of this format and id."""
        source_id, _ = source_identity(source)
        return self._same_source.get((source.format, source_id), [])

    def _match(
        self, same_id: ReferenceRow | None, others: Sequence[str], reference: ImportedReference
    ) -> ReferenceRow | None:
        """The record of the library that this one is a version of: that of its id, or another."""
        references = self._replica.references
        if same_id is not None and not self._is_taken(same_id.id):
            return same_id
        if not others:
            return None
        _, is_unique = source_identity(reference.source)
        content = reference.source.content()
        candidates: list[ReferenceRow] = []
        for one in others:
            row = self._follow_merges(one)
            if row is None:
                row = references.read(one)
                if row is None or self._is_taken(one):
                    continue
            if any(source.content == content for source in references.sources_of(one)):
                return row
            if is_unique or self._is_version(one, reference):
                candidates.append(row)
        return candidates[0] if candidates else None

    def _find_purged(
        self, record_id: str, others: Sequence[str], reference: ImportedReference
    ) -> PurgedRow | None:
        """The reference that went with the trash of which this is a version, by the same rules:
        what was removed for good does not come back with an old file."""
        purged = self._replica.references.purged
        same_id = purged.read(record_id)
        if same_id is not None and not self._is_taken(record_id):
            return same_id
        _, is_unique = source_identity(reference.source)
        for one in others:
            row = purged.read(one)
            if row is None or self._is_taken(one):
                continue
            same = any(
                source.content == reference.source.content()
                for source in self._replica.references.sources_of(one)
            )
            if same or is_unique or self._is_version(one, reference):
                return row
        return None

    def _is_version(self, record_id: str, reference: ImportedReference) -> bool:
        """Whether a record of the same source id is this work, by what any of its imported
        versions said or by what it is now: an edit of one's own parts it from no file."""
        document = self._replica.document(record_id)
        given = _traits(reference.values)
        if any(
            _agree(_traits(self._map_source(source)), given)
            for source in reversed(importing.sources(document.entries()))
        ):
            return True
        return _agree(_traits(read_view(document.visible()).values), given)

    def _says_the_same(self, reference: ImportedReference) -> ReferenceRow | None:
        """The reference of the record's citation key that says just what it says: what Bifolio
        exported to another format than that it came from, or with an edit to one without keys."""
        for one in self._same_key.get(_key_of(reference), [])[:_SAME_KEY_MAX]:
            if self._is_taken(one):
                continue
            if self._says_now(one, reference.values):
                return self._replica.references.read(one)
        return None

    def _says_now(self, record_id: str, given: Values) -> bool:
        """Whether a reference says just these values, as a format of references has them: all its
        notes are one text there."""
        values, _ = join_notes(read_view(self._replica.document(record_id).visible()).values)
        return not differences(_apart_from_library(values), _apart_from_library(given))

    def _is_own_writing(self, row: ReferenceRow, reference: ImportedReference) -> bool:
        """Whether the record is what an export of ours made of a reference from the same format:
        the newest imported source, whose text the writer changed where it harms a file; or what
        was edited here since. Only another spelling of what was imported is a newer version."""
        if comes_as_library(reference.source.format):
            return False
        sources = importing.sources(self._replica.document(row.id).entries())
        newest = sources[-1] if sources else None
        if newest is None or newest.format != reference.source.format:
            return False
        if differences(self._map_source(newest), reference.values):
            is_same = self._says_now(row.id, reference.values)
        else:
            is_same = is_as_written(newest, reference.source, self._blocks_of(newest))
        return is_same and self._holds_all_of(row, reference)

    def _holds_all_of(self, row: ReferenceRow, reference: ImportedReference) -> bool:
        """Whether a reference has the files of its record in a file, and is in its groups."""
        given = reference.values
        if MEMBERSHIP in given or attachments.FIELD in given:
            own = read_view(self._replica.document(row.id).visible()).values
            if not set(_elements(given.get(MEMBERSHIP))) <= set(_elements(own.get(MEMBERSHIP))):
                return False
            if not _contents(given) <= _contents(own):
                return False
        return self._is_in_its_groups(row, reference)

    def _is_in_its_groups(self, row: ReferenceRow, reference: ImportedReference) -> bool:
        """Whether a reference is in all groups that its record in a ``.bib`` file names."""
        said = _elements(reference.values.get("x.bibtex.groups"))
        # Of groups of one name an export writes those above, too.
        written = {
            name.strip().replace("\\,", ",").rpartition(" / ")[2]
            for text in said
            for name in _BETWEEN_GROUPS.split(text)
        }
        return written <= {*lookup.group_names(self._replica, row), ""}

    def _follow_merges(self, record_id: str) -> ReferenceRow | None:
        """The reference that this one was merged into, through however many merges."""
        found: ReferenceRow | None = None
        seen = {record_id}
        while (into := self._merged_into(record_id)) is not None and into not in seen:
            seen.add(into)
            record_id = into
            found = self._replica.references.read(into) or found
        return found

    def _merged_into(self, record_id: str) -> str | None:
        row = self._replica.references.read(record_id)
        if row is not None:
            into = row.fields.get(MERGED_INTO)
            return into if isinstance(into, str) else None
        if self._replica.references.purged.read(record_id) is None:
            return None
        return merged_references.merged_into(self._replica.document(record_id).entries())

    def _is_unchanged(self, record_id: str, reference: ImportedReference) -> bool:
        """Whether this version is merged already, be it the newest or an earlier one.

        Two files that hold one work in two versions would otherwise update it in turn for ever.
        """
        content = reference.source.content()
        same = [
            row for row in self._replica.references.sources_of(record_id) if row.content == content
        ]
        if any(row.blocks == reference.source.blocks for row in same):
            return True
        if not same and not comes_as_library(reference.source.format):
            return False
        entries = self._replica.document(record_id).entries()
        if comes_as_library(reference.source.format):
            # A library and its own export say the same in different words.
            *before, now = self.versions(entries, reference)
            return bool(before) and (
                before[-1].values == now.values or is_older(now.source, before[-1].source)
            )
        # Equal records of files whose macros differ may mean different things.
        return any(
            source.content() == content and self._map_source(source) == reference.values
            for source in importing.sources(entries)
        )

    def _map_source(self, source: Source) -> Values:
        """What today's mapping makes of a stored source."""
        return with_citation_key(map_source(source, self._blocks_of(source)))

    def _blocks_of(self, source: Source) -> ImportedBlocks | None:
        if not source.blocks:
            return None
        if source.blocks not in self._blocks:
            entries = self._replica.document(source.blocks).entries()
            self._blocks[source.blocks] = importing.read_blocks(entries)
        return self._blocks[source.blocks]


def _apart_from_library(values: Values) -> Values:
    return {name: value for name, value in values.items() if name not in _LEFT_BEHIND}


def _elements(value: Value | None) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, tuple) else []


def _contents(values: Values) -> set[str]:
    """The hashes of the files of a record."""
    files = map(Attachment.from_element, _elements(values.get(attachments.FIELD)))
    return {one.hash for one in files if one is not None}


def with_citation_key(values: Values) -> Values:
    """The values with a citation key: made the same way everywhere where the source has none."""
    if values.get("citation-key"):
        return values
    return values | {"citation-key": make_key(values, taken=lambda _: False)}


def _key_of(reference: ImportedReference) -> str:
    """The citation key of a record, be it the file's or made by the import."""
    return str(reference.values.get("citation-key", ""))


def _traits(values: Values) -> Traits:
    """What of a reference tells works apart."""
    fields = values_to_json(values)
    kind, title, issued = (values.get(name) for name in ("type", "title", "issued"))
    return Traits.of(
        "",
        type=kind if isinstance(kind, str) else "",
        title=title if isinstance(title, str) else "",
        year=date_year(issued) if isinstance(issued, dict) else None,
        fields=fields,
    )


def _agree(one: Traits, other: Traits) -> bool:
    """Whether two records of one source id are one work: they share an identifier, or have one
    title and little that speaks against it. A corrected file may change a year or an author;
    another "Editorial" under the same key has another year, author and journal."""
    if one.identifiers & other.identifiers or one.isbns & other.isbns:
        return True
    if not one.title or one.title != other.title:
        return False
    return compare_works(one, other).score > _CONTRADICTED
