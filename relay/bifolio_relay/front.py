"""The process in front of several that serve: takes connections in, and hands each one over.

All sessions of a library meet in one process, which its id names: so each is told of the others at
once, and nothing need be asked of the store. Which library it is, a connection says in its
greeting; up to there it is served here, by the same session that is used everywhere, and what came
is given to the other process with the socket, which reads it again. Counts everybody who is
connected, wherever that is, and answers questions about health. Starts no processes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response
from websockets.protocol import State

from bifolio import limits
from bifolio.wire.messages import Retry
from bifolio_relay import admission, health
from bifolio_relay.admission import Admission
from bifolio_relay.config import Config
from bifolio_relay.doorstep import health_path, tell_health, turn_away
from bifolio_relay.handover import (
    Begun,
    Channel,
    Count,
    Counted,
    Cut,
    Left,
    Proved,
    Take,
    Told,
    close_descriptor,
)
from bifolio_relay.metered_socket import Intake, MeteredSocket, host_of
from bifolio_relay.session import Action, Send, Session

#: What may come before a connection is handed over: its greeting, and some pings.
_RECEIVED_BYTES_MAX = limits.HANDSHAKE_MESSAGE_BYTES_MAX + 4 * limits.RELAY_STRANGER_READ_BYTES


class FrontSocket(MeteredSocket):
    """A connection before it is handed over: keeps what came, for who goes on with it."""

    def __init__(self, *positional: object, **named: object) -> None:
        super().__init__(*positional, **named)  # type: ignore[arg-type]
        self.kept = bytearray()

    def data_received(self, data: bytes) -> None:
        if self.protocol.state is State.OPEN:
            self.kept += data
            if len(self.kept) > _RECEIVED_BYTES_MAX:
                self.cut_off()
                return
        super().data_received(data)


class Guest:
    """A connection, here or handed over: what admission counts."""

    __slots__ = ("number", "socket", "worker")

    def __init__(self, number: int, socket: MeteredSocket) -> None:
        self.number = number
        self.socket: MeteredSocket | None = socket
        self.worker: WorkerLine | None = None

    def cut_off(self) -> None:
        """End it without a word."""
        if self.worker is not None:
            self.worker.send(Cut(self.number))
        elif self.socket is not None:
            self.socket.cut_off()


class WorkerLine:
    """One of the processes that serve, as it is seen from here; it may end and come again."""

    def __init__(self, number: int, front: Front) -> None:
        self.number = number
        self.guests: dict[int, Guest] = {}
        self.begun = asyncio.Event()
        self._front = front
        self._channel: Channel | None = None
        self._asked: dict[int, asyncio.Future[dict[str, int | str]]] = {}
        self._questions = 0

    def connect(self, channel: Channel) -> None:
        """It was started, with this channel to it."""
        self._channel = channel

    def send(self, message: Told, descriptor: int | None = None) -> bool:
        """Tell it something; False where it has ended."""
        return self._channel is not None and self._channel.send(message, descriptor)

    def take(self, message: Told, descriptor: int | None) -> None:
        """It told something."""
        close_descriptor(descriptor)
        match message:
            case Begun():
                self.begun.set()
            case Proved():
                self._front.prove(self, message)
            case Left():
                self._front.part(self.guests.pop(message.number, None))
            case Counted():
                asked = self._asked.pop(message.number, None)
                if asked is not None and not asked.done():
                    asked.set_result(message.facts)
            case _:
                raise AssertionError(f"a process that serves told {message}")

    def lose(self) -> None:
        """It has ended, and all its connections with it."""
        self.begun.clear()
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        for guest in tuple(self.guests.values()):
            self._front.part(guest)
        self.guests.clear()
        for asked in self._asked.values():
            asked.cancel()
        self._asked.clear()

    async def count(self) -> dict[str, int | str]:
        """What it tells of its health; empty where it cannot tell."""
        self._questions += 1
        number = self._questions
        asked = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(limits.RELAY_PROCESS_ANSWER_S):
                return await asked if self.send(Count(number)) else {}
        except TimeoutError:
            return {}
        except asyncio.CancelledError:
            if asked.cancelled() and not _is_cancelled():
                return {}  # the process ended meanwhile
            raise
        finally:
            self._asked.pop(number, None)


class Front:
    """All connections of a relay of several processes."""

    def __init__(self, config: Config, logger: logging.Logger) -> None:
        self._config = config
        self._logger = logger
        self._admission = Admission(config.connections_max, time.monotonic)
        self._guests: dict[MeteredSocket, Guest] = {}
        self._numbers = 0
        self._stopping = False
        self.intake = Intake()
        self.lines: tuple[WorkerLine, ...] = tuple(
            WorkerLine(number, self) for number in range(config.processes)
        )

    def line_of(self, library: bytes) -> WorkerLine:
        """The process that serves a library; its id is a hash, so that they have as many each."""
        return self.lines[int.from_bytes(library[:8], "big") % len(self.lines)]

    # --- what sockets need (metered_socket.SocketHub) ---

    def connect(self, socket: MeteredSocket) -> bool:
        """A connection was made; whether it may stay."""
        self._numbers += 1
        guest = self._guests[socket] = Guest(self._numbers, socket)
        socket.owner = admission.address_of(host_of(socket))
        return not self._stopping and self._admission.connect(guest, socket.owner)

    def leave(self, socket: MeteredSocket) -> None:
        """A socket of this process is closed: it has ended, or goes on in another process."""
        guest = self._guests.pop(socket)
        guest.socket = None
        if guest.worker is None:
            self.part(guest)

    def part(self, guest: Guest | None) -> None:
        """A connection has ended, wherever it was."""
        if guest is not None:
            self._admission.leave(guest)

    def prove(self, line: WorkerLine, proved: Proved) -> None:
        """A connection turned out to be a member's."""
        guest = line.guests.get(proved.number)
        if guest is not None:
            # Whether there is a place for it, the process that has the library has decided.
            self._admission.prove(guest, proved.library, proved.device)

    def stop(self) -> None:
        """Take nobody in any more."""
        self._stopping = True
        for socket in tuple(self._guests):
            socket.cut_off()

    # --- what the listener brings ---

    async def serve_connection(self, socket: ServerConnection) -> None:
        """Take a greeting, and hand the connection over."""
        assert isinstance(socket, FrontSocket)
        nonce = os.urandom(32)
        session = Session(nonce=nonce, names=self._config.names)
        await _send(socket, session.greet())
        try:
            async with asyncio.timeout(limits.HANDSHAKE_TIMEOUT_S):
                raw = await socket.receive()
                if isinstance(raw, str):
                    actions = session.stop(Retry.ONCE, "text came; messages are binary")
                else:
                    actions = session.receive(raw)
                socket.done()
                if session.is_closed or session.library is None:
                    self._logger.warning("refused stranger: not the protocol, or not the device")
                    await _send(socket, actions)
                    return
                line = self.line_of(session.library)
                await line.begun.wait()
        except TimeoutError:
            reason = "no greeting came in time"
            if session.is_greeted:
                reason = "the part of the relay that has this library begins again"
            await _send(socket, session.stop(Retry.BACKOFF, reason))
            return
        guest = self._guests.get(socket)
        if guest is None:  # it went while it waited
            return
        self._hand_over(socket, guest, line, nonce)
        await socket.wait_closed()

    def _hand_over(self, socket: FrontSocket, guest: Guest, line: WorkerLine, nonce: bytes) -> None:
        take = Take(guest.number, socket.owner, nonce, bytes(socket.kept))
        descriptor = socket.transport.get_extra_info("socket").fileno()
        if not socket.transport.get_write_buffer_size() and line.send(take, descriptor):
            guest.worker = line
            line.guests[guest.number] = guest
        # Closes what is this process's of the socket; the other one goes on with it.
        socket.cut_off()

    async def answer_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Turn away who comes through a proxy once too often; answer a question about health."""
        assert isinstance(connection, FrontSocket)
        guest = self._guests[connection]
        refused = turn_away(
            connection,
            request,
            self._config.trusted_proxies,
            lambda address: self._admission.readdress(guest, address),
        )
        path = health_path(request)
        if refused is not None or path is None:
            return refused
        found = await asyncio.gather(*(line.count() for line in self.lines))
        if not all(found):
            return connection.respond(
                HTTPStatus.SERVICE_UNAVAILABLE, "a process of the relay does not answer\n"
            )
        facts = health.add_up(found) | {"strangers": self._admission.strangers}
        return tell_health(connection, path, facts)


async def _send(socket: MeteredSocket, actions: Sequence[Action]) -> None:
    for action in actions:
        if isinstance(action, Send):
            await socket.send(action.raw)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
