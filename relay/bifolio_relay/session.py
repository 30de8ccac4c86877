"""What one connection is told: events in, actions out, no I/O.

The shell calls a method for everything that happens and carries out the actions that it returns,
in order: ``Send`` bytes, ``Ask`` the service and bring its answer, ``Submit`` to the next shared
commit. Live delivery: a connection whose PULL reached the end of the log is told of each further
entry, exactly once and in the order of positions, its own by ACK and the others by ENVELOPES, so
that its cursor can follow both. One whose queue is full stops being told and gets one notice when
the queue is empty again; it then pulls. Knows nothing of sockets, threads or other connections.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bifolio import limits
from bifolio.crypto.keys import verify
from bifolio.crypto.membership import hello_message
from bifolio.errors import ProtocolError
from bifolio.ids import content_hash
from bifolio.wire import fragments
from bifolio.wire.connection import RelayConnection, State
from bifolio.wire.messages import (
    PROTOCOL_VERSIONS,
    Ack,
    Append,
    AskBlobs,
    Blobs,
    Bye,
    Challenge,
    Chunk,
    Create,
    Delete,
    DropBlobs,
    Envelopes,
    Flow,
    Fragment,
    Hello,
    Ignorable,
    Locate,
    Located,
    Members,
    Message,
    Partial,
    Pull,
    PullChunk,
    PullMembers,
    Push,
    Receipt,
    Retry,
    Welcome,
)
from bifolio.wire.snapshot_messages import (
    SNAPSHOT_QUESTIONS,
    SNAPSHOTS_LIMIT,
    SnapshotChunk,
    SnapshotHeld,
    Snapshots,
    Statements,
)
from bifolio.wire.versions import refuse_versions
from bifolio_relay.outgoing import entries, members_message, nack
from bifolio_relay.partials import Partials
from bifolio_relay.questions import ask_about_blobs, ask_about_snapshots, ask_to_append
from bifolio_relay.requests import (
    Answer,
    Appended,
    BlobStates,
    ChunkPart,
    CreateLibrary,
    DeleteLibrary,
    LibraryInfo,
    LocatedEnvelopes,
    LocateEnvelopes,
    LogPart,
    MembersPart,
    OpenLibrary,
    Outcome,
    Question,
    ReadLog,
    ReadMembers,
    Rejected,
    SnapshotChunkPart,
    SnapshotProgress,
    SnapshotStates,
    StatementsPart,
    Submission,
    TokenProof,
    Unavailable,
)

#: What WELCOME tells of the relay's limits.
LIMITS = {
    "envelope_bytes": limits.ENVELOPE_BYTES_MAX,
    "message_bytes": limits.MESSAGE_BYTES_MAX,
    "push_in_flight_bytes": limits.PUSH_IN_FLIGHT_BYTES_MAX,
    "fragment_bytes": limits.MESSAGE_BYTES_MAX,
    "delete_library": 1,
    SNAPSHOTS_LIMIT: limits.SNAPSHOTS_KEPT,
}


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes of one message for this connection."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the service; bring the answer to ``take_answer`` before the next message."""

    question: Question


@dataclass(frozen=True, slots=True)
class Submit:
    """Envelopes for the next commit; bring what became of them to ``apply_commit``."""

    submission: Submission


Action = Send | Ask | Submit


class Delivery(Enum):
    """Whether new entries are sent unasked."""

    ASKED = auto()  #: only what is pulled
    LIVE = auto()  #: everything to ``_sent_through`` is sent, and what follows will be
    BEHIND = auto()  #: was live; owes the peer a notice when its queue is empty


