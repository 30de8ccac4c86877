"""The open connections of a server: how many there may be, and how long one may lie there.

A connection is known by its other end. One can be closed without an answer, which no framework
offers: whoever is not allowed to ask does not even learn that something listens.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic

from bifolio import limits

#: The other end: an address and a port.
Peer = tuple[str, int]


@dataclass(slots=True)
class _Connection:
    transport: asyncio.BaseTransport
    since: float
    requests: int = 0


@dataclass(slots=True)
class Connections:
    """All open connections."""

    _open: dict[Peer, _Connection] = field(default_factory=dict)
    #: How many were closed because there were too many, or lay there.
    refused: int = 0

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, peer: Peer, transport: asyncio.BaseTransport) -> bool:
        """Note a connection; False: too many are being answered, and it is to be closed.

        Where there is no room, the one that lay there longest makes some: whoever opens a thousand
        connections keeps nobody else out.
        """
        if len(self._open) >= limits.SERVE_CONNECTIONS_MAX:
            idle = [(one.since, other) for other, one in self._open.items() if one.requests == 0]
            self.refused += 1
            if not idle:
                return False
            _, oldest = min(idle)
            self.close(oldest)
            self.closed(oldest)
        self._open[peer] = _Connection(transport, monotonic())
        return True

    def closed(self, peer: Peer) -> None:
        """A connection is gone."""
        self._open.pop(peer, None)

    def begins(self, peer: Peer) -> None:
        """A request of a connection is being answered."""
        if (one := self._open.get(peer)) is not None:
            one.requests += 1

    def ends(self, peer: Peer) -> None:
        """It is answered."""
        if (one := self._open.get(peer)) is not None:
            one.requests -= 1
            one.since = monotonic()

    def close(self, peer: Peer) -> None:
        """Close a connection without an answer."""
        if (one := self._open.get(peer)) is not None:
            abort = getattr(one.transport, "abort", one.transport.close)
            abort()

    def finish(self, peer: Peer) -> None:
        """Close a connection once what was answered is sent."""
        if (one := self._open.get(peer)) is not None:
            one.transport.close()

    def sweep(self) -> None:
        """Close what lies there without a whole request."""
        now = monotonic()
        for peer, one in list(self._open.items()):
            if one.requests == 0 and now - one.since > limits.SERVE_IDLE_S:
                self.refused += 1
                self.close(peer)
                self.closed(peer)

    async def keep_swept(self) -> None:
        """``sweep`` again and again."""
        while True:
            await asyncio.sleep(limits.SERVE_SWEEP_S)
            self.sweep()
