"""What connections ask of the relay's services, and what they are answered: plain values.

``session`` asks, ``service`` and ``blob_service`` answer, ``rules`` and ``blob_rules`` decide. May
know neither of connections nor of how a store works.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bifolio import limits
from bifolio.crypto.envelope import Envelope
from bifolio.crypto.membership import Membership
from bifolio.wire.messages import (
    NO_HASH,
    AttestedPosition,
    BlobState,
    BlobTally,
    ChainPlace,
    Code,
    Receipt,
)
from bifolio.wire.snapshot_messages import SnapshotState
from bifolio_relay.storage import LibraryHead


@dataclass(frozen=True, slots=True)
class Appended:
    """The envelope is in the log at this position; ``fresh`` if it is new there."""

    hash: bytes
    position: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something was not taken; ``subject`` is its hash, ``seq`` and ``head`` its chain's last.

    ``proof`` is what the author signed of the envelope that has its place in the chain.
    """

    code: Code
    subject: bytes
    detail: str
    seq: int = 0
    head: bytes = NO_HASH
    proof: bytes = b""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The store could not read or write this library now; another try may succeed."""

    subject: bytes
    reason: str


Outcome = Appended | Rejected | Unavailable


@dataclass(frozen=True, slots=True)
class OpenLibrary:
    """Where is the library, for this device at this position? Answered by ``LibraryInfo``."""

    library: bytes
    device: bytes
    cursor: int
    attested: AttestedPosition | None
    blob_tally: int = 0


@dataclass(frozen=True, slots=True)
class LibraryInfo:
    """Answers ``OpenLibrary`` and ``CreateLibrary``; without ``head`` the library is not held."""

    head: LibraryHead | None
    role: str | None = None
    cursor_hash: bytes | None = None
    attested_hash: bytes | None = None
    blob_drops: int = 0
    blob_tally_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class TokenProof:
    """The id of a token, empty for none, and the signature that shows that its holder asks."""

    token: bytes
    signature: bytes
    nonce: bytes


NO_PROOF = TokenProof(b"", b"", b"")


@dataclass(frozen=True, slots=True)
class CreateLibrary:
    """Hold the library that this genesis begins, ``again`` also where an owner deleted it; answered
    by ``LibraryInfo`` or ``Rejected``."""

    opening: OpenLibrary
    genesis: bytes
    proof: TokenProof = NO_PROOF
    again: bool = False


@dataclass(frozen=True, slots=True)
class ReadLog:
    """The entries after a position, of so many bytes, but one at least, and of no more than so
    many entries; answered by ``LogPart`` or ``Rejected``."""

    library: bytes
    device: bytes
    after: int
    bytes_max: int = limits.BATCH_BYTES_TARGET
    count_max: int = limits.BATCH_ENVELOPES_MAX


@dataclass(frozen=True, slots=True)
class LogPart:
    """The entries after+1, ...; ``n`` was the log's length when they were read.

    ``serialized`` are the messages that carry all of them, once one connection was told: the same
    for everybody who wrote none of them. ``frame`` is the one message as a websocket carries it.
    """

    after: int
    envelopes: tuple[bytes, ...]
    n: int
    serialized: list[bytes] = field(default_factory=list, compare=False, repr=False)
    frame: list[bytes] = field(default_factory=list, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DeleteLibrary:
    """Hold the library no longer; answered by ``Rejected``, with ``deleted`` where it is done."""

    library: bytes
    device: bytes
    nonce: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class LocateEnvelopes:
    """Which of these places of chains does the log have? Answered by ``LocatedEnvelopes`` or
    ``Rejected``."""

    library: bytes
    device: bytes
    places: tuple[ChainPlace, ...]


@dataclass(frozen=True, slots=True)
class LocatedEnvelopes:
    """What the log has at some places of chains, by position."""

    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class ReadMembers:
    """Membership records from a number on, of so many bytes, but one at least; answered by
    ``MembersPart`` or ``Rejected``."""

    library: bytes
    start: int
    bytes_max: int = limits.BATCH_BYTES_TARGET


@dataclass(frozen=True, slots=True)
class AppendMember:
    """Append a membership record that a device carries, or the holder of an invite by its key;
    answered by ``MembersPart`` or ``Rejected``. A ``fresh`` one was in no log before: where it cuts
    a device off, the log must have no more of that device than it says."""

    library: bytes
    carrier: bytes
    expected_head: bytes
    record: bytes
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class ReplaceMembers:
    """Put these records in the place of all but the first ``kept`` of a membership log that went
    another way; answered by ``MembersPart`` or ``Rejected``."""

    library: bytes
    carrier: bytes
    expected_head: bytes
    kept: int
    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MembersPart:
    """Membership records from ``start``; with ``grown``, what they made of the membership."""

    start: int
    records: tuple[bytes, ...]
    total: int
    head: bytes
    grown: Membership | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """Envelopes that a device carries to a library's log; ``size_bytes`` is that of them all."""

    library: bytes
    device: bytes
    envelopes: tuple[bytes, ...]
    size_bytes: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Asked several times of each push.
        object.__setattr__(self, "size_bytes", sum(map(len, self.envelopes)))


