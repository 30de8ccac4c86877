"""References on their way out: values as shown, with the sources that they came from."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from msgspec import Struct
from msgspec.structs import replace

from bifolio.document import importing
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.view import read_view
from bifolio.errors import DATA_FAULTS
from bifolio.exports.cited_keys import CITED, read_cited
from bifolio.exports.copied_files import CopiedFiles
from bifolio.exports.group_lists import GroupList
from bifolio.exports.unaltered import UnalteredReferences, is_written_here
from bifolio.formats import (
    EXPORT_FORMATS,
    FORMATS_WITH_FILES,
    WHOLE,
    check_blocks,
    with_readable_key,
    without_damage,
    without_loose_text,
    write,
)
from bifolio.records.fields import COPY_ORIGIN
from bifolio.records.reference import (
    ExportedReference,
    ExportReport,
    ImportedBlocks,
    LostValue,
    Source,
    Values,
)
from bifolio.records.sorting import Order, Sort
from bifolio.replica import lookup
from bifolio.replica.projection import strings_of
from bifolio.replica.replica import Replica
from bifolio.search.search import Searches
from bifolio.storage.derived import ReferenceRow


class ExportOptions(Struct, frozen=True):
    """What is exported, and what goes with it.

    ``members_blocks``: whether the blocks of files that other members imported are written as they
    are, their TeX included. ``with_files`` is the folder that attached files are copied into, named
    in the export as seen from the folder ``beside``. ``cited_in`` is an ``.aux`` or ``.bcf`` file:
    only what it cites is exported.
    """

    format: str
    query: str | None = None
    members_blocks: bool = False
    with_files: Path | None = None
    beside: Path | None = None
    cited_in: Path | None = None


def export(
    replica: Replica,
    out: BinaryIO,
    options: ExportOptions,
    progress: Callable[[int, int], None] | None = None,
) -> ExportReport:
    """Write the live references (those that a query finds) in one format.

    Args:
        progress: called with references written and references in all.
    """
    format, query = options.format, options.query
    chosen = Chosen(replica, query, options.cited_in)
    blocks, left_out = file_blocks(
        replica,
        format=format,
        members_blocks=options.members_blocks,
        is_whole=query is None and chosen.is_whole,
    )
    groups = GroupList(replica, format, chosen.rows())
    files = None
    if options.with_files is not None and format in FORMATS_WITH_FILES:
        files = CopiedFiles(replica, options.with_files, options.beside)
    report = write(
        out,
        _each_exported(
            *(replica, chosen.rows(), left_out, groups, files),
            format=format,
            unaltered=UnalteredReferences(replica, format, blocks) if files is None else None,
        ),
        format=format,
        blocks=blocks,
        keys=_keys_of(chosen.rows(), format),
        names_keys=True,
        groups=groups.listed,
        progress=_with_total(replica, query, progress) if progress is not None else None,
    )
    left_out += [*groups.left_out, *chosen.missing, *(files.lost if files is not None else ())]
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
    return _keys_of(rows(replica, query), format)


def _keys_of(found: Iterable[ReferenceRow], format: str) -> frozenset[str]:
    if format not in ("bibtex", "biblatex"):
        return frozenset()
    return frozenset(row.key.lower() for row in found)


class Chosen:
    """What an export is of: all, what a query finds, or of these what a paper cites."""

    def __init__(self, replica: Replica, query: str | None, cited_in: Path | None) -> None:
        self._replica = replica
        self._query = query
        self.missing: list[LostValue] = []
        self._ids: frozenset[str] | None = None
        cited = read_cited(cited_in) if cited_in is not None else None
        if cited is not None:
            self._find(cited)

    @property
    def is_whole(self) -> bool:
        """Whether it is not only what a paper cites."""
        return self._ids is None

    def rows(self) -> Iterator[ReferenceRow]:
        """The references, in their order."""
        found = rows(self._replica, self._query)
        ids = self._ids
        return found if ids is None else (row for row in found if row.id in ids)

    def _find(self, cited: frozenset[str]) -> None:
        """The references of the cited keys, as they are shown; of one key all that have it."""
        by_key: dict[str, list[str]] = {}
        small: dict[str, list[str]] = {}
        for row in rows(self._replica, self._query):
            for key in {lookup.shown_key(row), *strings_of(row.fields, "citation-key-aliases")}:
                by_key.setdefault(key, []).append(row.id)
                small.setdefault(key.lower(), []).append(row.id)
        ids: set[str] = set()
        for key in sorted(cited):
            found = by_key.get(key) or small.get(key.lower())
            if found is None:
                self.missing.append(LostValue("", CITED, _NOT_FOUND, key))
            else:
                ids.update(found)
        self._ids = frozenset(ids)


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
    groups = GroupList(replica, format, found)
    references = _each_exported(replica, found, left_out, groups, None, format=format)
    keys = _keys_of(found, format)
    write(out, references, format=format, blocks=blocks, keys=keys, names_keys=True)


_NOT_FOUND: Final = "the paper cites it, and no reference of this library has that key"

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
    return blocks.record_id() == record_id and is_written_here(replica, record_id)


def rows(replica: Replica, query: str | None) -> Iterator[ReferenceRow]:
    """The live references, or those that a query finds."""
    if query is None:
        return replica.references.iter_rows(trashed=False)
    return Searches(replica).rows(query, sort=Sort(Order.ID))


def to_exported(
    replica: Replica, row: ReferenceRow, *, format: str, groups: GroupList | None = None
) -> ExportedReference:
    """A reference as it is to be written in a format."""
    entries = replica.document(row.id).visible()
    stored = importing.sources(entries)
    source = stored[-1] if stored else None
    values = read_view(entries).values
    values.pop(COPY_ORIGIN, None)  # says something in its library alone
    if values.pop(MEMBERSHIP, None) and (names := lookup.group_names(replica, row)):
        values[MEMBERSHIP] = tuple(names)
    if row.key_is_taken and _needs_own_key(source, format):
        values["citation-key"] = lookup.shown_key(row)
    foreign = (
        source is not None
        and (family := EXPORT_FORMATS.get(format)) is not None
        and source.format == family.name
        and not is_written_here(replica, row.id)
    )
    if source is not None:
        source = with_readable_key(source)
    return ExportedReference(
        id=row.id,
        values=values,
        source=source,
        foreign=foreign,
        groups=groups.of(row) if groups is not None else None,
    )


def _each_exported(
    replica: Replica,
    found: Iterable[ReferenceRow],
    left_out: list[LostValue],
    groups: GroupList,
    files: CopiedFiles | None,
    *,
    format: str,
    unaltered: UnalteredReferences | None = None,
) -> Iterator[ExportedReference]:
    """The references; one whose values cannot be read is named, and the others go on."""
    for row in found:
        whole = partial(to_exported, replica, row, format=format, groups=groups)
        try:
            if unaltered is not None and (source := unaltered.find(row)) is not None:
                key: Values = {"citation-key": row.key} if row.key else {}
                own = groups.of(row)
                yield ExportedReference(row.id, key, source, unaltered=whole, groups=own)
                continue
            reference = whole()
            if files is not None:
                reference = replace(reference, files=files.copy(row))
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
