"""Errors about the folder or the file of a replica."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors.base import BifolioError


class LibraryError(BifolioError):
    """Something about the folder or the file of a replica at ``path``."""

    def __init__(self, message: str, *, path: Path, next_step: str = "") -> None:
        self.path = path
        super().__init__(message, next_step=next_step)


class NotALibraryError(LibraryError):
    """There is no library at this path."""

    def __init__(self, path: Path, *, found: str) -> None:
        self.found = found
        super().__init__(
            f"There is no Bifolio library at {path}: {found}.",
            path=path,
            next_step="Make one with 'bifolio init', or name an existing one with -L PATH.",
        )


class PathTakenError(LibraryError):
    """A new replica was to be made where something is already."""

    def __init__(self, path: Path, *, is_file: bool = False) -> None:
        what = "a file and no folder" if is_file else "not empty"
        super().__init__(
            f"{path} is {what}; a new library was not made there, so nothing is overwritten.",
            path=path,
            next_step="Name a path that does not exist yet.",
        )


class NewerLibraryError(LibraryError):
    """The library was written by a later version of Bifolio than this one."""

    def __init__(self, path: Path, *, version: int, known: int) -> None:
        self.version = version
        self.known = known
        super().__init__(
            f"{path} was written by a newer Bifolio (storage version {version}; this one "
            f"knows up to {known}). It was not touched.",
            path=path,
            next_step="Upgrade Bifolio on this computer: pip install --upgrade bifolio",
        )


class DamagedLibraryError(LibraryError):
    """The library's file is there but cannot be read as one."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The library at {path} is damaged: {reason}. It was not touched.",
            path=path,
            next_step="Keep the folder as it is and attach a fresh replica beside it from another "
            "computer's ticket ('bifolio invite' there), or restore a backup.",
        )


class ReadOnlyLibraryError(LibraryError):
    """The disk or the folder does not permit writing."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} cannot be written: the disk or the folder is read-only. Nothing was changed.",
            path=path,
            next_step="Give yourself the right to write there, or copy the library to a disk "
            "that can be written.",
        )


class BusyLibraryError(LibraryError):
    """Another process held the library longer than we wait."""

    def __init__(self, path: Path, *, waited_s: float) -> None:
        self.waited_s = waited_s
        super().__init__(
            f"Another program has held {path} for more than {waited_s:.0f} seconds. "
            "Nothing was changed.",
            path=path,
            next_step="Wait until the other bifolio command has ended, then try again.",
        )


class StorageFullError(LibraryError):
    """There is no room left on the disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The disk that holds {path} is full. The change was not made; all that was there "
            "before is there still.",
            path=path,
            next_step="Free some space and try again.",
        )


class SameLibraryError(BifolioError):
    """A copy of a reference into the library that it is in."""

    def __init__(self) -> None:
        super().__init__(
            "Both are the same library. Nothing was copied.",
            next_step="Name another library with --to PATH.",
        )
