"""The shell round one connection's session: its socket, its queue, its turn at the commits.

Carries out what the session decides and decides nothing. The queue of what is to be sent is
bounded: the reader stops while it is full, and the session sends nothing unasked beyond it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from websockets.exceptions import ConnectionClosed

from bifolio import limits
from bifolio.errors import MembershipError, RelayStorageError
from bifolio.wire.messages import Retry, is_short_push
from bifolio_relay.care import MENDING
from bifolio_relay.metered_socket import MeteredSocket, frame_of
from bifolio_relay.rates import TokenBucket
from bifolio_relay.requests import (
    Answer,
    BlobStates,
    LibraryInfo,
    LogPart,
    MembersPart,
    OpenLibrary,
    Outcome,
    Question,
    Submission,
)
from bifolio_relay.session import Action, Ask, Send, Session, Submit


class HubInterface(Protocol):
    """What a peer needs of the relay around it."""

    async def ask(self, peer: Peer, question: Question) -> Answer:
        """The service's answer, told to the library's other connections where it concerns them."""
        ...

    async def submit(self, peer: Peer, submission: Submission) -> None:
        """Put envelopes before the next commit; waits while there is no room."""
        ...

    def submit_at_once(self, peer: Peer, submission: Submission) -> bool:
        """Put a few envelopes before the next commit; False, and nothing was done, where that
        takes a wait, a look at the store or a thread."""
        ...

    async def subscribe(self, peer: Peer) -> None:
        """Tell this peer of what happens in its session's library from now on, whatever its cause.

        Raises:
            RelayStorageError: the store failed.
        """
        ...

    def notice_damage(self, peer: Peer, error: RelayStorageError | MembershipError) -> bool:
        """The store failed; whether it is damaged, and is mended now."""
        ...

    def prove(self, peer: Peer) -> bool:
        """The peer proved to be a member; whether there is a place for it."""
        ...

    def rate_of(self, peer: Peer) -> TokenBucket:
        """How often the peer, a member, may ask."""
        ...

    def count_queued(self, owner: bytes, by_bytes: int) -> None:
        """A peer's queue has grown or shrunk."""
        ...

    def has_full_queues(self) -> bool:
        """Whether all peers' queues together hold more than they may."""
        ...


