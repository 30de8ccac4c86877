"""A moment of the library, as far as the places of references in the orders go; and which of them
may have moved since.

What a reference is sorted by follows from its record, and from the changes that touched it. So it
is where it was unless a change touched it (``object_versions`` says so), one that had touched it
went (``Meta.history_cuts``), or everything was derived again, which numbers references anew (the
schema's version: the tables are made again).
"""

from __future__ import annotations

from msgspec import Struct

from bifolio.storage.database import Database
from bifolio.storage.meta import Meta
from bifolio.storage.object_versions import ObjectVersions
from bifolio.storage.underived import Underived

_MOVED = (
    "SELECT refs.number FROM object_versions CROSS JOIN refs ON refs.id = object_versions.record "
    "WHERE object_versions.version > ? LIMIT ?"
)


class PlacesMark(Struct, frozen=True):
    """The schema's version, how often changes went, and the library's version."""

    schema: int
    cuts: int
    version: int


def read_mark(database: Database) -> PlacesMark | None:
    """This moment; None where it is none to begin from: what is read may be undone yet, or is not
    derived of all that is committed."""
    may_be_undone = database.is_in_transaction and (database.is_writing or database.may_write)
    if may_be_undone or not Underived(database).is_empty():
        return None
    return _read(database)


def moved_since(database: Database, mark: PlacesMark, *, most: int) -> list[int] | None:
    """The numbers of the references that may have another place now; None: any may, or more than
    so many."""
    now = _read(database)
    if (now.schema, now.cuts) != (mark.schema, mark.cuts) or now.version < mark.version:
        return None
    rows = database.rows(_MOVED, (mark.version, most + 1))
    return [row[0] for row in rows] if len(rows) <= most else None


def _read(database: Database) -> PlacesMark:
    row = database.row("PRAGMA schema_version")
    schema = int(row[0]) if row else 0
    return PlacesMark(schema, Meta(database).history_cuts, ObjectVersions(database).newest())
