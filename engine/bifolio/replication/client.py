"""The network's shell round ``sync``: asyncio and websockets, no decisions (DESIGN §10).

One call of ``run`` is one sync, over as many connections as the line makes of it. The replica is
used from the event loop's thread: each message is one bounded transaction.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from email.utils import parsedate_to_datetime

from websockets.asyncio.client import ClientConnection as Socket
from websockets.exceptions import ConnectionClosed

from bifolio import limits
from bifolio.errors import (
    BifolioError,
    ProtocolError,
    RelayRefusedError,
    RelayUnreachableError,
)
from bifolio.ids import content_hash
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.replication.connecting import close_reason, open_socket
from bifolio.replication.line_socket import SLEPT, arrival_of
from bifolio.results import Progress
from bifolio.sync import backoff
from bifolio.sync.counts import Counts
from bifolio.sync.line import Line
from bifolio.sync.membership import MembershipSync
from bifolio.sync.phases import Joined, Left
from bifolio.sync.refusals import refusal_of
from bifolio.sync.session import SyncSession
from bifolio.wire.connection import ClientConnection
from bifolio.wire.fragments import Assembler, is_too_large, split
from bifolio.wire.messages import (
    Bye,
    Challenge,
    Code,
    Delete,
    Fragment,
    Hello,
    Members,
    Message,
    Nack,
    PullMembers,
    Retry,
    Welcome,
)

#: How often a live connection looks whether something that had to wait may be tried again: such
#: waits last half a minute and more.
_TICK_S = 1.0


class Client:
    """Carries messages between a relay and one replica's sessions."""

    def __init__(
        self, url: str, store: ReplicaAdapter, *, library: bytes, progress: Progress | None = None
    ) -> None:
        self._url = url
        self._store = store
        self._library = library
        self._progress = progress
        self._line = Line(time.monotonic)
        #: What came of a message that is not finished, and what the relay has of one of ours.
        self._assembler = Assembler()
        self._most_arrived: dict[bytes, int] = {}

    @staticmethod
    async def probe(url: str, greeting: Callable[[Challenge], Hello] | None = None) -> Message:
        """Find out whether a relay answers at an address, and what it says to a greeting.

        Args:
            url: the relay's address.
            greeting: makes the HELLO for the relay's challenge; without one its challenge is all.

        Raises:
            RelayUnreachableError, ProtocolError: there is none.
        """
        wire = ClientConnection()
        async with open_socket(url) as socket:
            try:
                raw = await asyncio.wait_for(socket.recv(decode=False), limits.ANSWER_TIMEOUT_S)
                challenge = wire.receive(raw)
                if not isinstance(challenge, Challenge):
                    raise ProtocolError(f"it began with {challenge.NAME}")
                if greeting is None:
                    return challenge
                await socket.send(wire.send(greeting(challenge)))
                raw = await asyncio.wait_for(socket.recv(decode=False), limits.ANSWER_TIMEOUT_S)
            except (TimeoutError, ConnectionClosed) as error:
                raise RelayUnreachableError(url, reason="it does not answer") from error
            return wire.receive(raw)

    @staticmethod
    async def read_members(
        url: str, greeting: Callable[[Challenge], Hello]
    ) -> tuple[Welcome, list[bytes]]:
        """What a relay welcomes us with, and the library's whole list of members.

        Raises:
            RelayUnreachableError, RelayRefusedError, ProtocolError: it does not give it.
        """
        wire = ClientConnection()
        records: list[bytes] = []
        welcome: Welcome | None = None
        async with open_socket(url) as socket:
            try:
                while True:
                    raw = await asyncio.wait_for(socket.recv(decode=False), limits.ANSWER_TIMEOUT_S)
                    match wire.receive(raw):
                        case Challenge() as challenge:
                            await socket.send(wire.send(greeting(challenge)))
                            continue
                        case Welcome() as welcome if not welcome.exists:
                            return welcome, []
                        case Welcome():
                            pass
                        case Members() as part if part.start == len(records) and part.records:
                            records += part.records
                            if len(records) > limits.RELAY_MEMBERSHIP_RECORDS_MAX:
                                raise ProtocolError("its list of members has no end")
                            if welcome is not None and len(records) >= part.total:
                                return welcome, records
                        case Bye() as farewell:
                            raise farewell_error(url, farewell)
                        case other:
                            raise ProtocolError(f"{other.NAME} came where members were to come")
                    await socket.send(wire.send(PullMembers(len(records))))
            except (TimeoutError, ConnectionClosed) as error:
                raise RelayUnreachableError(url, reason="it does not answer") from error

    @staticmethod
    async def read_genesis(url: str, greeting: Callable[[Challenge], Hello]) -> bytes | None:
        """The first record of the library's list of members at a relay; None where it does not
        hold the library.

        Raises:
            RelayUnreachableError, RelayRefusedError, ProtocolError: it does not give it.
        """
        async with _greeted(url, greeting) as (socket, wire, welcome):
            if not welcome.exists:
                return None
            await socket.send(wire.send(PullMembers(0)))
            match await _hear(socket, wire):
                case Members() as part if part.start == 0 and part.records:
                    return part.records[0]
                case Bye() as farewell:
                    raise farewell_error(url, farewell)
                case other:
                    raise ProtocolError(f"{other.NAME} came where members were to come")

    @staticmethod
    async def settle_members(
        url: str, store: ReplicaAdapter, greeting: Callable[[Challenge], Hello]
    ) -> bool:
        """Bring together the lists of members here and at a relay, and nothing else.

        Returns:
            whether both have the same one now.

        Raises:
            RelayUnreachableError, RelayRefusedError, ProtocolError, MembershipError.
        """
        async with _greeted(url, greeting) as (socket, wire, welcome):
            if not welcome.exists or welcome.role is None:
                return False
            sync = MembershipSync(store, welcome)
            while True:
                for message in sync.decide():
                    await socket.send(wire.send(message))
                if sync.is_settled:
                    return True
                match await _hear(socket, wire):
                    case Members() as part:
                        sync.receive(part)
                    case Nack(code=Code.HEAD_MOVED):
                        sync.look_again()
                    case Nack():
                        return False
                    case Bye() as farewell:
                        raise farewell_error(url, farewell)

    @staticmethod
    async def delete_library(url: str, store: ReplicaAdapter) -> None:
        """Have a relay delete the library, as one of its owners.

        Raises:
            RelayUnreachableError, RelayRefusedError, NotAMemberError, ProtocolError: it does not.
        """
        nonce = b""

        def greet(challenge: Challenge) -> Hello:
            nonlocal nonce
            nonce = challenge.nonce
            return store.make_hello(challenge)

        async with _greeted(url, greet) as (socket, wire, welcome):
            if not welcome.exists:
                return
            if "delete_library" not in welcome.limits:
                raise RelayRefusedError(
                    "old", detail="it is of a version that deletes no library for its owners"
                )
            await socket.send(wire.send(Delete(store.sign_deletion(nonce))))
            while True:
                match await _hear(socket, wire):
                    case Nack(code=Code.DELETED | Code.UNKNOWN_LIBRARY):
                        return
                    case Nack() as refused:
                        raise refusal_of(refused)
                    case Bye() as farewell:
                        raise farewell_error(url, farewell)

    @staticmethod
    async def time_of(url: str) -> float | None:
        """The relay's time in seconds since 1970, by the date of its handshake, to the second.

        Raises:
            RelayUnreachableError: there is none.
        """
        async with open_socket(url) as socket:
            date = socket.response.headers.get("Date") if socket.response is not None else None
        try:
            return parsedate_to_datetime(date).timestamp() if date else None
        except ValueError:
            return None

    async def run(self) -> Counts:
        """Sync until both sides have everything; a join comes back once as a member.

        A line that is cut is made again, at once or after a while, as long as the connections
        on it bring something.

        Raises:
            RelayUnreachableError, RelayRefusedError, NotAMemberError, ProtocolError.
        """
        total = Counts()
        attempts = _Attempts(self._line)
        comebacks = 0
        while True:
            session = self._session()
            try:
                async with open_socket(self._url) as socket:
                    try:
                        await self._talk(socket, session)
                    except ConnectionClosed as error:
                        raise self._cut(socket, session, error) from error
            except RelayUnreachableError as error:
                total += session.counts
                await attempts.wait_after(error, session)
                continue
            total += session.counts
            match session.phase:
                case Left(Joined()):
                    self._store.become_member()
                case Left(Bye(retry=Retry.BACKOFF) as farewell):
                    # Once even where nothing came of it: a relay that mends its copy of the library
                    # says this, and then asks for what it lacks.
                    await attempts.wait_after(self._error_of(farewell), session, asked_back=True)
                    continue
                case Left(Bye() as farewell):
                    raise self._error_of(farewell)
                case Left(BifolioError() as reason):
                    raise reason
                case _:
                    return total
            comebacks += 1
            if comebacks >= limits.CONNECTIONS_PER_SYNC_MAX:
                raise RelayRefusedError(
                    "no end", detail="it asked for a new connection again and again"
                )

    async def watch(
        self,
        changed: Callable[[], Awaitable[None]],
        outage: Callable[[RelayUnreachableError], None],
    ) -> AsyncGenerator[Counts, None]:
        """Stay connected: a round of counts each time both sides have everything again.

        Args:
            changed: ends when another process wrote to the replica; then it is called again.
            outage: told of each attempt that did not reach the relay, and of a cut; what it
                raises ends the watching.

        Raises:
            NotAMemberError, RelayRefusedError: the relay will not have us back.
        """
        delays = backoff.RECONNECT.waits(random.random)
        while True:
            session = self._session()
            began_s = time.monotonic()
            slept = False
            try:
                async with open_socket(self._url) as socket:
                    try:
                        async with aclosing(self._rounds(socket, session, changed)) as rounds:
                            async for counts in rounds:
                                yield counts
                    except ConnectionClosed as error:
                        slept = getattr(socket, "given_up", "") == SLEPT
                        raise self._cut(socket, session, error) from error
            except RelayUnreachableError as error:
                outage(error)
            # What is new here or there is so once: a line that brings it is worth another try.
            if self._line.gets_on() or time.monotonic() - began_s > limits.RECONNECT_MAX_S:
                delays = backoff.RECONNECT.waits(random.random)
            match session.phase:
                case Left(Joined()):
                    self._store.become_member()
                case Left(Bye(retry=Retry.NEVER) as farewell):
                    raise self._error_of(farewell)
                case Left(BifolioError() as reason):
                    raise reason
            if not slept:
                await asyncio.sleep(next(delays))

    def _session(self) -> SyncSession:
        """A new connection's part, which knows what the earlier ones showed of the line."""
        self._line.begin()
        return SyncSession(
            self._store, library=self._library, line=self._line, held=self._assembler.partial
        )

    def _cut(
        self, socket: object, session: SyncSession, error: ConnectionClosed
    ) -> RelayUnreachableError:
        if not session.is_settled:
            self._line.note_cut()
        return RelayUnreachableError(self._url, reason=close_reason(socket, error))

    async def _rounds(
        self,
        socket: Socket,
        session: SyncSession,
        changed: Callable[[], Awaitable[None]],
    ) -> AsyncGenerator[Counts, None]:
        wire = ClientConnection()
        told: Counts | None = None
        incoming = asyncio.ensure_future(socket.recv(decode=False))
        local = asyncio.ensure_future(changed())
        try:
            while not isinstance(session.phase, Left):
                await asyncio.wait(
                    {incoming, local}, timeout=_TICK_S, return_when=asyncio.FIRST_COMPLETED
                )
                if incoming.done():
                    raw = incoming.result()
                    incoming = asyncio.ensure_future(socket.recv(decode=False))
                    await self._take(socket, wire, session, raw)
                # Not only in a pause: chunks of a file may come without one.
                if local.done():
                    local.result()
                    local = asyncio.ensure_future(changed())
                    await self._send(socket, wire, session, session.local_change())
                await self._send(socket, wire, session, session.tick())
                counts = session.counts
                if session.is_log_settled and (told is None or counts != told):
                    yield counts if told is None else counts - told
                    told = counts
        finally:
            incoming.cancel()
            local.cancel()

    async def _talk(self, socket: Socket, session: SyncSession) -> None:
        wire = ClientConnection()
        while not session.is_settled and not isinstance(session.phase, Left):
            raw = await self._receive(socket)
            await self._take(socket, wire, session, raw)
            self._report(session)

    async def _receive(self, socket: Socket) -> bytes:
        """The next message, as long as anything moves on the line.

        Raises:
            RelayUnreachableError: the relay has all that was sent, and does not answer.
        """
        while True:
            try:
                return await asyncio.wait_for(socket.recv(decode=False), limits.ANSWER_TIMEOUT_S)
            except TimeoutError as error:
                if socket.seconds_silent() >= limits.ANSWER_TIMEOUT_S:  # type: ignore[attr-defined]
                    raise RelayUnreachableError(
                        self._url, reason=f"no answer for {limits.ANSWER_TIMEOUT_S:.0f} seconds"
                    ) from error

    async def _take(
        self, socket: Socket, wire: ClientConnection, session: SyncSession, raw: bytes
    ) -> None:
        """A message came, or a part of one."""
        self._line.note_moved(len(raw))
        message = wire.receive(raw)
        if isinstance(message, Fragment):
            whole, grown_bytes = self._assembler.add(message)
            self._line.note_partial(grown_bytes)
            if whole is None:
                session.note_part(grown_bytes)
                return
            message = wire.receive(whole)
            if isinstance(message, Fragment):
                raise ProtocolError("FRAGMENT: a part of a part")
        await self._send(socket, wire, session, session.receive(message))

    async def _send(
        self, socket: Socket, wire: ClientConnection, session: SyncSession, messages: list[Message]
    ) -> None:
        for message in messages:
            raw = wire.send(message)
            wanted_bytes = self._line.message_bytes
            if session.relay_holds is None or not is_too_large(raw, wanted_bytes):
                await socket.send(raw)
                continue
            name = content_hash(raw)
            held_bytes = min(session.relay_holds.get(name, 0), len(raw))
            self._note_arrived(name, held_bytes)
            await self._send_parts(
                socket, wire, split(raw, wanted_bytes, name=name, held_bytes=held_bytes)
            )

    async def _send_parts(
        self, socket: Socket, wire: ClientConnection, parts: Iterable[Fragment]
    ) -> None:
        """Send the parts of a large message, and see to it that they arrive: what waits in the
        buffers of a slow line says nothing of it, and is lost with it."""
        unseen_bytes = 0
        for part in parts:
            raw = wire.send(part)
            await socket.send(raw)
            unseen_bytes += len(raw)
            if unseen_bytes >= self._line.window_bytes:
                await arrival_of(socket)
                self._line.note_moved(unseen_bytes)
                unseen_bytes = 0

    def _note_arrived(self, name: bytes, held_bytes: int) -> None:
        """The relay has so much of a message of ours; what it had before counts once."""
        before = self._most_arrived.get(name, 0)
        if held_bytes > before:
            self._most_arrived[name] = held_bytes
            self._line.note_arrived(held_bytes - before)
            self._line.note_partial(held_bytes - before)

    def _report(self, session: SyncSession) -> None:
        if self._progress is not None:
            stage, done, total = session.progress()
            self._progress(stage, done, total)

    def _error_of(self, farewell: Bye) -> BifolioError:
        return farewell_error(self._url, farewell)


