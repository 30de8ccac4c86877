"""A library in a ZIP archive (``.enlx``, or a zipped folder), unpacked with bounds.

Only what belongs to a library is unpacked, each part of it under the folder given, in pieces whose
real size is counted: what an archive says of itself is not believed.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from bifolio import limits
from bifolio.errors import FileFormatError

_MAGIC: Final = b"PK\x03\x04"
_EMPTY_MAGIC: Final = b"PK\x05\x06"

#: Files and folders that make a library; anything else in an archive stays where it is.
_NAMES: Final = frozenset({"sdb.eni", "zotero.sqlite", "zotero.sqlite-wal", "refs.myd"})
_FOLDERS: Final = frozenset({"pdf", "storage"})
_SUFFIX: Final = ".enl"

#: What the standard library raises for an archive that is damaged, locked, or of a rare kind.
_DAMAGES: Final = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError,
)  # fmt: skip

_PIECE_BYTES: Final = 1024 * 1024


def is_archive(path: Path) -> bool:
    """Whether the file begins as a ZIP archive does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) in (_MAGIC, _EMPTY_MAGIC)
    except OSError:
        return False


def unpack(path: Path, folder: Path, *, shown: str) -> None:
    """Unpack what belongs to a library.

    Args:
        shown: what the archive should hold, for people.

    Raises:
        FileFormatError: damaged, locked with a password, or larger than can be true.
    """
    most = min(
        limits.ARCHIVE_BYTES_MAX, path.stat().st_size * limits.ARCHIVE_RATIO_MAX + _PIECE_BYTES
    )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > limits.ARCHIVE_ENTRIES_MAX:
                raise _refusal(path, shown, f"an archive of {len(entries):,} files")
            if sum(one.file_size for one in entries) > most:
                raise _refusal(path, shown, "an archive that unpacks to too many bytes")
            for entry in entries:
                if (target := _target(entry, folder)) is not None:
                    most -= _unpack_one(archive, entry, target, most=most)
                    if most < 0:
                        raise _refusal(path, shown, "an archive that unpacks to too many bytes")
    except _DAMAGES as error:
        got = f"a ZIP archive that is damaged or locked ({error})"
        raise _refusal(path, shown, got) from error
    except OSError as error:
        got = f"a ZIP archive that cannot be read ({error.strerror or error})"
        raise _refusal(path, shown, got) from error


def _target(entry: zipfile.ZipInfo, folder: Path) -> Path | None:
    """Where an entry goes; None for what is no part of a library, or would leave the folder."""
    parts = PurePosixPath(_name(entry)).parts
    if entry.is_dir() or not parts or parts[0] == "/" or ".." in parts or ":" in parts[0]:
        return None
    wanted = (
        parts[-1].lower() in _NAMES
        or parts[-1].lower().endswith(_SUFFIX)
        or any(part.lower() in _FOLDERS for part in parts[:-1])
    )
    return folder.joinpath(*parts) if wanted else None


def _name(entry: zipfile.ZipInfo) -> str:
    """The name; some programs write UTF-8 without saying so."""
    name = entry.filename.replace("\\", "/")
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            return name
    return name


def _unpack_one(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, *, most: int
) -> int:
    """Unpack one file, but not more than so many bytes; returns how many were written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as packed, target.open("wb") as file:
        while written <= most and (piece := packed.read(_PIECE_BYTES)):
            file.write(piece)
            written += len(piece)
    return written


def _refusal(path: Path, shown: str, got: str) -> FileFormatError:
    return FileFormatError(
        str(path),
        expected=shown,
        got=got,
        next_step="Make the archive again in the program it came from, or name the library itself.",
    )
