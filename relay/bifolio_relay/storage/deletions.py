"""What a store promises of libraries that their owners deleted."""

from __future__ import annotations

from typing import Protocol


class Deletions(Protocol):
    """A part of ``LogStorage``."""

    async def delete_library(self, library: bytes, *, now_ms: int) -> bool:
        """Hold a library no longer, durably, with all that is held of it, and remember that it was
        deleted; False if it is not held."""
        ...

    async def read_deletion(self, library: bytes) -> int | None:
        """When a library was deleted (Unix time in ms) that is not held; None if it was not."""
        ...
