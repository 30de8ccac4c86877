"""What the processes of one relay tell each other, and how: whole messages, and sockets.

The process in front has one channel to each process that serves. A socket goes as a descriptor with
the message that tells about it: the system makes it the other process's own, and whoever is
connected notices nothing. Both ends are the relay's own program, of one version. Decides nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

Facts = Mapping[str, int | str]


class Take(Struct, frozen=True, array_like=True, tag=1):
    """To a process that serves: this connection is yours, with the descriptor that comes along.

    ``owner`` is what it is counted by, ``nonce`` what it was challenged with, ``received`` all
    bytes that have come since it became a websocket: the greeting, and nothing was answered.
    """

    number: int
    owner: bytes
    nonce: bytes
    received: bytes


class Cut(Struct, frozen=True, array_like=True, tag=2):
    """To a process that serves: end this connection without a word."""

    number: int


class Count(Struct, frozen=True, array_like=True, tag=3):
    """To a process that serves: what is there to tell of health? Answered by ``Counted``."""

    number: int


class Begun(Struct, frozen=True, array_like=True, tag=4):
    """To the one in front: connections may come."""


class Proved(Struct, frozen=True, array_like=True, tag=5):
    """To the one in front: this connection is a member's."""

    number: int
    library: bytes
    device: bytes


class Left(Struct, frozen=True, array_like=True, tag=6):
    """To the one in front: this connection has ended."""

    number: int


class Counted(Struct, frozen=True, array_like=True, tag=7):
    """To the one in front: an answer to ``Count``; empty where the store cannot be read."""

    number: int
    facts: dict[str, int | str]


Told = Take | Cut | Count | Begun | Proved | Left | Counted

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Told)

#: A greeting and what may come behind it, with room: more is no message of this channel.
_MESSAGE_BYTES_MAX: Final = 128 * 1024


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a channel: what is sent comes as it was sent, and an end that is closed, or
    whose process has ended, is noticed at the other one."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Channel:
    """One end, used by one event loop.

    Arguments:
        end: which this closes.
        take: is given each message, and its descriptor, which is the receiver's to close.
        ended: is called once, when the other end is gone.
    """

    def __init__(
        self,
        end: socket.socket,
        take: Callable[[Told, int | None], None],
        ended: Callable[[], None],
    ) -> None:
        end.setblocking(False)
        self._end = end
        self._take = take
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        #: What the system has no room for now, with copies of the descriptors.
        self._waiting: deque[tuple[bytes, int | None]] = deque()
        self._is_open = True
        self._loop.add_reader(end.fileno(), self._read)

    def send(self, message: Told, descriptor: int | None = None) -> bool:
        """Send a message, in its turn; False where the other end is gone.

        The descriptor may be closed when this returns.
        """
        if not self._is_open:
            return False
        raw = _ENCODER.encode(message)
        if not self._waiting and self._send_now(raw, descriptor):
            return True
        if self._has_ended():
            return False
        copy = None if descriptor is None else os.dup(descriptor)
        self._waiting.append((raw, copy))
        self._loop.add_writer(self._end.fileno(), self._send_waiting)
        return True

    def _has_ended(self) -> bool:
        return not self._is_open

    def close(self) -> None:
        """Neither send nor take any more."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._end.fileno())
        self._loop.remove_writer(self._end.fileno())
        for _, descriptor in self._waiting:
            close_descriptor(descriptor)
        self._waiting.clear()
        self._end.close()

    def _send_now(self, raw: bytes, descriptor: int | None) -> bool:
        try:
            if descriptor is None:
                self._end.send(raw)
            else:
                socket.send_fds(self._end, [raw], [descriptor])
        except BlockingIOError:
            return False
        except OSError:
            self._break_off()
            return False
        return True

    def _send_waiting(self) -> None:
        while self._waiting:
            raw, descriptor = self._waiting[0]
            if not self._send_now(raw, descriptor):
                return
            self._waiting.popleft()
            close_descriptor(descriptor)
        self._loop.remove_writer(self._end.fileno())

    def _read(self) -> None:
        while self._is_open:
            try:
                raw, descriptors, _, _ = socket.recv_fds(self._end, _MESSAGE_BYTES_MAX, 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                raw, descriptors = b"", []
            if not raw:
                self._break_off()
                return
            self._take(_DECODER.decode(raw), descriptors[0] if descriptors else None)

    def _break_off(self) -> None:
        if self._is_open:
            self.close()
            self._loop.call_soon(self._ended)


def close_descriptor(descriptor: int | None) -> None:
    """Close one, if there is one."""
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.close(descriptor)
