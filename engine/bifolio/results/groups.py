"""Groups and tags, as they are listed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bifolio.results.references import Shown


class GroupKind(StrEnum):
    """How a group is filled."""

    MANUAL = "manual"
    SMART = "smart"


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group as it is shown: ``parent`` is an id, ``count`` is of its own live references.

    ``problem`` says why a smart group's query finds nothing: it cannot be understood here.
    """

    id: str
    name: str
    parent: str | None
    kind: GroupKind
    count: int
    path: str
    colour: str | None = None
    query: str | None = None
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"id","name","parent","kind","count","path","colour","query","problem"}``."""
        return {
            "id": self.id,
            "name": self.name,
            "parent": self.parent,
            "kind": str(self.kind),
            "count": self.count,
            "path": self.path,
            "colour": self.colour,
            "query": self.query,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class TakenOff:
    """References that are not in a group, or do not have a tag, any more.

    ``without`` are the ids of those that were not, or did not, before.
    """

    references: tuple[Shown, ...]
    without: frozenset[str]

    def to_json(self) -> list[dict[str, Any]]:
        """The show object of each."""
        return [one.to_json() for one in self.references]


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag and how many live references have it."""

    name: str
    count: int

    def to_json(self) -> dict[str, Any]:
        """``{"name","count"}``."""
        return {"name": self.name, "count": self.count}
