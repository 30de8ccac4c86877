"""Files that another program keeps for a record: where each is now, and what it is called.

A path comes out of somebody's database: it may lead nowhere, or out of the folder on purpose.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Final

from bifolio import limits
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
