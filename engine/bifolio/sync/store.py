"""What a sync session needs of a replica. ``replication.adapter`` implements it.

Its files are ``attachments.transfer_store``. Every method is one transaction or reads one moment,
so that the process can be killed between any two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from bifolio.errors import BifolioError, NextStep
from bifolio.sync.snapshot_store import SnapshotStore
from bifolio.wire.messages import BlobTally, Challenge, Code, Hello
from bifolio.wire.position import LogPosition


@dataclass(frozen=True, slots=True)
class OutgoingEnvelope:
    """An envelope that the relay does not have: its number here, and what it carries."""

    number: int
    hash: bytes
    chain: bytes
    envelope: bytes
    changes: int


@dataclass(frozen=True, slots=True)
class OfferedPlace:
    """An envelope that the relay may have, without our knowing: its hash, its place in its
    author's chain, its size and how many changes it carries."""

    hash: bytes
    author_chain: bytes
    seq: int
    size_bytes: int
    changes: int


@dataclass(frozen=True, slots=True)
class TransferItem:
    """A content to be carried: its hash, what the relay calls it, and in how many chunks.

    ``size_bytes`` is the sealed size. ``not_before_ms`` is when it may be asked for again.
    """

    hash: str
    blob: bytes
    size_bytes: int
    chunks: int
    not_before_ms: int = 0

    def bytes_from(self, chunk: int) -> int:
        """The bytes from a chunk on, nearly."""
        return self.size_bytes // self.chunks * (self.chunks - chunk)


@dataclass(frozen=True, slots=True)
class ReceivedBatch:
    """What entries of the log brought: how many changes were new, and whether an honest relay
    could have had any of them in those places."""

    changes: int
    is_lawful: bool


class ChunkOutcome(Enum):
    """What became of a chunk that came."""

    MORE = auto()  #: it was kept; others are to follow
    WHOLE = auto()  #: it was the last one, and the content is what it should be
    DAMAGED = auto()  #: it is not what was sent; nothing of the content is kept
    USELESS = auto()  #: the same, and not for the first time: the relay's copy is no good


class FileStore(Protocol):
    """A replica's files as a session sees them. Every method is short, whatever a file's size."""

    def begin(self, epoch: bytes, drops: int, tally_hash: bytes | None) -> None:
        """A connection is open; ``tally_hash`` is that of the relay's blobs at our tally.

        Where blobs were dropped unseen, or it has forgotten some, nothing is known to be there.
        """

    def note_drops(self, drops: int, *, by_us: bool) -> bool:
        """So many drops were counted. True if others dropped something: ask for all again."""

    def to_send(self) -> Sequence[TransferItem]:
        """Contents that are here and not known to be on the relay."""

    def to_fetch(self) -> Sequence[TransferItem]:
        """Contents that are not here and wanted, by the replica's policy or by a user."""

    def to_find(self) -> Sequence[TransferItem]:
        """Contents that are neither here nor known to be on the relay."""

    def note_on_relay(self, items: Sequence[TransferItem], tally: BlobTally | None) -> None:
        """The relay has these contents whole, and so many blobs were completed or dropped."""

    def note_refusal(self, item: TransferItem, code: Code, detail: str) -> None:
        """The relay did not take it."""

    def read_chunk(self, item: TransferItem, number: int) -> bytes | None:
        """A sealed chunk; None if the content is not here any more, or damaged, and noted so."""

    def count_received(self, item: TransferItem) -> int:
        """How many of its chunks are here, from an earlier connection."""

    def write_chunk(self, item: TransferItem, number: int, sealed: bytes) -> ChunkOutcome:
        """Keep a chunk, the next one after those that are here."""

    def give_up(self, item: TransferItem) -> None:
        """Nothing more of it is read or written on this connection."""

    def collect(self) -> Sequence[bytes]:
        """Drop what nothing names any more; the blobs that the relay is to drop too."""

    def note_dropped(self, blobs: Sequence[bytes]) -> None:
        """The relay holds these no longer, as it was asked."""

    def now_ms(self) -> int:
        """The time."""


