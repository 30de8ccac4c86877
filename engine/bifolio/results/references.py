"""A reference and its conflicts, as they are shown."""

from __future__ import annotations

from typing import Any

from bifolio.results.base import Result


class ConflictChoice(Result, frozen=True):
    """One of the values of a conflict: ``n`` from 1, which is shown; who wrote it and when (ISO
    8601 in UTC; None for an import)."""

    n: int
    value: Any
    by: str
    at: str | None


class Conflict(Result, frozen=True):
    """A field with more than one live value.

    ``of`` says of what: "reference", or "group" for one that was deleted and edited at the same
    time; ``ref`` is its id then, and ``key`` what a command finds it by.
    """

    ref: str
    key: str
    field: str
    kind: str
    values: tuple[ConflictChoice, ...]
    of: str = "reference"


class ReferenceView(Result, frozen=True):
    """A reference as it is shown. ``fields`` are CSL-JSON's; ``same_key`` are the keys of other
    references whose citation key is the same, as they are shown; ``merged_into`` is the id of the
    reference that one in the trash was merged into; ``deleted_by`` is the computer that deleted one
    which this replica goes on showing until that is confirmed, as it deleted most of the library.
    ``lost_files`` are those that no computer is known to have; lists leave them out.
    """

    id: str
    key: str
    type: str
    fields: dict[str, Any]
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    trashed: bool = False
    conflicts: tuple[Conflict, ...] = ()
    same_key: tuple[str, ...] = ()
    merged_into: str | None = None
    deleted_by: str | None = None
    lost_files: tuple[str, ...] = ()


class PurgedReference(Result, frozen=True):
    """A reference that went with an emptied trash."""

    id: str
    key: str
    title: str


class ConfirmedDeletions(Result, frozen=True):
    """How many references that others deleted are in the trash now, which were shown until now."""

    references: int


class EmptiedTrash(Result, frozen=True):
    """The references that went with an emptied trash."""

    removed: tuple[PurgedReference, ...]
