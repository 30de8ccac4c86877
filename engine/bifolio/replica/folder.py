"""The folder of a replica: making it whole or not at all, and warning of bad places."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.disk import keep_private, make_private_folder, sync_folder
from bifolio.errors import (
    DamagedLibraryError,
    Next,
    NextStep,
    NotALibraryError,
    PathTakenError,
    ReadOnlyLibraryError,
    next_step,
)
from bifolio.replica.derived_tables import bring_up_to_date
from bifolio.results import Notice
from bifolio.storage.database import Database
from bifolio.storage.derived import DERIVED_VERSION
from bifolio.storage.meta import Meta

if TYPE_CHECKING:
    import shutil
else:
    shutil = lazy.module("shutil")

FILE = "library.sqlite"
FILES = "files"

#: The folder of what was damaged and has been mended since.
DAMAGED = "damaged"

#: A mended file that is whole, and has still to take the place of the damaged one.
_MENDED = f"{FILE}.mended"

#: SQLite's file and those that it keeps next to it.
_DATABASE_SUFFIXES = ("", "-wal", "-shm")

#: Folders that a cloud's program synchronises: two computers would write one SQLite file.
_CLOUDS = {
    "dropbox": "Dropbox",
    "onedrive": "OneDrive",
    "icloud": "iCloud",
    "mobile documents": "iCloud",
    "com~apple~clouddocs": "iCloud",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "pcloud": "pCloud",
    "box sync": "Box",
    "sync.com": "Sync.com",
}
_REMOVABLE = ("/media/", "/run/media/", "/Volumes/")


def create(path: Path, fill: Callable[[Database], None]) -> Database:
    """Make a replica's folder with a new file: whole, or not at all.

    Args:
        path: where it goes; it must not exist, or be an empty folder.
        fill: writes what the replica begins with.

    Raises:
        PathTakenError: something is there.
        ReadOnlyLibraryError: it cannot be written there.
    """

    def build(unfinished: Path) -> None:
        database = Database.create(unfinished / FILE)
        try:
            with database.transaction():
                Meta(database).derived_version = DERIVED_VERSION
                fill(database)
        finally:
            database.close()

    place(path, build)
    return Database.open(path / FILE)


def place(path: Path, build: Callable[[Path], None]) -> None:
    """Make a replica's folder next to its place, then rename it into it.

    Args:
        path: where it goes; it must not exist, or be an empty folder.
        build: fills the folder, in which there is an empty one for files, and leaves nothing open.

    Raises:
        PathTakenError: something is there, or a folder above it is a file.
        ReadOnlyLibraryError: it cannot be written there.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise PathTakenError(path)
    unfinished = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        make_private_folder(unfinished / FILES)
    except (NotADirectoryError, FileExistsError) as error:
        above = next(one for one in path.parents if one.exists())
        raise PathTakenError(above, is_file=True) from error
    except OSError as error:
        raise ReadOnlyLibraryError(path.parent) from error
    try:
        build(unfinished)
        _take_place(unfinished, path)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def remove(path: Path, *, was_there: bool) -> None:
    """Take away a replica that came to nothing; an empty folder that was there before stays."""
    shutil.rmtree(path, ignore_errors=True)
    if was_there:
        make_private_folder(path)


def _take_place(unfinished: Path, path: Path) -> None:
    try:
        if path.is_dir():
            path.rmdir()
        unfinished.rename(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        # Another command was faster.
        raise PathTakenError(path) from error


def open_database(path: Path) -> Database:
    """Open the replica in a folder.

    Raises:
        LibraryError: it is none, newer, damaged.
    """
    if not path.exists():
        raise NotALibraryError(path, found="nothing is there")
    if not path.is_dir():
        raise NotALibraryError(path, found="it is a file, not a folder")
    finish_mending(path)
    database = Database.open(path / FILE)
    _close_to_others(path)
    try:
        # Damage is told by who reads what is damaged: here it would hide what is whole.
        with suppress(DamagedLibraryError):
            bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return database


def replace_database(path: Path, fresh: Path) -> None:
    """Have a mended file, whole and closed, take the place of the damaged one.

    The caller keeps the damaged one, and other writers away.
    """
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    fresh.rename(path / _MENDED)
    sync_folder(path)
    finish_mending(path)


def finish_mending(path: Path) -> None:
    """Go on where the replacing of a damaged file was interrupted; as a rule there is nothing."""
    mended = path / _MENDED
    if not mended.exists():
        return
    # The log is the damaged file's: the fresh one must not meet it.
    for suffix in ("-wal", "-shm"):
        (path / (FILE + suffix)).unlink(missing_ok=True)
    with suppress(FileNotFoundError):  # another process was faster
        mended.rename(path / FILE)
    sync_folder(path)


def _close_to_others(path: Path) -> None:
    """Take a library that others may read from them; earlier versions left that to the umask."""
    for one in (path, path / FILES, *(path / (FILE + suffix) for suffix in _DATABASE_SUFFIXES)):
        keep_private(one)


def warnings(path: Path) -> list[Notice]:
    """What is unsafe about a place: a cloud's program synchronizes it, or it is removable."""
    for part in path.absolute().parts:
        folder = part.lower()
        for sign, cloud in _CLOUDS.items():
            if folder == sign or folder.startswith((sign + " ", sign + "-")):
                sentence = f"{path} is in a folder that {cloud} synchronizes, which can damage it."
                return [Notice(sentence, next_step(Next.MOVE_LIBRARY, path=str(path)))]
    if any(str(path.absolute()).startswith(start) for start in _REMOVABLE):
        sentence = f"{path} is on removable media, which may be pulled out while Bifolio writes."
        return [Notice(sentence, NextStep(Next.KEEP_MEDIA_CONNECTED))]
    return []
