"""One connection's worth of sync, decided without I/O.

Messages and events only change what is known; ``_decide`` reads it, says what to send and moves
from phase to phase. The order is always the same: the library is made where the relay lost it,
membership first, then the log is pulled to its end, then what the relay lacks is offered in
causal order, then files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bifolio import limits
from bifolio.errors import BifolioError, ProtocolError, RelayConductError
from bifolio.ids import content_hash
from bifolio.results import Stage
from bifolio.sync import phases
from bifolio.sync.counts import Counts
from bifolio.sync.files import FileSync
from bifolio.sync.fruitless import FruitlessCount
from bifolio.sync.line import Line
from bifolio.sync.log import LogSync, forget_log
from bifolio.sync.membership import MembershipSync
from bifolio.sync.phases import Exchange, Joined, Left, Phase
from bifolio.sync.refusals import lacks_snapshot_key, refusal_of, unknown_library
from bifolio.sync.snapshots import SnapshotSync
from bifolio.sync.store import SyncStore
from bifolio.wire.messages import (
    Ack,
    Blobs,
    Bye,
    Challenge,
    Chunk,
    Code,
    Create,
    Envelopes,
    Flow,
    Located,
    Members,
    Message,
    Nack,
    Partial,
    Unknown,
    Welcome,
)
from bifolio.wire.snapshot_messages import SnapshotChunk, SnapshotHeld, Snapshots, Statements

#: What a relay says of statements and snapshots.
_OF_SNAPSHOTS = (Statements, Snapshots, SnapshotChunk, SnapshotHeld)

#: What a relay says once it has welcomed us to a library that it holds.
_OF_AN_EXCHANGE = (
    Members,
    Envelopes,
    Located,
    Ack,
    Nack,
    Blobs,
    Chunk,
    *_OF_SNAPSHOTS,
)


class SyncSession:
    """The client's decisions on one connection.

    ``library`` is the library's id (16 bytes). The session goes on until ``phase`` is ``Left``,
    or its caller ends it when it ``is_settled``: nothing is left to do but to wait. ``line`` is
    what earlier connections showed of the way to the relay, and ``held`` what is here of a message
    that the last one could not finish.
    """

    def __init__(
        self,
        store: SyncStore,
        *,
        library: bytes,
        line: Line | None = None,
        held: Partial | None = None,
    ) -> None:
        self._line = line or Line(lambda: store.monotonic_ms() / 1000)
        self._held = held
        self._told_message_bytes: int | None = None
        #: What the relay holds of messages of ours, by their hashes; None where it takes no
        #: fragments.
        self.relay_holds: dict[bytes, int] | None = None
        #: Whether the relay has welcomed us: what we sent since may be there.
        self.was_welcomed = False
        self._store = store
        self._library = library
        self._counts = Counts()
        self._fruitless = FruitlessCount(lambda: store.monotonic_ms())
        self.phase: Phase = phases.Greeting()

    @property
    def counts(self) -> Counts:
        """What was new to the other side so far."""
        return replace(self._counts)

    @property
    def is_log_settled(self) -> bool:
        """Whether both sides have every change."""
        match self.phase:
            case phases.Live(exchange):
                return exchange.log.is_settled
        return False

    @property
    def is_settled(self) -> bool:
        """Whether both sides have everything that they may have, files too."""
        match self.phase:
            case phases.Live(exchange):
                return (
                    exchange.log.is_settled
                    and exchange.snapshots.is_settled
                    and exchange.files.is_settled
                )
        return False

    def progress(self) -> tuple[Stage, int, int]:
        """What is under way, how much is done, and of how much."""
        match self.phase:
            case phases.Members(exchange) | phases.Log(exchange) | phases.Live(exchange):
                if (snapshot := exchange.snapshots.progress()) is not None:
                    return snapshot
                if self.is_log_settled and (files := exchange.files.progress()) is not None:
                    return files
                return exchange.log.progress()
        return Stage.RECEIVING, 0, 0

    def receive(self, message: Message) -> list[Message]:
        """A message came; returns what to send.

        Raises:
            RelayRefusedError, NotAMemberError, MembershipError, ProtocolError: the session is
                over, and why.
        """
        with self._leave_on_error():
            self._fruitless.count(is_settled=self.is_settled)
            return [*self._hear(message), *self._decide()]

    def note_part(self, grown_bytes: int) -> None:
        """A part of a message came, by which so much more of it is here.

        Raises:
            RelayConductError: such parts come again and again, and nothing new with them.
        """
        if grown_bytes >= limits.FLOW_BYTES_MIN:
            self._fruitless.note_news()
            return
        with self._leave_on_error():
            self._fruitless.count(is_settled=False)

    def local_change(self) -> list[Message]:
        """Another process may have written to the replica; returns what to send."""
        with self._leave_on_error():
            match self.phase:
                case phases.Members(exchange) | phases.Log(exchange) | phases.Live(exchange):
                    exchange.log.look_again()
                    exchange.snapshots.look_again()
                    exchange.files.look_again()
            return self._decide()

    def tick(self) -> list[Message]:
        """Time passes; returns what to send because of it."""
        match self.phase:
            case phases.Live(exchange) if exchange.files.is_due() or exchange.snapshots.is_due():
                exchange.snapshots.look_again()
                with self._leave_on_error():
                    return self._decide()
        return []

    # --- what came ------------------------------------------------------------------------

    def _hear(self, message: Message) -> list[Message]:
        """Note a message, if it may come in this phase; only a challenge is answered here."""
        match self.phase, message:
            case Left(), _:
                pass  # it was under way when we left
            case _, Unknown():
                pass  # news of a later version, which nobody here waits for
            case _, Bye():
                self.phase = Left(message)
            case phases.Greeting(said_hello=False), Challenge():
                return [self._greet(message)]
            case (phases.Greeting(said_hello=True) | phases.Creating(), Welcome()):
                self._begin_exchange(message)
            case phases.Creating(), Nack():
                self._leave(message)
            case (phases.Members(exchange) | phases.Log(exchange) | phases.Live(exchange), _):
                self._hear_open(exchange, message)
            case _:
                raise _out_of_turn(self.phase, message)
        return []

    def _greet(self, challenge: Challenge) -> Message:
        hello = self._store.make_hello(challenge)
        self.phase = phases.Greeting(said_hello=True, nonce=challenge.nonce)
        return hello

    def _begin_exchange(self, welcome: Welcome) -> None:
        self.was_welcomed = True
        if not welcome.exists:
            if isinstance(self.phase, phases.Creating):
                raise RelayConductError("it does not hold the library that it was just given")
            nonce = self.phase.nonce if isinstance(self.phase, phases.Greeting) else b""
            self.phase = phases.Creating(nonce=nonce)
            return
        store = self._store
        takes_fragments = "fragment_bytes" in welcome.limits
        if takes_fragments:
            self.relay_holds = {one.message: one.held for one in welcome.partials}
        membership = MembershipSync(store, welcome)
        log = LogSync(
            store,
            welcome,
            library=self._library,
            counts=self._counts,
            fruitless=self._fruitless,
            line=self._line,
            takes_fragments=takes_fragments,
        )
        snapshots = SnapshotSync(store.snapshots, welcome, self._fruitless)
        files = FileSync(store.files, welcome, self._counts, self._fruitless, self._line)
        self.phase = phases.Members(Exchange(membership, snapshots, log, files))

    def _hear_open(self, exchange: Exchange, message: Message) -> None:
        match message:
            case Members():
                if exchange.membership.receive(message):
                    self._fruitless.note_news()
                members = self._store.members()
                for raw in frozenset(message.records).intersection(members[message.start :]):
                    self._line.note_news(content_hash(raw), len(raw))
            case Envelopes():
                if exchange.log.receive(message):
                    exchange.snapshots.look_again()
                    exchange.files.look_again()  # references may name other contents now
            case Located():
                exchange.log.locate(message)
            case Ack():
                exchange.log.acknowledge(message)
            case Blobs():
                exchange.files.receive_blobs(message)
            case Chunk():
                exchange.files.receive_chunk(message)
            case Nack():
                self._hear_refusal(exchange, message)
            case Statements() | Snapshots() | SnapshotChunk() | SnapshotHeld():
                exchange.snapshots.receive(message)
            case _:
                raise _out_of_turn(self.phase, message)

    def _hear_refusal(self, exchange: Exchange, message: Nack) -> None:
        for machine in (exchange.files, exchange.snapshots, exchange.log):
            if machine.refuse(message):
                return
        if message.code is Code.NEED_SNAPSHOT and exchange.snapshots.need():
            exchange.log.forget_request()
            return
        if message.code in (Code.HEAD_MOVED, Code.UNKNOWN_HEAD):
            exchange.log.offer_again()
            exchange.membership.look_again()
            self._look_for_more(exchange)
        elif self._store.give_up_owed(message.subject):
            exchange.membership.look_again()
        elif message.code is Code.NEED_SNAPSHOT and exchange.snapshots.lacks_key:
            self._leave_with(lacks_snapshot_key())
        else:
            self._leave(message)

    def _look_for_more(self, exchange: Exchange) -> None:
        """The relay knows more than what we said goes by. Where neither of its logs brought any of
        that since it said so before, a snapshot has it: the chain of a member who loses a right."""
        known = (self._store.cursor(), len(self._store.members()))
        if exchange.snapshots.look_for_more(known):
            exchange.log.forget_request()

    def _leave(self, message: Nack) -> None:
        """What was refused stands in the way of everything."""
        self._leave_with(refusal_of(message))

    def _leave_with(self, error: BifolioError) -> None:
        self._store.note(error.message, error.next_step)
        self.phase = Left(error)

    @contextmanager
    def _leave_on_error(self) -> Iterator[None]:
        """An error ends the session: what is known may be half of what came."""
        try:
            yield
        except BifolioError as error:
            self.phase = Left(error)
            raise

    # --- what to do -----------------------------------------------------------------------

    def _decide(self) -> list[Message]:
        """What to say now, and the phase that it is said in.

        Every way out is made by one of these, in this order:

        1. We say nothing unasked before we are welcome, and nothing after we left.
        2. A relay that does not hold the library is given it by a member, or by a computer that its
           own join, which it is still to carry, makes one; once, before all else.
        3. Membership first: nothing is said of the log before both membership logs are equal
           and what this device appends is in.
        4. A ticket's key says nothing more once its holder is a member, who comes back as itself.
        5. Only a member pulls and pushes.
        6. Where the log does not bring all, a snapshot is loaded before the log is pulled.
        7. The relay's log is pulled to its end before anything is offered to it; where that is
           empty and a part of what is here came by a snapshot, the relay gets one first.
        8. Changes go before files: of those nothing goes while anything of the log is under way.
        9. Who loses the right to write loses it where its changes end, so behind the whole log.
        """
        match self.phase:
            case phases.Greeting() | Left():
                return []  # 1
            case phases.Creating(said_create, nonce):
                return [] if said_create else [self._create(nonce)]  # 2
            case phases.Members(exchange) | phases.Log(exchange) | phases.Live(exchange):
                return self._with_flow(self._decide_open(exchange))

    def _with_flow(self, messages: list[Message]) -> list[Message]:
        """What is asked for, after how large an answer is wanted where that has changed."""
        wanted = self._line.message_bytes
        if self.relay_holds is None or not messages or wanted == self._told_message_bytes:
            return messages
        self._told_message_bytes = wanted
        held, self._held = self._held, None
        return [Flow(wanted, held), *messages]

    def _decide_open(self, exchange: Exchange) -> list[Message]:
        """``_decide`` from its third invariant on."""
        membership, log, files = exchange.membership, exchange.log, exchange.files
        snapshots = exchange.snapshots
        messages = membership.decide()
        if not membership.is_settled:
            self.phase = phases.Members(exchange)
            return messages  # 3
        if membership.has_joined:
            self.phase = Left(Joined())
            return []  # 4
        if not self._store.is_member():
            raise self._store.no_right()  # 5
        messages = snapshots.decide_first()
        if not snapshots.is_ready:
            self.phase = phases.Log(exchange)
            return messages  # 6
        if (position := snapshots.take_loaded()) is not None:
            log.move_to(position)
            files.look_again()
        if log.is_at_end and not snapshots.may_offer:
            messages = snapshots.decide_base()
            if not snapshots.may_offer:
                return messages  # 7
        messages = [*messages, *log.decide()]
        if not log.is_at_end:
            self.phase = phases.Log(exchange)
            return messages  # 7
        self.phase = phases.Live(exchange)
        if not log.is_settled:
            return messages  # 8
        if appended := membership.decide_after_log():
            self.phase = phases.Members(exchange)
            return [*messages, *appended]  # 9
        if log.take_left_to_snapshot():
            snapshots.compare_now()
        messages += snapshots.decide()
        if snapshots.take_moved():
            log.look_again()
            return [*messages, *log.decide()]  # 8
        return [*messages, *files.decide()]

    def _create(self, nonce: bytes) -> Create:
        """Give the library back, from its first record: as a member, or as who becomes one by what
        it then carries."""
        members = self._store.members()
        store = self._store
        if not members or not (store.is_member() or store.carry_record() is not None):
            raise unknown_library()
        if self._store.cursor() is not None:
            forget_log(self._store)
        self.phase = phases.Creating(said_create=True)
        token, proof = self._store.prove_token(nonce, members[0])
        return Create(members[0], token, proof, self._store.is_wanted_again())


def _out_of_turn(phase: Phase, message: Message) -> ProtocolError:
    """A message that cannot come in this phase, and what was expected instead."""
    name = message.NAME
    match phase, message:
        case _, Challenge() | Welcome():
            return ProtocolError(f"{name} came out of turn")
        case phases.Greeting(), _ if isinstance(message, _OF_AN_EXCHANGE):
            return ProtocolError(f"{name} came before a welcome")
        case phases.Creating(), _ if isinstance(message, _OF_AN_EXCHANGE):
            return ProtocolError(f"{name} came where a welcome was to come")
    return ProtocolError(f"{name} came from a relay")
