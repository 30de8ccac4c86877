"""A proxy between clients and a relay that counts bytes and changes none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_CHUNK_BYTES = 256 * 1024


@dataclass(slots=True)
class CountingProxy:
    """Bytes of websocket and TCP payload that passed, frames included, IP headers not."""

    url: str
    relay: tuple[str, int]
    sent_bytes: int = 0
    received_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lead_to(self, relay_url: str) -> None:
        """Connections from now on go to another relay at ``ws://HOST:PORT``."""
        self.relay = _address(relay_url)

    def count_sent(self, size_bytes: int) -> None:
        """Bytes went from a client to the relay."""
        with self._lock:
            self.sent_bytes += size_bytes

    def count_received(self, size_bytes: int) -> None:
        """Bytes went from the relay to a client."""
        with self._lock:
            self.received_bytes += size_bytes


@contextmanager
def counting_proxy(relay_url: str) -> Iterator[CountingProxy]:
    """A proxy in front of the relay at ``ws://HOST:PORT``, for the time of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = CountingProxy(f"ws://127.0.0.1:{listener.getsockname()[1]}", _address(relay_url))
        accepting = threading.Thread(target=_accept, args=(listener, proxy), daemon=True)
        accepting.start()
        try:
            yield proxy
        finally:
            # Closing alone would leave the thread in accept().
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join(5)


def _address(relay_url: str) -> tuple[str, int]:
    host, _, port = relay_url.removeprefix("ws://").rpartition(":")
    return host, int(port)


def _accept(listener: socket.socket, proxy: CountingProxy) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(client, proxy.relay, proxy), daemon=True).start()


def _carry(client: socket.socket, relay: tuple[str, int], proxy: CountingProxy) -> None:
    with client, suppress(OSError), socket.create_connection(relay) as onward:
        for one in (client, onward):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_pump, args=(onward, client, proxy.count_received))
        back.start()
        _pump(client, onward, proxy.count_sent)
        back.join()


def _pump(source: socket.socket, target: socket.socket, count: object) -> None:
    assert callable(count)
    with suppress(OSError):
        while chunk := source.recv(_CHUNK_BYTES):
            count(len(chunk))
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
