"""The real relay (sessions, services, SQLite) driven step by step, and connections to it.

Every step is one message in one direction or one shared commit, so a test can end a connection
between any two, lose what is under way, wipe the relay or put back an earlier copy of its file.
"""

from __future__ import annotations

import random
import shutil
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from tests.simulation.computer import Computer
from tests.support.said import check_said

from bifolio import limits
from bifolio.errors import BifolioError
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.replication.member_acts import MemberAct
from bifolio.sync.counts import Counts
from bifolio.sync.phases import Joined, Left
from bifolio.sync.session import SyncSession
from bifolio.wire.connection import ClientConnection
from bifolio.wire.messages import Bye, Chunk, Message, Retry, parse_message
from bifolio_relay.log_service import LogService
from bifolio_relay.quotas import Quotas
from bifolio_relay.requests import (
    Answer,
    BlobStates,
    Commit,
    LogPart,
    MembersPart,
    Outcome,
    Question,
    Submission,
)
from bifolio_relay.session import Action, Ask, Send, Session, Submit
from bifolio_relay.storage import LibraryHead
from bifolio_relay.storage.sqlite import SqliteLogStorage
from bifolio_relay.storage.sqlite_file import FILE_NAME

P = ParamSpec("P")
T = TypeVar("T")


class InPlace:
    """Blocking work where it is called: a simulation has one thread and no event loop."""

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        return work(*arguments, **named)

    def end(self) -> None:
        pass


