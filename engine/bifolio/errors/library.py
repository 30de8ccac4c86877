"""Errors about a replica's folder and file, and about backups."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors.base import BifolioError
from bifolio.errors.next_steps import Next, NextStep


class LibraryError(BifolioError):
    """Something about the folder or the file of a replica at ``path``."""

    code = "library"

    def __init__(
        self, message: str, *, path: Path, next_step: NextStep | Next | str | None = None
    ) -> None:
        self.path = path
        super().__init__(message, next_step=next_step)


class NotALibraryError(LibraryError):
    """There is no library at this path."""

    code = "not-a-library"

    def __init__(self, path: Path, *, found: str) -> None:
        self.found = found
        super().__init__(
            f"There is no Bifolio library at {path}: {found}.",
            path=path,
            next_step=Next.CREATE_LIBRARY,
        )


class PathTakenError(LibraryError):
    """A new replica was to be made where something is already."""

    code = "path-taken"

    def __init__(self, path: Path, *, is_file: bool = False) -> None:
        what = "is a file and no folder" if is_file else "is not empty"
        super().__init__(
            f"{path} {what}. No library was created there, so that nothing is overwritten.",
            path=path,
            next_step=Next.CHOOSE_NEW_PATH,
        )


class NewerLibraryError(LibraryError):
    """The library was written by a later version of Bifolio than this one."""

    code = "newer-library"

    def __init__(self, path: Path, *, version: int, known: int) -> None:
        self.version = version
        self.known = known
        super().__init__(
            f"{path} was written by a newer Bifolio (storage version {version}; this one "
            f"knows up to {known}). It was not touched.",
            path=path,
            next_step=Next.UPGRADE,
        )


class DamagedLibraryError(LibraryError):
    """The library's file exists but cannot be read as one."""

    code = "damaged-library"

    def __init__(self, path: Path, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The library at {path} is damaged: {reason}. It was not touched.",
            path=path,
            next_step=Next.REPAIR_LIBRARY,
        )


class ForeignSchemaError(LibraryError):
    """The library's file holds something that runs by itself or is not Bifolio's."""

    code = "foreign-schema"

    def __init__(self, path: Path, *, found: str) -> None:
        self.found = found
        super().__init__(
            f"The library at {path} holds {found}, which Bifolio has not made and which could act "
            "on every edit. It was not touched.",
            path=path,
            next_step=Next.REPLACE_LIBRARY,
        )


class ReadOnlyLibraryError(LibraryError):
    """The disk or the folder does not permit writing."""

    code = "read-only-library"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} cannot be written: the disk or the folder is read-only. Nothing was changed.",
            path=path,
            next_step=Next.MAKE_WRITABLE,
        )


class ReplacedLibraryError(LibraryError):
    """Another folder or file has taken the place of the library while it was open."""

    code = "replaced-library"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The library at {path} was moved, replaced or removed while it was open. Nothing was "
            "changed.",
            path=path,
            next_step=Next.OPEN_LIBRARY_AGAIN,
        )


class BusyLibraryError(LibraryError):
    """Another process held the library longer than we wait."""

    code = "busy-library"

    def __init__(self, path: Path, *, waited_s: float) -> None:
        self.waited_s = waited_s
        super().__init__(
            f"Another program has been using {path} for more than {waited_s:.0f} seconds. "
            "Nothing was changed.",
            path=path,
            next_step=Next.WAIT_FOR_OTHER_PROGRAM,
        )


class StorageFullError(LibraryError):
    """There is no room left on the disk."""

    code = "storage-full"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The disk that holds {path} is full. The change was not made; everything that was "
            "saved before is still there.",
            path=path,
            next_step=Next.FREE_DISK_SPACE,
        )


class TemporaryFolderFullError(LibraryError):
    """There is no room in the temporary folder for a copy that is only read."""

    code = "temporary-folder-full"

    def __init__(self, path: Path, *, folder: str) -> None:
        self.folder = folder
        super().__init__(
            f"The temporary folder {folder} has no room for a copy of {path}. Nothing was changed.",
            path=path,
            next_step=Next.FREE_TEMPORARY_SPACE,
        )


class SameLibraryError(BifolioError):
    """A copy of a reference into the library that it is in."""

    code = "same-library"

    def __init__(self) -> None:
        super().__init__(
            "Both are the same library. Nothing was copied.", next_step=Next.CHOOSE_OTHER_LIBRARY
        )


class BackupError(BifolioError):
    """Something about the backup at ``path``."""

    code = "backup"

    def __init__(
        self, message: str, *, path: Path, next_step: NextStep | Next | str | None
    ) -> None:
        self.path = path
        super().__init__(message, next_step=next_step)


class NotABackupError(BackupError):
    """There is no backup at this path."""

    code = "not-a-backup"

    def __init__(self, path: Path, *, found: str) -> None:
        self.found = found
        super().__init__(
            f"There is no Bifolio backup at {path}: {found}.",
            path=path,
            next_step=Next.LIST_BACKUPS,
        )


class DamagedBackupError(BackupError):
    """A backup that is cut off or altered: nothing of it is taken."""

    code = "damaged-backup"

    def __init__(self, path: Path, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The backup {path} is damaged: {reason}. Nothing was restored from it.",
            path=path,
            next_step=Next.REPLACE_BACKUP,
        )


class NewerBackupError(BackupError):
    """A backup that a later version of Bifolio made."""

    code = "newer-backup"

    def __init__(self, path: Path, *, version: int, known: int) -> None:
        self.version = version
        self.known = known
        super().__init__(
            f"The backup {path} was made by a newer Bifolio (version {version}; this one knows up "
            f"to {known}).",
            path=path,
            next_step=Next.UPGRADE,
        )


class BackupTakenError(BackupError):
    """A backup was to be made where a file is already."""

    code = "backup-taken"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists already. No backup was made, so that nothing is overwritten.",
            path=path,
            next_step=Next.CHOOSE_BACKUP_PATH,
        )
