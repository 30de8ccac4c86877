"""A websocket that takes no memory before it was granted: what is received, counted as it comes.

``websockets`` bounds a message, not what ten thousand connections have begun and never end. Here a
frame's payload is charged to a budget when its header has come, before a byte of it is kept;
without room the socket is not read. What is charged is given back when the message has been dealt
with. Also counted: the bytes of the opening handshake, frames in one message, messages that wait,
and pings. Decides nothing about libraries.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.frames import apply_mask as _apply_mask  # type: ignore[attr-defined]
from websockets.protocol import Event, State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from bifolio import limits
from bifolio_relay.budget import ByteBudget, Claim
from bifolio_relay.rates import TokenBucket

#: What the header of a frame is read in pieces of: whatever is longer is a payload.
_HEADER_PIECE_BYTES_MAX = 8


#: How a frame begins that is a whole binary message, and a client's second byte: it is masked.
_WHOLE_BINARY = 0x82
_MASKED = 0x80
_MASK_BYTES = 4
_LENGTH_FOLLOWS = 126
_LONG_LENGTH_FOLLOWS = 127

#: The frames of messages.
_DATA = frozenset((Opcode.TEXT, Opcode.BINARY, Opcode.CONT))


class Intake:
    """What all sockets of one relay receive together, by the size of a message's frame.

    Small ones, those of a batch, and the few that are larger have a budget each, so that none of
    them waits for a larger kind.
    """

    def __init__(self) -> None:
        self.budgets = (
            ByteBudget(limits.RELAY_SMALL_FRAMES_BYTES_MAX, limits.RELAY_SMALL_FRAMES_BYTES_MAX),
            ByteBudget(
                limits.RELAY_BATCH_FRAMES_BYTES_MAX, limits.RELAY_BATCH_FRAMES_BYTES_MAX // 4
            ),
            ByteBudget(
                limits.RELAY_LARGE_FRAMES_BYTES_MAX, limits.RELAY_LARGE_FRAMES_BYTES_MAX // 2
            ),
        )
        # Read into by one socket at a time, and copied from at once.
        self.buffer = memoryview(bytearray(limits.RELAY_READ_BYTES))

    @property
    def held_bytes(self) -> int:
        """What is received and not dealt with yet."""
        return sum(budget.held_bytes for budget in self.budgets)

    def budget_for(self, size_bytes: int) -> ByteBudget:
        """The budget of frames of this size."""
        small, batch, large = self.budgets
        if size_bytes <= limits.RELAY_SMALL_FRAME_BYTES:
            return small
        return batch if size_bytes <= limits.RELAY_BATCH_FRAME_BYTES else large


class SocketHub(Protocol):
    """What a socket needs of the relay around it."""

    intake: Intake

    def connect(self, socket: MeteredSocket) -> bool:
        """A connection was made; whether it may stay."""
        ...

    def leave(self, socket: MeteredSocket) -> None:
        """A connection has ended."""
        ...


class _MeteredReader(StreamReader):
    """Asks before it waits for a payload."""

    def __init__(self, admit: Callable[[int], bool]) -> None:
        super().__init__()
        self._admit = admit
        #: The payload that is being received.
        self.awaited_bytes = 0
        #: Whether the parser waits for a frame's first byte.
        self.is_between = False

    def at_eof(self) -> Generator[None, None, bool]:
        self.is_between = True  # it asks this before each frame, and at no other place
        is_over = yield from super().at_eof()
        self.is_between = False
        return is_over

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        if n > _HEADER_PIECE_BYTES_MAX:
            while not self._admit(n):
                yield
            self.awaited_bytes = n
        # All of it is there as a rule: no further generator for it.
        read = self.buffer[:n] if len(self.buffer) >= n else None
        if read is None:
            read = yield from super().read_exact(n)
        else:
            del self.buffer[:n]
        self.awaited_bytes = 0
        return read


class MeteredSocket(ServerConnection, asyncio.BufferedProtocol):
    """One connection.

    ``owner`` is whom its frames are charged to: its address, and later its library.
    """

    protocol: ServerProtocol

    def __init__(
        self,
        protocol: ServerProtocol,
        server: Server,
        *,
        hub: SocketHub,
        **named: Any,
    ) -> None:
        super().__init__(protocol, server, **named)
        self._hub = hub
        self._intake = hub.intake
        #: Whether there is no place for it: it is told, and nothing else.
        self.is_refused = False
        self._reader = _MeteredReader(self._admit)
        protocol.reader = self._reader
        # Begun again, so that it reads from there.
        protocol.parser = protocol.parse()
        next(protocol.parser)
        self._take_frame = protocol.recv_frame
        protocol.recv_frame = self._receive_frame  # type: ignore[method-assign]
        self.owner = b""
        self._is_trusted = False
        self._read_bytes = limits.RELAY_STRANGER_READ_BYTES
        self._holds: set[str] = set()
        self._claim: Claim | None = None
        #: Whom the payload that may be kept now was charged to.
        self._admitted: bytes | None = None
        #: Of the message that is being received, and of each that is complete and not dealt with.
        self._charges: list[tuple[ByteBudget, bytes, int]] = []
        self._complete: deque[list[tuple[ByteBudget, bytes, int]]] = deque()
        self._frames = 0
        self._handshake_bytes = 0
        self._pings = TokenBucket(limits.RELAY_PINGS_PER_S, limits.RELAY_PINGS_AT_ONCE)
        #: Is offered each message that comes while ``receive`` waits for one; takes it, or not.
        self.take_at_once: Callable[[bytes], bool] | None = None
        self._is_waiting = False
        #: What has been received in all, by which one that has stopped is known.
        self.received_bytes = 0
        self._in_hand: list[tuple[ByteBudget, bytes, int]] | None = None

    @property
    def is_receiving(self) -> bool:
        """Whether a message has begun and not ended, and is not held up by this side."""
        return bool(self._reader.awaited_bytes or self._charges) and not self._holds

    @property
    def is_pressed(self) -> bool:
        """Whether others wait for what this one holds of a message that has not ended."""
        return any(budget.is_pressed for budget, _, _ in self._charges)

    def trust(self, owner: bytes, *, message_bytes_max: int) -> None:
        """The peer has said who it is: its messages are charged to its library from now on."""
        self.owner = owner
        self._is_trusted = True
        self._read_bytes = limits.RELAY_READ_BYTES
        self.protocol.max_message_size = message_bytes_max

    def distrust(self) -> None:
        """The peer may no longer send large messages."""
        self._is_trusted = False
        self._read_bytes = limits.RELAY_STRANGER_READ_BYTES
        self.protocol.max_message_size = limits.HANDSHAKE_MESSAGE_BYTES_MAX

    def cut_off(self) -> None:
        """End the connection without a word."""
        self.transport.abort()

    async def receive(self) -> str | bytes:
        """The next message; ``done`` says that it was dealt with.

        Raises:
            ConnectionClosed: there is none.
        """
        self._is_waiting = not self.recv_messages.frames
        try:
            raw = await self.recv()
        finally:
            self._is_waiting = False
        self._in_hand = self._complete.popleft() if self._complete else None
        return raw

    def done(self) -> None:
        """What the last message took is free again."""
        if self._in_hand is not None:
            _give(self._in_hand)
            self._in_hand = None

    def send_at_once(self, raw: bytes) -> bool:
        """Hand a message to the system without a turn of anybody; False where it must wait behind
        what is on its way, or the connection ends."""
        return self.send_frame_at_once(frame_of(raw))

    def send_frame_at_once(self, frame: bytes) -> bool:
        """The same of a message that ``frame_of`` made ready for any number of sockets."""
        if (
            self.protocol.state is not State.OPEN
            or self.send_in_progress is not None
            or self.transport.get_write_buffer_size()
        ):
            return False
        self.transport.write(frame)
        return True

    async def keepalive(self) -> None:
        """Ping the peer now and then; one that does not answer is gone when nothing moves either.

        On a slow line a pong comes behind what is queued: while bytes go or come, the line lives.
        """
        while True:
            await asyncio.sleep(limits.PING_INTERVAL_S)
            try:
                pong = asyncio.ensure_future(await self.ping())
            except ConnectionClosed:
                return
            before: tuple[int, int] | None = None
            while not pong.done():
                now = self._movement()
                if now == before:
                    self.cut_off()
                    return
                before = now
                await asyncio.wait({pong}, timeout=limits.PING_TIMEOUT_S)

    def _movement(self) -> tuple[int, int]:
        """What changes while bytes come or go."""
        return self.received_bytes, self.transport.get_write_buffer_size()

    # --- asyncio.BufferedProtocol ---

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asyncio's)
        return self._intake.buffer[: self._read_bytes]

    def buffer_updated(self, nbytes: int) -> None:
        self.received_bytes += nbytes
        if self.protocol.state is State.CONNECTING:
            self._handshake_bytes += nbytes
            if self._handshake_bytes > limits.RELAY_OPENING_BYTES_MAX:
                self.transport.abort()
                return
        data = self._intake.buffer[:nbytes]
        if self._is_waiting and self._reader.is_between and self.protocol.state is State.OPEN:
            data = data[self._take_whole(data) :]
            if not data:
                return
        self.data_received(data)  # type: ignore[arg-type]

    def _take_whole(self, data: memoryview) -> int:
        """How many of these bytes were whole messages that were taken at once, from the first on.

        So are nearly all small pushes. The parser makes four generators of a frame and an object of
        its header, which takes a third of the time of its signature. All else is the parser's, what
        is wrong too: nothing of that has been taken.
        """
        taken = 0
        while self.take_at_once is not None and not self._frames and not self._complete:
            raw, end = _whole_message(data, taken)
            if raw is None or not self.take_at_once(raw):
                break
            taken = end
        return taken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.recv_messages.pause = lambda: self._hold("messages")
        self.recv_messages.resume = lambda: self._release("messages")
        self.is_refused = not self._hub.connect(self)
        if self.is_refused:
            self.loop.call_later(limits.RELAY_REFUSED_S, self.cut_off)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._hub.leave(self)
        if self._claim is not None:
            claim, self._claim = self._claim, None
            self._intake.budget_for(claim.size_bytes).cancel(claim)
        _give(self._charges)
        self._charges = []
        while self._complete:
            _give(self._complete.popleft())

    # --- what is received ---

    def process_event(self, event: Event) -> None:
        if self._is_waiting and self.take_at_once is not None and isinstance(event, Frame):
            if event.opcode is Opcode.BINARY and event.fin and self.take_at_once(bytes(event.data)):
                _give(self._complete.popleft())
                return
            # Whatever it is, the reader wakes for it; what comes next waits behind it.
            self._is_waiting = event.opcode not in _DATA
        super().process_event(event)

    def _admit(self, size_bytes: int) -> bool:
        """Whether a payload may be kept; if not, the socket is not read until it may."""
        if self._claim is not None:
            return False
        charged = size_bytes + limits.RELAY_FRAME_BYTES
        budget = self._intake.budget_for(charged)
        owner, self._admitted = self._admitted, None
        if owner is None:
            owner = self.owner
            if not budget.try_take(owner, charged):
                self._hold("room")
                self._claim = budget.take_later(owner, charged, self._go_on)
                return False
        self._charges.append((budget, owner, charged))
        return True

    def _go_on(self) -> None:
        """There is room for what waited."""
        claim, self._claim = self._claim, None
        assert claim is not None
        if self.transport.is_closing() or self.protocol.state is not State.OPEN:
            self._intake.budget_for(claim.size_bytes).give(claim.owner, claim.size_bytes)
        else:
            self._admitted = claim.owner
            self.data_received(b"")
        if self._claim is None:
            self._release("room")

    def _receive_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            if not self._pings.try_take(self.loop.time()):
                raise ProtocolError("too many pings")
            if frame.opcode is Opcode.PING and self.paused:
                return  # its answers are not read: the next one is for this one too
        elif frame.opcode is not Opcode.CLOSE:
            self._frames += 1
            trusted, stranger = limits.RELAY_FRAMES_MAX, limits.RELAY_STRANGER_FRAMES_MAX
            if self._frames + len(self._complete) > (trusted if self._is_trusted else stranger):
                raise ProtocolError("too many frames")
            if frame.fin:
                self._frames = 0
                self._complete.append(self._charges)
                self._charges = []
        self._take_frame(frame)

    def _hold(self, reason: str) -> None:
        if not self._holds and not self.transport.is_closing():
            self.transport.pause_reading()
        self._holds.add(reason)

    def _release(self, reason: str) -> None:
        self._holds.discard(reason)
        if not self._holds and not self.transport.is_closing():
            self.transport.resume_reading()


def _whole_message(data: memoryview, start: int) -> tuple[bytes | None, int]:
    """The binary message of a client in the one frame that begins there, and where it ends; None
    where it is another, or not all of it has come."""
    at, size = start + 2, len(data)
    if at > size or data[start] != _WHOLE_BINARY or data[start + 1] < _MASKED:
        return None, start
    length = data[start + 1] - _MASKED
    if length == _LONG_LENGTH_FOLLOWS:
        return None, start
    if length == _LENGTH_FOLLOWS:
        length = int.from_bytes(data[at : at + 2], "big")
        at += 2
    begins = at + _MASK_BYTES
    end = begins + length
    if end > size:
        return None, start
    return _apply_mask(bytes(data[begins:end]), bytes(data[at:begins])), end


def _give(charges: list[tuple[ByteBudget, bytes, int]]) -> None:
    for budget, owner, size_bytes in charges:
        budget.give(owner, size_bytes)


def frame_of(raw: bytes) -> bytes:
    """A binary message as it goes to any client: nothing of it is a connection's own."""
    return Frame(Opcode.BINARY, raw).serialize(mask=False)


def host_of(socket: ServerConnection) -> str:
    """Where a connection comes from; empty where that is no address."""
    found = socket.remote_address
    return str(found[0]) if isinstance(found, tuple) and found else ""
