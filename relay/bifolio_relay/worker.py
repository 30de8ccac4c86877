"""One of several processes of a relay: serves the connections that the one in front hands over.

Works on the same store as the others, and has some of the libraries to itself. Ends when it is told
to, and when the process in front is gone. Run as ``python -m bifolio_relay.worker``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from bifolio import limits
from bifolio.errors import BifolioError, RelayStorageError
from bifolio_relay import descriptors
from bifolio_relay.config import Config
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
from bifolio_relay.hub import Hub
from bifolio_relay.lifetime import end_committer, finish, serve_until, signals, socket_logger
from bifolio_relay.metered_socket import MeteredSocket
from bifolio_relay.peer import Peer
from bifolio_relay.storage.sqlite import SqliteLogStorage


class HandedSocket(MeteredSocket):
    """A connection that was begun in another process, and reads what came there first."""

    def __init__(self, protocol: ServerProtocol, server: Any, *, take: Take, **named: Any) -> None:
        super().__init__(protocol, server, **named)
        self.take = take
        self.owner = take.owner
        # What it asked for is answered: what comes are frames.
        self.request = Request("/", Headers())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.data_received(self.take.received)


class WorkerHub(Hub):
    """The hub of a process that is one of several: tells the one in front who comes and goes."""

    def __init__(
        self, storage: SqliteLogStorage, config: Config, logger: logging.Logger, channel: Channel
    ) -> None:
        super().__init__(storage, config, logger)
        self._channel = channel

    def connect(self, socket: MeteredSocket) -> bool:
        return not self._stopping and self._admission.connect(socket, socket.owner)

    def leave(self, socket: MeteredSocket) -> None:
        super().leave(socket)
        assert isinstance(socket, HandedSocket)
        self._channel.send(Left(socket.take.number))

    def prove(self, peer: Peer) -> bool:
        has_place = super().prove(peer)
        socket, library, device = self._sockets[peer], peer.session.library, peer.session.device
        if has_place and library is not None and device is not None:
            assert isinstance(socket, HandedSocket)
            self._channel.send(Proved(socket.take.number, library, device))
        return has_place


class Worker:
    """Connections handed over, and what is asked of this process."""

    def __init__(
        self,
        storage: SqliteLogStorage,
        config: Config,
        logger: logging.Logger,
        end: socket.socket,
        stop: asyncio.Event,
    ) -> None:
        self._logger = logger
        self._sockets: dict[int, HandedSocket] = {}
        #: What websockets wants of the server that a connection belongs to.
        self.handler_tasks: set[asyncio.Task[None]] = set()
        self.connections: set[ServerConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket_logger = socket_logger(logger)
        self.channel = Channel(end, self._take, stop.set)
        self.hub = WorkerHub(storage, config, logger, self.channel)

    async def handler(self, connection: ServerConnection) -> None:
        """Serve one connection (websockets calls it so)."""
        assert isinstance(connection, HandedSocket)
        number = connection.take.number
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(self._note_end)
        self.connections.add(connection)
        self._sockets[number] = connection
        try:
            connection.start_keepalive()
            async with connection:
                if connection.is_refused:
                    await connection.close(1013, "the relay is full")
                else:
                    nonce = connection.take.nonce
                    await self.hub.serve_connection(connection, nonce=nonce)
        finally:
            self.connections.discard(connection)
            self._sockets.pop(number, None)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """A connection's task is over; what it failed with is a fault of ours."""
        self.handler_tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._socket_logger.error("connection handler failed", exc_info=error)

    def _take(self, message: Told, descriptor: int | None) -> None:
        match message:
            case Take() if descriptor is not None:
                self._start(self._accept(message, descriptor))
                return
            case Take():
                # The system had no descriptor for it: there are as many as it allows.
                self.channel.send(Left(message.number))
            case Cut():
                found = self._sockets.get(message.number)
                if found is not None:
                    found.cut_off()
            case Count():
                self._start(self._count(message.number))
            case _:
                raise AssertionError(f"the process in front told {message}")
        close_descriptor(descriptor)

    async def _accept(self, take: Take, descriptor: int) -> None:
        handed = socket.socket(fileno=descriptor)
        try:
            handed.setblocking(False)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._make_socket(take), handed
            )
        except OSError:  # it has gone meanwhile
            handed.close()
            self.channel.send(Left(take.number))

    def _make_socket(self, take: Take) -> HandedSocket:
        protocol = ServerProtocol(
            max_size=limits.HANDSHAKE_MESSAGE_BYTES_MAX, logger=self._socket_logger
        )
        protocol.state = State.OPEN
        return HandedSocket(
            protocol,
            self,
            take=take,
            hub=self.hub,
            max_queue=2,
            close_timeout=limits.SHUTDOWN_GRACE_S,
            ping_interval=limits.PING_INTERVAL_S,
            ping_timeout=limits.PING_TIMEOUT_S,
        )

    async def _count(self, number: int) -> None:
        facts: dict[str, int | str] = {}
        with contextlib.suppress(RelayStorageError):
            facts = await self.hub.gather_health()
        self.channel.send(Counted(number, facts))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def work(config: Config, end: socket.socket, number: int) -> None:
    """Serve what comes through the channel until SIGTERM, or until its other end is gone."""
    logger = logging.getLogger(f"bifolio_relay.{number}")
    stop = asyncio.Event()
    allowed = descriptors.connections_max(config.connections_max)
    config = replace(config, connections_max=allowed)
    storage = SqliteLogStorage(config.data, shared=config.shared, is_part=True)
    try:
        worker = Worker(storage, config, logger, end, stop)
        with signals(stop):
            worker.channel.send(Begun())
            committer = await serve_until(stop, worker.hub, is_caretaker=number == 0)
            try:
                await finish(worker.hub, committer, worker.connections)
                if worker.handler_tasks:
                    await asyncio.wait(worker.handler_tasks, timeout=limits.SHUTDOWN_GRACE_S)
            finally:
                await end_committer(committer)
                worker.channel.close()
                await worker.hub.close()
    finally:
        await storage.close()


def arguments_of(config: Config, number: int, descriptor: int) -> list[str]:
    """What ``main`` is given for this process: all that is not the business of who listens."""
    told = {
        "data": str(config.data),
        "shared": config.shared,
        "connections_max": config.connections_max,
        "libraries_max": config.libraries_max,
        "library_bytes_max": config.library_bytes_max,
        "file_bytes_max": config.file_bytes_max,
        "require_token": config.require_token,
        "unused_days": config.unused_days,
        "names": sorted(config.names),
        "processes": config.processes,
    }
    return [str(descriptor), str(number), json.dumps(told)]


def main(arguments: Sequence[str]) -> int:
    """One process; gives the exit code."""
    descriptor, number, told = arguments
    facts = json.loads(told)
    facts |= {"data": Path(facts["data"]), "names": frozenset(facts["names"])}
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # Ctrl-C at a terminal goes to all processes: the one in front ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = socket.socket(fileno=int(descriptor))
    try:
        asyncio.run(work(Config(**facts), end, int(number)))
    except BifolioError as error:
        logging.getLogger(f"bifolio_relay.{number}").error("%s", error.message)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
