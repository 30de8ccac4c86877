"""A replica at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was refused or set aside: a plain reason and the next step."""

    reason: str
    next: str

    def to_json(self) -> dict[str, str]:
        """``{"reason","next"}``."""
        return {"reason": self.reason, "next": self.next}


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """The relay as the last attempt found it."""

    url: str
    reachable: bool
    last_sync: str | None

    def to_json(self) -> dict[str, Any]:
        """``{"url","reachable","last_sync"}``."""
        return {"url": self.url, "reachable": self.reachable, "last_sync": self.last_sync}


@dataclass(frozen=True, slots=True)
class Status:
    """A replica at a glance; no connection is opened for it."""

    library_id: str
    name: str
    replica_id: str
    path: Path
    references: int
    trashed: int
    unsent: int
    unsent_files: int
    waiting: int
    relay: RelayStatus | None
    refusals: tuple[Refusal, ...]
    conflicts: int
    shared_keys: int
    state: str

    def to_json(self) -> dict[str, Any]:
        """The status object."""
        return {
            "library": {"id": self.library_id, "name": self.name},
            "replica": {"id": self.replica_id, "path": str(self.path)},
            "references": self.references,
            "trashed": self.trashed,
            "unsent": self.unsent,
            "unsent_files": self.unsent_files,
            "waiting": self.waiting,
            "relay": self.relay.to_json() if self.relay else None,
            "refusals": [refusal.to_json() for refusal in self.refusals],
            "conflicts": self.conflicts,
            "shared_keys": self.shared_keys,
            "state": self.state,
        }
