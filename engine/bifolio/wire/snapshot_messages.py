"""The messages about statements and snapshots, declared as those of ``messages`` are.

A relay answers them and says of itself nothing, so that an older client never meets one; to an
older relay a client sends none, because its WELCOME does not name them (``SNAPSHOTS_LIMIT``).
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from bifolio import limits
from bifolio.wire.message_base import Hash, Message, Number

#: In WELCOME's limits: how many snapshots the relay keeps. Without it, it knows none.
SNAPSHOTS_LIMIT: Final = "snapshots"

_Signed = Annotated[bytes, Meta(max_length=limits.STATEMENT_BYTES_MAX)]
_Header = Annotated[bytes, Meta(max_length=limits.SNAPSHOT_HEADER_BYTES_MAX)]


class SnapshotState(Struct, frozen=True, array_like=True):
    """A snapshot on the relay: its signed header, how many chunks of it are held, from the first
    on, and what members found of it."""

    header: _Header
    held: Number
    verdicts: Annotated[tuple[_Signed, ...], Meta(max_length=limits.SNAPSHOT_VERDICTS_MAX)]


class Statement(Message, frozen=True, tag=130):
    """How far a replica is, signed; empty to ask only. Answered by STATEMENTS."""

    NAME = "STATEMENT"
    statement: _Signed


class Statements(Message, frozen=True, tag=131):
    """The newest statement of each replica of the library."""

    NAME = "STATEMENTS"
    statements: Annotated[tuple[_Signed, ...], Meta(max_length=limits.STATEMENTS_MAX)]


class AskSnapshots(Message, frozen=True, tag=132):
    """Which snapshots does the relay hold? Answered by SNAPSHOTS."""

    NAME = "ASK_SNAPSHOTS"


class Snapshots(Message, frozen=True, tag=133):
    """The snapshots that are held, whole or in part, the newest first.

    Answers ASK_SNAPSHOTS, OFFER_SNAPSHOT and VERIFY_SNAPSHOT.
    """

    NAME = "SNAPSHOTS"
    snapshots: Annotated[tuple[SnapshotState, ...], Meta(max_length=limits.SNAPSHOTS_TOLD_MAX)]


class OfferSnapshot(Message, frozen=True, tag=134):
    """The signed header of a snapshot whose chunks are to follow. Answered by SNAPSHOTS or NACK."""

    NAME = "OFFER_SNAPSHOT"
    header: _Header


class SnapshotChunk(Message, frozen=True, tag=135):
    """One sealed chunk of a snapshot; either way. To the relay: the next one that it lacks,
    answered by SNAPSHOT_HELD or NACK."""

    NAME = "SNAPSHOT_CHUNK"
    snapshot: Hash
    number: Number
    sealed: Annotated[bytes, Meta(max_length=limits.SNAPSHOT_CHUNK_BYTES_MAX)]


class PullSnapshotChunk(Message, frozen=True, tag=136):
    """Ask for one chunk; answered by SNAPSHOT_CHUNK, or by NACK where it is not held."""

    NAME = "PULL_SNAPSHOT_CHUNK"
    snapshot: Hash
    number: Number


class SnapshotHeld(Message, frozen=True, tag=137):
    """So many chunks of a snapshot are held, from the first on."""

    NAME = "SNAPSHOT_HELD"
    snapshot: Hash
    held: Number


class VerifySnapshot(Message, frozen=True, tag=138):
    """What a member found of a snapshot, signed. Answered by SNAPSHOTS or NACK."""

    NAME = "VERIFY_SNAPSHOT"
    verdict: _Signed


#: What a client says of them, and what a relay does.
SNAPSHOT_QUESTIONS: tuple[type[Message], ...] = (
    Statement,
    AskSnapshots,
    OfferSnapshot,
    SnapshotChunk,
    PullSnapshotChunk,
    VerifySnapshot,
)
SNAPSHOT_ANSWERS: tuple[type[Message], ...] = (Statements, Snapshots, SnapshotChunk, SnapshotHeld)

SNAPSHOT_MESSAGES: tuple[type[Message], ...] = (
    Statement,
    Statements,
    AskSnapshots,
    Snapshots,
    OfferSnapshot,
    SnapshotChunk,
    PullSnapshotChunk,
    SnapshotHeld,
    VerifySnapshot,
)
