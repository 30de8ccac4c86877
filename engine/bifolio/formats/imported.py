"""A record of a file as a reference: what it may hold is bounded, and its values are mapped."""

from __future__ import annotations

from pathlib import Path

from bifolio.formats import bounds
from bifolio.formats.registry import ReadFamily
from bifolio.records.reference import ImportedBlocks, ImportedReference, SkippedRecord, Source


def make_reference(
    path: Path,
    family: ReadFamily,
    kind: str,
    own_id: str,
    tags: tuple[tuple[str, str], ...],
    line: int,
    blocks: ImportedBlocks | None,
) -> ImportedReference | SkippedRecord:
    """A record with its values; one that holds more than a record may is skipped."""
    source = Source(family.name, kind, own_id, tags, blocks.record_id() if blocks else "")
    return of_source(path, family, source, line, blocks)


def of_source(
    path: Path, family: ReadFamily, source: Source, line: int, blocks: ImportedBlocks | None
) -> ImportedReference | SkippedRecord:
    """The same for a source that is made."""
    if reason := bounds.reason_against(source.tags):
        return SkippedRecord(str(path), line, reason)
    mapped = family.trace(source, blocks)
    if mapped.is_cut:
        return SkippedRecord(str(path), line, bounds.TOO_MANY)
    return ImportedReference(mapped.values, source, line)
