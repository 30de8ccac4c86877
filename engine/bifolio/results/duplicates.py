"""Duplicates as they are proposed, and what a merge did."""

from __future__ import annotations

from typing import Any

from bifolio.results.base import Result
from bifolio.results.references import ReferenceView


class DuplicatePair(Result, frozen=True):
    """Two references that are alike, by key: how much (of 100), and why in words."""

    keys: tuple[str, str]
    score: int
    reasons: tuple[str, ...]


class DuplicateGroup(Result, frozen=True):
    """References that are likely one work, the most complete one first.

    ``score`` is that of the weakest of the pairs that hold the group together.
    """

    score: int
    references: tuple[ReferenceView, ...]
    pairs: tuple[DuplicatePair, ...]


class TakenValue(Result, frozen=True):
    """A value that the kept reference got from another one, by the other one's key."""

    field: str
    source: str


class DifferingValue(Result, frozen=True):
    """A value that stays in the trash, because the kept reference has another one."""

    field: str
    kept: Any
    other: Any
    source: str


class MergedReferences(Result, frozen=True):
    """What a merge did: the reference that is kept, and those that went to the trash."""

    kept: ReferenceView
    merged: tuple[ReferenceView, ...]
    taken: tuple[TakenValue, ...]
    differing: tuple[DifferingValue, ...]