class SyncStore(Protocol):
    """A replica as a session sees it."""

    @property
    def files(self) -> FileStore:
        """The contents of its files."""

    @property
    def snapshots(self) -> SnapshotStore:
        """Its statements and snapshots."""

    def monotonic_ms(self) -> int:
        """The milliseconds of a clock that nobody sets."""

    def make_hello(self, challenge: Challenge) -> Hello:
        """HELLO, signed by this device, or by the ticket's key while it joins."""

    def prove_token(self, nonce: bytes, genesis: bytes) -> tuple[bytes, bytes]:
        """The id of the relay's token for this library, and the proof of it; empty without one."""

    def members(self) -> Sequence[bytes]:
        """The membership log as known; empty before anything is."""

    def learn_members(self, records: Sequence[bytes]) -> None:
        """Follow the membership log; MembershipError where a record breaks the rules."""

    def continues_members(self, record: bytes) -> bool:
        """Whether a record follows the last one of the membership log as known."""

    def meet_members(self, records: Sequence[bytes]) -> int | None:
        """The relay's membership log went another way: make one of both, by the rule.

        None where the relay's is followed. Otherwise ours goes on, with all that is in the relay's:
        with how many records both begin, behind which ours is to take the place of the relay's.
        MembershipError where a record breaks the rules.
        """

    def carry_record(self) -> bytes | None:
        """The record that carries what lost against the relay's log; None if nothing is left."""

    def is_member(self) -> bool:
        """Whether this device is a member by the membership log as known."""

    def join_record(self) -> bytes | None:
        """The record by which this device joins on top of the log; None if it need not."""

    def own_record(self, *, log_is_merged: bool) -> bytes | None:
        """The next record of what a user of this computer does to the members, or of what it owes
        them; None where there is none, or none before the relay's log is merged."""

    def give_up_owed(self, record_hash: bytes) -> bool:
        """A record was refused: whether it is one that was owed, and is left for another time."""

    def no_right(self) -> BifolioError:
        """Why this device, which is no member, may not go on."""

    def cursor(self) -> LogPosition | None:
        """How far the log is merged; None before the first contact."""

    def ticket_position(self) -> LogPosition | None:
        """Where the log was when this replica's ticket was made; None without one."""

    def is_wanted_again(self) -> bool:
        """Whether the user wants the library on the relay although an owner deleted it there."""
        ...

    def forget_log(self) -> bool:
        """The relay's log is not the one we know: nothing counts as acknowledged any more.

        Returns:
            whether that is a loss: it is none where the library came to another relay.
        """

    def receive(
        self,
        after: int,
        envelopes: Sequence[bytes],
        cursor: LogPosition,
        passed: Sequence[tuple[int, bytes]],
    ) -> ReceivedBatch:
        """Merge log entries after a position and move the cursor.

        ``passed`` are the positions up to the cursor, each with the log's chain hash there.
        """

    def acknowledge(
        self,
        receipts: Sequence[tuple[bytes, int]],
        cursor: LogPosition,
        passed: Sequence[tuple[int, bytes]],
    ) -> None:
        """Note what the relay stored up to the cursor: (hash, position), and the cursor.

        ``passed`` are the positions up to the cursor, each with the log's chain hash there.
        """

    def settle_join_offers(self) -> None:
        """The whole log is merged: make changes of what a joining library brings."""

    def seal(self) -> None:
        """Seal what waits; NotAMemberError without the right to."""

    def next_outgoing(self, *, after: int, bytes_max: int) -> Sequence[OutgoingEnvelope]:
        """Envelopes that the relay does not have, in causal order, after a number."""

    def offered_places(self, *, after: int, count_max: int) -> Sequence[tuple[int, OfferedPlace]]:
        """The places of envelopes that the relay is not known to have, each with its number here,
        after a number and in causal order."""

    def restart_chain(self, envelope: bytes, proof: bytes) -> bool:
        """The relay says that the author of an envelope (its hash) made another one for its place
        in the chain, or for that before: what it did not take of the chain moves to a new one.

        False, and nothing changed, where ``proof`` is not what the author signed of the other.
        """

    def may_move(self, envelope: bytes) -> bool:
        """Whether this device may put an envelope (its hash) into a chain of its own."""

    def restart_own_chain(self, envelope: bytes) -> bool:
        """The relay does not go on with the chain of an envelope (its hash): what it did not take
        of it, where it is ours, moves to a new one.

        False, and nothing changed, where another device made it.
        """

    def continue_chain(self, envelope: bytes, *, seq: int, head: bytes) -> bool:
        """The relay lacks what comes before an envelope (its hash). Where what is here leads there
        from the chain's end on the relay, that is offered; otherwise what it did not take of the
        chain moves to a new one of ours: sealed again where it is ours, carried whole where not.

        Args:
            seq: the number of the chain's last envelope there; 0 where it has none.
            head: its hash.

        Returns:
            False, and nothing changed, where this device may not write.
        """

    def note_gap(self, envelope: bytes) -> bool:
        """The relay lacks what comes before an envelope (its hash). If that came here inside of a
        snapshot, the relay is to get one, as nobody may have it otherwise; whether it is so."""

    def is_in_chain(self, envelope: bytes, *, seq: int, head: bytes) -> bool | None:
        """Whether an envelope (its hash) is one of those before or at ``head``, which has the
        number ``seq`` in its chain; None where that cannot be told here."""

    def move_chain(self, envelope: bytes) -> None:
        """Another envelope has the place of one (its hash), by what is known here: what the relay
        did not take of its chain moves to a new one."""

    def seal_without_right_again(self, envelope: bytes) -> bool:
        """An envelope (its hash) is ours and was sealed without a right that we have by now: what
        the relay did not take of its chain moves to a new one.

        False, and nothing changed, where it is another's, or was sealed with the right to.
        """

    def lacks_right(self, envelope: bytes) -> bool:
        """Whether an envelope (its hash) is another's who had no right to it, by our list."""

    def is_replaced(self, envelope: bytes) -> bool:
        """Whether another envelope that is here carries the changes of one (its hash)."""

    def note(self, reason: str, next_step: NextStep | None) -> None:
        """Keep a refusal for ``status``."""