@asynccontextmanager
async def _greeted(
    url: str, greeting: Callable[[Challenge], Hello]
) -> AsyncIterator[tuple[Socket, ClientConnection, Welcome]]:
    """A connection on which a relay has welcomed us.

    Raises:
        RelayUnreachableError, RelayRefusedError, ProtocolError: it does not.
    """
    wire = ClientConnection()
    async with open_socket(url) as socket:
        try:
            challenge = await _hear(socket, wire)
            if not isinstance(challenge, Challenge):
                raise ProtocolError(f"it began with {challenge.NAME}")
            await socket.send(wire.send(greeting(challenge)))
            match await _hear(socket, wire):
                case Welcome() as welcome:
                    yield socket, wire, welcome
                case Bye() as farewell:
                    raise farewell_error(url, farewell)
                case other:
                    raise ProtocolError(f"{other.NAME} came where a welcome was to come")
        except (TimeoutError, ConnectionClosed) as error:
            raise RelayUnreachableError(url, reason="it does not answer") from error


async def _hear(socket: Socket, wire: ClientConnection) -> Message:
    """The next message of a relay, which answers in time."""
    return wire.receive(await asyncio.wait_for(socket.recv(decode=False), limits.ANSWER_TIMEOUT_S))


def farewell_error(url: str, farewell: Bye) -> BifolioError:
    """What a relay's farewell means for the user."""
    if farewell.retry is Retry.NEVER:
        return RelayRefusedError(
            str(farewell.retry),
            detail=farewell.reason,
            next_step="Check that the address is the relay's own, as whoever runs it gives it, "
            "and that both have the same version of Bifolio.",
        )
    if farewell.retry is Retry.ONCE:
        return ProtocolError(f"it ended the connection: {farewell.reason}")
    return RelayUnreachableError(url, reason=f"it said: {farewell.reason}")


