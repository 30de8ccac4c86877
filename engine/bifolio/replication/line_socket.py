"""A websocket that knows whether anything moves on its line.

``websockets`` ends a connection whose pong is late; on a slow line it waits behind a megabyte. Here
bytes count: while any come, or the system brings any to the other side, the line lives, however
slow it is. When nothing moves a ping asks, and without an answer the line is dead: half open, or
through a gateway that forgot it. After the computer slept nothing is asked: the line is given up.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from bifolio import limits

#: How the connection ended, where this side gave it up.
DEAD = "nothing came for {seconds:.0f} seconds"
SLEPT = "this computer slept"

#: What pings, pongs and their answers may be, between two looks: that they move says that the
#: line lives, not that anything is done on it; and the system takes a ping for a dead line too.
_PINGS_BYTES = 64

#: Where Linux tells how many bytes the other side has acknowledged (``tcpi_bytes_acked``).
_ACKNOWLEDGED_AT = 120
_TCP_INFO_BYTES = 192


class LineSocket(ClientConnection):
    """One connection to a relay."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        #: Whether there was a line at all: through a proxy, and with TLS, where these are.
        self.is_made = False
        self._received_bytes = 0
        #: Seconds in which nothing moved, and in which nothing did but pings; those in which this
        #: process was busy are left out.
        self._still_s = 0.0
        self._silent_s = 0.0
        #: Messages that were sent, how many when the last ping was, and whether that was answered
        #: with none sent since.
        self._sent = self._sent_at_ping = 0
        self._is_answered = False
        #: Why this side gave the connection up; empty where it did not.
        self.given_up = ""

    @property
    def has_received(self) -> bool:
        """Whether the other side said anything."""
        return bool(self._received_bytes)

    def seconds_silent(self) -> float:
        """For how long nothing but pings moved, though the other side has all that was sent."""
        return self._silent_s if self._is_answered else 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.is_made = True
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._received_bytes += len(data)
        super().data_received(data)

    async def send(self, message: Any, text: bool | None = None) -> None:
        self._silent_s, self._is_answered = 0.0, False
        self._sent += 1
        await super().send(message, text=text)

    def start_keepalive(self) -> None:
        self.keepalive_task = self.loop.create_task(self.keepalive())

    async def keepalive(self) -> None:
        """Look at the line every second, until it is given up."""
        clocks = _Clocks()
        received, delivered = self._received_bytes, self._delivered_bytes()
        pong: asyncio.Future[float] | None = None
        while True:
            await asyncio.sleep(limits.LINE_LOOK_S)
            elapsed_s, has_slept = clocks.look()
            if has_slept:
                self._give_up(SLEPT)
                return
            came, went = self._received_bytes - received, self._delivered_bytes() - delivered
            received, delivered = received + came, delivered + went
            is_carrying = came > _PINGS_BYTES or went > _PINGS_BYTES
            self._still_s = 0.0 if came or is_carrying else self._still_s + elapsed_s
            self._silent_s = 0.0 if is_carrying else self._silent_s + elapsed_s
            if pong is not None and pong.done():
                pong, self._is_answered = None, self._sent == self._sent_at_ping
            if self._still_s >= limits.LINE_DEAD_S:
                self._give_up(DEAD.format(seconds=limits.LINE_DEAD_S))
                return
            waited_s = max(self._still_s, 0.0 if self._is_answered else self._silent_s)
            if pong is None and waited_s >= limits.LINE_PING_S:
                pong = await self._ping()

    async def _ping(self) -> asyncio.Future[float] | None:
        # Not behind what waits in this process: that would say nothing of the line.
        if self.transport.get_write_buffer_size():
            return None
        self._sent_at_ping = self._sent
        with suppress(ConnectionClosed):
            return asyncio.ensure_future(await self.ping())
        return None

    def _delivered_bytes(self) -> int:
        """What the other side's system has of ours, counted from anywhere."""
        acknowledged = _acknowledged_bytes(self.transport.get_extra_info("socket"))
        if acknowledged is not None:
            return acknowledged
        return -self.transport.get_write_buffer_size()

    def _give_up(self, reason: str) -> None:
        self.given_up = reason
        self.transport.abort()


async def arrival_of(socket: ClientConnection) -> None:
    """Wait until the other side has taken all that was sent: it answers a ping behind it.

    Raises:
        ConnectionClosed: the line was cut, or given up.
    """
    await (await socket.ping())


class _Clocks:
    """Two clocks: one stops while the computer sleeps, the other does not."""

    def __init__(self) -> None:
        self._monotonic_s, self._wall_s = time.monotonic(), time.time()

    def look(self) -> tuple[float, bool]:
        """The seconds since the last look, a few at most, and whether the computer slept."""
        monotonic_s, wall_s = time.monotonic(), time.time()
        elapsed_s = monotonic_s - self._monotonic_s
        parted_s = (wall_s - self._wall_s) - elapsed_s
        self._monotonic_s, self._wall_s = monotonic_s, wall_s
        # While this process merged what came it could not see what else did.
        return min(elapsed_s, 2 * limits.LINE_LOOK_S), parted_s > limits.SLEPT_S


def _acknowledged_bytes(connected: socket.socket | None) -> int | None:
    """What the other side has acknowledged by TCP; None where the system does not tell."""
    option = getattr(socket, "TCP_INFO", None)
    if connected is None or option is None or not sys.platform.startswith("linux"):
        return None
    try:
        raw = connected.getsockopt(socket.IPPROTO_TCP, option, _TCP_INFO_BYTES)
    except OSError:
        return None
    if len(raw) < _ACKNOWLEDGED_AT + 8:
        return None
    return int(struct.unpack_from("=Q", raw, _ACKNOWLEDGED_AT)[0])
