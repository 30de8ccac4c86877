"""References that are just what this device imported: their sources, without reading them again.

Reading a source, and the record's values, is most of what an export takes; of what nobody has
changed both say the same, as long as the mapping does.
"""

from __future__ import annotations

from collections.abc import Mapping

from bifolio.document import importing
from bifolio.formats import MAPPING_VERSION, Unaltered
from bifolio.ids import device_tag
from bifolio.records.citation_keys import make_key
from bifolio.records.reference import ImportedBlocks, Source
from bifolio.replica.projection import key_values
from bifolio.replica.replica import Replica
from bifolio.storage.derived import ReferenceRow

#: Fields that are of the library and not of what a source describes.
_OF_LIBRARY = ("groups", "files")


class UnalteredReferences:
    """Those of one export."""

    def __init__(self, replica: Replica, format: str, blocks: Mapping[str, ImportedBlocks]) -> None:
        self._replica = replica
        self._export = Unaltered(format, blocks)
        self._is_any = replica.references.has_source_of(self._export.family)

    def find(self, row: ReferenceRow) -> Source | None:
        """The source of a reference that is what its import made of it, and that this export may
        write as it is; None of any other."""
        if not self._is_any or row.key_is_taken or row.conflicts or any(map(_is_apart, row.fields)):
            return None
        state = self._replica.records.load(row.id)
        if not isinstance(state, bytes):
            return None
        source = importing.untouched_source(row.id, state, mapping=MAPPING_VERSION)
        if source is None or not self._export.covers(source):
            return None
        if not self._says_key(source, row):
            return None
        return source if is_written_here(self._replica, row.id) else None

    def _says_key(self, source: Source, row: ReferenceRow) -> bool:
        """Whether the source says the reference's key; a format that has none of its own is not
        given one that the import made."""
        if row.key == source.id:
            return True
        if self._export.has_own_keys:
            return False
        return row.key in ("", make_key(key_values(row), taken=lambda _: False))


def _is_apart(field: str) -> bool:
    """Whether a field is of the library, or one of several notes."""
    return field in _OF_LIBRARY or ":" in field


def is_written_here(replica: Replica, record_id: str) -> bool:
    """Whether all that was written to a record was written by this device."""
    introduced = replica.meta.introduced
    if introduced is None:
        return False
    return replica.journal.index.is_of_device(record_id, device_tag(introduced[0]))
