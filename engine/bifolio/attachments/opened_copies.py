"""Copies of attached files that other programs work on, and what becomes of what they write.

A content is never changed, so ``file open`` gives a copy, under ``files/opened``. A viewer may save
an annotation into it, also by a new file that takes its name, or another one next to it. What was
written there is the user's work: it is never overwritten or swept away, and it is named until it is
attached as a new version, or deleted by its user.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from bifolio.disk import hash_file, make_private_folder, write_whole
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.storage.contents import OPENED

_COPY_MODE = 0o600

#: So much of a content's hash names the folder of its copy.
_HASH_LENGTH = 16

#: What was last found out of a copy whose time is another one than its content's.
_NOTE_SUFFIX = ".checked"


class ChangedCopy(Struct, frozen=True):
    """A copy that was changed: where it is, of which file, and the citation key of the reference
    that has the file; None where none has it any more."""

    path: Path
    name: str
    key: str | None


def place_of(replica: Replica, hash: str, name: str) -> Path:
    """Where the copy of a content is, under a name that is safe for every system."""
    return replica.contents.folder / OPENED / hash[:_HASH_LENGTH] / name


def make(replica: Replica, hash: str, path: Path, write: Callable[[Path], None]) -> None:
    """Make the copy, unless it is there, changed or not; ``write`` puts the content there."""
    if path.is_file() and (_is_untouched(replica, hash, path) or _is_changed(replica, path)):
        return
    make_private_folder(path.parent)
    write(path)
    path.chmod(_COPY_MODE)
    _mark_untouched(replica, hash, path)


def base_of(replica: Replica, path: Path) -> str | None:
    """The beginning of the hash of the content that a copy was made of; None for any other file."""
    with suppress(OSError):
        folder = path.resolve().parent
        if folder.parent == (replica.contents.folder / OPENED).resolve():
            return folder.name
    return None


def find_changed(replica: Replica) -> Iterator[ChangedCopy]:
    """The copies that hold what no content here does."""
    for path in _copies(replica):
        if _is_changed(replica, path):
            named = replica.references.attachments.with_content_prefix(path.parent.name)
            row = replica.references.read(named[0].reference) if named else None
            key = lookup.shown_key(row) if row is not None and not row.trashed else None
            yield ChangedCopy(path, path.name, key)


def sweep(replica: Replica, *, before_s: float) -> None:
    """Drop copies that were opened before that time (Unix time) and hold nothing of their own."""
    for path in _copies(replica):
        with suppress(OSError):
            if path.stat().st_ctime < before_s and not _is_changed(replica, path):
                path.unlink()
                _note_of(path).unlink(missing_ok=True)
                path.parent.rmdir()


def _copies(replica: Replica) -> Iterator[Path]:
    """What is in the folders of copies, but for what programs keep there for a while: hidden files,
    and those that end in ``~``."""
    with suppress(OSError), os.scandir(replica.contents.folder / OPENED) as folders:
        for folder in sorted(folders, key=lambda one: one.name):
            if len(folder.name) != _HASH_LENGTH or not folder.is_dir(follow_symlinks=False):
                continue
            with suppress(OSError), os.scandir(folder.path) as files:
                for file in sorted(files, key=lambda one: one.name):
                    hidden = file.name.startswith(".") or file.name.endswith("~")
                    if not hidden and file.is_file(follow_symlinks=False):
                        yield Path(file.path)


def _is_changed(replica: Replica, path: Path) -> bool:
    """Whether a copy holds what no content here does."""
    start = path.parent.name
    try:
        found = path.stat()
        content = _content(replica, start)
        if content is not None:
            kept = content.stat()
            if (found.st_size, found.st_mtime_ns) == (kept.st_size, kept.st_mtime_ns):
                return False
        hash = _hash(path, f"{found.st_size} {found.st_mtime_ns}")
    except OSError:
        return False
    return not hash.startswith(start) and not replica.contents.has(hash)


def _hash(path: Path, state: str) -> str:
    """The hash of a copy, read once for each state (size and time) that it was in."""
    note = _note_of(path)
    with suppress(OSError, UnicodeDecodeError):
        noted, _, hash = note.read_text("utf-8").rpartition(" ")
        if noted == state:
            return hash
    hash = hash_file(path)
    with suppress(OSError), write_whole(note) as file:
        file.write(f"{state} {hash}".encode())
    return hash


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}"[:200] + _NOTE_SUFFIX)


def _content(replica: Replica, start: str) -> Path | None:
    """The content of a folder of copies."""
    found = replica.contents.path(start).parent.glob(f"{start}*")
    return next((one for one in found if len(one.name) == 64), None)


def _is_untouched(replica: Replica, hash: str, path: Path) -> bool:
    copy, content = path.stat(), replica.contents.path(hash).stat()
    return (copy.st_size, copy.st_mtime_ns) == (content.st_size, content.st_mtime_ns)


def _mark_untouched(replica: Replica, hash: str, path: Path) -> None:
    """Give a copy the time of its content: any program that writes gives it another one."""
    content = replica.contents.path(hash).stat()
    os.utime(path, ns=(content.st_atime_ns, content.st_mtime_ns))