class _Attempts:
    """How often a sync may try again: as long as something comes of it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._has_progressed = False
        self._in_a_row = 0
        self._delays = backoff.RECONNECT.waits(random.random)

    async def wait_after(
        self, error: BifolioError, session: SyncSession, *, asked_back: bool = False
    ) -> None:
        """Wait before the next attempt.

        Args:
            error: what ended the last one.
            session: what was said in it; what was sent to a relay that welcomed us may be there.
            asked_back: whether the relay asked to come back later.

        Raises:
            BifolioError: ``error``, where nothing has come of any attempt, or of the last few.
        """
        # One that says nothing takes half a minute each time: it is asked again less often.
        is_silent = isinstance(error, RelayUnreachableError) and isinstance(
            error.__cause__, TimeoutError
        )
        if self._line.gets_on():
            self._has_progressed, self._in_a_row = True, 0
            self._delays = backoff.RECONNECT.waits(random.random)
        elif (
            not (
                self._has_progressed
                or (session.was_welcomed and not is_silent)
                or (asked_back and self._in_a_row == 0)
            )
            or self._in_a_row >= limits.RECONNECTS_IN_A_ROW_MAX
        ):
            raise error
        self._in_a_row += 3 if is_silent else 1
        await asyncio.sleep(next(self._delays))
