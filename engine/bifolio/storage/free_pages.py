"""Pages of the file that hold nothing, given back to the disk once they are a large share of it.

Changes wait one by one and are sealed together, which leaves the room of the ones empty. A file is
written again rather than made with ``auto_vacuum``: that would write more with each edit, and leave
tables as scattered as they are.
"""

from __future__ import annotations

import shutil

from bifolio import limits
from bifolio.errors import LibraryError
from bifolio.storage.database import Database


def give_back(database: Database, *, was_filled: bool = False) -> int:
    """Write the file again without its empty pages, where they are worth it and there is room for
    a second copy; nothing is changed where another program has the file.

    Args:
        was_filled: whether most of it was written just now. Then its pages have room left in them,
            as ids come in no order, and its parts lie scattered: it is worth it from a size on.

    Returns:
        the bytes that were given back.
    """
    unused, pages, size = (
        _number(database, name) for name in ("freelist_count", "page_count", "page_size")
    )
    is_loose = was_filled and pages * size >= limits.FILLED_BYTES_MIN
    are_many = unused * size >= limits.UNUSED_BYTES_MIN
    if not is_loose and (not are_many or unused < pages * limits.UNUSED_SHARE_MIN):
        return 0
    if not database.may_write or _room(database) < 2 * pages * size:
        return 0
    try:
        database.compact()
    except LibraryError:
        return 0
    return max(pages - _number(database, "page_count"), 0) * size


def _number(database: Database, name: str) -> int:
    row = database.row(f"PRAGMA {name}")
    return int(row[0]) if row else 0


def _room(database: Database) -> int:
    try:
        return shutil.disk_usage(database.path.parent).free
    except OSError:
        return 0
