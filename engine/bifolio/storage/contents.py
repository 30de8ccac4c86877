"""The contents of files, by their hash: ``files/<first two digits>/<hash>``.

A content is written to a temporary name, synced, and renamed, so that under its hash there is the
whole of it or nothing; one that is there already is not written again. Knows no table and no
reference.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from bifolio import limits
from bifolio.disk import create_private, make_private_folder, sync_folder
from bifolio.errors import (
    FileTooLargeError,
    ReadOnlyLibraryError,
    StorageFullError,
    UnreadableFileError,
)
from bifolio.ids import content_hasher

#: The folder of what is being written; a leftover of a killed command is found by its age.
INCOMING = "incoming"

#: The folder of the copies that other programs open by name.
OPENED = "opened"

#: The rights of a content: nobody changes one, and only its owner reads it.
CONTENT_MODE = 0o400

_FOLDER_NAME_LENGTH = 2

Progress = Callable[[int, int], None]


class Content(Struct, frozen=True):
    """A content: BLAKE2b-256 of its bytes in hex, and their number."""

    hash: str
    size: int


class Contents:
    """The contents under one folder. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, path: Path, *, progress: Progress | None = None) -> Content:
        """Keep a file's content, in memory that does not grow with it.

        Args:
            path: the file to copy; it stays as it is.
            progress: called with the bytes read, and all that the file had at the beginning.

        Raises:
            UnreadableFileError, FileTooLargeError: it is no file, or cannot be read or kept.
            StorageFullError, ReadOnlyLibraryError: it cannot be kept; nothing is left behind.
        """
        with _reading(path):
            if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
                raise UnreadableFileError(path, reason="it is not an ordinary file")
            source: BinaryIO = path.open("rb")
        with source:
            return self.add_opened(source, path, progress=progress)

    def add_opened(
        self, source: BinaryIO, path: Path, *, progress: Progress | None = None
    ) -> Content:
        """``add`` of a file that is open already, from its place on; ``path`` is for messages."""
        total = os.fstat(source.fileno()).st_size
        temporary = self._temporary()
        try:
            content = self._copy(source, path, temporary, total, progress)
            self._take_place(temporary, content.hash)
        finally:
            temporary.unlink(missing_ok=True)
        return content

    def hashes(self) -> Iterator[str]:
        """The hash of every content that is here."""
        with contextlib.suppress(FileNotFoundError):
            for folder in os.scandir(self.folder):
                if len(folder.name) == _FOLDER_NAME_LENGTH and folder.is_dir():
                    yield from (
                        file.name for file in os.scandir(folder.path) if len(file.name) == 64
                    )

    def incoming(self, hash: str) -> Path:
        """Where a content is put together that arrives in pieces."""
        return self.folder / INCOMING / hash

    def take_in(self, path: Path, hash: str) -> None:
        """Give a gathered content, synced and of this hash, its place."""
        self._take_place(path, hash)
        path.unlink(missing_ok=True)

    def set_aside(self, hash: str) -> None:
        """Keep a damaged content under another name; its own becomes free for a whole one."""
        path = self.path(hash)
        with contextlib.suppress(FileNotFoundError), self.writing():
            path.replace(path.with_name(f"{hash}.damaged"))

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """The system's errors in writing under this folder, as ours.

        Raises:
            StorageFullError, ReadOnlyLibraryError.
        """
        with _writing(self.folder):
            yield

    def sweep(self, *, before_s: float) -> None:
        """Drop what killed commands left half copied."""
        for path in self.folder.glob(f"{INCOMING}/*"):
            with contextlib.suppress(OSError):
                if len(path.name) != 64 and path.stat().st_mtime < before_s:
                    path.unlink()

    def has(self, hash: str) -> bool:
        """Whether the content is here."""
        return self.path(hash).is_file()

    def path(self, hash: str) -> Path:
        """Where the content with this hash is, or would be."""
        return self.folder / hash[:2] / hash

    def remove(self, hash: str) -> None:
        """Drop a content; one that is not here is no error."""
        path = self.path(hash)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others are in the folder
            path.parent.rmdir()

    def _temporary(self) -> Path:
        folder = self.folder / INCOMING
        with _writing(self.folder):
            make_private_folder(folder)
        return folder / os.urandom(16).hex()

    def _copy(
        self, source: BinaryIO, path: Path, target: Path, total: int, progress: Progress | None
    ) -> Content:
        hashed = content_hasher()
        size = 0
        with _writing(self.folder), create_private(target) as written:
            while True:
                with _reading(path):
                    piece = source.read(limits.CONTENT_PIECE_BYTES)
                if not piece:
                    break
                hashed.update(piece)
                written.write(piece)
                size += len(piece)
                if size > limits.CONTENT_BYTES_MAX:
                    raise FileTooLargeError(path, limit_bytes=limits.CONTENT_BYTES_MAX)
                if progress is not None:
                    progress(size, max(size, total))
        return Content(hashed.hexdigest(), size)

    def _take_place(self, temporary: Path, hash: str) -> None:
        """Rename a whole and synced file to its hash, for good."""
        path = self.path(hash)
        if path.is_file():
            return
        with _writing(self.folder):
            temporary.chmod(CONTENT_MODE)
            for _ in range(limits.FOLDER_ATTEMPTS_MAX):
                make_private_folder(path.parent)
                try:
                    temporary.replace(path)
                    break
                except FileNotFoundError:  # another process just dropped the empty folder
                    continue
            sync_folder(path.parent)
            sync_folder(self.folder)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except IsADirectoryError as error:
        raise UnreadableFileError(path, reason="it is a folder") from error
    except FileNotFoundError as error:
        raise UnreadableFileError(path, reason="nothing is there") from error
    except OSError as error:
        raise UnreadableFileError(path, reason=error.strerror or str(error)) from error


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        library = folder.parent
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(library) from error
        raise ReadOnlyLibraryError(library) from error
