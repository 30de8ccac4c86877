"""The network's shell round ``sync``: asyncio and websockets, no decisions (DESIGN §10).

One call of ``run`` is one connection. The replica is used from the event loop's thread: each
message is one bounded transaction.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Final

from websockets.asyncio.client import ClientConnection as Socket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.uri import WebSocketURI, parse_uri

from bifolio import limits
from bifolio.errors import (
    BifolioError,
    NotAMemberError,
    ProtocolError,
    RelayRedirectError,
    RelayRefusedError,
    RelayUnreachableError,
    RelayUntrustedError,
)
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.results import Progress
from bifolio.sync import backoff
from bifolio.sync.counts import Counts
from bifolio.sync.phases import Joined, Left
from bifolio.sync.session import SyncSession
from bifolio.wire.connection import ClientConnection
from bifolio.wire.messages import Bye, Challenge, Hello, Message, Retry

#: How often a live connection looks whether something that had to wait may be tried again: such
#: waits last half a minute and more.
_TICK_S = 1.0

#: What a redirect may name as a host; anything else is not repeated to the user.
_HOST: Final = re.compile(r"[A-Za-z0-9._:-]{1,253}")


class Client:
    """Carries messages between a relay and one replica's sessions."""

    def __init__(
        self, url: str, store: ReplicaAdapter, *, library: bytes, progress: Progress | None = None
    ) -> None:
        self._url = url
        self._store = store
        self._library = library
        self._progress = progress

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

        Raises:
            RelayUnreachableError, RelayRefusedError, NotAMemberError, ProtocolError.
        """
        total = Counts()
        came_back = False
        for _ in range(limits.CONNECTIONS_PER_SYNC_MAX):
            session = SyncSession(self._store, library=self._library)
            try:
                async with open_socket(self._url) as socket:
                    await self._talk(socket, session)
            except ConnectionClosed as error:
                raise RelayUnreachableError(self._url, reason=_close_reason(error)) from error
            total += session.counts
            match session.phase:
                case Left(Joined()):
                    self._store.become_member()
                case Left(Bye(retry=Retry.BACKOFF)) if not came_back:
                    # Once: a relay that mends its copy of the library says this, and then asks
                    # for what it lacks.
                    came_back = True
                    await asyncio.sleep(limits.RECONNECT_FIRST_S)
                case Left(Bye() as farewell):
                    raise self._error_of(farewell)
                case Left(BifolioError() as reason):
                    raise reason
                case _:
                    return total
        raise RelayRefusedError("no end", detail="it asked for a new connection again and again")

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
            session = SyncSession(self._store, library=self._library)
            began_s = time.monotonic()
            try:
                async with (
                    open_socket(self._url) as socket,
                    aclosing(self._rounds(socket, session, changed)) as rounds,
                ):
                    async for counts in rounds:
                        # What is new here is so once; what a relay took it can take again.
                        if counts.pulled or counts.files_received:
                            delays = backoff.RECONNECT.waits(random.random)
                        yield counts
            except RelayUnreachableError as error:
                outage(error)
            except ConnectionClosed as error:
                outage(RelayUnreachableError(self._url, reason=_close_reason(error)))
            if time.monotonic() - began_s > limits.RECONNECT_MAX_S:
                delays = backoff.RECONNECT.waits(random.random)  # it held: that is no loop
            match session.phase:
                case Left(Joined()):
                    self._store.become_member()
                case Left(Bye(retry=Retry.NEVER) as farewell):
                    raise self._error_of(farewell)
                case Left(BifolioError() as reason):
                    raise reason
            await asyncio.sleep(next(delays))

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
                    message = wire.receive(incoming.result())
                    incoming = asyncio.ensure_future(socket.recv(decode=False))
                    await self._send(socket, wire, session.receive(message))
                # Not only in a pause: chunks of a file may come without one.
                if local.done():
                    local.result()
                    local = asyncio.ensure_future(changed())
                    await self._send(socket, wire, session.local_change())
                await self._send(socket, wire, session.tick())
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
            try:
                raw = await asyncio.wait_for(socket.recv(decode=False), limits.ANSWER_TIMEOUT_S)
            except TimeoutError:
                raise RelayUnreachableError(
                    self._url, reason=f"no answer for {limits.ANSWER_TIMEOUT_S:.0f} seconds"
                ) from None
            await self._send(socket, wire, session.receive(wire.receive(raw)))
            self._report(session)

    async def _send(self, socket: Socket, wire: ClientConnection, messages: list[Message]) -> None:
        for message in messages:
            await socket.send(wire.send(message))

    def _report(self, session: SyncSession) -> None:
        if self._progress is not None:
            stage, done, total = session.progress()
            self._progress(stage, done, total)

    def _error_of(self, farewell: Bye) -> BifolioError:
        if farewell.retry is Retry.NEVER:
            return NotAMemberError(relay_says=True)
        if farewell.retry is Retry.ONCE:
            return ProtocolError(f"it ended the connection: {farewell.reason}")
        return RelayUnreachableError(self._url, reason=f"it said: {farewell.reason}")


class _Connect(connect):
    """A connection that stays with its host: a ticket's relay is the one that its maker knows.

    A redirect to another path, or to TLS on the same host, is followed as HTTP has it.
    """

    def process_redirect(self, exc: Exception) -> Exception | str:
        before = self.ws_uri
        followed = super().process_redirect(exc)
        if not isinstance(followed, str):
            return followed
        after = parse_uri(followed)
        is_same = (after.host, after.port, after.secure) == (
            before.host,
            before.port,
            before.secure,
        )
        if is_same or (after.host == before.host and after.secure and not before.secure):
            return followed
        return RelayRedirectError(self.uri, host=_place(before), target=_place(after))


def _place(uri: WebSocketURI) -> str:
    host = uri.host if _HOST.fullmatch(uri.host) else "another host"
    return f"{host}:{uri.port}"


@asynccontextmanager
async def open_socket(url: str) -> AsyncIterator[Socket]:
    """An open socket to a relay.

    Raises:
        RelayUnreachableError: there is none.
    """
    try:
        socket = await _Connect(
            url,
            compression=None,
            max_size=limits.MESSAGE_BYTES_MAX,
            open_timeout=limits.HANDSHAKE_TIMEOUT_S,
            ping_interval=limits.PING_INTERVAL_S,
            ping_timeout=limits.PING_TIMEOUT_S,
        )
    except ssl.SSLCertVerificationError as error:  # a ValueError too
        raise RelayUntrustedError(url, reason=error.verify_message) from error
    except (InvalidURI, ValueError) as error:  # a port too high, a host that has no form in DNS
        raise RelayUnreachableError(url, reason="this is not an address") from error
    except InvalidHandshake as error:
        reason = f"another program answers there ({error})"
        raise RelayUnreachableError(url, reason=reason) from error
    except TimeoutError as error:
        reason = f"no answer within {limits.HANDSHAKE_TIMEOUT_S:.0f} seconds"
        raise RelayUnreachableError(url, reason=reason) from error
    except (OSError, EOFError) as error:
        raise RelayUnreachableError(url, reason=_plain(error)) from error
    try:
        yield socket
    finally:
        await socket.close()


def _close_reason(error: ConnectionClosed) -> str:
    return "the connection was cut" + (f" ({error.rcvd.reason})" if error.rcvd else "")


def _plain(error: BaseException) -> str:
    """An operating system's reason in words."""
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens at this address"
    if isinstance(error, ConnectionError | EOFError):
        return "the connection was cut"
    reason = getattr(error, "strerror", None)
    return str(reason or error) or type(error).__name__
