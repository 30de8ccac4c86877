"""What a sync session needs of a replica's statements and snapshots.

``replication.snapshots`` implements it. Every method is one transaction or reads one moment.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from bifolio.wire.position import LogPosition
from bifolio.wire.snapshot_messages import SnapshotState


class Purpose(Enum):
    """Why a snapshot is carried."""

    LOAD = auto()  #: it brings what the log no longer does, or does more slowly
    MERGE = auto()  #: it has what the log cannot bring to anybody, and all of the log is here
    VERIFY = auto()  #: to be compared with the changes that are here
    SEND = auto()  #: made here, the relay lacks it


@dataclass(frozen=True, slots=True)
class SnapshotTask:
    """A snapshot to be carried: its id, its signed header, and in how many chunks it comes."""

    purpose: Purpose
    id: bytes
    header: bytes
    chunks: int


class SnapshotStore(Protocol):
    """A replica's statements and snapshots as a session sees them."""

    def must_look(self, epoch: bytes, floor: int) -> bool:
        """Whether the log alone may not bring all: what snapshots there are has to be asked."""

    def choose(
        self, told: Sequence[SnapshotState], *, epoch: bytes, floor: int
    ) -> SnapshotTask | None:
        """The snapshot to begin with, before the log is pulled; None where the log will do."""

    def lacks_key(self) -> bool:
        """Whether a snapshot would have been chosen last that is sealed under a key which this
        device was not given."""

    def count_chunks(self, snapshot: bytes) -> int:
        """How many of its chunks are here, from an earlier connection."""

    def keep_chunk(self, snapshot: bytes, number: int, sealed: bytes) -> None:
        """Keep a chunk, the next one after those that are here."""

    def load(self, task: SnapshotTask) -> LogPosition | None:
        """Merge a snapshot whose chunks are all here; from where the log goes on.

        None, and noted why, where it is not what it should be: nothing of it was merged.
        """

    def merge(self, task: SnapshotTask) -> bool:
        """Merge a snapshot whose chunks are all here with what is here, which stays where it is in
        the log; False, and noted why, where it is not what it should be."""

    def find_base(self, told: Sequence[SnapshotState]) -> SnapshotTask | None:
        """The snapshot that the relay needs before it can take what is here; None where the log
        has what that brought, or the relay has it."""

    def verdicts_on(self, snapshot: bytes) -> Sequence[bytes]:
        """What members are known to have found of the snapshot that was loaded here."""

    def next_task(
        self,
        told: Sequence[SnapshotState],
        failed: Collection[bytes],
        compared: Collection[bytes] = (),
    ) -> SnapshotTask | None:
        """What to do once both sides have every change; may make a snapshot.

        Args:
            told: by the relay, without those that failed on this connection.
            failed: the ids of those.
            compared: the ids of those that were compared on it, and are not fetched again.
        """

    def read_chunk(self, snapshot: bytes, number: int) -> bytes | None:
        """A chunk of a snapshot made here."""

    def note_sent(self, task: SnapshotTask) -> None:
        """The relay has all of a snapshot that was made here."""

    def verify(self, task: SnapshotTask) -> bytes | None:
        """What was found of a snapshot whose chunks are all here, signed; None where this replica
        cannot tell."""

    def take_moved(self) -> bool:
        """Whether a snapshot that was verified left out what is here: it is to be offered in
        another chain. Said once."""

    def is_statement_due(self) -> bool:
        """Whether where this replica stands is to be said now."""

    def state(self) -> bytes | None:
        """Where this replica stands, signed, and noted as said; None where it cannot say."""

    def learn_statements(self, statements: Sequence[bytes]) -> None:
        """Where the others stand, as far as members signed it."""

    def is_look_due(self) -> bool:
        """Whether the relay was not asked for its snapshots for a while."""

    def note_look(self, told: Sequence[SnapshotState]) -> None:
        """The relay said which snapshots it holds."""
