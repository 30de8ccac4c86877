"""Duplicates as they are proposed, and what a merge did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bifolio.results.references import Shown


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two references that are alike, by key: how much (of 100), and why in words."""

    keys: tuple[str, str]
    score: int
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """``{"keys","score","reasons"}``."""
        return {"keys": list(self.keys), "score": self.score, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """References that are likely one work, the most complete one first.

    ``score`` is that of the weakest of the pairs that hold the group together.
    """

    score: int
    references: tuple[Shown, ...]
    pairs: tuple[DuplicatePair, ...]

    def to_json(self) -> dict[str, Any]:
        """``{"score","references","pairs"}``."""
        return {
            "score": self.score,
            "references": [one.to_json() for one in self.references],
            "pairs": [one.to_json() for one in self.pairs],
        }


@dataclass(frozen=True, slots=True)
class TakenValue:
    """A value that the kept reference got from another one, by the other one's key."""

    field: str
    source: str

    def to_json(self) -> dict[str, Any]:
        """``{"field","from"}``."""
        return {"field": self.field, "from": self.source}


@dataclass(frozen=True, slots=True)
class DifferingValue:
    """A value that stays in the trash, because the kept reference has another one."""

    field: str
    kept: Any
    other: Any
    source: str

    def to_json(self) -> dict[str, Any]:
        """``{"field","kept","other","from"}``."""
        return {"field": self.field, "kept": self.kept, "other": self.other, "from": self.source}


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: the reference that is kept, and those that went to the trash."""

    kept: Shown
    merged: tuple[Shown, ...]
    taken: tuple[TakenValue, ...]
    differing: tuple[DifferingValue, ...]

    def to_json(self) -> dict[str, Any]:
        """``{"kept","merged","taken","differing"}``."""
        return {
            "kept": self.kept.to_json(),
            "merged": [one.to_json() for one in self.merged],
            "taken": [one.to_json() for one in self.taken],
            "differing": [one.to_json() for one in self.differing],
        }
