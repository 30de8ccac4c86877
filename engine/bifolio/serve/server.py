"""The process that serves: its port, its connections, its beginning and its end."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from bifolio import limits
from bifolio.errors import BifolioError, Next, UsageError
from bifolio.home import Home
from bifolio.library.library import Library
from bifolio.serve.application import application
from bifolio.serve.connections import Connections, Peer
from bifolio.serve.endpoints import Api
from bifolio.serve.gate import Gate
from bifolio.serve.libraries import Libraries, server_id
from bifolio.serve.permissions import Ask, Permissions
from bifolio.serve.running import HOST, forget_port, note_port
from bifolio.serve.uploads import Uploads

#: The port where Zotero's programs look.
PORT: Final = 23119

_ASK_S: Final = 1.0
_GRACE_S: Final = 5


class PortTakenError(BifolioError):
    """Another program listens on the port."""

    code = "port-taken"

    def __init__(self, port: int, *, by: str) -> None:
        self.port = port
        self.by = by
        super().__init__(
            f"Port {port} is taken by {by}.",
            next_step=Next.FREE_PORT,
        )


def nobody(_name: str) -> None:
    """Nobody is there to be asked."""
    return


@dataclass(slots=True)
class Server:
    """A library that is served on one port.

    Args:
        path: the library's folder.
        home: this device's home.
        port: 0 is any free one; ``bound`` tells which.
        others: other libraries of this computer, served as groups.
        ask: asks the user whether a program may write.
    """

    path: Path
    home: Home
    port: int = PORT
    others: list[Path] = field(default_factory=list)
    ask: Ask = nobody
    connections: Connections = field(default_factory=Connections)
    bound: int = 0
    _uvicorn: uvicorn.Server | None = None
    _libraries: Libraries | None = None

    def stop(self) -> None:
        """End ``run``, from any thread or from a signal."""
        if self._libraries is not None:
            self._libraries.end()
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    def run(self, ready: Callable[[int], None] | None = None) -> None:
        """Serve until ``stop``.

        Args:
            ready: told the port once programs can connect.

        Raises:
            PortTakenError, and what opening the library raises: nothing was served.
        """
        with contextlib.closing(listen(self.port)) as listening:
            self.bound = listening.getsockname()[1]
            libraries = Libraries.open(self.path, self.home, others=self.others)
            self._libraries = libraries
            note_port(self.home, self.bound)
            try:
                self._serve(listening, libraries, ready)
            finally:
                forget_port(self.home)
                libraries.close()

    def _serve(
        self, listening: socket.socket, libraries: Libraries, ready: Callable[[int], None] | None
    ) -> None:
        with Library.open(self.path, home=self.home) as opened:
            name = server_id(opened.replica_id)
        permissions = Permissions(self.home)
        uploads = Uploads(self.home.path / "serve" / "uploads")
        app = application(Api(libraries, permissions, uploads, self.ask, name))
        app.router.lifespan_context = self._lifespan(ready)
        config = uvicorn.Config(
            Gate(app, self.connections, name),
            http=self._protocol(),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=int(limits.SERVE_IDLE_S),
            timeout_graceful_shutdown=_GRACE_S,
            h11_max_incomplete_event_size=limits.SERVE_LINE_BYTES_MAX,
        )
        self._uvicorn = _Quiet(config)
        asyncio.run(self._uvicorn.serve(sockets=[listening]))

    def _lifespan(self, ready: Callable[[int], None] | None) -> Any:
        @contextlib.asynccontextmanager
        async def lifespan(_: object) -> AsyncIterator[None]:
            sweeping = asyncio.create_task(self.connections.keep_swept())
            if ready is not None:
                # Called once the socket is listened on, which is after this.
                asyncio.get_running_loop().call_later(0, ready, self.bound)
            yield
            sweeping.cancel()

        return lifespan

    def _protocol(self) -> type[asyncio.Protocol]:
        """uvicorn's protocol, which tells ``connections`` of each one."""
        connections = self.connections

        class Told(H11Protocol):
            _peer: Peer | None = None

            def connection_made(self, transport: Any) -> None:
                peer: Peer = tuple(transport.get_extra_info("peername")[:2])
                if not connections.opened(peer, transport):
                    transport.abort()
                    return
                self._peer = peer
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                if self._peer is not None:
                    connections.closed(self._peer)
                    super().connection_lost(exc)

            def data_received(self, data: bytes) -> None:
                if self._peer is not None:
                    super().data_received(data)

        return Told


class _Quiet(uvicorn.Server):
    """Signals are whose who runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def listen(port: int) -> socket.socket:
    """A socket that listens for programs of this computer alone.

    Raises:
        PortTakenError: another program has the port; it keeps it.
        UsageError: no port.
    """
    if not 0 <= port <= 65_535:
        raise UsageError(f"There is no port {port}.", next_step="Give one from 1024 to 65535.")
    # The protocol is named: of such sockets alone asyncio takes what waits 40 ms for more to send.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(limits.SERVE_CONNECTIONS_MAX)
    except OSError as error:
        listening.close()
        if isinstance(error, PermissionError):
            raise UsageError(
                f"Port {port} is not for programs of users.",
                next_step=Next.CHOOSE_USER_PORT,
            ) from error
        raise PortTakenError(port, by=_holder(port)) from error
    listening.setblocking(False)
    return listening


def _holder(port: int) -> str:
    """Which program listens on a port, as far as it says."""
    asking = http.client.HTTPConnection(HOST, port, timeout=_ASK_S)
    try:
        asking.request("GET", "/connector/ping", headers={"User-Agent": "Bifolio"})
        answer = asking.getresponse()
        said = answer.headers
        body = answer.read(4096)
    except (OSError, http.client.HTTPException):
        return "another program"
    finally:
        asking.close()
    if "X-Bifolio-Version" in said:
        return "another 'bifolio serve'"
    if "X-Zotero-Version" in said:
        return "Zotero"
    return "JabRef" if b"jabref" in body.lower() else "another program"
