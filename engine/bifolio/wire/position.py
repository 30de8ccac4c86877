"""A place in a relay's log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A position and the chain of hashes there; ``epoch`` names the log itself."""

    epoch: bytes
    position: int
    chain_hash: bytes
