"""A TCP proxy between computers and a relay: the skeleton of those that cut and that record."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_PIECE_BYTES = 16 * 1024


@dataclass(eq=False)
class Direction:
    """One way of one connection, and what went that way."""

    to_relay: bool
    recorded: bytearray = field(default_factory=bytearray)


class Proxy:
    """Listens on a free port and passes everything on to ``target_port`` on this machine.

    A proxy of its own kind says in ``may_pass`` what becomes of each piece; it is called under
    the lock, for one piece at a time.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.lock = threading.Lock()
        self.directions: list[Direction] = []

    def may_pass(self, direction: Direction, piece: bytes) -> bool:
        """Whether a piece is passed on; otherwise its connection is cut."""
        raise NotImplementedError

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
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), "a connection through the proxy is still open"

    @property
    def url(self) -> str:
        """The address to give to computers."""
        return f"ws://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # the listener was closed: the test is over
            relay = socket.create_connection(("127.0.0.1", self._target_port))
            self._spawn(self._carry, client, relay)

    def _carry(self, client: socket.socket, relay: socket.socket) -> None:
        there, back = Direction(to_relay=True), Direction(to_relay=False)
        with self.lock:
            self.directions += [there, back]
        returning = threading.Thread(target=self._pass_on, args=(relay, client, back), daemon=True)
        with client, relay:
            returning.start()
            self._pass_on(client, relay, there)
            returning.join()

    def _pass_on(self, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        with contextlib.suppress(OSError):  # the other way was cut, and this one with it
            while piece := source.recv(_PIECE_BYTES):
                with self.lock:
                    passes = self.may_pass(direction, piece)
                if not passes:
                    break
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _spawn(self, run: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
