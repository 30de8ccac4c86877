"""What is derived from the records, derived again: by hand, or where an older version made it."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from bifolio import lazy, limits
from bifolio.document.groups import GROUP
from bifolio.errors import DocumentError
from bifolio.replica import projection
from bifolio.replica.deletion_guard import Cause, DeletionGuard, Filter
from bifolio.storage.database import Database
from bifolio.storage.derived import DERIVED_VERSION, DerivedReference
from bifolio.storage.groups import GroupTable
from bifolio.storage.meta import Meta
from bifolio.storage.object_versions import ObjectVersions
from bifolio.storage.records import Records
from bifolio.storage.references import References
from bifolio.storage.underived import Underived

if TYPE_CHECKING:
    from bifolio.document import record as documents
else:
    documents = lazy.module("bifolio.document.record")


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

    A record that cannot be read is left out; a self-check names it.

    Returns:
        how many references were derived.
    """
    records, references, groups = Records(database), References(database), GroupTable(database)
    references.clear()
    groups.clear()
    Underived(database).clear()
    for record in records.of_kind(GROUP):
        with suppress(DocumentError):
            entries = documents.RecordDocument(records.state(record.id)).entries()
            groups.write(projection.group_row(record.id, entries))
    shown = DeletionGuard(database).filter(Cause.SHOWING)
    count = 0
    ids = iter(records.ids_by_arrival("reference"))
    while page := list(islice(ids, limits.RECORDS_PER_CHANGE_MAX)):
        derived = [row for row in (_derive(records, one, shown) for one in page) if row is not None]
        references.write(derived)
        count += len(derived)
    ObjectVersions(database).derive_all()
    Meta(database).derived_version = DERIVED_VERSION
    return count


def _derive(records: Records, record_id: str, shown: Filter) -> DerivedReference | None:
    """What is derived of a reference; None of one that cannot be read: the others go on."""
    try:
        document = documents.RecordDocument(records.state(record_id))
        visible = document.visible()
    except DocumentError:
        return None
    return shown(projection.derive_whatever(record_id, visible), document.entries())
