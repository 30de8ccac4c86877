"""A new reference out of a file, with all that is stored of it.

Pure: the same record makes the same bytes in any process of any computer (DESIGN §4).
"""

from __future__ import annotations

from typing import NamedTuple

from bifolio.document import canonical, importing
from bifolio.document.importing import ImportVersion
from bifolio.records.reference import ImportedReference
from bifolio.replica import projection
from bifolio.storage.derived import StoredReference
from bifolio.storage.records import StoredRecord

REFERENCE = "reference"


class Creation(NamedTuple):
    """The record, whose state is its first update too, and what the lists are given of it."""

    record: StoredRecord
    reference: StoredReference

    @property
    def record_id(self) -> str:
        """The id of the record."""
        return self.record.id

    @property
    def update(self) -> bytes:
        """What other replicas are sent."""
        return self.record.state


def create(record_id: str, reference: ImportedReference, *, mapping: str) -> Creation:
    """The creation of a record that no file of the library's had before.

    Args:
        mapping: the version of the mapping that made the reference's values.
    """
    version = ImportVersion(reference.values, reference.source)
    update, entries = importing.first_import(record_id, version, mapping=mapping)
    share = canonical.record_share(record_id, REFERENCE, entries)
    derived = projection.derive(record_id, entries, sources=[reference.source])
    return Creation(StoredRecord(record_id, REFERENCE, update, share), derived.to_stored())
