"""A place in a relay's log."""

from __future__ import annotations

from msgspec import Struct


class LogPosition(Struct, frozen=True):
    """A position and the chain of hashes there; ``epoch`` names the log itself."""

    epoch: bytes
    position: int
    chain_hash: bytes
