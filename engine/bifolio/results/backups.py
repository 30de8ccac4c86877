"""Backups, and what was restored from one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from bifolio.results.base import Result


class BackupContents(StrEnum):
    """Which attached files are in a backup."""

    ALL = "all"
    NONE = "none"
    #: Those of the trash alone.
    TRASHED = "trashed"


class Backup(Result, frozen=True):
    """A backup's file.

    ``absent`` of the attached files were not on the computer that made it; ``damaged`` names
    by hash those that were not what they should be, and were taken as they are. ``verified`` is
    true where every hash in it was checked just now; a backup gets its name only after that, so
    one that was not checked now was whole when it was made. ``fault`` says why one cannot be used.
    """

    path: Path
    size: int
    library: str = ""
    name: str = ""
    made_at: str = ""
    device: str = ""
    references: int = 0
    trashed: int = 0
    state: str = ""
    files: int = 0
    contents: BackupContents = BackupContents.NONE
    absent: int = 0
    damaged: tuple[str, ...] = ()
    verified: bool = False
    fault: str | None = None


class RestoredLibrary(Result, frozen=True):
    """A new replica that was made from a backup."""

    path: Path
    library: str
    replica: str
    name: str
    references: int
    files: int
    backup: Backup