def in_place(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


class SimulatedRelay:
    """One relay process after the other on one folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        #: Where it is reached, where computers go from one relay to another by what members say.
        self.url = f"wss://{folder.name}.example.org"
        self._random = random.Random(seed)
        self.connections: list[SimulatedConnection] = []
        self._copies = 0
        #: The time of the relay's computer.
        self.now_ms = 0
        self.file_bytes_max = limits.RELAY_FILE_BYTES_MAX
        self._start()

    def connect(
        self,
        computer: Computer,
        *,
        invite_secret: bytes | None = None,
        act: MemberAct | None = None,
    ) -> None:
        """A computer connects; what it and the relay say is carried by ``step``."""
        computer.begin_session()
        port = ReplicaAdapter(
            computer.replica,
            computer.member_log,
            join_secret=computer.join_secret,
            invite_secret=invite_secret,
            act=act,
        )
        port.retry_newer()
        self.connections.append(SimulatedConnection(self, computer, port, self._random))

    def connect_port(self, port: ReplicaAdapter, *, library: bytes) -> SimulatedConnection:
        """A process of which nothing is known but its side of the connection."""
        connection = SimulatedConnection(self, None, port, self._random, library=library)
        self.connections.append(connection)
        return connection

    def draw(self, count: int) -> bytes:
        """So many bytes of the relay's own randomness."""
        return self._random.randbytes(count)

    def answer(self, question: Question) -> Answer:
        """The answer to one question."""
        return in_place(self.service.answer(question))

    def push(self, *submissions: Submission) -> Commit:
        """Commit what is submitted, without telling anybody."""
        checked = [in_place(self.service.check(submission)) for submission in submissions]
        return in_place(self.service.commit(checked))

    def commit(self) -> bool:
        """One shared commit of all that was pushed. False where nothing was."""
        waiting = [(one, pushed) for one in self.connections for pushed in one.submissions]
        if not waiting:
            return False
        done = self.push(*(submission for _, submission in waiting))
        for connection in self.connections:
            outcomes: list[Outcome] = []
            for (source, _), row in zip(waiting, done.outcomes, strict=True):
                if source is connection:
                    outcomes.extend(row)
            connection.submissions = []
            library = connection.session.library
            entries = done.appended.get(library, {}) if library else {}
            growth = None
            if entries:
                raws = tuple(entries[at] for at in sorted(entries))
                growth = LogPart(min(entries) - 1, raws, max(entries))
            room = limits.RELAY_QUEUE_BYTES_MAX if self._random.random() < 0.9 else 0
            connection.carry_out(connection.session.apply_commit(outcomes, growth, room_bytes=room))
        return True

    def members_grown(self, part: MembersPart, source: SimulatedConnection | None) -> None:
        """Tell the other connections of a membership record."""
        for other in self.connections:
            if other is not source:
                room = limits.RELAY_QUEUE_BYTES_MAX
                other.carry_out(other.session.tell_members(part, room_bytes=room))

    def blobs_changed(self, states: BlobStates, source: SimulatedConnection) -> None:
        """Tell the other connections of blobs that were completed or dropped."""
        for other in self.connections:
            if other is not source:
                room = limits.RELAY_QUEUE_BYTES_MAX if self._random.random() < 0.9 else 0
                other.carry_out(other.session.tell_blobs(states, room_bytes=room))

    def disconnect(self, connection: SimulatedConnection) -> None:
        """A connection ends; what was under way is lost."""
        self.connections.remove(connection)
        connection.port.files.close()
        session = connection.session
        if session.library is not None and session.device is not None:
            in_place(self.service.release_uploads(session.library, session.device))

    def restart(self) -> None:
        """End the process and start another one; every connection is cut."""
        self._stop()
        self._start()

    def end(self) -> LibraryHead | None:
        """Where the logs of the one library end that is held; None where none is."""
        for library in self._libraries():
            return in_place(self._storage.read_head(library))
        return None

    def chain_hash(self, n: int) -> bytes | None:
        """The log's chain hash after so many entries."""
        for library in self._libraries():
            return in_place(self._storage.read_chain_hashes(library, [n]))[0]
        return None

    def log(self) -> tuple[bytes, ...]:
        """All envelopes of the one library that is held, from those on that were let go of."""
        for library in self._libraries():
            head = in_place(self._storage.read_head(library))
            after = head.floor if head is not None else 0
            reading = self._storage.read(library, after=after, bytes_max=1 << 40, count_max=1 << 20)
            return in_place(reading).envelopes
        return ()

    def copy(self) -> Path:
        """A copy of the relay's file as it is now."""
        self._stop()
        self._copies += 1
        target = self.folder.with_name(f"{self.folder.name}-copy-{self._copies}")
        shutil.copytree(self.folder, target)
        self._start()
        return target

    def roll_back(self, copy: Path | None) -> None:
        """Go on from an earlier copy, or from nothing; every connection is cut."""
        self._stop()
        shutil.rmtree(self.folder)
        if copy is not None:
            shutil.copytree(copy, self.folder)
        self._start()

    def close(self) -> None:
        """End the relay."""
        self._stop()

    def _start(self) -> None:
        self._storage = SqliteLogStorage(self.folder, work=InPlace())
        self._storage._file.connection.execute("PRAGMA synchronous = OFF")
        self.service = LogService(
            self._storage,
            random_bytes=self._random.randbytes,
            now_ms=lambda: self.now_ms,
            quotas=Quotas(file_bytes=self.file_bytes_max),
            heavy=InPlace().run,
        )

    def _stop(self) -> None:
        for connection in self.connections:
            connection.port.files.close()
        self.connections.clear()
        in_place(self._storage.close())
        assert (self.folder / FILE_NAME).exists()

    def _libraries(self) -> list[bytes]:
        rows = self._storage._file.connection.execute("SELECT id FROM library")
        return [bytes(row[0]) for row in rows]


class SimulatedConnection:
    """Both ends of one connection and what is under way between them."""

    def __init__(
        self,
        relay: SimulatedRelay,
        computer: Computer | None,
        port: ReplicaAdapter,
        choose: random.Random,
        *,
        library: bytes = b"",
    ) -> None:
        self.relay = relay
        self._computer = computer
        self.port = port
        of = library if computer is None else computer.replica.library_id
        self.client = SyncSession(port, library=of)
        self.session = Session(nonce=choose.randbytes(32))
        self.submissions: list[Submission] = []
        #: Chunks that went either way.
        self.chunks = 0
        self._wire = ClientConnection()
        self._to_client: deque[bytes] = deque()
        self._to_relay: deque[bytes] = deque()
        self._choose = choose
        self.carry_out(self.session.greet())

    @property
    def computer(self) -> Computer:
        """Whose connection it is."""
        assert self._computer is not None
        return self._computer

    @property
    def to_relay(self) -> Sequence[bytes]:
        """What is on its way to the relay."""
        return tuple(self._to_relay)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not (self._to_client or self._to_relay or self.submissions)

    @property
    def over(self) -> bool:
        """Whether the client would end this connection."""
        return isinstance(self.client.phase, Left) or (self.idle and self.client.is_settled)

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Do what the relay's session decided."""
        for action in actions:
            match action:
                case Send():
                    self._to_client.append(action.raw)
                case Ask():
                    answer = self.relay.answer(action.question)
                    if isinstance(answer, MembersPart) and answer.grown is not None:
                        self.relay.members_grown(answer, self)
                    if isinstance(answer, BlobStates) and answer.news:
                        self.relay.blobs_changed(answer, self)
                    self.carry_out(self.session.take_answer(answer))
                case Submit():
                    self.submissions.append(action.submission)

    def step(self) -> bool:
        """Carry one message one way. False where nothing was under way."""
        ways = [way for way in (self._to_client, self._to_relay) if way]
        if not ways:
            return False
        way = self._choose.choice(ways)
        raw = way.popleft()
        self.chunks += isinstance(parse_message(raw), Chunk)
        if way is self._to_relay:
            self.carry_out(self.session.receive(raw))
            self.drain()
            return True
        self.say(self.client.receive(self._wire.receive(raw)))
        if self.client.phase == Left(Joined()):
            if self._computer is not None:
                self._computer.join_secret = None
            self.port.become_member()
        return True

    def drain(self) -> bool:
        """What waited for the client was sent; the relay may have more to say. False if not."""
        if self._to_client or self.session.is_closed:
            return False
        self.carry_out(self.session.resume())
        return bool(self._to_client)

    def local_change(self) -> None:
        """The computer committed something while it is connected."""
        if self._wire.state.value == "open":
            self.say(self.client.local_change())

    def say(self, messages: Sequence[Message]) -> None:
        """The client's messages go on their way, if they belong to its phase."""
        check_said(self.client, messages)
        for message in messages:
            self._to_relay.append(self._wire.send(message))


def sync(
    relay: SimulatedRelay,
    computer: Computer,
    *,
    invite_secret: bytes | None = None,
    act: MemberAct | None = None,
) -> int:
    """Sync one computer as ``bifolio sync`` does, to the end; the messages that it took."""
    messages = 0
    for _ in range(limits.CONNECTIONS_PER_SYNC_MAX):
        relay.connect(computer, invite_secret=invite_secret, act=act)
        connection = relay.connections[-1]
        messages += _carry(connection, computer.name)
        if not _comes_back(connection):
            return messages
    raise BifolioError("it came back again and again")


def sync_with(relay: SimulatedRelay, port: ReplicaAdapter, *, library: bytes) -> Counts:
    """The same for one side of a connection that somebody else made."""
    counts = Counts()
    for _ in range(limits.CONNECTIONS_PER_SYNC_MAX):
        connection = relay.connect_port(port, library=library)
        _carry(connection, "somebody")
        counts += connection.client.counts
        if not _comes_back(connection):
            return counts
    raise BifolioError("it came back again and again")


def _carry(connection: SimulatedConnection, name: str) -> int:
    """All that both sides say, until nothing is left to say; how many messages it was."""
    messages = 0
    try:
        while not connection.over:
            if connection.step():
                messages += 1
            elif not connection.relay.commit():
                raise AssertionError(f"the sync of {name} stands still")
    finally:
        connection.relay.disconnect(connection)
    return messages


def _comes_back(connection: SimulatedConnection) -> bool:
    """Whether a connection ended because a ticket's holder is a member now.

    Raises:
        BifolioError: what else ended it.
    """
    match connection.client.phase:
        case Left(Joined()):
            return True
        case Left(BifolioError() as error):
            raise error
        case Left(Bye(retry=Retry.NEVER) as farewell):
            raise BifolioError(f"the relay ended it: {farewell.reason}")
        case Left(farewell):
            raise AssertionError(f"the relay ended it: {farewell}")
    return False