class Peer:
    """One connection."""

    def __init__(
        self,
        socket: MeteredSocket,
        session: Session,
        hub: HubInterface,
        logger: logging.Logger,
    ) -> None:
        self._socket = socket
        self.session = session
        self._hub = hub
        self._logger = logger
        #: What is to be sent, and whose share of all queues it takes.
        self._queue: deque[tuple[bytes, bytes]] = deque()
        self._queued_bytes = 0
        self._sent_bytes = 0
        self._rate = TokenBucket(
            limits.RELAY_STRANGER_QUESTIONS_PER_S, limits.RELAY_STRANGER_QUESTIONS_AT_ONCE
        )
        self._sending = Movement()
        self._receiving = Movement()
        self._proven = False
        #: Whose share of all queues it takes: strangers have one together.
        self._owner = b""
        self._in_flight_bytes = 0
        #: For the sender: there is something to send, or to be told. For the reader: there is
        #: less to be sent, or to be committed.
        self._changed = asyncio.Event()
        self._less = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._gone = False

    @property
    def name(self) -> str:
        """Who this is, for the log: shortened, and never what it says."""
        device, library = self.session.device, self.session.library
        if device is None or library is None:
            return "stranger"
        return f"device={device.hex()[:8]} library={library.hex()[:8]}"

    async def run(self, *, is_challenged: bool = False) -> None:
        """Serve the connection until it ends; it may have been challenged before it came here."""
        sender = asyncio.create_task(self._send_queued())
        self._reader = asyncio.create_task(self._read())
        self._socket.take_at_once = self._take_at_once
        try:
            greeting = self.session.greet()
            self._apply_now([] if is_challenged else greeting)
            await asyncio.wait({sender, self._reader}, return_when=asyncio.FIRST_COMPLETED)
            if self._reader.done() and (self._reader.cancelled() or self.session.is_closed):
                # What is queued, BYE at last, still goes out; a peer that does not read it
                # is cut off by the ping, by the shutdown's deadline, or here.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(sender), limits.SHUTDOWN_GRACE_S)
        finally:
            self._gone = True
            self._socket.take_at_once = None
            for owner, raw in self._queue:
                self._hub.count_queued(owner, -len(raw))
            self._queue.clear()
            self._changed.set()
            sender.cancel()
            self._reader.cancel()
            results = await asyncio.gather(sender, self._reader, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def stop_reading(self) -> None:
        """Take nothing more from this peer; what it is owed still goes out."""
        self._socket.take_at_once = None
        if self._reader is not None:
            self._reader.cancel()

    def stop(self, reason: str) -> None:
        """Say BYE; the connection ends when it is sent."""
        self._apply_now(self.session.stop(Retry.BACKOFF, reason))

    def apply_commit(
        self, outcomes: Sequence[Outcome], growth: LogPart | None, *, submitted_bytes: int
    ) -> None:
        """A commit took place in this peer's library; its own part in it is done."""
        if submitted_bytes:
            self._in_flight_bytes -= submitted_bytes
            self._less.set()
        elif not self.session.is_live:
            self.session.note_growth(growth)
            return
        elif growth is not None and self._follow_at_once(growth):
            return
        self._apply_now(self.session.apply_commit(outcomes, growth, room_bytes=self._room_bytes()))
        if self.session.owes_notice:
            self._changed.set()

    def _follow_at_once(self, growth: LogPart) -> bool:
        """Tell what others wrote by the frame that was made for all; False where that cannot be."""
        if (
            not growth.serialized
            or self._queue
            or self._gone
            or len(growth.serialized[0]) > limits.RELAY_SENT_AT_ONCE_BYTES
            or self.session.owes_notice
            or not self.session.follow_at_once(growth)
        ):
            return False
        if not growth.frame:
            growth.frame.append(frame_of(growth.serialized[0]))
        if not self._socket.send_frame_at_once(growth.frame[0]):
            self._enqueue(growth.serialized[0])
        return True

    def cut_off(self) -> None:
        """End the connection without a word: its peer has stopped, or its place is needed."""
        self._socket.transport.abort()

    def sweep(self, elapsed_s: float, *, is_pressed: bool) -> None:
        """End the connection if its peer has stopped in the middle of something.

        Arguments:
            elapsed_s: since the last time.
            is_pressed: whether others wait for what queues hold.
        """
        if self._queue:
            unsent = self._socket.transport.get_write_buffer_size()
            sent_bytes = self._sent_bytes + max(len(self._queue[0][1]) - unsent, 0)
            self._sending.note(sent_bytes, elapsed_s)
            if is_pressed and self._sending.is_slow:
                self._logger.warning("cut off %s: it does not read", self.name)
                self.cut_off()
                return
        else:
            self._sending.reset()
        if self._socket.is_receiving:
            self._receiving.note(self._socket.received_bytes, elapsed_s)
            if self._receiving.has_stopped or (self._socket.is_pressed and self._receiving.is_slow):
                self._logger.warning("cut off %s: its message does not end", self.name)
                self.cut_off()
        else:
            self._receiving.reset()

    def tell_members(self, part: MembersPart) -> None:
        """A membership record was appended by another."""
        was_closed = self.session.is_closed
        self._apply_now(self.session.tell_members(part, room_bytes=self._room_bytes()))
        self._note_membership()
        if self.session.is_closed and not was_closed:  # removed: also where it does not read
            asyncio.get_running_loop().call_later(limits.RELAY_REMOVED_GRACE_S, self.cut_off)

    def tell_blobs(self, states: BlobStates) -> None:
        """Blobs were completed or dropped by another."""
        self._apply_now(self.session.tell_blobs(states, room_bytes=self._room_bytes()))

    def tell_blob_news(self) -> None:
        """Blobs were completed or dropped, nobody here knows which."""
        self._apply_now(self.session.tell_blob_news(room_bytes=self._room_bytes()))

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(limits.HANDSHAKE_TIMEOUT_S):
                while not self.session.is_greeted and not self.session.is_closed:
                    await self._receive()
            while not self.session.is_closed:
                await self._receive()
        except TimeoutError:
            self._apply_now(self.session.stop(Retry.BACKOFF, "no greeting came in time"))
        except ConnectionClosed:
            return

    async def _receive(self) -> None:
        await self._wait_for_queue()
        raw = await self._socket.receive()
        try:
            if isinstance(raw, str):
                self._apply_now(self.session.stop(Retry.ONCE, "text came; messages are binary"))
                return
            actions = self.session.receive(raw)
            del raw
            if self.session.is_closed:
                self._logger.warning("refused %s: not the protocol, or not the device", self.name)
            await self._apply(actions)
        finally:
            self._socket.done()

    def _take_at_once(self, raw: bytes) -> bool:
        """Take a message in the turn in which it came, if that is a small push; False for others.

        The reader waits for a message meanwhile, and is not woken: this is what most of them are.
        """
        reader = self._reader
        if (
            reader is None
            or reader.done()
            or self.session.is_closed
            or not is_short_push(raw, limits.RELAY_CHECKED_INLINE_MAX)
            or self._in_flight_bytes + len(raw) > limits.PUSH_IN_FLIGHT_BYTES_MAX
        ):
            return False
        submission = self.session.receive_push(raw)
        if submission is None or not self._hub.submit_at_once(self, submission):
            return False
        self._in_flight_bytes += submission.size_bytes
        return True

    async def _apply(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send():
                    self._enqueue(action.raw)
                case Ask():
                    await self._apply(await self._ask(action.question))
                case Submit():
                    await self._submit(action.submission)

    def _apply_now(self, actions: Sequence[Action]) -> None:
        """Carry out actions that are all to send: what happens elsewhere asks nothing."""
        for action in actions:
            assert isinstance(action, Send)
            self._enqueue(action.raw)

    async def _ask(self, question: Question) -> Sequence[Action]:
        # Before the question, so that no commit falls between its answer and the first news.
        try:
            await self._wait_for_turn()
            if not isinstance(question, OpenLibrary):
                await self._hub.subscribe(self)
            answer = await self._hub.ask(self, question)
            if isinstance(answer, LibraryInfo) and answer.role is not None:
                # Again, now that it is told of what happens: a stranger is told of nothing.
                await self._hub.subscribe(self)
                answer = await self._hub.ask(self, question)
        except (RelayStorageError, MembershipError) as error:
            self._logger.error("storage failed for %s: %s", self.name, error.message)
            if self._hub.notice_damage(self, error):
                return self.session.stop(Retry.BACKOFF, MENDING)
            return self.session.stop(Retry.BACKOFF, "the relay cannot read this library now")
        actions = self.session.take_answer(answer)
        return actions if self._note_membership() else []

    def _note_membership(self) -> bool:
        """Large messages may come from a member; False where there is no place for this one."""
        library = self.session.library
        if library is None or self.session.is_member == self._proven:
            return True
        self._proven = self.session.is_member
        self._owner = library if self._proven else b""
        if not self._proven:
            self._socket.distrust()
        elif self._hub.prove(self):
            self._rate = self._hub.rate_of(self)
            self._socket.trust(library, message_bytes_max=self.session.message_bytes_max)
        else:
            self.stop("too many computers are connected to this library")
            return False
        return True

    async def _wait_for_turn(self) -> None:
        """Who asks too often waits."""
        loop = asyncio.get_running_loop()
        while not self._rate.try_take(loop.time()):
            await asyncio.sleep(self._rate.wait_s(loop.time()))

    async def _submit(self, submission: Submission) -> None:
        size_bytes = submission.size_bytes
        while (
            self._in_flight_bytes
            and self._in_flight_bytes + size_bytes > limits.PUSH_IN_FLIGHT_BYTES_MAX
        ):
            await self._wait_for_less()
        self._in_flight_bytes += size_bytes
        await self._hub.submit(self, submission)

    async def _wait_for_queue(self) -> None:
        """While this peer takes nothing, nothing is taken from it."""
        while self._queued_bytes > (
            limits.RELAY_UNREAD_BYTES if self._proven else limits.RELAY_STRANGER_UNREAD_BYTES
        ):
            await self._wait_for_less()

    async def _wait_for_less(self) -> None:
        self._less.clear()
        await self._less.wait()

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _room_bytes(self) -> int:
        if self._hub.has_full_queues() and self._queue:
            return 0
        return max(limits.RELAY_QUEUE_BYTES_MAX - self._queued_bytes, 0)

    def _enqueue(self, raw: bytes) -> None:
        if self._gone:
            return
        parts = self.session.fragments(raw)
        if len(parts) == 1 and self._send_at_once(parts[0]):
            return
        owner = self._owner
        for part in parts:
            self._queue.append((owner, part))
            self._queued_bytes += len(part)
            self._hub.count_queued(owner, len(part))
        self._changed.set()

    def _send_at_once(self, raw: bytes) -> bool:
        """Hand a small message to the socket where nothing is on its way: the sender need not wake.

        So it is with nearly every message. What the socket may hold then is what it holds anyway
        when ``send`` returns.
        """
        if (
            self._queue
            or len(raw) > limits.RELAY_SENT_AT_ONCE_BYTES
            or self.session.is_closed
            or self.session.owes_notice
        ):
            return False
        return self._socket.send_at_once(raw)

    async def _send_queued(self) -> None:
        try:
            while True:
                while self._queue:
                    owner, raw = self._queue[0]
                    await self._socket.send(raw)
                    self._queue.popleft()
                    self._queued_bytes -= len(raw)
                    self._sent_bytes += len(raw)
                    self._hub.count_queued(owner, -len(raw))
                    self._less.set()
                self._apply_now(self.session.resume())
                if not self._queue:
                    if self.session.is_closed:
                        await self._socket.close()
                        return
                    # For more to send, or for a commit that leaves the session owing a notice.
                    await self._wait_for_change()
        except ConnectionClosed:
            return


class Movement:
    """How long something that should move has not."""

    def __init__(self) -> None:
        self._bytes: int | None = None
        self._stopped_s = 0.0
        self._slow_s = 0.0

    @property
    def has_stopped(self) -> bool:
        """Whether nothing has moved for longer than anybody waits."""
        return self._stopped_s >= limits.RELAY_MESSAGE_STALLED_S

    @property
    def is_slow(self) -> bool:
        """Whether so little has moved that others need not wait for it."""
        return self._slow_s >= limits.RELAY_PRESSED_S

    def note(self, moved_bytes: int, elapsed_s: float) -> None:
        """So much has moved in all."""
        before, self._bytes = self._bytes, moved_bytes
        if before is None:
            return
        self._stopped_s = self._stopped_s + elapsed_s if moved_bytes == before else 0.0
        is_slow = moved_bytes - before < limits.RELAY_PRESSED_BYTES_PER_S * elapsed_s
        self._slow_s = self._slow_s + elapsed_s if is_slow else 0.0

    def reset(self) -> None:
        """Nothing is to move now."""
        self._bytes, self._stopped_s, self._slow_s = None, 0.0, 0.0
