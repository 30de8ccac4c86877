"""An export that is kept current: only what changed is composed again.

Composing a reference for BibTeX takes a millisecond or so, reading whether it changed a
microsecond. Holds the text of the last export in memory, and reads the library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from bifolio.errors import DATA_FAULTS
from bifolio.exports import export
from bifolio.exports.group_lists import GroupList
from bifolio.formats import Composer
from bifolio.records.reference import ExportReport, LostValue
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.storage.derived import ReferenceRow


@dataclass(frozen=True, slots=True)
class _Composed:
    """A reference's text, and what it was made of: its hash and key, and whether the parents that
    it inherits from are next to it."""

    made_of: tuple[int, bool]
    parents: frozenset[str]
    complete: bool
    text: str | None
    lost: list[LostValue]


class LiveExport:
    """One export of a library, written again and again."""

    def __init__(
        self,
        replica: Replica,
        *,
        format: str,
        query: str | None = None,
        members_blocks: bool = False,
    ) -> None:
        """Raises: UsageError, no such format."""
        Composer(format, {})
        self._replica = replica
        self._format = format
        self._query = query
        self._members_blocks = members_blocks
        self._seen: int | None = None
        self._blocks: dict[str, int] = {}
        self._composed: dict[str, _Composed] = {}
        self._groups: GroupList | None = None
        self._listed: list[tuple[int, str]] | None = None
        #: References that the last ``write`` composed; the others were as before.
        self.composed = 0

    def has_changed(self) -> bool:
        """Whether another process wrote to the library since the last ``write``."""
        return self._version() != self._seen

    def write(self, out: BinaryIO) -> ExportReport:
        """Write the whole export as the library is now, to an open binary file."""
        replica = self._replica
        with replica.snapshot():
            self._seen = self._version()
            blocks = replica.records.hashes("import")
            if blocks != self._blocks:  # a macro may mean something else now
                self._blocks, self._composed = blocks, {}
            groups = GroupList(replica, self._format, export.rows(replica, self._query))
            if groups.listed != self._listed:  # a group is called otherwise now
                self._listed, self._composed = groups.listed, {}
            self._groups = groups
            keys = export.keys_beside(replica, self._query, format=self._format)
            checked, left_out = export.file_blocks(
                replica,
                format=self._format,
                members_blocks=self._members_blocks,
                is_whole=self._query is None,
            )
            composer = Composer(self._format, checked, keys=keys, groups=groups.listed)
            report = self._write(out, composer, keys)
            report.lost += left_out + groups.left_out
            return report

    def _write(self, out: BinaryIO, composer: Composer, keys: frozenset[str]) -> ExportReport:
        report = ExportReport()
        hashes = self._replica.records.hashes("reference")
        standing: dict[str, _Composed] = {}
        self.composed = 0
        out.write(composer.opening)
        for row in export.rows(self._replica, self._query):
            made_of = (hashes[row.id], row.key_is_taken)
            known = self._composed.get(row.id)
            if (
                known is None
                or known.made_of != made_of
                or known.complete != (known.parents <= keys)
            ):
                known = self._compose(row, composer, keys, made_of)
                self.composed += 1
            standing[row.id] = known
            report.lost += known.lost
            if known.text is None:
                continue
            report.lost += composer.note_key(row.id, known.text, lookup.shown_key(row))
            out.write(composer.between(report.exported) + known.text.encode())
            report.exported += 1
        out.write(composer.closing)
        self._composed = standing
        return report

    def _compose(
        self, row: ReferenceRow, composer: Composer, keys: frozenset[str], made_of: tuple[int, bool]
    ) -> _Composed:
        """One reference; one whose values cannot be read has no text, and is named."""
        try:
            reference = export.to_exported(
                self._replica, row, format=self._format, groups=self._groups
            )
            parents = composer.parents(reference)
        except DATA_FAULTS as error:
            return _Composed(made_of, frozenset(), True, None, [export.cannot_read(row, error)])
        text, lost = composer.compose(reference)
        return _Composed(made_of, parents, parents <= keys, text, lost)

    def _version(self) -> int:
        return self._replica.database.data_version()
