"""Libraries served to other programs of this computer, at a glance."""

from __future__ import annotations

from bifolio.results.base import Result


class AllowedProgram(Result, frozen=True):
    """A program that may change what is served: since when (ISO 8601), and how many keys it has."""

    name: str
    since: str
    keys: int


class ServingStatus(Result, frozen=True):
    """Whether a library is served now, at which address, and which programs may change it."""

    address: str | None
    programs: tuple[AllowedProgram, ...]
