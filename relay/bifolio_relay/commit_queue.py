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
        self._changed = asyncio.Condition()
        self._in_commit = 0

    async def put(self, source: Source, checked: CheckedSubmission) -> None:
        """Add a submission; waits while the queue is full."""
        size_bytes = checked.submission.size_bytes
        async with self._changed:
            await self._changed.wait_for(
                lambda: (
                    not self._waiting
                    or self._size_bytes + size_bytes <= limits.RELAY_COMMIT_QUEUE_BYTES_MAX
                )
            )
            self._waiting.append(Waiting(source, checked, size_bytes))
            self._size_bytes += size_bytes
            self._changed.notify_all()

    async def take(self) -> list[Waiting[Source]]:
        """What goes into the next commit, at least one submission; then call ``finish``."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._waiting))
            taken: list[Waiting[Source]] = []
            size_bytes = count = 0
            while self._waiting and (not taken or self._fits(size_bytes, count)):
                waiting = self._waiting.popleft()
                taken.append(waiting)
                size_bytes += waiting.size_bytes
                count += len(waiting.checked.envelopes)
            self._size_bytes -= size_bytes
            self._in_commit = len(taken)
            self._changed.notify_all()
            return taken

    async def finish(self) -> None:
        """The outcomes of what was taken have been told."""
        async with self._changed:
            self._in_commit = 0
            self._changed.notify_all()

    async def wait_until_empty(self) -> None:
        """Wait until nothing waits and nothing is in a commit."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._waiting and not self._in_commit)

    def _fits(self, size_bytes: int, count: int) -> bool:
        following = self._waiting[0]
        return (
            size_bytes + following.size_bytes <= limits.RELAY_COMMIT_BYTES_MAX
            and count + len(following.checked.envelopes) <= limits.RELAY_COMMIT_ENVELOPES_MAX
        )