class Session:
    """The relay's side of one connection.

    ``nonce`` is 32 fresh random bytes; ``names`` the hosts and ports by which clients call this
    relay, where it knows them: a greeting made for another relay is not taken. ``partials`` are
    the unfinished messages of all connections.
    """

    def __init__(
        self, *, nonce: bytes, names: Collection[str] = (), partials: Partials | None = None
    ) -> None:
        self._partials = partials or Partials()
        #: How large a message the peer wants; None where it does not know of fragments.
        self._wanted_bytes: int | None = None
        #: What it holds of a message from an earlier connection.
        self._peer_partial: Partial | None = None
        self._is_assembled = False
        self._names = frozenset(names)
        self._wire = RelayConnection()
        self._nonce = nonce
        self._opening: OpenLibrary | None = None
        self._member = False
        self._delivery = Delivery.ASKED
        self._sent_through = 0
        self._log_n = 0
        self._members_notice: MembersPart | None = None
        self._blob_news_left_out = False

    @property
    def library(self) -> bytes | None:
        """The library that the peer proved to ask for; None before its HELLO."""
        return None if self._opening is None else self._opening.library

    @property
    def device(self) -> bytes | None:
        """The key that the peer proved to hold; None before its HELLO."""
        return None if self._opening is None else self._opening.device

    @property
    def is_member(self) -> bool:
        """Whether the peer proved to be a member of the library that it asks for."""
        return self._member

    @property
    def is_greeted(self) -> bool:
        """Whether the peer has said who it is."""
        return self._opening is not None

    @property
    def is_closed(self) -> bool:
        """Whether BYE was said: when all is sent, the connection ends."""
        return self._wire.state is State.CLOSED

    @property
    def is_live(self) -> bool:
        """Whether new entries are sent unasked."""
        return self._delivery is Delivery.LIVE

    @property
    def owes_notice(self) -> bool:
        """Whether something was left out of what the peer was told, so that ``resume`` tells it."""
        return (
            self._delivery is Delivery.BEHIND
            or self._members_notice is not None
            or self._blob_news_left_out
        )

    @property
    def message_bytes_max(self) -> int:
        """The largest message that may come now: a large one only from a member."""
        if self._member:
            return self._wire.message_bytes_max
        return limits.HANDSHAKE_MESSAGE_BYTES_MAX

    def greet(self) -> list[Action]:
        """The connection is there: the relay speaks first."""
        return [self._send(Challenge(PROTOCOL_VERSIONS, self._nonce))]

    def receive(self, raw: bytes) -> list[Action]:
        """A message came."""
        if self.is_closed:
            return []
        try:
            if len(raw) > self.message_bytes_max:
                raise ProtocolError(f"{len(raw)} bytes came from one who is no member")
            message = self._wire.receive(raw)
        except ProtocolError as error:
            return self.stop(Retry.ONCE, error.reason)
        match message:
            case Hello():
                return self._open(message)
            case Create() if self._opening is not None:
                proof = TokenProof(message.token, message.proof, self._nonce)
                create = CreateLibrary(self._opening, message.genesis, proof, message.again)
                return [Ask(create)]
            case Delete() if self._opening is not None:
                library, device = self._opening.library, self._opening.device
                return [Ask(DeleteLibrary(library, device, self._nonce, message.signature))]
            case Pull() if self._opening is not None:
                return [Ask(self._read_log(self._opening, message))]
            case Push() if self._opening is not None:
                library, device = self._opening.library, self._opening.device
                return [Submit(Submission(library, device, message.envelopes))]
            case PullMembers() if self._opening is not None:
                bytes_max = self._batch_bytes()
                return [Ask(ReadMembers(self._opening.library, message.start, bytes_max))]
            case Append() if self._opening is not None:
                return [Ask(ask_to_append(message, self._opening))]
            case AskBlobs() | Chunk() | PullChunk() | DropBlobs() if self._opening is not None:
                return [Ask(ask_about_blobs(message, self._opening))]
            case Locate() if self._opening is not None:
                library, device = self._opening.library, self._opening.device
                return [Ask(LocateEnvelopes(library, device, message.places))]
            case Fragment():
                return self._assemble(message)
            case Flow():
                self._wanted_bytes = message.message_bytes
                self._peer_partial = message.partial or self._peer_partial
                return []
            case Ignorable():
                return []
            case _ if self._opening is not None and isinstance(message, SNAPSHOT_QUESTIONS):
                return [Ask(ask_about_snapshots(message, self._opening))]
            case _:
                raise AssertionError(f"the table of states let {message.NAME} pass")

    def receive_push(self, raw: bytes) -> Submission | None:
        """A message that ``is_short_push``; None, and nothing happened, where it is no good one."""
        opening = self._opening
        if opening is None or not self._member or self._wire.state is not State.OPEN:
            return None
        try:
            message = self._wire.receive(raw)
        except ProtocolError:
            return None
        assert isinstance(message, Push)
        return Submission(opening.library, opening.device, message.envelopes)

    def take_answer(self, answer: Answer) -> list[Action]:
        """The service answered this connection's question."""
        if self.is_closed:
            return []
        match answer:
            case LibraryInfo():
                return [self._welcome(answer)]
            case LogPart():
                return [self._log_part(answer)]
            case LocatedEnvelopes():
                return [self._send(Located(answer.receipts))]
            case MembersPart():
                return self._tell_record(answer)
            case BlobStates():
                return [self._send(Blobs(answer.states, answer.drops, answer.tally))]
            case ChunkPart():
                return [
                    self._send(Chunk(answer.blob, answer.size_bytes, answer.number, answer.sealed))
                ]
            case StatementsPart():
                return [self._send(Statements(answer.statements))]
            case SnapshotStates():
                return [self._send(Snapshots(answer.states))]
            case SnapshotProgress():
                return [self._send(SnapshotHeld(answer.snapshot, answer.held))]
            case SnapshotChunkPart():
                return [self._send(SnapshotChunk(answer.snapshot, answer.number, answer.sealed))]
            case Rejected():
                return [self._send(nack(answer))]

    def apply_commit(
        self, outcomes: Sequence[Outcome], growth: LogPart | None, *, room_bytes: int
    ) -> list[Action]:
        """A commit took place in this library.

        Arguments:
            outcomes: of this connection's own envelopes in it; none for who pushed nothing.
            growth: the log's new entries, if there are any.
            room_bytes: how much more this connection's queue may take.
        """
        if growth is not None:
            self._log_n = max(self._log_n, growth.n)
        if self.is_closed or self._wire.state is not State.OPEN:
            return []
        for outcome in outcomes:
            if isinstance(outcome, Unavailable):
                # Neither taken nor refused: the client comes back and offers it again.
                return self.stop(Retry.BACKOFF, outcome.reason)
        own = {
            outcome.position: Receipt(outcome.hash, outcome.position)
            for outcome in outcomes
            if isinstance(outcome, Appended)
        }
        actions: list[Action] = []
        if self.is_live and growth is not None and self._can_follow(growth, own, room_bytes):
            known = [own.pop(at) for at in sorted(own) if at <= self._sent_through]
            actions += self._acks(known)
            actions += self._follow(growth, own)
        else:
            actions += self._acks([own[position] for position in sorted(own)])
        rejected = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
        return [*actions, *(self._send(nack(rejection)) for rejection in rejected)]

    def follow_at_once(self, growth: LogPart) -> bool:
        """The peer, who has room, is told by the one message that is the same for all; False, and
        nothing happened, where it must be told otherwise."""
        if (
            not self.is_live
            or growth.after != self._sent_through
            or len(growth.serialized) != 1
            or self._wire.state is not State.OPEN
            or (self._wanted_bytes is not None and len(growth.serialized[0]) > self._wanted_bytes)
        ):
            return False
        self._sent_through = growth.n
        self._log_n = max(self._log_n, growth.n)
        return True

    def note_growth(self, growth: LogPart | None) -> None:
        """A commit took place of which a connection that is not live is told nothing."""
        if growth is not None:
            self._log_n = max(self._log_n, growth.n)

    def tell_members(self, part: MembersPart, *, room_bytes: int) -> list[Action]:
        """A membership record was appended through another connection."""
        was_member = self._member
        if part.grown is not None and self._opening is not None:
            self._member = part.grown.role_of(self._opening.device) is not None
        if self.is_closed or self._wire.state is not State.OPEN:
            return []
        if was_member and not self._member:
            return self._part_with_member(part, room_bytes)
        if sum(map(len, part.records)) > room_bytes:
            self._members_notice = part
            return []
        return [self._send(members_message(part))]

    def _part_with_member(self, part: MembersPart, room_bytes: int) -> list[Action]:
        """The peer was removed: it is told by which record, where that has room, and no more."""
        fits = sum(map(len, part.records)) <= room_bytes
        told = [self._send(members_message(part))] if fits else []
        return [*told, *self.stop(Retry.NEVER, "this device is no member of the library any more")]

    def _tell_record(self, part: MembersPart) -> list[Action]:
        """The answer to a question about members, or to a record that the peer appended: one by
        which it left ends what it is told."""
        if part.grown is not None and self._opening is not None and self._member:
            self._member = part.grown.role_of(self._opening.device) is not None
            if not self._member:
                told = self._send(members_message(part))
                return [told, *self.stop(Retry.NEVER, "this device has left the library")]
        return [self._send(members_message(part))]

    def tell_blobs(self, states: BlobStates, *, room_bytes: int) -> list[Action]:
        """Another connection completed or dropped blobs."""
        if self.is_closed or self._wire.state is not State.OPEN or not self._member:
            return []
        if not room_bytes:
            self._blob_news_left_out = True
            return []
        return [self._send(Blobs(states.states, states.drops, states.tally))]

    def tell_blob_news(self, *, room_bytes: int) -> list[Action]:
        """Blobs were completed or dropped, nobody here knows which: the peer asks again."""
        if self.is_closed or self._wire.state is not State.OPEN or not self._member:
            return []
        if not room_bytes:
            self._blob_news_left_out = True
            return []
        return [self._send(Blobs((), 0))]

    def resume(self) -> list[Action]:
        """Everything in this connection's queue was sent."""
        if self.is_closed:
            return []
        actions: list[Action] = []
        if self._members_notice is not None:
            part, self._members_notice = self._members_notice, None
            actions.append(self._send(Members(part.total, (), part.total, part.head)))
        if self._blob_news_left_out:
            self._blob_news_left_out = False
            actions.append(self._send(Blobs((), 0)))
        if self._delivery is Delivery.BEHIND:
            self._delivery = Delivery.ASKED
            actions.append(self._send(Envelopes(self._log_n, (), self._log_n)))
        return actions

    def stop(self, retry: Retry, reason: str) -> list[Action]:
        """The connection is to end, from the relay's side."""
        if self.is_closed:
            return []
        return [self._send(Bye(retry, reason[:1000]))]

    def fragments(self, raw: bytes) -> Sequence[bytes]:
        """What is sent for a message: itself, or its fragments, from what the peer holds on."""
        if self._wanted_bytes is None or not fragments.is_too_large(raw, self._wanted_bytes):
            return (raw,)
        name = content_hash(raw)
        held = self._peer_partial
        held_bytes = held.held if held is not None and held.message == name else 0
        parts = fragments.split(raw, self._wanted_bytes, name=name, held_bytes=held_bytes)
        return [part.serialize() for part in parts]

    def _assemble(self, fragment: Fragment) -> list[Action]:
        """A part of a large message came: with the last one the message did."""
        if self._is_assembled:
            return self.stop(Retry.ONCE, "FRAGMENT: a part of a part")
        if self._opening is None or not self._member:
            return self.stop(Retry.ONCE, "parts of a message came from one who is no member")
        try:
            whole = self._partials.add(self._opening.library, self._opening.device, fragment)
        except ProtocolError as error:
            # There was no room for the beginning, perhaps: it is sent again.
            return self.stop(Retry.BACKOFF, error.reason)
        if whole is None:
            return []
        self._is_assembled = True
        try:
            return self.receive(whole)
        finally:
            self._is_assembled = False

    def _batch_bytes(self) -> int:
        return min(self._wanted_bytes or limits.BATCH_BYTES_TARGET, limits.BATCH_BYTES_TARGET)

    def _read_log(self, opening: OpenLibrary, pull: Pull) -> ReadLog:
        count_max = min(pull.count or limits.BATCH_ENVELOPES_MAX, limits.BATCH_ENVELOPES_MAX)
        return ReadLog(opening.library, opening.device, pull.after, self._batch_bytes(), count_max)

    def _send(self, message: Message) -> Send:
        return Send(self._wire.send(message))

    def _open(self, hello: Hello) -> list[Action]:
        if hello.version not in PROTOCOL_VERSIONS:
            return self.stop(Retry.NEVER, refuse_versions(hello.versions))
        if self._names and hello.relay not in self._names:
            return self.stop(
                Retry.NEVER,
                "this relay has other names than the one that was called: attach with its own "
                "address",
            )
        signed = hello_message(offered=PROTOCOL_VERSIONS, nonce=self._nonce, said=hello.said())
        if not verify(hello.device, signed, hello.signature):
            return self.stop(Retry.NEVER, "the greeting's signature is not the device's")
        self._opening = OpenLibrary(
            hello.library, hello.device, hello.cursor, hello.attested, hello.blob_tally
        )
        return [Ask(self._opening)]

    def _welcome(self, info: LibraryInfo) -> Send:
        if info.head is None:
            return self._send(Welcome.nothing(LIMITS))
        head = info.head
        self._log_n = max(self._log_n, head.n)
        self._member = info.role is not None
        return self._send(
            Welcome(
                exists=True,
                epoch=head.epoch,
                n=head.n,
                chain_hash=head.chain_hash,
                cursor_hash=info.cursor_hash,
                attested_hash=info.attested_hash,
                floor=head.floor,
                role=info.role,
                members=head.members,
                members_head=head.members_head,
                limits=LIMITS,
                blob_drops=info.blob_drops,
                blob_tally_hash=info.blob_tally_hash,
                partials=self._held_partials(),
            )
        )

    def _held_partials(self) -> tuple[Partial, ...]:
        opening = self._opening
        if opening is None or not self._member:
            return ()
        return self._partials.of_device(opening.library, opening.device)

    def _log_part(self, part: LogPart) -> Send:
        end = part.after + len(part.envelopes)
        # Commits may have been told of since the part was read; then the peer must pull on.
        self._log_n = max(self._log_n, part.n)
        if end == self._log_n and self._member:
            self._delivery = Delivery.LIVE
            self._sent_through = end
        return self._send(Envelopes(part.after, part.envelopes, self._log_n))

    def _can_follow(self, growth: LogPart, own: dict[int, Receipt], room_bytes: int) -> bool:
        """Whether the new entries can be sent; if not, this connection stops being live."""
        foreign_bytes = sum(
            len(raw)
            for position, raw in enumerate(growth.envelopes, growth.after + 1)
            if position not in own and position > self._sent_through
        )
        if self._wanted_bytes is not None:
            # More than it wants at once is pulled, at the size that its line carries.
            room_bytes = min(room_bytes, self._wanted_bytes)
        if foreign_bytes <= room_bytes and growth.after <= self._sent_through:
            return True
        self._delivery = Delivery.BEHIND
        return False

    def _follow(self, growth: LogPart, own: dict[int, Receipt]) -> list[Action]:
        """The new entries in order: runs of our peer's own by ACK, of the others' as they are."""
        if not own and growth.after == self._sent_through:
            if not growth.serialized:
                parts = entries(growth.envelopes, before=growth.n + 1, n=growth.n)
                growth.serialized.extend(self._wire.send(part) for part in parts)
            self._sent_through = growth.n
            return [Send(raw) for raw in growth.serialized]
        actions: list[Action] = []
        receipts: list[Receipt] = []
        others: list[bytes] = []
        for position, raw in enumerate(growth.envelopes, growth.after + 1):
            if position <= self._sent_through:
                continue
            receipt = own.get(position)
            if receipt is not None:
                actions += map(self._send, entries(others, before=position, n=growth.n))
                others = []
                receipts.append(receipt)
                continue
            actions += self._acks(receipts)
            receipts = []
            others.append(raw)
        actions += self._acks(receipts)
        actions += map(self._send, entries(others, before=growth.n + 1, n=growth.n))
        # What was pulled may be ahead of what is told, where others write to the same store.
        self._sent_through = max(self._sent_through, growth.n)
        return actions

    def _acks(self, receipts: Sequence[Receipt]) -> list[Action]:
        return [
            self._send(Ack(tuple(receipts[start : start + limits.BATCH_ENVELOPES_MAX])))
            for start in range(0, len(receipts), limits.BATCH_ENVELOPES_MAX)
        ]
