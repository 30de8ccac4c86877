"""What was new to the other side, and how much of the files went, counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Changes and files new to the other side, in one session or in several."""

    pushed: int = 0
    pulled: int = 0
    files_sent: int = 0
    files_received: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            pushed=self.pushed + other.pushed,
            pulled=self.pulled + other.pulled,
            files_sent=self.files_sent + other.files_sent,
            files_received=self.files_received + other.files_received,
        )

    def __sub__(self, earlier: Counts) -> Counts:
        return Counts(
            pushed=self.pushed - earlier.pushed,
            pulled=self.pulled - earlier.pulled,
            files_sent=self.files_sent - earlier.files_sent,
            files_received=self.files_received - earlier.files_received,
        )


@dataclass(slots=True)
class ByteProgress:
    """How many bytes of files went one way in this session, and how many are to follow."""

    done: int = 0
    left: int = 0

    def move(self, size_bytes: int) -> None:
        """So many bytes went."""
        self.done += size_bytes
        self.left -= size_bytes

    @property
    def all(self) -> int:
        """The bytes of all that is, or was, to go."""
        return self.done + max(self.left, 0)
