"""Files that another program keeps for a record: where each is now, and what it is called.

A path comes out of somebody's database: it may lead nowhere, or out of the folder on purpose.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Final

from bifolio import limits
from bifolio.formats.databases.linked_files import LinkedFiles
from bifolio.records.canonical import nfc
from bifolio.records.reference import ImportedFile

#: What no file name has on one system or another.
_NOT_IN_A_NAME: Final = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def locate_attachment(path: str, folder: Path | None) -> ImportedFile:
    """The file at a path below a folder; its place is None where it is missing or leads out."""
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".")]
    name = file_name(parts[-1] if parts else path)
    inside = "/".join(parts)
    if folder is None or not parts or ".." in parts or any(map(_leads_out, parts)):
        return ImportedFile(inside, name, None)
    try:
        root = folder.resolve(strict=True)
        whole = root.joinpath(*parts).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return ImportedFile(inside, name, None)
    if not whole.is_relative_to(root):
        return ImportedFile(inside, name, None, reason="it leads out of the library's folder")
    if not whole.is_file():
        return ImportedFile(inside, name, None)
    return ImportedFile(inside, name, whole, root)


def locate_beside(written: str, beside: Path, links: LinkedFiles | None) -> ImportedFile:
    """The file that a file of references names by its path.

    One that is next to it, in its folder or below and in no hidden one, is taken; where that folder
    is the user's home itself, or above it, nothing is next to it. Any other one is a link.
    """
    plain = written.strip().replace("\\", "/") if os.sep == "/" else written.strip()
    parts = [part for part in PurePosixPath(plain).parts if part not in ("/", ".")]
    name = file_name(parts[-1] if parts else plain)
    folder = _own_folder(beside)
    if folder is not None and "\x00" not in plain:
        inside = _inside(plain, folder)
        if inside is not None:
            found = locate_attachment(inside, folder)
            if found.place is not None:
                return ImportedFile(plain, name, found.place, found.folder)
    if links is None:
        return ImportedFile(plain, name, None, is_unwanted_link=True)
    whole = plain if Path(plain).is_absolute() else str(beside.parent.absolute() / plain)
    looked = links.find(whole)
    if isinstance(looked, str):
        return ImportedFile(plain, name, None, reason=looked)
    return ImportedFile(plain, name, *looked)


def _own_folder(beside: Path) -> Path | None:
    """The folder of a file of references, unless the user's home is in it."""
    try:
        folder = beside.parent.resolve(strict=True)
        home = Path.home().resolve()
    except (OSError, RuntimeError):
        return None
    return None if home.is_relative_to(folder) else folder


def _inside(written: str, folder: Path) -> str | None:
    """The path below the folder; None where it leads elsewhere or is hidden."""
    path = Path(written)
    if path.is_absolute():
        try:
            path = Path(os.path.normpath(path)).relative_to(folder)
        except ValueError:
            return None
    parts = path.parts
    if not parts or any(part == ".." or part.startswith(".") for part in parts):
        return None
    return "/".join(parts)


def is_own_folder(folder: Path, library: Path) -> bool:
    """Whether a folder of files is inside the library's own folder, and not behind a link there."""
    try:
        return folder.resolve(strict=True).is_relative_to(library.resolve(strict=True))
    except (OSError, RuntimeError):
        return False


def _leads_out(part: str) -> bool:
    """Whether Windows would read a name as a drive, a stream or a path of its own."""
    return os.name == "nt" and (":" in part or "\\" in part)


def file_name(written: str) -> str:
    """A name that every system can have for a file, as near to the given one as can be."""
    name = _NOT_IN_A_NAME.sub("_", nfc(written)).strip() or "file"
    if name in (".", ".."):
        name = "file"
    while len(name.encode()) > limits.FILE_NAME_BYTES_MAX:
        stem, dot, suffix = name.rpartition(".")
        name = f"{stem[:-1]}.{suffix}" if dot and len(stem) > 1 else name[:-1]
    return name
