"""What compacting a library saved."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from bifolio.results.base import Result


class SavingKind(StrEnum):
    """What became smaller, or went."""

    FILES = "files"
    SNAPSHOT_PARTS = "snapshot-parts"
    STATES = "states"
    UNUSED_ROOM = "unused-room"


class Saving(Result, frozen=True):
    """How many of a kind, and the bytes that they no longer take."""

    kind: SavingKind
    count: int
    bytes: int


class CompactionReport(Result, frozen=True):
    """What compacting a library saved, or would save; ``waiting`` are files that no reference names
    any more and that some computer of the library has not heard of yet."""

    path: Path
    dry_run: bool
    bytes_before: int
    bytes_after: int
    savings: tuple[Saving, ...]
    waiting_files: int
    waiting_bytes: int
