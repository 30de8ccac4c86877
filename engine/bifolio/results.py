"""What the library answers: each with ``to_json``, the document that the command line prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from bifolio.records.reference import ExportReport, LostValue, SkippedRecord

__all__ = [
    "Attached",
    "Conflict",
    "ConflictChoice",
    "ExportReport",
    "GroupKind",
    "ImportReport",
    "Joined",
    "LostValue",
    "Refusal",
    "RelayStatus",
    "Shown",
    "ShownGroup",
    "SkippedRecord",
    "Status",
    "SyncReport",
    "TagCount",
]


@dataclass(frozen=True, slots=True)
class ConflictChoice:
    """One of the values of a conflict: ``n`` from 1, which is shown; who wrote it and when."""

    n: int
    value: Any
    by: str
    at: str | None

    def to_json(self) -> dict[str, Any]:
        """``{"n","value","by","at"}``; ``at`` is ISO 8601 in UTC, null for an import."""
        return {"n": self.n, "value": self.value, "by": self.by, "at": self.at}


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field with more than one live value."""

    ref: str
    key: str
    field: str
    kind: str
    values: tuple[ConflictChoice, ...]

    def to_json(self) -> dict[str, Any]:
        """``{"ref","key","field","kind","values"}``."""
        return {
            "ref": self.ref,
            "key": self.key,
            "field": self.field,
            "kind": self.kind,
            "values": [value.to_json() for value in self.values],
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """A reference as it is shown. ``fields`` are CSL-JSON's."""

    id: str
    key: str
    type: str
    fields: dict[str, Any]
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    trashed: bool = False
    conflicts: tuple[Conflict, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The show object."""
        return {
            "id": self.id,
            "key": self.key,
            "type": self.type,
            "fields": self.fields,
            "tags": list(self.tags),
            "groups": list(self.groups),
            "trashed": self.trashed,
            "conflicts": [conflict.to_json() for conflict in self.conflicts],
        }


class GroupKind(StrEnum):
    """How a group is filled."""

    MANUAL = "manual"
    SMART = "smart"


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group as it is shown: ``parent`` is an id, ``count`` is of its own live references."""

    id: str
    name: str
    parent: str | None
    kind: GroupKind
    count: int
    path: str
    colour: str | None = None
    query: str | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"id","name","parent","kind","count","path","colour","query"}``."""
        return {
            "id": self.id,
            "name": self.name,
            "parent": self.parent,
            "kind": str(self.kind),
            "count": self.count,
            "path": self.path,
            "colour": self.colour,
            "query": self.query,
        }


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag and how many live references have it."""

    name: str
    count: int

    def to_json(self) -> dict[str, Any]:
        """``{"name","count"}``."""
        return {"name": self.name, "count": self.count}


@dataclass(slots=True)
class ImportReport:
    """What an import did; ``trashed_keys`` names the references that stay in the trash."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    trashed_keys: list[str] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)

    @property
    def trashed(self) -> int:
        """How many records of the file stay in the trash."""
        return len(self.trashed_keys)

    def to_json(self) -> dict[str, Any]:
        """``{"added","updated","unchanged","trashed","skipped"}``."""
        return {
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "trashed": self.trashed,
            "skipped": [
                {"file": one.file, "line": one.line, "reason": one.reason} for one in self.skipped
            ],
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
    """One round of sync: changes new to the other side, and the state hash after it."""

    pushed: int
    pulled: int
    conflicts: int
    state: str

    def to_json(self) -> dict[str, Any]:
        """``{"pushed","pulled","conflicts","state"}``."""
        return {
            "pushed": self.pushed,
            "pulled": self.pulled,
            "conflicts": self.conflicts,
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was refused or set aside: a plain reason and the next step."""

    reason: str
    next: str

    def to_json(self) -> dict[str, str]:
        """``{"reason","next"}``."""
        return {"reason": self.reason, "next": self.next}


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """The relay as the last attempt found it."""

    url: str
    reachable: bool
    last_sync: str | None

    def to_json(self) -> dict[str, Any]:
        """``{"url","reachable","last_sync"}``."""
        return {"url": self.url, "reachable": self.reachable, "last_sync": self.last_sync}


@dataclass(frozen=True, slots=True)
class Status:
    """A replica at a glance; no connection is opened for it."""

    library_id: str
    name: str
    replica_id: str
    path: Path
    references: int
    trashed: int
    unsent: int
    unsent_files: int
    waiting: int
    relay: RelayStatus | None
    refusals: tuple[Refusal, ...]
    conflicts: int
    state: str

    def to_json(self) -> dict[str, Any]:
        """The status object."""
        return {
            "library": {"id": self.library_id, "name": self.name},
            "replica": {"id": self.replica_id, "path": str(self.path)},
            "references": self.references,
            "trashed": self.trashed,
            "unsent": self.unsent,
            "unsent_files": self.unsent_files,
            "waiting": self.waiting,
            "relay": self.relay.to_json() if self.relay else None,
            "refusals": [refusal.to_json() for refusal in self.refusals],
            "conflicts": self.conflicts,
            "state": self.state,
        }
