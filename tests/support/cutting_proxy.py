"""A TCP proxy between computers and a relay that cuts the line after so many bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType

_PIECE_BYTES = 16 * 1024


class CuttingProxy:
    """Listens on a free port and passes everything on to ``target_port`` on this machine.

    ``cut_after_bytes`` is how much more may pass, both ways together, before every connection is
    cut; None for no end. ``passed_bytes`` counts all that passed.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.cut_after_bytes: int | None = None
        self.passed_bytes = 0

    def __enter__(self) -> CuttingProxy:
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
        back = threading.Thread(target=self._pass_on, args=(relay, client), daemon=True)
        with client, relay:
            back.start()
            self._pass_on(client, relay)
            back.join()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the other way was cut, and this one with it
            while (piece := source.recv(_PIECE_BYTES)) and self._may_pass(len(piece)):
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _may_pass(self, size_bytes: int) -> bool:
        with self._lock:
            if self.cut_after_bytes is not None:
                if size_bytes > self.cut_after_bytes:
                    return False
                self.cut_after_bytes -= size_bytes
            self.passed_bytes += size_bytes
            return True

    def _spawn(self, run: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
