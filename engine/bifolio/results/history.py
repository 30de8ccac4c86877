"""What happened to references, and what an undo did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Deed(StrEnum):
    """What one change did to a reference."""

    ADDED = "added"
    IMPORTED = "imported"
    EDITED = "edited"
    DELETED = "deleted"
    PURGED = "purged"
    UNPURGED = "unpurged"
    RESTORED = "restored"
    REVIVED = "revived"
    BEGINS = "begins"


@dataclass(frozen=True, slots=True)
class Event:
    """One field that one change wrote, or what it did to the reference as a whole.

    ``what`` BEGINS stands where the replica does not know what was before. ``shown`` is False for
    a value that lost against one written at the same time. ``source`` is the file's format where
    an import wrote it.
    """

    change: str
    at: str | None
    by: str
    what: Deed
    field: str | None = None
    before: Any = None
    after: Any = None
    shown: bool = True
    source: str | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"change","at","by","what","field","before","after","shown","source"}``."""
        return {
            "change": self.change,
            "at": self.at,
            "by": self.by,
            "what": str(self.what),
            "field": self.field,
            "before": self.before,
            "after": self.after,
            "shown": self.shown,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A command of this computer (all of its ``changes`` together), or one received change."""

    id: str
    at: str | None
    by: str
    what: str
    changes: int
    command: bool
    undone: bool

    def to_json(self) -> dict[str, Any]:
        """``{"id","at","by","what","changes","command","undone"}``."""
        return {
            "id": self.id,
            "at": self.at,
            "by": self.by,
            "what": self.what,
            "changes": self.changes,
            "command": self.command,
            "undone": self.undone,
        }


@dataclass(frozen=True, slots=True)
class KeptField:
    """Something that an undo left as it is, and why; ``field`` is None for the whole record."""

    ref: str
    key: str
    field: str | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        """``{"ref","key","field","reason"}``."""
        return {"ref": self.ref, "key": self.key, "field": self.field, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What an undo took back: ``what`` in words, how many references and groups it changed, and
    what stays as it is. ``id`` is the change to be undone to have it all again."""

    what: str
    references: int
    groups: int
    kept: tuple[KeptField, ...]
    id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"what","references","groups","kept","id"}``."""
        return {
            "what": self.what,
            "references": self.references,
            "groups": self.groups,
            "kept": [one.to_json() for one in self.kept],
            "id": self.id,
        }
