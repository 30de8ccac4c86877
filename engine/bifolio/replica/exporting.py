"""References on their way out: values as shown, with the sources that they came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from bifolio.document import importing
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.view import read_view
from bifolio.formats import write
from bifolio.records.reference import ExportedReference, ExportReport, ImportedBlocks
from bifolio.replica import lookup
from bifolio.replica.replica import Replica


def export(
    replica: Replica,
    out: BinaryIO,
    *,
    format: str,
    query: str | None,
    progress: Callable[[int, int], None] | None,
) -> ExportReport:
    """Write the live references (those that a query finds) in one format."""
    blocks: dict[str, ImportedBlocks] = {}
    for record in replica.records.of_kind("import"):
        blocks[record.id] = importing.read_blocks(replica.document(record.id).entries())
    return write(out, _references(replica, query), format=format, blocks=blocks, progress=progress)


def _references(replica: Replica, query: str | None) -> Iterator[ExportedReference]:
    references = replica.references
    rows = references.listed(trashed=False) if query is None else references.search(query)
    for row in rows:
        entries = replica.document(row.id).visible()
        stored = importing.sources(entries)
        values = read_view(entries).values
        if values.pop(MEMBERSHIP, None) and (names := lookup.group_names(replica, row)):
            values[MEMBERSHIP] = tuple(names)
        yield ExportedReference(id=row.id, values=values, source=stored[-1] if stored else None)
