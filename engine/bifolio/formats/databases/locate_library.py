"""Where a whole library is: its database and its files, whatever a user names of it.

EndNote: ``.enl`` with a folder ``.Data`` next to it, both in a package ``.enlp``, all of it in a
ZIP archive ``.enlx``. Zotero: a folder with ``zotero.sqlite`` and ``storage``. A zipped folder of
either will do, and so will the database alone. Knows nothing of what the databases hold.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bifolio import limits
from bifolio.errors import FileFormatError, OldEndNoteLibraryError
from bifolio.formats.databases.archives import is_archive, unpack
from bifolio.formats.databases.sqlite import is_database

SHOWN: Final = "an EndNote or Zotero library"

_ENL: Final = ".enl"
_ENDNOTE_SUFFIXES: Final = frozenset({_ENL, ".enlx", ".enlp"})
_ZOTERO_FILE: Final = "zotero.sqlite"
_ENDNOTE_FILE: Final = "sdb.eni"
_OLD_FILE: Final = "refs.myd"

#: Bytes that no text begins with.
_CONTROL: Final = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")

#: Folders of files: they hold no library, and many folders.
_NOT_SEARCHED: Final = frozenset({"storage", "pdf"})


@dataclass(frozen=True, slots=True)
class LibraryLocation:
    """A library's database, and the folder of its files where there is one.

    ``packed``: it came out of an archive, so nothing that it names outside is its own.
    """

    database: Path
    files: Path | None
    packed: bool = False


def may_be_library(path: Path) -> bool:
    """Whether a path is looked at as a library, and not as a file of references."""
    return (
        path.is_dir()
        or is_archive(path)
        or is_database(path)
        or (path.suffix.lower() in _ENDNOTE_SUFFIXES and path.is_file() and not _is_text(path))
    )


def _is_text(path: Path) -> bool:
    """Whether a file is text, whatever its name, and no part of a library: EndNote's are never."""
    if sibling(path.parent, f"{path.stem}.Data") is not None:
        return False
    try:
        with path.open("rb") as opened:
            head = opened.read(4096)
    except OSError:
        return False
    utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return bool(head.strip()) and (utf16 or b"\x00" not in head) and not _CONTROL.search(head)


@contextmanager
def locate_library(path: Path) -> Iterator[LibraryLocation]:
    """The library that a user named.

    Raises:
        FileFormatError: it is none that can be read.
        OldEndNoteLibraryError: of EndNote X9 or earlier.
    """
    if path.is_dir():
        yield _in_folder(path, named=path)
    elif is_archive(path):
        with tempfile.TemporaryDirectory(prefix="bifolio-") as folder:
            root = Path(folder)
            unpack(path, root, shown=SHOWN)
            place = _in_folder(root, named=path)
            yield LibraryLocation(place.database, place.files, packed=True)
    elif is_database(path):
        yield _with_files(path)
    elif path.is_file():
        yield _of_pointer(path)
    else:
        raise FileFormatError(
            str(path), expected=SHOWN, got="no file there", next_step="Check the path."
        )


def _in_folder(folder: Path, *, named: Path) -> LibraryLocation:
    """The one library in a folder."""
    if (place := _in_named_folder(folder)) is not None:
        return place
    libraries: dict[Path, LibraryLocation] = {}
    is_old = False
    for file in sorted(_files(folder, named=named)):
        name = file.name.lower()
        if name == _ZOTERO_FILE or (file.suffix.lower() == _ENL and is_database(file)):
            # An .enl that is a database is newer than the copy in its own .Data folder.
            libraries[_home(file)] = _with_files(file)
        elif name == _ENDNOTE_FILE and is_database(file):
            libraries.setdefault(_home(file), _with_files(file))
        is_old = is_old or name == _OLD_FILE
    chosen = list(libraries.values())
    if not chosen and is_old:
        raise OldEndNoteLibraryError(str(named))
    if not chosen:
        raise FileFormatError(
            str(named),
            expected=SHOWN,
            got=f"{'a folder' if named.is_dir() else 'a ZIP archive'} without one",
            next_step="Name the files with references one by one (FOLDER/*.ris), or the .enl, "
            ".enlx or zotero.sqlite itself.",
        )
    if len(chosen) > 1:
        names = ", ".join(f"'{one.database.name}'" for one in chosen[:5])
        raise FileFormatError(
            str(named),
            expected="one library",
            got=f"{len(chosen)}: {names}",
            next_step="Name the one that you mean.",
        )
    return chosen[0]


