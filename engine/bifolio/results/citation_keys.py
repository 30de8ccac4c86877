"""Citation keys: what was made again, and which ones several references have."""

from __future__ import annotations

from enum import StrEnum

from bifolio.results.base import Result


class KeptBecause(StrEnum):
    """Why a citation key was not made again."""

    PINNED = "pinned"
    IMPORTED = "imported"
    SAME = "same"


class NewKey(Result, frozen=True):
    """A reference's citation key before and now; the old one still finds the reference."""

    id: str
    old: str
    key: str


class KeptKey(Result, frozen=True):
    """A reference whose citation key stayed, and why."""

    id: str
    key: str
    reason: KeptBecause


class KeyReport(Result, frozen=True):
    """What became of citation keys that were to be made again."""

    changed: tuple[NewKey, ...]
    kept: tuple[KeptKey, ...]


class SharedKey(Result, frozen=True):
    """A citation key that several live references have: who keeps it, how the others show."""

    key: str
    keeper: str
    others: tuple[str, ...]


class KeyPattern(Result, frozen=True):
    """The pattern by which citation keys are made."""

    pattern: str
