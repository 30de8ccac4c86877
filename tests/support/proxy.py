"""A TCP proxy between computers and a relay: a line that is slow, is cut, or says nothing any more.

``RecordingProxy`` keeps what went over it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_PIECE_BYTES = 16 * 1024

#: What a slow line holds of either end: a real one has no megabytes on it.
_BUFFER_BYTES = 16 * 1024


@dataclass(eq=False)
class Direction:
    """One way of one connection, and what went that way; ``carried`` is of both ways of it."""

    to_relay: bool
    carried: Carried
    recorded: bytearray = field(default_factory=bytearray)


@dataclass(eq=False)
class Carried:
    """How many bytes a connection has carried, both ways together."""

    bytes: int = 0


class Proxy:
    """Listens on a free port and passes everything on to ``target_port`` on this machine.

    Each may be changed at any time: ``cut_after_bytes`` is how much more may pass, both ways and
    all connections together, before every one is cut; ``cut_every_bytes`` how much one connection
    carries; ``bytes_per_s`` how much each way carries; while ``is_frozen`` nothing passes, and
    nobody is told. ``passed_bytes`` counts all that passed, ``connections`` how often one was made.
    """

    def __init__(
        self,
        target_port: int,
        *,
        cut_every_bytes: int | None = None,
        bytes_per_s: int | None = None,
    ) -> None:
        self._target_port = target_port
        self.cut_every_bytes = cut_every_bytes
        self.bytes_per_s = bytes_per_s
        self.cut_after_bytes: int | None = None
        self.is_frozen = False
        self.passed_bytes = 0
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        if bytes_per_s is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._ended = threading.Event()
        self.lock = threading.Lock()
        self.directions: list[Direction] = []

    def note(self, direction: Direction, piece: bytes) -> None:
        """A piece passes; called under the lock."""

    def cut_all(self) -> None:
        """Cut every connection."""
        with self.lock:
            opened = tuple(self._open)
        for one in opened:
            _shut(one)

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Closing alone does not wake a thread that waits in accept.
        self._ended.set()
        self.is_frozen = False
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), "a connection through the proxy is still open"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The address to give to computers."""
        return f"ws://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # the listener was closed: the test is over
            if self._ended.is_set():
                client.close()
                return
            try:
                relay = socket.create_connection(("127.0.0.1", self._target_port))
            except OSError:
                client.close()
                continue
            if self.bytes_per_s is not None:
                for one in (client, relay):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
            self._spawn(self._carry, client, relay)

    def _carry(self, client: socket.socket, relay: socket.socket) -> None:
        carried = Carried()
        there, back = Direction(True, carried), Direction(False, carried)
        with self.lock:
            self.connections += 1
            self.directions += [there, back]
            self._open |= {client, relay}
        returning = threading.Thread(target=self._pass_on, args=(relay, client, back), daemon=True)
        with client, relay:
            returning.start()
            self._pass_on(client, relay, there)
            returning.join()
            with self.lock:
                self._open -= {client, relay}

    def _pass_on(self, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        with contextlib.suppress(OSError):  # the other way was cut, and this one with it
            while piece := source.recv(self._piece_bytes()):
                while self.is_frozen:
                    time.sleep(0.02)
                with self.lock:
                    passing = piece[: self._allowed(direction, len(piece))]
                    self.note(direction, passing)
                target.sendall(passing)
                if len(passing) < len(piece):
                    break
                if self.bytes_per_s is not None:
                    self._ended.wait(len(piece) / self.bytes_per_s)
        _shut(source)
        _shut(target)

    def _piece_bytes(self) -> int:
        if self.bytes_per_s is None:
            return _PIECE_BYTES
        return max(1, min(_PIECE_BYTES, self.bytes_per_s // 20))

    def _allowed(self, direction: Direction, wanted: int) -> int:
        """How much of a piece passes; less than all of it where the line is cut in it."""
        if self.cut_every_bytes is not None:
            wanted = min(wanted, max(0, self.cut_every_bytes - direction.carried.bytes))
        if self.cut_after_bytes is not None:
            wanted = min(wanted, self.cut_after_bytes)
            self.cut_after_bytes -= wanted
        direction.carried.bytes += wanted
        self.passed_bytes += wanted
        return wanted

    def _spawn(self, run: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