def _home(database: Path) -> Path:
    """The folder that identifies a library, whichever of its databases is looked at."""
    folder = database.parent
    if database.name.lower() == _ENDNOTE_FILE:
        return folder.parent if folder.name.lower() == "sdb" else folder
    if database.suffix.lower() == _ENL:
        data = sibling(folder, f"{database.stem}.Data")
        return data or (folder if sibling(folder, "sdb") else database)
    return folder


def _in_named_folder(folder: Path) -> LibraryLocation | None:
    """A Zotero data folder, or EndNote's .Data folder, named as it is."""
    for child in (folder / _ZOTERO_FILE, folder / "sdb" / _ENDNOTE_FILE):
        if is_database(child):
            return _with_files(child)
    return None


def _files(folder: Path, *, named: Path) -> Iterator[Path]:
    """The files of a folder and of those in it, a few levels deep."""
    waiting = [(folder, 0)]
    seen = 0
    while waiting:
        current, depth = waiting.pop()
        for child in current.iterdir():
            seen += 1
            if seen > limits.LIBRARY_FOLDER_ENTRIES_MAX:
                raise FileFormatError(
                    str(named),
                    expected=SHOWN,
                    got="a folder with too many files to look through",
                    next_step="Name the .enl, .enlx or zotero.sqlite itself.",
                )
            if child.is_symlink():
                continue
            if child.is_file():
                yield child
            elif (
                depth < limits.LIBRARY_FOLDER_DEPTH_MAX and child.name.lower() not in _NOT_SEARCHED
            ):
                waiting.append((child, depth + 1))


def _of_pointer(path: Path) -> LibraryLocation:
    """An ``.enl`` that is no database: the one in its .Data folder, if it is new enough."""
    data = sibling(path.parent, f"{path.stem}.Data")
    if data is not None:
        database = sibling(sibling(data, "sdb") or data, _ENDNOTE_FILE)
        if database is not None and is_database(database):
            return _with_files(database)
        old = sibling(data, "rdb")
        if old is not None and sibling(old, _OLD_FILE) is not None:
            raise OldEndNoteLibraryError(str(path))
    got = "no library of EndNote 20 or later"
    if data is None:
        got += f", and no folder '{path.stem}.Data' next to it"
    raise FileFormatError(
        str(path),
        expected="an EndNote library",
        got=got,
        next_step="Open it in EndNote 20 or later and save it as a compressed library (.enlx), or "
        "export it as XML, and import that.",
    )


def _with_files(database: Path) -> LibraryLocation:
    """A database with the folder of files that belongs to it."""
    folder = database.parent
    if database.name.lower() == _ENDNOTE_FILE and folder.name.lower() == "sdb":
        return LibraryLocation(database, sibling(folder.parent, "PDF"))
    if database.suffix.lower() == _ENL:
        data = sibling(folder, f"{database.stem}.Data")
        return LibraryLocation(database, sibling(data or folder, "PDF"))
    return LibraryLocation(database, sibling(folder, "storage") or sibling(folder, "PDF"))


def sibling(folder: Path, name: str) -> Path | None:
    """What a folder holds under a name, whatever its case."""
    if (exact := folder / name).exists():
        return exact
    for child in folder.iterdir():
        if child.name.lower() == name.lower():
            return child
    return None
