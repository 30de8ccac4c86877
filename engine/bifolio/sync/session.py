"""One connection's worth of sync, decided without I/O.

Messages only change what is known; ``_decide`` reads it and says what to send. The order is
always the same: the library is made where the relay lost it, membership first, then the log is
pulled to its end, then what the relay lacks is offered in causal order. A relay that was wiped
or rolled back is seen by its epoch or by the hash at our cursor (PITFALLS 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bifolio import limits
from bifolio.errors import (
    BifolioError,
    MembershipError,
    NotAMemberError,
    ProtocolError,
    RelayRefusedError,
)
from bifolio.ids import content_hash
from bifolio.sync.files import FileTransfer
from bifolio.sync.port import Offer, Port
from bifolio.wire.chain import log_next, log_start
from bifolio.wire.messages import (
    PROTOCOL_VERSION,
    Ack,
    Append,
    Blobs,
    Bye,
    Challenge,
    Chunk,
    Code,
    Create,
    Envelopes,
    Members,
    Message,
    Nack,
    Pull,
    PullMembers,
    Push,
    Unknown,
    Welcome,
)
from bifolio.wire.position import LogPosition


@dataclass(slots=True)
class Counts:
    """Changes and files new to the other side, in this session."""

    pushed: int = 0
    pulled: int = 0
    files_sent: int = 0
    files_received: int = 0


class SyncSession:
    """The client's decisions on one connection.

    ``library`` is the library's id (16 bytes). The session is ``settled`` when nothing is left
    to do but to wait for further changes; ``joined`` when a ticket's holder became a member and
    should come back as a device.
    """

    def __init__(self, port: Port, *, library: bytes) -> None:
        self._port = port
        self._library = library
        self._counts = Counts()
        self.files = FileTransfer(port.files)
        self.joined = False
        self.farewell: Bye | None = None
        self.refusal: BifolioError | None = None
        self._welcome: Welcome | None = None
        self._cursor: LogPosition | None = None
        self._log_n = 0
        self._checked_at: dict[int, bytes] = {}
        self._relay_members = 0
        self._waits_for_members = False
        self._waits_for_log = False
        self._caught_up = False
        self._creating = False
        self._in_flight: dict[bytes, Offer] = {}
        self._in_flight_bytes = 0
        self._offered_through = 0
        self._early: dict[int, bytes] = {}
        self._push_blocked = False
        self._more_to_seal = True
        self._left_out: set[bytes] = set()
        self._appends_left = limits.MEMBERSHIP_APPENDS_MAX
        self._restarts_left = limits.CHAIN_RESTARTS_MAX

    @property
    def counts(self) -> Counts:
        """What was new to the other side so far."""
        files = self.files.counts
        return replace(self._counts, files_sent=files.sent, files_received=files.received)

    @property
    def settled(self) -> bool:
        """Whether both sides have everything that they may have, files too."""
        return self.log_settled and self.files.settled

    @property
    def log_settled(self) -> bool:
        """Whether both sides have every change."""
        return (
            self._caught_up
            and not self._waits_for_members
            and not self._waits_for_log
            and not self._in_flight
            and not self._more_to_seal
            and self._cursor is not None
            and self._cursor.position == self._log_n
        )

    def receive(self, message: Message) -> list[Message]:
        """A message came; returns what to send.

        Raises:
            RelayRefusedError, NotAMemberError, MembershipError, ProtocolError: the session is
                over, and why.
        """
        match message:
            case Challenge():
                if PROTOCOL_VERSION not in message.versions:
                    raise ProtocolError(f"it speaks versions {message.versions}, we speak 1")
                return [self._port.greeting(PROTOCOL_VERSION, message.nonce)]
            case Welcome():
                self._welcomed(message)
            case Members():
                self._members_came(message)
            case Envelopes():
                self._log_came(message)
            case Ack():
                self._acknowledged(message)
            case Blobs():
                self.files.blobs(message)
            case Chunk():
                self.files.chunk(message)
            case Nack():
                if not self.files.refused(message):
                    self._refused(message)
            case Bye():
                self.farewell = message
                return []
            case Unknown():
                pass  # news of a later version, which nobody here waits for
            case _:
                raise ProtocolError(f"{message.NAME} came from a relay")
        return self._decide()

    def progress(self) -> tuple[str, int, int]:
        """What is under way ("receiving", "sending"), how much is done, and of how much."""
        if self.log_settled and (files := self.files.progress()) is not None:
            return files
        position = self._cursor.position if self._cursor else 0
        if not self._caught_up:
            return "receiving", position, self._log_n
        return (
            "sending",
            self._counts.pushed,
            self._counts.pushed + sum(offer.changes for offer in self._in_flight.values()),
        )

    def local_change(self) -> list[Message]:
        """Another process may have written to the replica; returns what to send."""
        self._more_to_seal = True
        self.files.look_again()
        return self._decide()

    def tick(self) -> list[Message]:
        """Time passes; returns what to send because of it."""
        return self._decide() if self.files.is_due() else []

    # --- what came ------------------------------------------------------------------------

    def _welcomed(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self._creating = False
        if not welcome.exists:
            return
        self._relay_members = welcome.members
        self._check_members(welcome.members, welcome.members_head)
        self._log_n = welcome.n
        self._checked_at[welcome.n] = welcome.chain_hash
        start = LogPosition(welcome.epoch, 0, log_start(self._library, welcome.epoch))
        cursor = self._port.cursor()
        if cursor is None:
            self._check_expected(welcome)
            self._cursor = start
        elif cursor.epoch == welcome.epoch and welcome.cursor_hash == cursor.chain_hash:
            self._cursor = cursor
        else:
            self._forget_log()
            self._cursor = start
        self.files.begin(welcome.epoch, welcome.blob_drops, welcome.blob_tally_hash)

    def _check_expected(self, welcome: Welcome) -> None:
        """A newcomer notices a relay that was wiped or rolled back since its ticket was made."""
        expected = self._port.expected()
        if expected is None or expected.position == 0:
            return
        if expected.epoch != welcome.epoch:
            # Two logs cannot be compared: this one may hold all that the other did, and more.
            self._port.note(
                "The relay was set up anew since the ticket was made.",
                "If anything is missing here, run 'bifolio sync' on the computer that made the "
                "ticket; then sync here again.",
            )
        elif welcome.attested_hash != expected.chain_hash:
            self._port.note(
                "The relay holds less than it did when the ticket was made.",
                "Run 'bifolio sync' on the computer that made the ticket; then sync here again.",
            )

    def _members_came(self, message: Members) -> None:
        self._waits_for_members = False
        known = len(self._port.members())
        self._relay_members = message.total
        if message.start > known:
            return  # a gap: _decide asks for what lies between
        fresh = message.records[known - message.start :]
        if fresh:
            self._port.learn_members(fresh)
        self._check_members(message.total, message.head)

    def _check_members(self, total: int, head: bytes) -> None:
        """One membership log is the beginning of the other, or no message would ever end it."""
        known = self._port.members()
        if 0 < total <= len(known) and content_hash(known[total - 1]) != head:
            raise MembershipError(
                "the relay lost a part of the membership log, and another device joined since"
            )

    def _log_came(self, message: Envelopes) -> None:
        self._waits_for_log = False
        self._log_n = max(self._log_n, message.n)
        cursor = self._cursor
        if cursor is None:
            raise ProtocolError("log entries came before a welcome")
        end = message.after + len(message.envelopes)
        if message.after > cursor.position or end < cursor.position:
            return  # a gap, or known already: _decide pulls from the cursor
        fresh = message.envelopes[cursor.position - message.after :]
        if fresh:
            moved = self._followed(cursor, [content_hash(envelope) for envelope in fresh])
            moved, reached = self._followed_early(moved)
            self._counts.pulled += self._port.receive(cursor.position, fresh, moved)
            if reached:
                self._port.acknowledge(reached, moved)
            self._cursor = moved
            self._more_to_seal = True
            self.files.look_again()
        elif end == message.n:
            self._port.acknowledge((), cursor)
        if self._cursor is not None and self._cursor.position >= self._log_n:
            self._caught_up = True

    def _acknowledged(self, message: Ack) -> None:
        cursor = self._cursor
        if cursor is None:
            raise ProtocolError("an acknowledgement came before a welcome")
        for receipt in message.positions:
            offer = self._in_flight.pop(receipt.hash, None)
            if offer is None:
                continue
            self._in_flight_bytes -= len(offer.envelope)
            self._counts.pushed += offer.changes
            self._log_n = max(self._log_n, receipt.position)
            # What stands before the cursor was pulled, and learnt its position from the log: a
            # receipt that says more than the log did counts for nothing.
            if receipt.position > cursor.position:
                self._early[receipt.position] = receipt.hash
        moved, reached = self._followed_early(cursor)
        if reached:
            self._port.acknowledge(reached, moved)
        self._cursor = moved

    def _refused(self, message: Nack) -> None:
        offer = self._in_flight.get(message.subject)
        match message.code:
            case Code.FORK | Code.GAP:
                if offer is None:
                    return  # its chain was restarted for an envelope before it
                if self._restarts_left == 0:
                    raise ProtocolError("it refuses to continue one chain after another")
                self._restarts_left -= 1
                self._forget_in_flight()
                self._port.restart_chain(offer.chain)
                self._more_to_seal = True
            case Code.HEAD_MOVED | Code.UNKNOWN_HEAD:
                self._forget_in_flight()
                self._waits_for_members = False
                self._relay_members = -1
            case Code.TOO_BIG | Code.INVALID if offer is not None:
                self._left_out.add(offer.hash)
                self._drop(offer)
                self._port.note(
                    f"The relay refused a change of {len(offer.envelope):,} bytes: "
                    f"{message.detail}.",
                    "It is kept on this computer. Shorten the text in question and sync again.",
                )
            case _:
                self._forget_in_flight()
                self._push_blocked = True
                self.refusal = _refusal_of(message)
                self._port.note(self.refusal.message, self.refusal.next_step)

    # --- what to do -----------------------------------------------------------------------

    def _decide(self) -> list[Message]:
        welcome = self._welcome
        if welcome is None or self._creating:
            return []
        if not welcome.exists:
            return self._create()
        if (asked := self._decide_membership()) is not None:
            return asked
        if not self._port.is_member():
            raise NotAMemberError
        if self._cursor is not None and (
            self._cursor.position < self._log_n or not self._caught_up
        ):
            if self._waits_for_log:
                return []
            self._waits_for_log = True
            return [Pull(self._cursor.position)]
        # Changes first: chunks go only while nothing of the log is left to be sent or to come.
        messages = self._offer()
        return [*messages, *self.files.decide()] if self.log_settled else messages

    def _create(self) -> list[Message]:
        """The relay does not hold the library: a member gives it back, from its first record."""
        members = self._port.members()
        if not members or not self._port.is_member():
            raise unknown_library()
        if self._port.cursor() is not None:
            self._forget_log()
        self._creating = True
        return [Create(members[0])]

    def _decide_membership(self) -> list[Message] | None:
        """What the membership logs need; None when both are equal and nothing waits."""
        if self._waits_for_members:
            return []
        known = self._port.members()
        if self._relay_members < 0 or self._relay_members > len(known):
            self._waits_for_members = True
            return [PullMembers(len(known))]
        if self._relay_members < len(known):
            return self._append(known, known[self._relay_members])
        record = self._port.join_record()
        if record is not None:
            return self._append(known, record)
        if not self.joined and self._port.is_member() and self._came_with_ticket():
            self.joined = True
            return []
        record = self._port.invite_record()
        return self._append(known, record) if record is not None else None

    def _came_with_ticket(self) -> bool:
        """Whether this connection speaks with a ticket's key: a member comes back as itself."""
        return self._welcome is not None and self._welcome.role is None

    def _append(self, known: Sequence[bytes], record: bytes) -> list[Message]:
        if self._relay_members == 0:
            raise MembershipError("the relay holds the library without its first record")
        if self._appends_left == 0:
            raise MembershipError("the relay's membership log goes another way than ours")
        self._appends_left -= 1
        self._waits_for_members = True
        return [Append(content_hash(known[self._relay_members - 1]), record)]

    def _offer(self) -> list[Message]:
        """Seal what waits, and push as much as may be under way at once."""
        if self._push_blocked:
            self._more_to_seal = False
            return []
        if self._more_to_seal and not self._in_flight:
            self._port.settle_offers()
            self._port.seal()
            self._more_to_seal = False
            self._offered_through = 0
        messages: list[Message] = []
        while self._in_flight_bytes < limits.PUSH_IN_FLIGHT_BYTES_MAX:
            offers = [
                offer
                for offer in self._port.offers(
                    after=self._offered_through, bytes_max=limits.BATCH_BYTES_TARGET
                )[: limits.BATCH_ENVELOPES_MAX]
                if offer.hash not in self._in_flight and offer.hash not in self._left_out
            ]
            if not offers:
                break
            self._offered_through = offers[-1].number
            for offer in offers:
                self._in_flight[offer.hash] = offer
                self._in_flight_bytes += len(offer.envelope)
            messages.append(Push(tuple(offer.envelope for offer in offers)))
        return messages

    # --- small steps ------------------------------------------------------------------------

    def _followed(self, cursor: LogPosition, hashes: Sequence[bytes]) -> LogPosition:
        """The cursor after further entries; what the relay told us before must hold."""
        position, chain_hash = cursor.position, cursor.chain_hash
        for one in hashes:
            position, chain_hash = position + 1, log_next(chain_hash, one)
            known = self._checked_at.pop(position, None)
            if known is not None and known != chain_hash:
                raise ProtocolError(f"its log is not what it said it was at position {position}")
            self._early.pop(position, None)
        return LogPosition(cursor.epoch, position, chain_hash)

    def _followed_early(self, cursor: LogPosition) -> tuple[LogPosition, list[tuple[bytes, int]]]:
        """The cursor after own entries that were acknowledged ahead of it, and their receipts.

        Only now do they count as acknowledged: a position that the checked log does not reach
        yet could be gone when a relay is rolled back, and nobody would offer it again.
        """
        reached = []
        while (own := self._early.get(cursor.position + 1)) is not None:
            cursor = self._followed(cursor, [own])
            reached.append((own, cursor.position))
        return cursor, reached

    def _forget_log(self) -> None:
        """The relay is not what it was: everything is offered again, and ``status`` says why."""
        self._port.forget_log()
        self._port.note(
            "The relay lost part of its log (it was wiped, or restored from an older copy).",
            "Nothing to do: what it lacks was offered again from this computer.",
        )

    def _forget_in_flight(self) -> None:
        self._in_flight.clear()
        self._in_flight_bytes = 0
        self._offered_through = 0

    def _drop(self, offer: Offer) -> None:
        self._in_flight.pop(offer.hash, None)
        self._in_flight_bytes -= len(offer.envelope)


def unknown_library() -> RelayRefusedError:
    """The relay does not hold the library, and nobody here can give it back."""
    return RelayRefusedError(
        Code.UNKNOWN_LIBRARY,
        detail="it does not hold this library",
        next_step="Run 'bifolio sync' on a computer that holds the library, which gives "
        "it back to the relay; then try again here.",
    )


def _refusal_of(message: Nack) -> BifolioError:
    if message.code is Code.FORBIDDEN:
        return NotAMemberError()
    steps = {
        Code.QUOTA: "Ask who runs the relay for more room; then run 'bifolio sync'.",
        Code.RATE: "Wait a minute, then run 'bifolio sync'.",
        Code.STALE_KEY: "Run 'bifolio sync' again: the library's key was changed.",
    }
    return RelayRefusedError(
        str(message.code), detail=message.detail, next_step=steps.get(message.code, "")
    )
