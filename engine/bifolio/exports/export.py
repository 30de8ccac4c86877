"""References on their way out: values as shown, with the sources that they came from."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final

from msgspec.structs import replace

from bifolio.document import importing
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.view import read_view
from bifolio.errors import DATA_FAULTS
from bifolio.formats import (
    EXPORT_FORMATS,
    WHOLE,
    check_blocks,
    with_readable_key,
    without_damage,
    without_loose_text,
    write,
)
from bifolio.ids import device_tag
from bifolio.records.reference import (
    ExportedReference,
    ExportReport,
    ImportedBlocks,
    LostValue,
    Source,
)
from bifolio.records.sorting import Order, Sort
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.search.search import Searches
from bifolio.storage.derived import ReferenceRow


def export(
    replica: Replica,
    out: BinaryIO,
    progress: Callable[[int, int], None] | None = None,
    *,
    format: str,
    query: str | None,
    members_blocks: bool = False,
) -> ExportReport:
    """Write the live references (those that a query finds) in one format.

    Args:
        members_blocks: whether the blocks of files that other members imported are written as
            they are, their TeX included.
        progress: called with references written and references in all.
    """
    blocks, left_out = file_blocks(
        replica, format=format, members_blocks=members_blocks, is_whole=query is None
    )
    report = write(
        out,
        _each_exported(replica, rows(replica, query), left_out, format=format),
        format=format,
        blocks=blocks,
        keys=keys_beside(replica, query, format=format),
        names_keys=True,
        progress=_with_total(replica, query, progress) if progress is not None else None,
    )
    keys = {one.reference: "" for one in report.lost}
    for record_id in keys:
        if (row := replica.references.read(record_id)) is not None:
            keys[record_id] = lookup.shown_key(row)
    report.lost = [replace(one, key=keys[one.reference]) for one in report.lost] + left_out
    return report


def _with_total(
    replica: Replica, query: str | None, progress: Callable[[int, int], None]
) -> Callable[[int, int], None]:
    """Who writes does not know how many there are."""
    living = replica.references.count
    total = living(trashed=False) if query is None else Searches(replica).count(query)
    return lambda done, _: progress(done, total)


def keys_beside(replica: Replica, query: str | None, *, format: str) -> frozenset[str]:
    """The citation keys of all that is exported, in small letters: which parents are next to
    their children; none in a format where no child inherits."""
    if format not in ("bibtex", "biblatex"):
        return frozenset()
    return frozenset(row.key.lower() for row in rows(replica, query))


def csl_items(replica: Replica, found: Sequence[ReferenceRow]) -> list[dict[str, Any]]:
    """References as CSL-JSON items, each under its record id."""
    out = io.BytesIO()
    references = (to_exported(replica, row, format="csl-json") for row in found)
    write(out, references, format="csl-json", blocks={})
    items: list[dict[str, Any]] = json.loads(out.getvalue())
    return [item | {"id": row.id} for item, row in zip(items, found, strict=True)]


def export_some(
    replica: Replica, out: BinaryIO, found: Sequence[ReferenceRow], *, format: str
) -> None:
    """Write these references in one format, without the loose text of imported files.

    Raises:
        UsageError: no such format.
    """
    blocks, left_out = file_blocks(replica, format=format, is_whole=False)
    is_tex = format in ("bibtex", "biblatex")
    keys = frozenset(row.key.lower() for row in found) if is_tex else frozenset()
    references = _each_exported(replica, found, left_out, format=format)
    write(out, references, format=format, blocks=blocks, keys=keys, names_keys=True)


#: What a report calls the record that keeps a file's own blocks.
_FILE: Final = "imported file"


def file_blocks(
    replica: Replica, *, format: str, members_blocks: bool = False, is_whole: bool = True
) -> tuple[dict[str, ImportedBlocks], list[LostValue]]:
    """The blocks of all imported files, by record id, and those that are left out.

    The loose text of a file goes with the whole library, never with some of its references.
    What this device imported is written as it was. A block of anybody else's is written only where
    it can do no harm: TeX does what a preamble says.
    """
    found: dict[str, ImportedBlocks] = {}
    left_out: list[LostValue] = []
    family = EXPORT_FORMATS.get(format)
    for record in replica.records.of_kind("import"):
        blocks = importing.read_blocks(replica.document(record.id).entries())
        is_own = members_blocks or _is_own(replica, record.id, blocks)
        if not is_whole:
            blocks = without_loose_text(blocks)
        blocks, refused = without_damage(blocks) if is_own else check_blocks(blocks)
        if family is not None and family.name == blocks.format:
            left_out += [LostValue(record.id, one, why, _FILE) for one, why in refused]
        found[record.id] = blocks
    return found, left_out


def _is_own(replica: Replica, record_id: str, blocks: ImportedBlocks) -> bool:
    """Whether this device imported the file, and its blocks are what they were: their hash is the
    record's id."""
    return blocks.record_id() == record_id and _is_written_here(replica, record_id)


def _is_written_here(replica: Replica, record_id: str) -> bool:
    """Whether all that was written to a record was written by this device."""
    introduced = replica.meta.introduced
    if introduced is None:
        return False
    own = device_tag(introduced[0])
    changes = replica.journal.index.of_record(record_id)
    return bool(changes) and all(change.device == own for change in changes)


def rows(replica: Replica, query: str | None) -> Iterator[ReferenceRow]:
    """The live references, or those that a query finds."""
    if query is None:
        return replica.references.iter_rows(trashed=False)
    return Searches(replica).rows(query, sort=Sort(Order.ID))


def to_exported(replica: Replica, row: ReferenceRow, *, format: str) -> ExportedReference:
    """A reference as it is to be written in a format."""
    entries = replica.document(row.id).visible()
    stored = importing.sources(entries)
    source = stored[-1] if stored else None
    values = read_view(entries).values
    if values.pop(MEMBERSHIP, None) and (names := lookup.group_names(replica, row)):
        values[MEMBERSHIP] = tuple(names)
    if row.key_is_taken and _needs_own_key(source, format):
        values["citation-key"] = lookup.shown_key(row)
    foreign = (
        source is not None
        and (family := EXPORT_FORMATS.get(format)) is not None
        and source.format == family.name
        and not _is_written_here(replica, row.id)
    )
    if source is not None:
        source = with_readable_key(source)
    return ExportedReference(id=row.id, values=values, source=source, foreign=foreign)


def _each_exported(
    replica: Replica, found: Iterable[ReferenceRow], left_out: list[LostValue], *, format: str
) -> Iterator[ExportedReference]:
    """The references; one whose values cannot be read is named, and the others go on."""
    for row in found:
        try:
            reference = to_exported(replica, row, format=format)
        except DATA_FAULTS as error:
            left_out.append(cannot_read(row, error))
            continue
        yield reference


def cannot_read(row: ReferenceRow, error: Exception) -> LostValue:
    """What the report says of a reference whose values cannot be read here."""
    reason = f"its values cannot be read here ({type(error).__name__})"
    return LostValue(row.id, WHOLE, reason, lookup.shown_key(row))


def _needs_own_key(source: Source | None, format: str) -> bool:
    """Whether the key is the record's name in the file, and not one that a file gave (case K1)."""
    family = EXPORT_FORMATS.get(format)
    if family is None or family.own_id is None:
        return False
    return source is None or source.format != family.name or not source.id