@dataclass(frozen=True, slots=True)
class CheckedSubmission:
    """A submission after all checks that need no store: each envelope, or what became of it."""

    submission: Submission
    envelopes: tuple[Envelope | Outcome, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit did.

    ``outcomes`` has a tuple for each submission; ``appended`` each library's new entries, by
    position.
    """

    outcomes: tuple[tuple[Outcome, ...], ...]
    appended: dict[bytes, dict[int, bytes]]


@dataclass(frozen=True, slots=True)
class LookForBlobs:
    """How much of each of these is held? Answered by ``BlobStates`` or ``Rejected``."""

    library: bytes
    device: bytes
    blobs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class StoreChunk:
    """Hold one more chunk of a blob; answered by ``BlobStates`` or ``Rejected``."""

    library: bytes
    device: bytes
    blob: bytes
    size_bytes: int
    number: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """One chunk of a blob; answered by ``ChunkPart``, ``BlobStates`` or ``Rejected``."""

    library: bytes
    device: bytes
    blob: bytes
    number: int


@dataclass(frozen=True, slots=True)
class DropBlobs:
    """Hold these no longer; answered by ``BlobStates`` or ``Rejected``."""

    library: bytes
    device: bytes
    blobs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BlobStates:
    """How much of some blobs is held; ``news`` if the library's other connections want to know.

    ``drops`` counts how often blobs of this library were dropped: who finds another count than
    before asks again for all that it believed to be here. ``tally`` is how often blobs of it were
    completed or dropped, by which a client knows a relay that has forgotten some.
    """

    states: tuple[BlobState, ...]
    drops: int
    tally: BlobTally | None
    news: bool = False


@dataclass(frozen=True, slots=True)
class ChunkPart:
    """One chunk, as it was stored."""

    blob: bytes
    size_bytes: int
    number: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class PublishStatement:
    """Keep a replica's statement, if it is not empty; answered by ``StatementsPart`` or
    ``Rejected``."""

    library: bytes
    device: bytes
    statement: bytes


@dataclass(frozen=True, slots=True)
class LookForSnapshots:
    """Which snapshots are held? Answered by ``SnapshotStates``."""

    library: bytes
    device: bytes


@dataclass(frozen=True, slots=True)
class OfferSnapshot:
    """Hold the snapshot of this header, whose chunks are to follow; answered by
    ``SnapshotStates`` or ``Rejected``."""

    library: bytes
    device: bytes
    header: bytes


@dataclass(frozen=True, slots=True)
class StoreSnapshotChunk:
    """Hold one more chunk of a snapshot; answered by ``SnapshotProgress`` or ``Rejected``."""

    library: bytes
    device: bytes
    snapshot: bytes
    number: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ReadSnapshotChunk:
    """One chunk of a snapshot; answered by ``SnapshotChunkPart`` or ``Rejected``."""

    library: bytes
    device: bytes
    snapshot: bytes
    number: int


@dataclass(frozen=True, slots=True)
class VerifySnapshot:
    """Keep what a member found of a snapshot; answered by ``SnapshotStates`` or ``Rejected``."""

    library: bytes
    device: bytes
    verdict: bytes


@dataclass(frozen=True, slots=True)
class StatementsPart:
    """The newest statement of each replica."""

    statements: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SnapshotStates:
    """The snapshots that are held, the newest first."""

    states: tuple[SnapshotState, ...]


@dataclass(frozen=True, slots=True)
class SnapshotProgress:
    """So many chunks of a snapshot are held."""

    snapshot: bytes
    held: int


@dataclass(frozen=True, slots=True)
class SnapshotChunkPart:
    """One chunk, as it was stored."""

    snapshot: bytes
    number: int
    sealed: bytes


SnapshotQuestion = (
    PublishStatement
    | LookForSnapshots
    | OfferSnapshot
    | StoreSnapshotChunk
    | ReadSnapshotChunk
    | VerifySnapshot
)
SnapshotAnswer = StatementsPart | SnapshotStates | SnapshotProgress | SnapshotChunkPart | Rejected

BlobQuestion = LookForBlobs | StoreChunk | ReadChunk | DropBlobs
BlobAnswer = BlobStates | ChunkPart | Rejected

LogQuestion = (
    ReadLog | LocateEnvelopes | ReadMembers | AppendMember | ReplaceMembers | DeleteLibrary
)
Question = OpenLibrary | CreateLibrary | LogQuestion | BlobQuestion | SnapshotQuestion
Answer = LibraryInfo | LogPart | LocatedEnvelopes | MembersPart | BlobAnswer | SnapshotAnswer
