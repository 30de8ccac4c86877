"""Files of references, as they are listed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Policy(StrEnum):
    """Which contents a replica fetches by itself; its own files go up under each."""

    ALL = "all"
    ON_DEMAND = "on-demand"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of a reference: who attached it when, and where its content is.

    ``ref`` is the reference's id, ``key`` its citation key as shown; ``called`` the name that
    tells it from the reference's other files; ``state`` a few plain words.
    """

    ref: str
    key: str
    name: str
    called: str
    size: int
    hash: str
    state: str
    added_by: str
    added_at: str | None

    def to_json(self) -> dict[str, Any]:
        """``{"ref","name","size","hash","state","added_by","added_at"}``."""
        return {
            "ref": self.ref,
            "name": self.name,
            "size": self.size,
            "hash": self.hash,
            "state": self.state,
            "added_by": self.added_by,
            "added_at": self.added_at,
        }
