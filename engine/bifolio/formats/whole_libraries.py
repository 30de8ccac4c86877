"""Whole libraries of other programs to references, groups, and word of what stays out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bifolio.errors import FileFormatError
from bifolio.formats.databases import sqlite as foreign_sqlite
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

#: Progress is told this often.
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
    progress: Progress | None = None,
) -> Iterator[Read]:
    """Everything that a library holds: its groups before the references that are in them.

    The files that references name lie where they say only until the iterator is at its end.

    Args:
        path: its file or folder, or an archive with it.
        format: one of ``LIBRARY_FORMATS``; by default the database tells.
        zotero_group: one of Zotero's group libraries, instead of the user's own.
        progress: called with (records done, records in all) now and then.

    Raises:
        FileFormatError: nothing of the library can be read.
    """
    try:
        with locate_library(path) as place:
            yield from _read(path, place, format, zotero_group, progress)
    except OSError as error:
        got = f"a library that cannot be read ({error.strerror or error})"
        raise FileFormatError(str(path), expected=SHOWN, got=got) from error


def _read(
    path: Path,
    place: LibraryLocation,
    format: str | None,
    group: str | None,
    progress: Progress | None,
) -> Iterator[Read]:
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
                database, folder=place.files, file=str(path), group=group, packed=place.packed
            )
        else:
            items = endnote_library.read(database, folder=place.files, file=str(path))
        yield from _with_progress(items, _count(database), progress)


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
