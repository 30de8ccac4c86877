"""What is derived of a reference, and the rows that its tables are given.

Pure, and most of the work of a write: another process can do it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from bifolio.records.canonical import exact_json, read_json
from bifolio.storage.attachments import AttachmentRow
from bifolio.storage.elements import FIELDS as ELEMENT_FIELDS
from bifolio.storage.elements import ElementRow, element_rows
from bifolio.storage.purged import PurgedRow
from bifolio.storage.searchable import Places, Searchable, are_names, is_searched

#: The version of all that is derived from the records: raised whenever ``refs`` and the tables with
#: it would be given other rows for the same records. A file of an older one is derived again when
#: it is next opened (``replica.derived_tables``). A step of the schema comes with each rise, so
#: that no older program writes rows of its own version into the file afterwards.
DERIVED_VERSION = 5

#: The values of a row of ``refs``, which ``list_rows`` stores.
STORED = (
    "id key key_rank type title creators container abstract note tags fields year trashed conflicts"
).split()


class Kept(NamedTuple):
    """Which parts of a reference are stored as they are to be: nothing makes or writes them."""

    row: bool = False
    key: bool = False
    places: bool = False
    texts: bool = False
    elements: bool = False
    sources: bool = False
    attachments: bool = False


class Indexed(NamedTuple):
    """What the indexes that are written by hand hold of a reference, as far as it does not stay."""

    #: The texts of the search index; None in the trash.
    texts: tuple[str, ...] | None
    elements: tuple[ElementRow, ...]


class StoredReference(NamedTuple):
    """What the tables are given of one reference; ``row`` in the order of ``STORED``. Of a part
    that is kept nothing counts."""

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
    kept: Kept = Kept()
    #: What all of it but the plain fields follows from (``replica.rederiving``), hashed; None where
    #: that is not noted.
    basis: bytes | None = None
    #: The number of its row, where it is known to have one.
    number: int | None = None
    #: Whether of its row only ``PLAIN_COLUMNS`` may change.
    is_plain: bool = False
    #: What the indexes hold of it until now, where that is known.
    indexed: Indexed | None = None

    def keeping(self, before: StoredBefore | None) -> StoredReference:
        """It, of a reference that is listed, without the parts that the tables hold already."""
        if before is None or self.purged is not None:
            return self
        kept = _find_kept_of(
            *(before, self.row, self.sources, self.basis), has_files=bool(self.attachments)
        )
        return self._replace(
            kept=kept, number=before.number, indexed=_find_indexed(before.row, kept)
        )


class StoredBefore(NamedTuple):
    """What the tables hold of one reference: its row, its sources and whether it has files (None
    where only the row was read), and what else its row has."""

    row: tuple[object, ...]
    sources: list[tuple[str, str, str, bytes, str]] | None
    has_attachments: bool | None
    basis: bytes | None = None
    number: int | None = None


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
    #: As in ``StoredReference``.
    basis: bytes | None = None

    def to_stored(self, before: StoredBefore | None = None) -> StoredReference:
        """What the tables are given of it.

        Args:
            before: what they hold of it; without it, all is given.
        """
        row = self.row
        columns = (
            *(row.id, row.key, row.key_rank, row.type, row.title, row.creators),
            *(row.container, row.abstract, row.note, row.tags, exact_json(row.fields)),
            *(row.year, int(row.trashed), row.conflicts),
        )
        sources = tuple(
            (one.record, one.format, one.source_id, one.content, one.blocks) for one in self.sources
        )
        kept, indexed = Kept(), None
        if before is not None and self.purged is None:
            kept = _find_kept_of(
                *(before, columns, sources, self.basis),
                fields=row.fields,
                has_files=bool(self.attachments),
            )
            indexed = _find_indexed(before.row, kept)
        places, texts = Searchable(
            *(row.key, row.type, row.title, row.abstract, row.note, row.fields),
            year=row.year,
            conflicts=row.conflicts,
        ).to_stored(with_places=not kept.places, with_texts=not (row.trashed or kept.texts))
        return StoredReference(
            id=row.id,
            key=row.key,
            row=columns,
            places=places,
            texts=texts,
            elements=() if kept.elements else element_rows(row.id, row.fields, trashed=row.trashed),
            sources=sources,
            attachments=tuple(self.attachments),
            purged=self.purged,
            kept=kept,
            basis=self.basis,
            number=before.number if before is not None else None,
            indexed=indexed,
        )


def with_plain_fields(
    before: StoredBefore,
    columns: Mapping[str, str | None],
    fields: Mapping[str, Any],
    earlier: Mapping[str, Any],
) -> StoredReference:
    """What the tables are given of a live reference without conflicts of which only plain fields
    changed.

    Args:
        before: what they hold of it.
        columns: the values of ``PLAIN_COLUMNS``.
        fields: the field ``fields`` of its row.
        earlier: that field until now.
    """
    was = before.row
    record_id, key, key_rank, _, _, creators, _, _, _, tags, _, year, trashed, conflicts = was
    title, abstract, note = columns["title"], columns["abstract"], columns["note"]
    kind = columns["type"] or "document"
    row = (
        *(record_id, key, key_rank, kind, title, creators, columns["container"] or ""),
        *(abstract, note, tags, exact_json(fields), year, trashed, conflicts),
    )
    kept = _find_kept(was, row, fields, earlier)._replace(
        key=True, elements=True, sources=True, attachments=True
    )
    assert isinstance(record_id, str)
    assert isinstance(key, str)
    places, texts = Searchable(
        *(key, kind, title, abstract, note, fields),
        year=year if isinstance(year, int) else None,
        conflicts=0,
    ).to_stored(with_places=not kept.places, with_texts=not kept.texts)
    return StoredReference(
        *(record_id, key, row, places, texts, (), (), (), None, kept),
        basis=before.basis,
        number=before.number,
        is_plain=True,
        indexed=_find_indexed(was, kept, earlier),
    )


#: The columns of ``refs`` that are plain fields.
PLAIN_COLUMNS = ("type", "title", "container", "abstract", "note", "fields")

_COLUMN = {name: number for number, name in enumerate(STORED)}
#: The columns of which the texts of the index are made, and those of the places in the orders.
_OF_TEXTS = [_COLUMN[name] for name in "key type title abstract note year trashed".split()]
_OF_PLACES = [_COLUMN[name] for name in "key title year trashed".split()]
_OF_KEY = [_COLUMN[name] for name in ("key", "trashed")]


def _find_kept_of(
    before: StoredBefore,
    row: tuple[object, ...],
    sources: Sequence[tuple[str, str, str, bytes, str]],
    basis: bytes | None,
    *,
    has_files: bool,
    fields: Mapping[str, Any] | None = None,
) -> Kept:
    """Which parts of a reference are stored as they are to be; ``fields`` are those of the row,
    where they are known."""
    kept = _find_kept(before.row, row, fields)
    if basis is not None and before.basis == basis:
        return kept._replace(key=True, elements=True, sources=True, attachments=True)
    return kept._replace(
        row=kept.row and before.basis == basis,
        sources=before.sources is not None and sorted(before.sources) == sorted(sources),
        attachments=before.has_attachments is False and not has_files,
    )


def _find_indexed(
    before: tuple[object, ...], kept: Kept, fields: Mapping[str, Any] | None = None
) -> Indexed:
    """What the indexes hold of a row that changes and do not keep; ``fields`` are those of the row,
    where they are known."""
    if kept.texts and kept.elements:
        return Indexed(None, ())
    _, key, _, kind, title, _, _, abstract, note, _, written, year, trashed, conflicts = before
    if fields is None:
        fields = read_json(str(written))
    texts = None
    if not (kept.texts or trashed):
        one = Searchable(key, kind, title, abstract, note, fields, year, conflicts)  # type: ignore[arg-type]
        texts = one.index_texts()
    held = () if kept.elements else element_rows("", fields, trashed=bool(trashed))
    return Indexed(texts, held)


def _find_kept(
    before: tuple[object, ...],
    after: tuple[object, ...],
    fields: Mapping[str, Any] | None,
    earlier: Mapping[str, Any] | None = None,
) -> Kept:
    """Which parts a row that changes leaves as they are; ``fields`` and ``earlier`` are those of
    the row and of that before, where they are known."""
    if before == after:
        return Kept(row=True, key=True, places=True, texts=True, elements=True)
    trashed, conflicts, written = _COLUMN["trashed"], _COLUMN["conflicts"], _COLUMN["fields"]
    texts = all(before[one] == after[one] for one in _OF_TEXTS)
    texts = texts and bool(before[conflicts]) == bool(after[conflicts])
    places = all(before[one] == after[one] for one in _OF_PLACES)
    elements = before[trashed] == after[trashed]
    if before[written] != after[written]:
        if earlier is None:
            earlier = read_json(str(before[written]))
        later = read_json(str(after[written])) if fields is None else fields
        assert earlier is not None
        for name in earlier.keys() | later.keys():
            old, new = earlier.get(name), later.get(name)
            if old != new:
                texts = texts and not is_searched(name, old, new)
                places = places and not (are_names(old) or are_names(new))
                elements = elements and name not in ELEMENT_FIELDS
    key = all(before[one] == after[one] for one in _OF_KEY)
    return Kept(key=key, places=places, texts=texts, elements=elements)
