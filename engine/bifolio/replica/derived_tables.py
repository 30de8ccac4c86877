"""What is derived from the records, derived again: by hand, or where an older version made it."""

from __future__ import annotations

from bifolio.document.groups import GROUP
from bifolio.document.record import RecordDocument
from bifolio.replica import projection
from bifolio.storage.database import Database
from bifolio.storage.derived import DERIVED_VERSION
from bifolio.storage.groups import GroupTable
from bifolio.storage.meta import Meta
from bifolio.storage.records import Records
from bifolio.storage.references import References


def bring_up_to_date(database: Database) -> None:
    """Derive again what lists read, where an older version of Bifolio derived it."""
    meta = Meta(database)
    if meta.derived_version >= DERIVED_VERSION:
        return
    with database.transaction():
        # Asked once more inside: another process may have done it just now.
        if meta.derived_version < DERIVED_VERSION:
            rebuild_lists(database)


def rebuild_lists(database: Database) -> int:
    """Derive all that lists read again, inside a transaction; needs no key.

    Returns:
        how many references there are.
    """
    records, references, groups = Records(database), References(database), GroupTable(database)
    references.clear()
    groups.clear()
    for record in records.of_kind(GROUP):
        entries = RecordDocument(records.state(record.id)).entries()
        groups.write(projection.group_row(record.id, entries))
    count = 0
    for record_id in records.ids_by_arrival("reference"):
        visible = RecordDocument(records.state(record_id)).visible()
        references.write([projection.derive(record_id, visible)])
        count += 1
    Meta(database).derived_version = DERIVED_VERSION
    return count
