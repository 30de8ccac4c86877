"""The statements' and snapshots' part of one connection, decided without I/O.

Before the log is pulled: a replica that is new, that was away while entries went, or that meets a
relay with another log, asks which snapshots there are, and loads one where the log would not bring
all. Once both sides have every change: it says where it stands, verifies what nobody has verified,
and sends a snapshot where one is due. Chunks are kept as they come, so that a connection that is
cut costs what was under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bifolio import limits
from bifolio.errors import RelayConductError
from bifolio.ids import content_hash
from bifolio.results import Stage
from bifolio.sync.fruitless import FruitlessCount
from bifolio.sync.snapshot_store import Purpose, SnapshotStore, SnapshotTask
from bifolio.wire.messages import COUNT_MAX, Message, Nack, Welcome
from bifolio.wire.position import LogPosition
from bifolio.wire.snapshot_messages import (
    SNAPSHOTS_LIMIT,
    AskSnapshots,
    OfferSnapshot,
    PullSnapshotChunk,
    SnapshotChunk,
    SnapshotHeld,
    Snapshots,
    SnapshotState,
    Statement,
    Statements,
    VerifySnapshot,
)


@dataclass(slots=True)
class _Transfer:
    """A snapshot on its way: chunks up to ``done`` have arrived, up to ``asked`` are under way."""

    task: SnapshotTask
    done: int
    asked: int
    #: Whether the relay took the header of one that is sent.
    is_offered: bool = False

    @property
    def is_complete(self) -> bool:
        return self.done >= self.task.chunks

    def next_chunks(self) -> range:
        """The chunks to put under way now."""
        end = min(self.done + limits.SNAPSHOT_CHUNKS_IN_FLIGHT, self.task.chunks)
        start, self.asked = self.asked, max(self.asked, end)
        return range(start, end)


@dataclass(slots=True)
class _Questions:
    """What was asked and is not answered yet, by the hash of its subject."""

    snapshots: int = 0
    statement: bytes | None = None
    verdicts: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class _Seen:
    """What was tried on this connection and is not tried again."""

    failed: set[bytes] = field(default_factory=set)
    compared: set[bytes] = field(default_factory=set)
    #: Where our logs were when the relay last said that it knows more, and whether that was looked
    #: for in its snapshots.
    moved_at: tuple[LogPosition | None, int] | None = None
    has_looked: bool = False


class SnapshotSync:
    """What to ask, load, verify and send on one connection to a relay that holds the library."""

    def __init__(self, store: SnapshotStore, welcome: Welcome, fruitless: FruitlessCount) -> None:
        self._store = store
        self._fruitless = fruitless
        self._epoch, self._floor = welcome.epoch, welcome.floor
        self._is_supported = SNAPSHOTS_LIMIT in welcome.limits
        self._told: Sequence[SnapshotState] | None = None
        self._asked = _Questions()
        self._seen = _Seen()
        self._transfer: _Transfer | None = None
        self._loaded: LogPosition | None = None
        #: Whether the log may be pulled, and whether what is here may be offered.
        self.is_ready = not (self._is_supported and store.must_look(self._epoch, self._floor))
        self.may_offer = self.is_ready
        self._is_idle = not self._is_supported
        #: Whether the relay was asked since the log last grew, or time passed.
        self._is_fresh = False
        self._must_ask = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it is under way, as far as it can be done now."""
        return self._is_idle and self._transfer is None and not self._is_waiting

    @property
    def _is_waiting(self) -> bool:
        asked = self._asked
        return bool(asked.snapshots) or asked.statement is not None

    def progress(self) -> tuple[Stage, int, int] | None:
        """What is under way, how many chunks are done and of how many; None if nothing is."""
        transfer = self._transfer
        if transfer is None:
            return None
        is_sent = transfer.task.purpose is Purpose.SEND
        stage = Stage.SENDING if is_sent else Stage.RECEIVING
        return stage, transfer.done, transfer.task.chunks

    def is_due(self) -> bool:
        """Whether something is to be said that was not a while ago."""
        if not self._is_supported or not self.is_settled:
            return False
        return self._store.is_look_due() or self._store.is_statement_due()

    def look_again(self) -> None:
        """The log has grown, or time passed: all of it may be due again."""
        self._is_idle = not self._is_supported
        self._is_fresh = False

    def compare_now(self) -> None:
        """The relay left something to its snapshots: it is asked which it has, however lately."""
        if self._is_supported:
            self._is_idle = self._is_fresh = False
            self._must_ask = True

    def need(self) -> bool:
        """The log does not go back to where this replica is, which was not known before.

        Returns:
            False where asking for snapshots was no help already, or the relay has none.
        """
        if not self._is_supported or not self.is_ready or self._floor == COUNT_MAX:
            return False
        self._floor = COUNT_MAX
        self.is_ready, self._told = False, None
        return True

    def look_for_more(self, known: tuple[LogPosition | None, int]) -> bool:
        """The relay says that it knows of more than we do. If it said so before, when our logs were
        where they are now, one of its snapshots may have what they lack; once on a connection.

        Args:
            known: where our log is, and how many membership records there are.
        """
        was, self._seen.moved_at = self._seen.moved_at, known
        if not self._is_supported or not self.is_ready or self._seen.has_looked or was != known:
            return False
        self._seen.has_looked = True
        self.is_ready, self._told = False, None
        return True

    @property
    def lacks_key(self) -> bool:
        """Whether what the log no longer has is there, sealed under a key that is not here."""
        return self._store.lacks_key()

    # --- what came ------------------------------------------------------------------------

    def receive(self, message: Message) -> None:
        """The relay told something of statements or snapshots.

        Raises:
            RelayConductError: it sends chunks in an order that was not asked for.
        """
        match message:
            case Snapshots():
                self._receive_states(message)
            case Statements():
                self._asked.statement = None
                self._store.learn_statements(message.statements)
            case SnapshotChunk():
                self._receive_chunk(message)
            case SnapshotHeld():
                self._receive_held(message)

    def _receive_states(self, message: Snapshots) -> None:
        if not self._asked.snapshots:
            return
        self._asked.snapshots -= 1
        if not self._asked.snapshots:
            self._asked.verdicts.clear()
        self._told, self._is_fresh, self._must_ask = message.snapshots, True, False
        self._store.note_look(message.snapshots)
        self._is_idle = False
        transfer = self._transfer
        if transfer is None or transfer.task.purpose is not Purpose.SEND or transfer.is_offered:
            return
        for state in message.snapshots:
            if content_hash(state.header) == transfer.task.id:
                transfer.is_offered = True
                transfer.done = transfer.asked = min(state.held, transfer.task.chunks - 1)
                return
        self._give_up(transfer)

    def _receive_chunk(self, message: SnapshotChunk) -> None:
        transfer = self._transfer
        if transfer is None or message.snapshot != transfer.task.id:
            return  # of a transfer that was given up
        if message.number != transfer.done or message.number >= transfer.asked:
            raise RelayConductError("it sends a chunk of a snapshot out of turn")
        self._store.keep_chunk(message.snapshot, message.number, message.sealed)
        transfer.done += 1
        self._fruitless.note_news()

    def _receive_held(self, message: SnapshotHeld) -> None:
        transfer = self._transfer
        if transfer is None or message.snapshot != transfer.task.id:
            return
        if transfer.done < message.held <= transfer.asked:
            transfer.done = message.held
            self._fruitless.note_news()

    def refuse(self, message: Nack) -> bool:
        """The relay refused something; False if it is none of these."""
        asked, transfer = self._asked, self._transfer
        if asked.statement is not None and message.subject == content_hash(asked.statement):
            asked.statement = None
            return True
        if message.subject in asked.verdicts:
            asked.verdicts.discard(message.subject)
            asked.snapshots -= 1
            return True
        if transfer is not None and message.subject == transfer.task.id:
            if transfer.task.purpose is Purpose.SEND and not transfer.is_offered:
                asked.snapshots -= 1
            self._give_up(transfer)
            return True
        return message.subject in self._seen.failed

    def _give_up(self, transfer: _Transfer) -> None:
        self._seen.failed.add(transfer.task.id)
        self._transfer = None

    # --- what to do -----------------------------------------------------------------------

    def decide_first(self) -> list[Message]:
        """What to say before the log is pulled, until ``is_ready``."""
        if self.is_ready:
            return []
        if self._told is None:
            return self._ask()
        if self._transfer is None:
            told = self._untried()
            task = self._store.choose(told, epoch=self._epoch, floor=self._floor)
            if task is None:
                self.is_ready = True
                return []
            self._begin(task)
        return self._carry_on()

    def take_loaded(self) -> LogPosition | None:
        """From where the log goes on after a snapshot was loaded, once."""
        loaded, self._loaded = self._loaded, None
        return loaded

    def take_moved(self) -> bool:
        """Whether something is to be offered because a snapshot left it out, once."""
        return self._is_supported and self._store.take_moved()

    def decide_base(self) -> list[Message]:
        """What to say once the log is pulled and before anything is offered, until
        ``may_offer``."""
        if self.may_offer:
            return []
        if self._transfer is None:
            task = self._store.find_base(self._untried())
            if task is None or task.id in self._seen.failed:
                self.may_offer = True
                return []
            self._begin(task)
        return self._carry_on()

    def decide(self) -> list[Message]:
        """What to say while both sides have every change."""
        if not self._is_supported or self._is_waiting:
            return []
        messages: list[Message] = []
        if self._store.is_statement_due() and (statement := self._store.state()) is not None:
            self._asked.statement = statement
            messages.append(Statement(statement))
        while True:
            if self._transfer is None and not self._is_idle:
                if not self._is_fresh and (self._must_ask or self._store.is_look_due()):
                    return [*messages, *self._look(messages)]
                task = self._next_task()
                if task is None:
                    self._is_idle = True
                else:
                    self._begin(task)
            if self._transfer is None:
                break
            if said := self._carry_on():
                return [*messages, *said]
            if self._is_carrying():
                break
            # It is done, and nothing of it is to be answered: what comes next?
        return messages

    def _look(self, said: Sequence[Message]) -> list[Message]:
        """Ask what the relay holds, of statements too where they are not asked for anyway."""
        if said:
            return self._ask()
        self._asked.statement = b""
        return [Statement(b""), *self._ask()]

    def _is_carrying(self) -> bool:
        return self._transfer is not None

    def _next_task(self) -> SnapshotTask | None:
        if self._told is None:
            return None
        return self._store.next_task(self._untried(), self._seen.failed, self._seen.compared)

    def _ask(self) -> list[Message]:
        if self._asked.snapshots:
            return []
        self._asked.snapshots += 1
        return [AskSnapshots()]

    def _untried(self) -> list[SnapshotState]:
        failed = self._seen.failed
        return [one for one in self._told or () if content_hash(one.header) not in failed]

    def _begin(self, task: SnapshotTask) -> None:
        held = 0
        if task.purpose is not Purpose.SEND:
            held = min(self._store.count_chunks(task.id), task.chunks)
        self._transfer = _Transfer(task, held, held)

    def _carry_on(self) -> list[Message]:
        transfer = self._transfer
        assert transfer is not None
        task = transfer.task
        if transfer.is_complete:
            return self._finish(transfer)
        if task.purpose is not Purpose.SEND:
            return [PullSnapshotChunk(task.id, number) for number in transfer.next_chunks()]
        if not transfer.is_offered:
            if self._asked.snapshots:
                return []
            self._asked.snapshots += 1
            return [OfferSnapshot(task.header)]
        messages: list[Message] = []
        for number in transfer.next_chunks():
            sealed = self._store.read_chunk(task.id, number)
            if sealed is None:
                self._give_up(transfer)
                return messages
            messages.append(SnapshotChunk(task.id, number, sealed))
        return messages

    def _finish(self, transfer: _Transfer) -> list[Message]:
        """All chunks have arrived."""
        task, self._transfer = transfer.task, None
        self._is_idle = False
        match task.purpose:
            case Purpose.LOAD:
                self._loaded = self._store.load(task)
                if self._loaded is None:
                    self._seen.failed.add(task.id)
                    return self.decide_first()
                self.is_ready = True
            case Purpose.MERGE:
                if not self._store.merge(task):
                    self._seen.failed.add(task.id)
            case Purpose.SEND:
                self._store.note_sent(task)
                self.may_offer = True
                told = [self._tell(one) for one in self._store.verdicts_on(task.id)]
                return [*told, *self._ask()]
            case Purpose.VERIFY:
                # Whatever is found: the same is not fetched twice on one connection.
                self._seen.compared.add(task.id)
                verdict = self._store.verify(task)
                if verdict is not None:
                    return [self._tell(verdict)]
        return []

    def _tell(self, verdict: bytes) -> Message:
        self._asked.verdicts.add(content_hash(verdict))
        self._asked.snapshots += 1
        return VerifySnapshot(verdict)
