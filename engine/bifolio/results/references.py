"""A reference and its conflicts, as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ConflictChoice:
    """One of the values of a conflict: ``n`` from 1, which is shown; who wrote it and when."""

    n: int
    value: Any
    by: str
    at: str | None

    def to_json(self) -> dict[str, Any]:
        """``{"n","value","by","at"}``; ``at`` is ISO 8601 in UTC, null for an import."""
        return {"n": self.n, "value": self.value, "by": self.by, "at": self.at}


@dataclass(frozen=True, slots=True)
class Conflict:
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

    def to_json(self) -> dict[str, Any]:
        """``{"ref","key","field","kind","values"}``, and for a group ``"of": "group"``."""
        of = {"of": self.of} if self.of != "reference" else {}
        return of | {
            "ref": self.ref,
            "key": self.key,
            "field": self.field,
            "kind": self.kind,
            "values": [value.to_json() for value in self.values],
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """A reference as it is shown. ``fields`` are CSL-JSON's; ``same_key`` are the keys of other
    references whose citation key is the same, as they are shown; ``merged_into`` is the id of the
    reference that one in the trash was merged into."""

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

    def to_json(self) -> dict[str, Any]:
        """The show object."""
        return {
            "id": self.id,
            "key": self.key,
            "type": self.type,
            "fields": self.fields,
            "tags": list(self.tags),
            "groups": list(self.groups),
            "files": list(self.files),
            "trashed": self.trashed,
            "conflicts": [conflict.to_json() for conflict in self.conflicts],
            "same_key": list(self.same_key),
            "merged_into": self.merged_into,
        }


@dataclass(frozen=True, slots=True)
class Purged:
    """A reference that went with an emptied trash."""

    id: str
    key: str
    title: str

    def to_json(self) -> dict[str, Any]:
        """``{"id","key","title"}``."""
        return {"id": self.id, "key": self.key, "title": self.title}
