"""What a copy into another library did."""

from __future__ import annotations

from enum import StrEnum

from bifolio.results.base import Result


class CopyOutcome(StrEnum):
    """What became of one reference."""

    COPIED = "copied"
    #: It was there, and got what its origin says now.
    UPDATED = "updated"
    EXISTS = "exists"
    IN_TRASH = "in-trash"


class CopiedReference(Result, frozen=True):
    """A reference's id, its copy's id, and the copy's citation key as its library shows it.
    ``updated`` are the fields that got what the origin says now, ``kept`` those that changed in
    both, where the copy's value stayed, ``own`` the others in which the copy says something else
    or more."""

    id: str
    copy: str
    key: str
    outcome: CopyOutcome
    kept: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


class MissingFile(Result, frozen=True):
    """A file that a copy names and whose content was not on this computer."""

    ref: str
    name: str


class CopyReport(Result, frozen=True):
    """What became of each reference, and the files whose contents did not come along."""

    references: tuple[CopiedReference, ...]
    missing: tuple[MissingFile, ...]
