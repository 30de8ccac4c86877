"""The simulated relays by their addresses, in the place of sockets.

What the engine does with several relays (attach, follow, look back at those that it left) goes
through ``Remote`` and its client as in a real process; only where a socket would be opened, a
session of the simulated relay answers at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

from tests.simulation.computer import Computer
from tests.simulation.relay import SimulatedRelay, sync_with

from bifolio.errors import RelayUnreachableError
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.replication.client import Client
from bifolio.replication.remote import Remote
from bifolio.results import Progress
from bifolio.sync.counts import Counts
from bifolio_relay.requests import MembersPart
from bifolio_relay.session import Action, Ask, Send, Session

T = TypeVar("T")


class SimulatedNetwork:
    """Which relay is at which address, and which of them nobody reaches just now."""

    def __init__(self) -> None:
        self._relays: dict[str, SimulatedRelay] = {}
        self._unreachable: frozenset[str] = frozenset()
        self._loop = asyncio.new_event_loop()

    def add(self, relay: SimulatedRelay) -> None:
        """A relay that is reached at its address."""
        self._relays[relay.url] = relay

    def at(self, url: str) -> SimulatedRelay:
        """The relay at an address.

        Raises:
            RelayUnreachableError: nothing is there, or nobody reaches it.
        """
        relay = self._relays.get(url)
        if relay is None or url in self._unreachable:
            raise RelayUnreachableError(url, reason="it does not answer")
        return relay

    @contextmanager
    def without(self, *urls: str) -> Iterator[None]:
        """Nobody reaches these addresses meanwhile."""
        before, self._unreachable = self._unreachable, frozenset(urls)
        try:
            yield
        finally:
            self._unreachable = before

    def remote(self, computer: Computer) -> Remote:
        """A computer's replica and its relay, as a process has them."""
        return Remote(computer.replica, computer.member_log)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run what talks to relays, to its end."""
        network = self

        class SimulatedClient(Client):
            """One sync is carried message by message by the simulation."""

            def __init__(
                self,
                url: str,
                store: ReplicaAdapter,
                *,
                library: bytes,
                progress: Progress | None = None,
            ) -> None:
                super().__init__(url, store, library=library, progress=progress)
                self._port = store
                self._to = url
                self._of = library

            async def run(self) -> Counts:
                return sync_with(network.at(self._to), self._port, library=self._of)

        @asynccontextmanager
        async def open_socket(url: str) -> AsyncIterator[_Socket]:
            yield _Socket(network.at(url))

        with (
            patch("bifolio.replication.client.open_socket", open_socket),
            patch("bifolio.replication.remote.Client", SimulatedClient),
        ):
            return self._loop.run_until_complete(coroutine)

    def close(self) -> None:
        """No relay is talked to any more."""
        self._loop.close()


class _Socket:
    """A connection to a simulated relay, which answers each message at once."""

    #: Of the handshake, which a simulated relay has none of.
    response = None

    def __init__(self, relay: SimulatedRelay) -> None:
        self._relay = relay
        self._session = Session(nonce=relay.draw(32))
        self._to_client: deque[bytes] = deque()
        self._carry_out(self._session.greet())

    async def send(self, raw: bytes) -> None:
        """The relay takes a message."""
        self._carry_out(self._session.receive(raw))

    async def recv(self, *, decode: bool) -> bytes:
        """The relay's next message."""
        assert not decode
        if not self._to_client:
            self._carry_out(self._session.resume())
        assert self._to_client, "the relay has nothing to say"
        return self._to_client.popleft()

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send():
                    self._to_client.append(action.raw)
                case Ask():
                    answer = self._relay.answer(action.question)
                    if isinstance(answer, MembersPart) and answer.grown is not None:
                        self._relay.members_grown(answer, None)
                    self._carry_out(self._session.take_answer(answer))
                case _:
                    raise AssertionError("a connection for members alone submits something")
