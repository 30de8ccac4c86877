"""SQLite's errors as ours: what a user can do something about is said in the user's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bifolio import lazy, limits
from bifolio.errors import (
    BusyLibraryError,
    DamagedLibraryError,
    LibraryError,
    Next,
    ReadOnlyLibraryError,
    StorageFullError,
)

if TYPE_CHECKING:
    import shutil
else:
    shutil = lazy.module("shutil")

#: With less free than this SQLite can make none of the files next to a database.
_ROOM_BYTES = 1 << 16

#: SQLite's primary result codes that a user can do something about.
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

#: How SQLite says that its full-text index is damaged, which is no error of its own kind.
_NO_TEXT_INDEX = ("invalid fts5 file format", "vtable constructor failed", "fts5: ")

#: How Python's module, and not SQLite, says that a text column holds no text.
_NO_TEXT = "Could not decode to UTF-8"


def raise_translated(
    error: sqlite3.DatabaseError, path: Path, *, only: Set[int] | None = None
) -> NoReturn:
    """Raise an error of SQLite's as ours; what is none of the user's as it is."""
    folder = path.parent
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if only is not None and code not in only:
        raise error
    if code in BUSY:
        raise BusyLibraryError(folder, waited_s=limits.BUSY_TIMEOUT_S) from error
    if code in READ_ONLY:
        raise ReadOnlyLibraryError(folder) from error
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(folder)):
        raise StorageFullError(folder) from error
    if code in DAMAGED or str(error).startswith(_NO_TEXT_INDEX):
        raise DamagedLibraryError(folder, reason=str(error)) from error
    if str(error).startswith(_NO_TEXT):
        raise DamagedLibraryError(folder, reason="a text in it is not valid text") from error
    if code == sqlite3.SQLITE_IOERR:
        raise LibraryError(
            f"The disk under {folder} failed ({error}). The change was not made.",
            path=folder,
            next_step=Next.CHECK_DISK,
        ) from error
    raise error


def _is_full(folder: Path) -> bool:
    """Whether the disk under a folder has no room: SQLite calls that a failure at times."""
    try:
        return shutil.disk_usage(folder).free < _ROOM_BYTES
    except OSError:
        return False
