"""A hostile relay: the real one, and somebody between it and its clients.

Every message is parsed, an ``Attack`` does with it what it likes, and what is left goes on. What
the attack does not touch is answered by the relay's own sessions, services and SQLite. Clients are
the real ``Remote``: only their socket is replaced, so that a test needs no network and no waiting.

    net = Network.of(monkeypatch)
    net.set("ws://evil", relay, attack)
    computer.replica.meta.relay_url = "ws://evil"
    asyncio.run(Remote(computer.replica, computer.member_log).sync())
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace
from tests.simulation.relay import SimulatedConnection, SimulatedRelay, in_place
from tests.support.stored_changes import log_hash
from websockets.exceptions import ConnectionClosedError

from bifolio.errors import ProtocolError, RelayUnreachableError
from bifolio.ids import content_hash
from bifolio.replication import client as client_module
from bifolio.wire.log_chain import log_start
from bifolio.wire.messages import (
    Ack,
    Envelopes,
    Hello,
    Message,
    Pull,
    Push,
    Receipt,
    Welcome,
    parse_message,
)
from bifolio_relay.session import Action, Ask, Send, Session, Submit

#: Entries of a rewritten log in one answer.
PAGE = 64


class Attack:
    """What somebody between a client and the relay does. This one does nothing.

    A subclass overrides what it wants to do otherwise. The attack is shared by all connections,
    and each of them has its own ``line``.
    """

    def begin(self, line: Line) -> None:
        """A client connected."""

    def heard(self, line: Line, message: Message) -> None:
        """The client says this: ``line.ask`` passes it on, ``line.tell`` answers it."""
        line.ask(message)

    def said(self, line: Line, message: Message) -> None:
        """The relay says this: ``line.tell`` passes it on."""
        line.tell(message)

    def waits(self, line: Line) -> bool:  # noqa: ARG002
        """The client waits, and there is nothing for it; True if something was told."""
        return False


class Answers(Attack):
    """An attack in two functions, each of the message and giving what goes on in its place."""

    def __init__(
        self,
        *,
        says: Callable[[Message], Iterable[Message | bytes]] | None = None,
        answers: Callable[[Message], Iterable[Message | bytes] | None] | None = None,
    ) -> None:
        self._says, self._answers = says, answers

    def heard(self, line: Line, message: Message) -> None:
        given = None if self._answers is None else self._answers(message)
        if given is None:
            line.ask(message)
            return
        for one in given:
            line.tell(one)

    def said(self, line: Line, message: Message) -> None:
        for one in [message] if self._says is None else self._says(message):
            line.tell(one)


class RewrittenLog(Attack):
    """Tells another log than the relay has, and is consistent in it.

    Args:
        change: makes it of the relay's log, at each connection; it may depend on who connects.
        epoch: of 16 bytes; None for the relay's own.
        keeps: whether what is pushed reaches the relay.
    """

    def __init__(
        self,
        change: Callable[[list[bytes], Line], Sequence[bytes]],
        *,
        epoch: bytes | None = None,
        keeps: bool = True,
    ) -> None:
        self._change, self._epoch, self._keeps = change, epoch, keeps
        self._logs: dict[int, list[bytes]] = {}
        self._pushed: dict[bytes, bytes] = {}

    def said(self, line: Line, message: Message) -> None:
        match message:
            case Welcome() if message.exists:
                log = list(self._change(list(line.relay.log()), line))
                self._logs[id(line)] = log
                epoch = self._epoch or message.epoch
                cursor = line.hello.cursor if line.hello else 0
                held = cursor <= len(log)
                line.tell(
                    replace(
                        message,
                        epoch=epoch,
                        n=len(log),
                        chain_hash=_hash_at(line, epoch, log),
                        cursor_hash=_hash_at(line, epoch, log[:cursor]) if held else None,
                    )
                )
            case Ack():
                self._acknowledge(line, [one.hash for one in message.positions])
            case Envelopes():
                pass  # told by this log alone
            case _:
                line.tell(message)

    def heard(self, line: Line, message: Message) -> None:
        match message:
            case Pull():
                log = self._logs[id(line)]
                part = tuple(log[message.after : message.after + PAGE])
                line.tell(Envelopes(min(message.after, len(log)), part, len(log)))
            case Push():
                self._pushed |= {content_hash(raw): raw for raw in message.envelopes}
                if self._keeps:
                    line.ask(Pull(len(line.relay.log())))  # it takes nothing from who did not pull
                    line.ask(message)
                else:
                    self._acknowledge(line, [content_hash(raw) for raw in message.envelopes])
            case _:
                line.ask(message)

    def _acknowledge(self, line: Line, hashes: Sequence[bytes]) -> None:
        log, receipts = self._logs[id(line)], []
        for one in hashes:
            raw = self._pushed[one]
            if raw not in log:
                log.append(raw)
            receipts.append(Receipt(one, log.index(raw) + 1))
        line.tell(Ack(tuple(receipts)))


def _hash_at(line: Line, epoch: bytes, log: Sequence[bytes]) -> bytes:
    return log_hash(log_start(line.library, epoch), [content_hash(raw) for raw in log])


class Line(SimulatedConnection):
    """One connection: the real relay's session, the attack, and a client's socket."""

    def __init__(self, relay: SimulatedRelay, attack: Attack) -> None:
        self.relay = relay
        self.attack = attack
        self.session = Session(nonce=b"n" * 32)
        self.submissions = []
        self.hello: Hello | None = None
        #: Messages that went to the client.
        self.told = 0
        self.is_cut = False
        self.port = cast(Any, SimpleNamespace(files=SimpleNamespace(close=lambda: None)))
        self._out: deque[bytes] = deque()
        relay.connections.append(self)
        attack.begin(self)
        self.carry_out(self.session.greet())

    @property
    def library(self) -> bytes:
        """The library that the client asked for."""
        assert self.hello is not None
        return self.hello.library

    @property
    def idle(self) -> bool:
        return not self._out and not self.submissions

    def tell(self, message: Message | bytes) -> None:
        """The client is told this; bytes go as they are."""
        self._out.append(message if isinstance(message, bytes) else _encoded(message))

    def ask(self, message: Message) -> None:
        """The relay is asked, or told, this."""
        self.carry_out(self.session.receive(_encoded(message)))

    def cut(self) -> None:
        """The connection ends, once what is on its way has arrived."""
        self.is_cut = True

    def carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send():
                    self.attack.said(self, parse_message(action.raw))
                case Ask():
                    self.carry_out(self.session.take_answer(self.relay.answer(action.question)))
                case Submit():
                    self.submissions.append(action.submission)

    # --- the client's socket ----------------------------------------------------------------

    async def recv(self, decode: bool | None = None) -> bytes:  # noqa: ARG002
        """The next message for the client; waits for ever where there is none."""
        while not self._out:
            if self.is_cut:
                raise ConnectionClosedError(None, None)
            if self.relay.commit() or self.attack.waits(self):
                continue
            if self.session.is_closed:
                self.cut()
                continue
            self.carry_out(self.session.resume())
            if not self._out:
                await asyncio.sleep(0.001)
        self.told += 1
        await asyncio.sleep(0)
        return self._out.popleft()

    async def ping(self) -> asyncio.Future[float]:
        """Answered at once: all that was sent is there."""
        answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        answered.set_result(0.0)
        return answered

    def seconds_silent(self) -> float:
        """As long as anybody waits: nothing is on its way here."""
        return float("inf")

    async def send(self, raw: bytes) -> None:
        """The client says something."""
        if self.is_cut:
            raise ConnectionClosedError(None, None)
        try:
            message = parse_message(raw)
        except ProtocolError as error:
            raise AssertionError(f"a client said {raw[:40]!r}") from error
        if isinstance(message, Hello):
            self.hello = message
        self.attack.heard(self, message)


class Network:
    """The relays that clients of a test can reach, by address."""

    def __init__(self) -> None:
        self.relays: dict[str, tuple[SimulatedRelay, Attack]] = {}
        #: Every connection that was made.
        self.lines: list[Line] = []

    @classmethod
    def of(cls, monkeypatch: pytest.MonkeyPatch) -> Network:
        """In place of the sockets of this process."""
        network = cls()
        monkeypatch.setattr(client_module, "open_socket", network.open_socket)
        return network

    @property
    def told(self) -> int:
        """How many messages clients were told."""
        return sum(line.told for line in self.lines)

    def set(self, url: str, relay: SimulatedRelay, attack: Attack | None = None) -> None:
        """A relay answers at an address, and somebody in between."""
        self.relays[url] = (relay, attack or Attack())

    @asynccontextmanager
    async def open_socket(self, url: str) -> AsyncIterator[Line]:
        """What ``client.open_socket`` gives."""
        if url not in self.relays:
            raise RelayUnreachableError(url, reason="nothing listens at this address")
        relay, attack = self.relays[url]
        line = Line(relay, attack)
        self.lines.append(line)
        try:
            yield line
        finally:
            if line in relay.connections:
                relay.connections.remove(line)
            session = line.session
            if session.library is not None and session.device is not None:
                in_place(relay.service.release_uploads(session.library, session.device))


def _encoded(message: Message) -> bytes:
    """The bytes of a message, whatever it says: no rule of the protocol is checked."""
    return msgspec.msgpack.encode(message)
