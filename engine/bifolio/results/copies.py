"""What a copy into another library did."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class CopyOutcome(StrEnum):
    """What became of one reference."""

    COPIED = "copied"
    THERE = "there already"
    TRASHED = "in the trash there"


@dataclass(frozen=True, slots=True)
class CopiedReference:
    """A reference's id, its copy's id, and the copy's citation key as its library shows it."""

    id: str
    copy: str
    key: str
    outcome: CopyOutcome

    def to_json(self) -> dict[str, str]:
        """``{"id","copy","key","outcome"}``."""
        return {"id": self.id, "copy": self.copy, "key": self.key, "outcome": str(self.outcome)}


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that a copy names and whose content was not on this computer."""

    ref: str
    name: str

    def to_json(self) -> dict[str, str]:
        """``{"ref","name"}``."""
        return {"ref": self.ref, "name": self.name}


@dataclass(slots=True)
class CopyReport:
    """What became of each reference, and the files whose contents did not come along."""

    references: list[CopiedReference] = field(default_factory=list)
    missing: list[MissingFile] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """``{"references","missing"}``."""
        return {
            "references": [one.to_json() for one in self.references],
            "missing": [one.to_json() for one in self.missing],
        }
