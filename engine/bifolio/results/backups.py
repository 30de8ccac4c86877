"""What a backup is, as the library tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup's file.

    ``contents`` says which attached files are in it: ``all``, ``none``, or ``trashed`` (those of
    the trash alone). ``absent`` of them were not on the computer that made it; ``damaged`` names
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
    contents: str = "none"
    absent: int = 0
    damaged: tuple[str, ...] = ()
    verified: bool = False
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"path","size","library","name","made_at","device","references","trashed","state",
        "files","contents","absent","damaged","verified","fault"}``."""
        return {
            "path": str(self.path),
            "size": self.size,
            "library": self.library,
            "name": self.name,
            "made_at": self.made_at,
            "device": self.device,
            "references": self.references,
            "trashed": self.trashed,
            "state": self.state,
            "files": self.files,
            "contents": self.contents,
            "absent": self.absent,
            "damaged": list(self.damaged),
            "verified": self.verified,
            "fault": self.fault,
        }


@dataclass(frozen=True, slots=True)
class Restored:
    """A new replica that was made of a backup."""

    path: Path
    library: str
    replica: str
    name: str
    references: int
    files: int
    backup: Backup

    def to_json(self) -> dict[str, Any]:
        """``{"path","library","replica","name","references","files","backup"}``."""
        return {
            "path": str(self.path),
            "library": self.library,
            "replica": self.replica,
            "name": self.name,
            "references": self.references,
            "files": self.files,
            "backup": self.backup.to_json(),
        }
