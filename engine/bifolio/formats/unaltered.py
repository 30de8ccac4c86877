"""Whether an export says of an unaltered reference just what its source says.

A reference that is what the import of its source made of it need not be read again to find that
nothing changed, where the export gives its source the same meaning: the same macros, and no parent.
"""

from __future__ import annotations

from collections.abc import Mapping

from bifolio.formats.bibtex import crossref, crowded, macros
from bifolio.formats.registry import BIBTEX, EXPORT_FORMATS
from bifolio.formats.writing import with_readable_key, without_unreadable
from bifolio.formats.written_blocks import merge_blocks
from bifolio.records.reference import ImportedBlocks, Source


class Unaltered:
    """Sources as one export gives them their meaning."""

    def __init__(self, format: str, blocks: Mapping[str, ImportedBlocks]) -> None:
        """Args: blocks: as for ``writing.write``."""
        self._family = EXPORT_FORMATS.get(format)
        self._blocks = blocks
        merged = merge_blocks(self._family, blocks) if self._family is not None else None
        self._macros = macros.macros_of(merged)
        #: The macros of each file, None of one whose blocks are not those that were imported.
        self._own: dict[str, dict[str, str] | None] = {"": {}}

    @property
    def family(self) -> str:
        """The name of the sources' format; empty where there is no such export."""
        return self._family.name if self._family is not None else ""

    @property
    def has_own_keys(self) -> bool:
        """Whether a record of the format says its key apart from its tags."""
        return self._family is not None and self._family.own_id is not None

    def covers(self, source: Source) -> bool:
        """Whether the source is of the export's format, and means what it meant when imported."""
        family = self._family
        if family is None or source.format != family.name:
            return False
        if family.is_own_shape is not None and not family.is_own_shape(source):
            return False
        if family is not BIBTEX:
            return True
        if without_unreadable(with_readable_key(source), self._macros) is not source:
            return False
        if crossref.has_links(source) or crowded.is_crowded(source):
            return False
        own = self._macros_of_file(source.blocks)
        return own is not None and macros.mean_the_same(source.tags, own, self._macros)

    def _macros_of_file(self, record_id: str) -> dict[str, str] | None:
        if record_id not in self._own:
            found = self._blocks.get(record_id)
            is_whole = found is not None and found.record_id() == record_id
            self._own[record_id] = macros.macros_of(found) if is_whole else None
        return self._own[record_id]
