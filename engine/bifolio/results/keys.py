"""Citation keys: what was made anew, and which ones several references have."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class KeptBecause(StrEnum):
    """Why a citation key was not made anew."""

    PINNED = "pinned"
    IMPORTED = "it came with a file"
    SAME = "the pattern makes the same one"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A reference's citation key before and now; the old one still finds the reference."""

    id: str
    old: str
    key: str

    def to_json(self) -> dict[str, str]:
        """``{"id","old","key"}``."""
        return {"id": self.id, "old": self.old, "key": self.key}


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A reference whose citation key stayed, and why."""

    id: str
    key: str
    reason: KeptBecause

    def to_json(self) -> dict[str, str]:
        """``{"id","key","reason"}``."""
        return {"id": self.id, "key": self.key, "reason": str(self.reason)}


@dataclass(slots=True)
class KeyReport:
    """What became of citation keys that were to be made anew."""

    changed: list[NewKey] = field(default_factory=list)
    kept: list[KeptKey] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """``{"changed","kept"}``."""
        return {
            "changed": [one.to_json() for one in self.changed],
            "kept": [one.to_json() for one in self.kept],
        }


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A citation key that several live references have: who keeps it, how the others show."""

    key: str
    keeper: str
    others: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """``{"key","keeper": ID,"others": [KEY]}``."""
        return {"key": self.key, "keeper": self.keeper, "others": list(self.others)}
