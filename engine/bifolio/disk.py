"""Files that are on the disk whole, or not at all, and the hash by which a file's content goes.

Write to another name, sync, rename, sync the folder: a reader of a name sees the old content or
the new one, also after the power failed. May import only ``ids``.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bifolio.ids import content_hasher

#: Read at once where a file is hashed: whole pages, and small enough to be of no weight.
_PIECE_BYTES = 1 << 20

_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)


#: The rights of what only its owner may use, whatever the umask says.
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_private_folder(path: Path) -> None:
    """A folder that only this user can enter, and those above it that are missing.

    One that exists already keeps its rights.

    Raises:
        OSError: it cannot be made, or a file has its name.
    """
    try:
        path.mkdir(PRIVATE_FOLDER)
    except FileNotFoundError:
        make_private_folder(path.parent)
        path.mkdir(PRIVATE_FOLDER, exist_ok=True)
    except FileExistsError:
        if not path.is_dir():
            raise


def touch_private(path: Path) -> None:
    """Make an empty file of mode 0600 for another library to write into, unless one is there.

    SQLite gives the files that it keeps next to a database the rights of the database.

    Raises:
        OSError: it cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, PRIVATE_FILE))


def keep_private(path: Path) -> None:
    """Take a file or folder from everybody but its owner, where the system permits.

    What belongs to somebody else, lies on read-only media or on a file system without rights stays
    as it is, and what is missing is no error.
    """
    if os.name != "posix":
        return
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            path.chmod(mode & 0o700)


def unfinished_name(path: Path) -> Path:
    """A name next to ``path`` for what is to take its place: hidden, and nobody else's.

    It does not hold the name itself, which may be as long as the system allows.
    """
    return path.with_name(f".{os.urandom(8).hex()}")


@contextmanager
def create_private(path: Path) -> Iterator[BinaryIO]:
    """A new file that only this user can read, on the disk at the end.

    Raises:
        FileExistsError: something has this name; nothing was written.
        OSError: it cannot be written; what was begun is gone.
    """
    descriptor = os.open(path, _NEW, PRIVATE_FILE)
    with _filled(path, descriptor) as file:
        yield file


@contextmanager
def write_whole(path: Path, *, mode: int | None = 0o600) -> Iterator[BinaryIO]:
    """A file that takes its name, in the place of an older one, when all of it is on the disk.

    Args:
        mode: its rights; None: those of the file that it replaces, otherwise what new files get.

    Raises:
        OSError: it cannot be written; what had the name before still has it.
    """
    unfinished = unfinished_name(path)
    try:
        descriptor = os.open(unfinished, _NEW, 0o666 if mode is None else mode)
    except OSError as error:
        # The caller knows this file's name, not that of its forerunner.
        raise OSError(error.errno, error.strerror, str(path)) from error
    with _filled(unfinished, descriptor) as file:
        yield file
    try:
        if mode is None and path.exists():
            unfinished.chmod(path.stat().st_mode & 0o777)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_first(path: Path, raw: bytes) -> bool:
    """Write a private file whole, unless one of its name is there already.

    Returns:
        False where another was first; that one is as it was.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = unfinished_name(path)
    with create_private(unfinished) as file:
        file.write(raw)
    try:
        os.link(unfinished, path)  # a link, unlike a rename, fails where another was first
    except FileExistsError:
        return False
    finally:
        unfinished.unlink()
    sync_folder(path.parent)
    return True


def open_below(folder: Path, path: Path) -> BinaryIO:
    """An ordinary file below a folder, open for reading; no symbolic link is followed on the way.

    What is checked is what is opened: where the system can, the folders are entered one by one, so
    that none can be exchanged for a link meanwhile.

    Args:
        folder: resolved.
        path: resolved, and below it.

    Raises:
        OSError: it is no ordinary file, not there, or was exchanged.
    """
    parts = path.relative_to(folder).parts
    if os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW"):
        descriptor = _open_step_by_step(folder, parts)
    else:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        opened = os.fstat(descriptor)
        ordinary = stat.S_ISREG(opened.st_mode) and os.path.samestat(opened, path.lstat())
        if not ordinary or path.resolve() != path:
            raise OSError(errno.EINVAL, "it is not an ordinary file", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _open_step_by_step(folder: Path, parts: Sequence[str]) -> int:
    enter = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
    # A pipe or a device that took the file's place must not make us wait, or do anything.
    read = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    at = os.open(folder, enter)
    try:
        for part in parts[:-1]:
            below = os.open(part, enter, dir_fd=at)
            os.close(at)
            at = below
        return os.open(parts[-1], read, dir_fd=at)
    finally:
        os.close(at)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, on systems that can.

    A folder that may be written to and not read cannot be opened, and some network file systems
    refuse the call: what was written is in its place all the same.
    """
    if os.name != "posix":  # Windows cannot open a folder, and needs no such call
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """The rest of an open file, a piece at a time."""
    while piece := file.read(_PIECE_BYTES):
        yield piece


def hash_file(path: Path, tell: Callable[[int], None] | None = None) -> str:
    """The BLAKE2b-256 of a file's content, in hex.

    Args:
        tell: called with the size of each piece that was read.

    Raises:
        OSError: it cannot be read.
    """
    hasher = content_hasher()
    with path.open("rb") as file:
        for piece in pieces(file):
            hasher.update(piece)
            if tell is not None:
                tell(len(piece))
    return hasher.hexdigest()


@contextmanager
def _filled(path: Path, descriptor: int) -> Iterator[BinaryIO]:
    """The file of a descriptor, on the disk at the end; gone where filling it failed."""
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
