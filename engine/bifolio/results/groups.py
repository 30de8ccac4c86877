"""Groups and tags, as they are listed."""

from __future__ import annotations

from enum import StrEnum

from bifolio.results.base import Result
from bifolio.results.references import ReferenceView


class GroupKind(StrEnum):
    """How a group is filled."""

    MANUAL = "manual"
    SMART = "smart"


class GroupView(Result, frozen=True):
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


class RemovalResult(Result, frozen=True):
    """References that are not in a group, or do not have a tag, any more.

    ``without`` are the ids of those that were not, or did not, before.
    """

    references: tuple[ReferenceView, ...]
    without: frozenset[str]


class TagCount(Result, frozen=True):
    """A tag and how many live references have it."""

    name: str
    count: int


class RenamedTag(Result, frozen=True):
    """A tag's new name, and how many references have it under that name now."""

    name: str
    renamed: int
