"""The queue before the shared commit: what arrives while one commit runs shares the next.

Bounded in bytes: ``put`` waits for room, and with it the reading of that socket. Decides nothing
about envelopes. Used by one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from bifolio import limits
from bifolio_relay.requests import CheckedSubmission

Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Source]):
    """A submission and the connection that brought it."""

    source: Source
    checked: CheckedSubmission
    size_bytes: int


class CommitQueue(Generic[Source]):
    """Submissions in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting[Source]] = deque()
        self._size_bytes = 0
        self._in_commit = 0
        #: Those who wait for room, first come first; who takes; who waits until all is done.
        self._for_room: deque[asyncio.Future[None]] = deque()
        self._for_more: asyncio.Future[None] | None = None
        self._for_end: list[asyncio.Future[None]] = []

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now has to wait."""
        return bool(self._for_room) or (
            self._size_bytes + limits.RELAY_CHECKED_INLINE_BYTES_MAX
            > limits.RELAY_COMMIT_QUEUE_BYTES_MAX
        )

    async def put(self, source: Source, checked: CheckedSubmission) -> None:
        """Add a submission; waits while the queue is full, and costs no turn while it is not."""
        if self.put_at_once(source, checked):
            return
        size_bytes = checked.submission.size_bytes
        is_next = not self._for_room
        while not (is_next and self._has_room(size_bytes)):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            if is_next:  # perhaps again, because there was too little
                self._for_room.appendleft(turn)
            else:
                self._for_room.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn in self._for_room:
                    self._for_room.remove(turn)
                else:
                    self._wake_next()
                raise
            is_next = True
        self._waiting.append(Waiting(source, checked, size_bytes))
        self._size_bytes += size_bytes
        if self._for_more is not None:
            _wake(self._for_more)
        self._wake_next()

    def put_at_once(self, source: Source, checked: CheckedSubmission) -> bool:
        """Add a submission where nobody waits; False, and nothing was added, where it must."""
        size_bytes = checked.submission.size_bytes
        if self._for_room or not self._has_room(size_bytes):
            return False
        self._waiting.append(Waiting(source, checked, size_bytes))
        self._size_bytes += size_bytes
        if self._for_more is not None:
            _wake(self._for_more)
        return True

    async def take(self) -> list[Waiting[Source]]:
        """What goes into the next commit, at least one submission; then call ``finish``."""
        while not self._waiting:
            self._for_more = asyncio.get_running_loop().create_future()
            try:
                await self._for_more
            finally:
                self._for_more = None
        taken: list[Waiting[Source]] = []
        size_bytes = count = 0
        while self._waiting and (not taken or self._fits(size_bytes, count)):
            waiting = self._waiting.popleft()
            taken.append(waiting)
            size_bytes += waiting.size_bytes
            count += len(waiting.checked.envelopes)
        self._size_bytes -= size_bytes
        self._in_commit = len(taken)
        self._wake_next()
        return taken

    def finish(self) -> None:
        """The outcomes of what was taken have been told."""
        self._in_commit = 0
        if not self._waiting:
            for one in self._for_end:
                _wake(one)
            self._for_end.clear()

    async def wait_until_empty(self) -> None:
        """Wait until nothing waits and nothing is in a commit."""
        while self._waiting or self._in_commit:
            end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._for_end.append(end)
            await end

    def _has_room(self, size_bytes: int) -> bool:
        return (
            not self._waiting
            or self._size_bytes + size_bytes <= limits.RELAY_COMMIT_QUEUE_BYTES_MAX
        )

    def _wake_next(self) -> None:
        """Let the first of those who wait for room look again; it wakes the one after it."""
        if self._for_room:
            _wake(self._for_room.popleft())

    def _fits(self, size_bytes: int, count: int) -> bool:
        following = self._waiting[0]
        return (
            size_bytes + following.size_bytes <= limits.RELAY_COMMIT_BYTES_MAX
            and count + len(following.checked.envelopes) <= limits.RELAY_COMMIT_ENVELOPES_MAX
        )


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
