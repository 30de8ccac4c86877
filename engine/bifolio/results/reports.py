"""What an import, an attachment, a join and a sync did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bifolio.records.reference import LeftOut, SkippedRecord


@dataclass(frozen=True, slots=True)
class ClearedFields:
    """Fields that a reference had, and that the newer version of its record does not have."""

    key: str
    fields: tuple[str, ...]


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do.

    ``conflicts`` counts the fields in which a newer version of a record now differs from a local
    edit, and ``cleared`` names what updated references had that the newer version has not;
    ``trashed_keys`` names the references that stay in the trash, or came into it because
    they lie in the trash of the library that they come from, ``purged_keys`` those that went with
    it for good. Of a whole library ``groups`` counts the groups that are new or changed, ``files``
    the files that were found, ``missing_files`` those that were not, and ``left_out`` names what
    could not be taken over.
    """

    added: int = 0
    unchanged: int = 0
    conflicts: int = 0
    groups: int = 0
    files: int = 0
    missing_files: int = 0
    updated_keys: list[str] = field(default_factory=list)
    cleared: list[ClearedFields] = field(default_factory=list)
    trashed_keys: list[str] = field(default_factory=list)
    purged_keys: list[str] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def updated(self) -> int:
        """How many references were updated."""
        return len(self.updated_keys)

    @property
    def trashed(self) -> int:
        """How many records of the file stay in the trash."""
        return len(self.trashed_keys)

    @property
    def purged(self) -> int:
        """How many records of the file are references that went with the trash."""
        return len(self.purged_keys)

    def add(self, other: ImportReport) -> None:
        """Count another file's report too."""
        self.added += other.added
        self.updated_keys += other.updated_keys
        self.cleared += other.cleared
        self.unchanged += other.unchanged
        self.conflicts += other.conflicts
        self.trashed_keys += other.trashed_keys
        self.purged_keys += other.purged_keys
        self.groups += other.groups
        self.files += other.files
        self.missing_files += other.missing_files
        self.skipped += other.skipped
        self.left_out += other.left_out

    def in_words(self, files: int) -> str | None:
        """What it did, for the log; None where it changed no reference."""
        done = [
            f"{what} {number:,} reference{'' if number == 1 else 's'}"
            for what, number in (("imported", self.added), ("updated", self.updated))
            if number
        ]
        source = "a file" if files == 1 else f"{files:,} files"
        return f"{' and '.join(done)} from {source}" if done else None

    def to_json(self) -> dict[str, Any]:
        """``{"added","updated","updated_keys","cleared","unchanged","conflicts","trashed",
        "trashed_keys","purged","purged_keys","groups","files","missing_files","skipped",
        "left_out"}``."""
        return {
            "added": self.added,
            "updated": self.updated,
            "updated_keys": self.updated_keys,
            "cleared": [{"key": one.key, "fields": list(one.fields)} for one in self.cleared],
            "unchanged": self.unchanged,
            "conflicts": self.conflicts,
            "trashed": self.trashed,
            "trashed_keys": self.trashed_keys,
            "purged": self.purged,
            "purged_keys": self.purged_keys,
            "groups": self.groups,
            "files": self.files,
            "missing_files": self.missing_files,
            "skipped": [
                {"file": one.file, "line": one.line, "reason": one.reason} for one in self.skipped
            ],
            "left_out": [{"what": one.what, "reason": one.reason} for one in self.left_out],
        }


@dataclass(frozen=True, slots=True)
class Attached:
    """The library is on the relay: the ticket lets another computer attach."""

    library: str
    path: Path
    ticket: str
    backup: Path | None
    references: int

    def to_json(self) -> dict[str, Any]:
        """``{"library","path","ticket","backup","references"}``."""
        return {
            "library": self.library,
            "path": str(self.path),
            "ticket": self.ticket,
            "backup": str(self.backup) if self.backup else None,
            "references": self.references,
        }


@dataclass(frozen=True, slots=True)
class Joined:
    """A replica that holds a ticket's library; ``left_out`` trashed ones stay in the backup."""

    library: str
    path: Path
    backup: Path | None
    references: int
    left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """``{"library","path","backup","references","left_out"}``."""
        return {
            "library": self.library,
            "path": str(self.path),
            "backup": str(self.backup) if self.backup else None,
            "references": self.references,
            "left_out": self.left_out,
        }


@dataclass(frozen=True, slots=True)
class SyncReport:
    """One round of sync: changes and files new to the other side, and the state hash after it."""

    pushed: int
    pulled: int
    files_sent: int
    files_received: int
    conflicts: int
    state: str

    def to_json(self) -> dict[str, Any]:
        """``{"pushed","pulled","files_sent","files_received","conflicts","state"}``."""
        return {
            "pushed": self.pushed,
            "pulled": self.pulled,
            "files_sent": self.files_sent,
            "files_received": self.files_received,
            "conflicts": self.conflicts,
            "state": self.state,
        }
