"""Whole libraries of other programs to references, groups, and word of what stays out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bifolio.errors import FileFormatError
from bifolio.formats.databases import sqlite as foreign_sqlite
from bifolio.formats.databases.foreign_attachments import is_own_folder
from bifolio.formats.databases.linked_files import LinkedFiles
from bifolio.formats.databases.locate_library import (
    SHOWN,
    LibraryLocation,
    locate_library,
    may_be_library,
)
from bifolio.formats.databases.sqlite import ForeignDatabase
from bifolio.formats.endnote import library as endnote_library
from bifolio.formats.zotero import library as zotero_library
from bifolio.formats.zotero import rows as zotero_rows
from bifolio.records.reference import ImportedGroup, ImportedReference, LeftOut, SkippedRecord

Progress = Callable[[int, int], None]
Read = ImportedReference | ImportedGroup | SkippedRecord | LeftOut

ENDNOTE: Final = "endnote-library"
ZOTERO: Final = "zotero-library"

#: What may be named as the format of a whole library.
LIBRARY_FORMATS: Final = (ENDNOTE, ZOTERO)

_FOLDER_ELSEWHERE: Final = (
    "it is a link to a folder elsewhere; copy the library with its files into one folder, and "
    "import that"
)

#: Progress is reported this often.
_PROGRESS_RECORDS: Final = 64


def is_library(path: Path, format: str | None = None) -> bool:
    """Whether a user who names this path means a whole library, and not a file of references.

    Args:
        format: what the user says that it is, if anything.
    """
    return format in (ENDNOTE, ZOTERO) or (format is None and may_be_library(path))


def read_library(
    path: Path,
    *,
    format: str | None = None,
    zotero_group: str | None = None,
    links: LinkedFiles | None = None,
    progress: Progress | None = None,
) -> Iterator[Read]:
    """Everything that a library holds: its groups before the references that are in them.

    The files that references name are where they say only until the iterator is at its end.

    Args:
        path: its file or folder, or an archive with it.
        format: one of ``LIBRARY_FORMATS``; by default the database tells.
        zotero_group: one of Zotero's group libraries, instead of the user's own.
        links: where files may be that the library only links to; by default none is taken.
        progress: called with (records done, records in all) now and then.

    Raises:
        FileFormatError: nothing of the library can be read.
    """
    try:
        with locate_library(path) as place:
            yield from _read(path, place, format, zotero_group, links, progress)
    except OSError as error:
        got = f"a library that cannot be read ({error.strerror or error})"
        raise FileFormatError(str(path), expected=SHOWN, got=got) from error


def _read(
    path: Path,
    place: LibraryLocation,
    format: str | None,
    group: str | None,
    links: LinkedFiles | None,
    progress: Progress | None,
) -> Iterator[Read]:
    folder = place.files
    if folder is not None and not _may_be_read(folder, place, links):
        yield LeftOut(f"the folder of files '{folder.name}'", _FOLDER_ELSEWHERE)
        folder = None
    with foreign_sqlite.open_copy(place.database, shown=SHOWN) as database:
        is_zotero = zotero_rows.is_zotero(database)
        if not is_zotero and not endnote_library.is_endnote(database):
            raise FileFormatError(str(path), expected=SHOWN, got="a database of another program")
        if format is not None and is_zotero != (format == ZOTERO):
            shown = "a Zotero library" if is_zotero else "an EndNote library"
            raise FileFormatError(str(path), expected=f"the format {format}", got=shown)
        if group is not None and not is_zotero:
            wanted = f"a Zotero library with the group library '{group}'"
            raise FileFormatError(str(path), expected=wanted, got="an EndNote library")
        if is_zotero:
            items = zotero_library.read(
                database,
                folder=folder,
                file=str(path),
                group=group,
                packed=place.packed,
                links=links,
            )
        else:
            items = endnote_library.read(database, folder=folder, file=str(path))
        yield from _with_progress(items, _count(database), progress)


def _may_be_read(folder: Path, place: LibraryLocation, links: LinkedFiles | None) -> bool:
    """Whether a folder of files is the library's own, or one of the user's that was asked for."""
    own = place.database.parent
    if own.name.lower() == "sdb":
        own = own.parent
    return is_own_folder(folder, own) or (links is not None and links.holds(folder))


def _count(database: ForeignDatabase) -> int:
    table = "refs" if database.columns("refs") else "items"
    return sum(int(row[0]) for row in database.rows(f"SELECT count(*) FROM {table}"))


def _with_progress(items: Iterator[Read], total: int, progress: Progress | None) -> Iterator[Read]:
    done = 0
    for one in items:
        yield one
        if isinstance(one, ImportedReference) and progress is not None:
            done += 1
            if done % _PROGRESS_RECORDS == 0:
                progress(min(done, total), total)
    if progress is not None:
        progress(total, total)
