"""What is derived of a reference, and the rows that its tables are given.

Pure, and most of the work of a write: another process can do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from bifolio.records.canonical import exact_json
from bifolio.storage.attachments import AttachmentRow
from bifolio.storage.elements import ElementRow, element_rows
from bifolio.storage.purged import PurgedRow
from bifolio.storage.searchable import Places, Searchable

#: The version of all that is derived from the records: raised whenever ``refs`` and the tables with
#: it would be given other rows for the same records. A file of an older one is derived again when
#: it is next opened (``replica.derived_tables``). A step of the schema comes with each rise, so
#: that no older program writes rows of its own version into the file afterwards.
DERIVED_VERSION = 1

#: The columns of ``refs``.
STORED = (
    "id key key_rank type title creators container abstract note tags fields year trashed conflicts"
).split()


class StoredReference(NamedTuple):
    """What the tables are given of one reference; ``row`` in the order of ``STORED``."""

    id: str
    key: str
    row: tuple[object, ...]
    places: Places
    #: The texts of the search index; None in the trash, which is not searched.
    texts: tuple[str, ...] | None
    elements: tuple[ElementRow, ...]
    sources: tuple[tuple[str, str, str, bytes, str], ...]
    attachments: tuple[AttachmentRow, ...]
    purged: PurgedRow | None


class ReferenceRow(Struct, frozen=True):
    """A reference as lists show it.

    ``fields`` are the CSL-JSON fields without title, abstract and note, which have columns
    of their own; ``key_rank`` is the (stamp, slot) of the citation key.
    """

    id: str
    key: str
    key_rank: str
    type: str
    title: str | None
    creators: str
    container: str
    abstract: str | None
    note: str | None
    tags: str
    fields: dict[str, Any]
    year: int | None
    trashed: bool
    conflicts: int
    key_is_taken: bool = False


class SourceRow(Struct, frozen=True):
    """Where a reference was imported from: one row for each source."""

    record: str
    format: str
    source_id: str
    content: bytes
    blocks: str


class DerivedReference(Struct, frozen=True):
    """All that is derived from one reference."""

    row: ReferenceRow
    sources: Sequence[SourceRow] = ()
    attachments: Sequence[AttachmentRow] = ()
    #: All that is left to be listed of one that went with the trash; None for any other.
    purged: PurgedRow | None = None

    def to_stored(self) -> StoredReference:
        """What the tables are given of it."""
        row = self.row
        given = Searchable(
            *(row.key, row.type, row.title, row.abstract, row.note, row.fields),
            year=row.year,
            conflicts=row.conflicts,
        )
        places, texts = given.to_stored()
        return StoredReference(
            id=row.id,
            key=row.key,
            row=(
                *(row.id, row.key, row.key_rank, row.type, row.title, row.creators),
                *(row.container, row.abstract, row.note, row.tags, exact_json(row.fields)),
                *(row.year, int(row.trashed), row.conflicts),
            ),
            places=places,
            texts=None if row.trashed else texts,
            elements=element_rows(row.id, row.fields, trashed=row.trashed),
            sources=tuple(
                (one.record, one.format, one.source_id, one.content, one.blocks)
                for one in self.sources
            ),
            attachments=tuple(self.attachments),
            purged=self.purged,
        )
