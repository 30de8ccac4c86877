"""A relay of real wire messages without a socket, and a session that talks to it.

It is honest; a test alters its log, its answers or their order by hand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tests.support.stored_changes import log_hash
from tests.unit.replica.builders import Computer

from bifolio.ids import content_hash
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.sync.session import SyncSession
from bifolio.wire.connection import ClientConnection, RelayConnection, State
from bifolio.wire.log_chain import log_start
from bifolio.wire.messages import (
    Ack,
    Append,
    AttestedPosition,
    Bye,
    Challenge,
    Code,
    Create,
    Envelopes,
    Hello,
    Members,
    Message,
    Nack,
    Pull,
    PullMembers,
    Push,
    Receipt,
    Welcome,
)
from bifolio.wire.position import LogPosition


class ScriptedRelay:
    """What a relay holds of one library, and its answers."""

    def __init__(self, library: bytes, *, epoch: bytes = b"1" * 16) -> None:
        self.library = library
        self.epoch = epoch
        self.log: list[bytes] = []
        self.members: list[bytes] = []
        self.refuses: dict[bytes, Nack] = {}
        self.page = 2

    def chain_hash(self, position: int) -> bytes:
        """The hash of the log at a position."""
        hashes = [content_hash(raw) for raw in self.log[:position]]
        return log_hash(log_start(self.library, self.epoch), hashes)

    def position(self) -> LogPosition:
        """The log's end."""
        return LogPosition(self.epoch, len(self.log), self.chain_hash(len(self.log)))

    def welcome(self, hello: Hello | None = None, *, role: str | None = "editor") -> Welcome:
        """What WELCOME says now."""
        if not self.members:
            return Welcome.nothing({})
        cursor = hello.cursor if hello else 0
        return Welcome(
            exists=True,
            epoch=self.epoch,
            n=len(self.log),
            chain_hash=self.chain_hash(len(self.log)),
            cursor_hash=self.chain_hash(cursor) if cursor <= len(self.log) else None,
            attested_hash=self._attested(hello.attested if hello else None),
            floor=0,
            role=None if hello and hello.join else role,
            members=len(self.members),
            members_head=content_hash(self.members[-1]),
            limits={},
        )

    def entries(self, after: int, *, count: int | None = None) -> Envelopes:
        """Entries of the log after a position."""
        end = after + (self.page if count is None else count)
        return Envelopes(after, tuple(self.log[after:end]), len(self.log))

    def answers(self, message: Message) -> list[Message]:
        """What an honest relay answers."""
        match message:
            case Hello():
                return [self.welcome(message)]
            case Create():
                self.members = [message.genesis]
                return [self.welcome()]
            case Append():
                if message.expected_head != content_hash(self.members[-1]):
                    subject = content_hash(message.record)
                    return [Nack(Code.HEAD_MOVED, subject, "the log has grown")]
                self.members.append(message.record)
                return [self._members(len(self.members) - 1)]
            case PullMembers():
                return [self._members(min(message.start, len(self.members)))]
            case Pull():
                return [self.entries(message.after)]
            case Push():
                return self._pushed(message)
        raise AssertionError(message)

    def _pushed(self, message: Push) -> list[Message]:
        nacks: list[Message] = []
        receipts = []
        for raw in message.envelopes:
            if (nack := self.refuses.get(content_hash(raw))) is not None:
                nacks.append(nack)
                continue
            if raw not in self.log:
                self.log.append(raw)
            receipts.append(Receipt(content_hash(raw), self.log.index(raw) + 1))
        return [*([Ack(tuple(receipts))] if receipts else []), *nacks]

    def _members(self, start: int) -> Members:
        return Members(
            start,
            tuple(self.members[start:]),
            len(self.members),
            content_hash(self.members[-1]),
        )

    def _attested(self, attested: AttestedPosition | None) -> bytes | None:
        if attested is None or attested.epoch != self.epoch or attested.n > len(self.log):
            return None
        return self.chain_hash(attested.n)


class Talk:
    """One connection between a computer and a relay; every message goes through both ends."""

    def __init__(
        self,
        computer: Computer,
        relay: ScriptedRelay,
        *,
        join_secret: bytes | None = None,
        invite_secret: bytes | None = None,
        expected: LogPosition | None = None,
    ) -> None:
        self.relay = relay
        self.port = ReplicaAdapter(
            computer.replica,
            computer.member_log,
            join_secret=join_secret,
            invite_secret=invite_secret,
            expected=expected,
        )
        self.session = SyncSession(self.port, library=relay.library)
        self.sent: list[Message] = []
        self._client, self._relay = ClientConnection(), RelayConnection()

    @property
    def wire_state(self) -> State:
        """How far the connection is, by what may be said on it."""
        return self._relay.state

    def tell(self, message: Message) -> list[Message]:
        """The relay says one thing; what the session answers."""
        arrived = self._client.receive(self._relay.send(message))
        return self._carried(self.session.receive(arrived))

    def local_change(self) -> list[Message]:
        """Another process wrote to the replica; what the session says."""
        return self._carried(self.session.local_change())

    def greet(self) -> Hello:
        """The challenge and its answer."""
        (hello,) = self.tell(Challenge((2,), b"n" * 32))
        assert isinstance(hello, Hello)
        return hello

    def run(self) -> Talk:
        """An honest conversation until nobody has anything to say; itself."""
        return self.go_on(self.tell(Challenge((2,), b"n" * 32)))

    def go_on(self, said: Sequence[Message]) -> Talk:
        """The relay answers honestly, from here on."""
        waiting = deque(said)
        while waiting:
            for answer in self.relay.answers(waiting.popleft()):
                waiting.extend(self.tell(answer))
                if isinstance(answer, Bye):
                    return self
        return self

    def kinds(self) -> list[str]:
        """The names of the messages that the session sent."""
        return [message.NAME for message in self.sent]

    def _carried(self, messages: list[Message]) -> list[Message]:
        arrived = [self._relay.receive(self._client.send(message)) for message in messages]
        self.sent += arrived
        return arrived


def relay_of(computer: Computer) -> ScriptedRelay:
    """A relay that holds nothing yet of a computer's library."""
    return ScriptedRelay(computer.replica.library_id)


def notes(computer: Computer) -> list[str]:
    """What was noted for ``status``."""
    return [reason for reason, _ in computer.replica.meta.notes]
