"""Errors about backups."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors.base import BifolioError


class BackupError(BifolioError):
    """Something about the backup at ``path``."""

    def __init__(self, message: str, *, path: Path, next_step: str) -> None:
        self.path = path
        super().__init__(message, next_step=next_step)


class NotABackupError(BackupError):
    """There is no backup at this path."""

    def __init__(self, path: Path, *, found: str) -> None:
        self.found = found
        super().__init__(
            f"There is no Bifolio backup at {path}: {found}.",
            path=path,
            next_step="'bifolio backup list' shows the backups of this computer.",
        )


class DamagedBackupError(BackupError):
    """A backup that is cut off or altered: nothing of it is taken."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The backup {path} is damaged: {reason}. Nothing was restored from it.",
            path=path,
            next_step="Copy it again from where it was kept, or take another one: 'bifolio backup "
            "list --verify' tells which are whole.",
        )


class NewerBackupError(BackupError):
    """A backup that a later version of Bifolio made."""

    def __init__(self, path: Path, *, version: int, known: int) -> None:
        self.version = version
        self.known = known
        super().__init__(
            f"The backup {path} was made by a newer Bifolio (version {version}; this one knows up "
            f"to {known}).",
            path=path,
            next_step="Upgrade Bifolio on this computer: pip install --upgrade bifolio",
        )


class BackupTakenError(BackupError):
    """A backup was to be made where a file is already."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is there already; no backup was made, so nothing is overwritten.",
            path=path,
            next_step="Name a file that does not exist yet, or a folder.",
        )
