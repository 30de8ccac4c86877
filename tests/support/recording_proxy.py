"""A TCP proxy between computers and a relay that keeps every byte, in both directions.

WebSocket clients mask what they send (RFC 6455, 5.3); a search for words must look at what was
under the mask, so the recording is unmasked before it is handed out.
"""

from __future__ import annotations

import socket
import threading
from types import TracebackType

_CHUNK_BYTES = 64 * 1024


class RecordingProxy:
    """Listens on a free port and passes everything on to ``target_port`` on this machine."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._to_relay: list[bytearray] = []
        self._from_relay: list[bytearray] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> RecordingProxy:
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

    def connection_count(self) -> int:
        """How many connections went through it."""
        with self._lock:
            return len(self._to_relay)

    def sent_to_relay(self) -> bytes:
        """All that clients sent, unmasked."""
        with self._lock:
            return b"\0".join(unmasked(bytes(stream)) for stream in self._to_relay)

    def sent_by_relay(self) -> bytes:
        """All that the relay sent."""
        with self._lock:
            return b"\0".join(bytes(stream) for stream in self._from_relay)

    def _spawn(self, run: object, *arguments: object) -> None:
        assert callable(run)
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # the listener was closed: the test is over
            relay = socket.create_connection(("127.0.0.1", self._target_port))
            with self._lock:
                self._to_relay.append(bytearray())
                self._from_relay.append(bytearray())
                streams = self._to_relay[-1], self._from_relay[-1]
            self._spawn(self._carry, client, relay, *streams)

    def _carry(
        self,
        client: socket.socket,
        relay: socket.socket,
        to_relay: bytearray,
        from_relay: bytearray,
    ) -> None:
        back = threading.Thread(target=self._pass_on, args=(relay, client, from_relay), daemon=True)
        with client, relay:
            back.start()
            self._pass_on(client, relay, to_relay)
            back.join()

    def _pass_on(self, source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        try:
            while chunk := source.recv(_CHUNK_BYTES):
                with self._lock:
                    kept += chunk
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # one side cut the connection: nothing is left to pass on


def unmasked(stream: bytes) -> bytes:
    """One client's bytes: the HTTP greeting, then each frame's payload without its mask."""
    greeting, separator, frames = stream.partition(b"\r\n\r\n")
    parts = [greeting + separator]
    at = 0
    while at + 6 <= len(frames):
        assert frames[at + 1] & 0x80, "a client's frame is always masked"
        size, at = _payload_size(frames, at)
        mask, payload = frames[at : at + 4], frames[at + 4 : at + 4 + size]
        at += 4 + size
        repeated = mask * (len(payload) // 4 + 1)
        number = int.from_bytes(payload) ^ int.from_bytes(repeated[: len(payload)])
        parts.append(number.to_bytes(len(payload)))
    return b"".join(parts)


def _payload_size(frames: bytes, at: int) -> tuple[int, int]:
    """The payload's size and where the mask begins."""
    size = frames[at + 1] & 0x7F
    if size == 126:
        return int.from_bytes(frames[at + 2 : at + 4]), at + 4
    if size == 127:
        return int.from_bytes(frames[at + 2 : at + 10]), at + 10
    return size, at + 2
