"""A fresh file with all that can be read of a damaged one; the damaged one is not touched.

What is derived is left out and derived again afterwards. Tables that nothing else could restore
have a second copy of each row in an index, with a third in another form, so that the copies tell
which of them is damaged. Whether what was read is what was written, ``repair`` finds out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bifolio.disk import touch_private
from bifolio.errors import DamagedLibraryError
from bifolio.salvage.filling import Salvaged, fill
from bifolio.salvage.pages import Pages
from bifolio.salvage.trees import Part, Trees
from bifolio.storage import schema
from bifolio.storage.database import APPLICATION_ID, Database
from bifolio.storage.migrations import LATEST, migrate

#: Derived from the records, and made again by ``replica.derived_tables``.
DERIVED_TABLES = frozenset(
    (
        "refs sources groups elements attachments shared_keys purged orders underived "
        "object_versions"
    ).split()
)
_FULL_TEXT = "refs_fts"

_VERSION_AT = 60


def salvage(path: Path, target: Path) -> Salvaged:
    """Make a fresh file of what can be read of a damaged one.

    Args:
        path: the damaged file; it is only read, its log too.
        target: the new file; of the same version of the schema.

    Raises:
        OSError: the one cannot be read at all, or the other not be written.
    """
    touch_private(target)
    with closing(Pages(path)) as pages, closing(_connect(target)) as connection:
        trees = Trees(pages)
        parts = trees.schema()
        version = _find_version(int.from_bytes(pages.header()[_VERSION_AT:][:4], "big"), parts)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(connection, through=version)
        connection.execute("BEGIN")
        connection.execute("DELETE FROM meta")  # what the steps of the schema noted of a new file
        derived = {name for name in schema.tables(version) if _is_derived(name)}
        salvaged = fill(connection, trees, parts, leave_out=derived)
        if version >= _FIRST_WITH_VERSION:
            connection.execute("DELETE FROM meta WHERE key = 'derived_version'")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")
    return salvaged


def looks_like_ours(path: Path) -> bool:
    """Whether a file that is not known as a library's by its header has the tables of one."""
    with closing(Pages(path)) as pages:
        there = {(part.kind, part.name) for part in Trees(pages).schema()}
    return 2 * len(there & schema.names(LATEST)) > len(there) > 0


def has_damaged_version(path: Path, version: int) -> bool:
    """Whether a file that calls itself newer is of today's version with one bit flipped in it.

    Where it is not, a newer program made it, and nothing may be made of it here.
    """
    with closing(Pages(path)) as pages:
        there = {(part.kind, part.name) for part in Trees(pages).schema()}
    return (version ^ LATEST).bit_count() == 1 and there == schema.names(LATEST)


def has_text_index(database: Database) -> bool:
    """Whether the full-text index can be opened; one that cannot be made again in its file."""
    try:
        database.rows(f"PRAGMA table_info({_FULL_TEXT})")  # which opens it; it has no rows to read
    except DamagedLibraryError:
        return False
    return True


def tree_names(path: Path) -> dict[int, str]:
    """The names of a file's tables and indexes by the page at which each begins."""
    with closing(Pages(path)) as pages:
        return {part.root: part.name for part in Trees(pages).schema() if part.root}


#: The version from which on a file notes what is derived in it.
_FIRST_WITH_VERSION = 15


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _find_version(said: int, parts: Sequence[Part]) -> int:
    """The schema's version: what the header says, unless the parts are another one's."""
    there = {(part.kind, part.name) for part in parts}

    def missing(version: int) -> int:
        return len(schema.names(version) ^ there)

    likely = [said] if 1 <= said <= LATEST else []
    if (likely and not missing(said)) or not there:
        return likely[0] if likely else LATEST
    versions: list[int] = [LATEST, *likely, *range(LATEST - 1, 0, -1)]
    return min(versions, key=missing)


def _is_derived(table: str) -> bool:
    return table in DERIVED_TABLES or table.startswith(_FULL_TEXT)
