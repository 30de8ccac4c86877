"""References on their way out: values as shown, with the sources that they came from."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from bifolio.document import importing
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.view import read_view
from bifolio.formats import write
from bifolio.records.reference import ExportedReference, ExportReport, ImportedBlocks
from bifolio.records.sorting import Order, Sort
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.replica.searching import Searches
from bifolio.storage.references import ReferenceRow


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
    return write(
        out,
        _exported(replica, _rows(replica, query)),
        format=format,
        blocks=blocks,
        progress=progress,
    )


def csl_items(replica: Replica, rows: Sequence[ReferenceRow]) -> list[dict[str, Any]]:
    """References as CSL-JSON items, each under its record id."""
    out = io.BytesIO()
    write(out, _exported(replica, rows), format="csl-json", blocks={})
    items: list[dict[str, Any]] = json.loads(out.getvalue())
    return [item | {"id": row.id} for item, row in zip(items, rows, strict=True)]


def _rows(replica: Replica, query: str | None) -> Iterator[ReferenceRow]:
    references = replica.references
    if query is None:
        return references.listed(trashed=False)
    return Searches(replica).rows(query, sort=Sort(Order.ID))


def _exported(replica: Replica, rows: Iterable[ReferenceRow]) -> Iterator[ExportedReference]:
    for row in rows:
        entries = replica.document(row.id).visible()
        stored = importing.sources(entries)
        values = read_view(entries).values
        if values.pop(MEMBERSHIP, None) and (names := lookup.group_names(replica, row)):
            values[MEMBERSHIP] = tuple(names)
        yield ExportedReference(id=row.id, values=values, source=stored[-1] if stored else None)
