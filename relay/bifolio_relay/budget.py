"""One budget of bytes for something that all connections hold together; who finds none waits.

Every owner (a library, an address) may have its share and no more, and owners that wait get their
turns one after the other: a crowd of one owner waits for itself. Knows nothing of sockets. Used by
one event loop.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

#: What part of a budget is kept for those who hold nothing of it.
_KEPT_PART = 4


class Claim:
    """Bytes that somebody waits for; ``granted`` is called once they are taken."""

    __slots__ = ("granted", "is_over", "owner", "size_bytes")

    def __init__(self, owner: bytes, size_bytes: int, granted: Callable[[], None]) -> None:
        self.owner = owner
        self.size_bytes = size_bytes
        self.granted = granted
        self.is_over = False


class ByteBudget:
    """``total_bytes`` for all, of which one owner may hold ``share_bytes``.

    A part is kept for owners that hold nothing: whoever comes while a few take all they may.

    One claim of any size is granted to an owner that holds nothing where nobody else holds
    anything, so that no size waits for ever.
    """

    def __init__(self, total_bytes: int, share_bytes: int) -> None:
        self.total_bytes = total_bytes
        self.share_bytes = share_bytes
        self.held_bytes = 0
        self._owners: dict[bytes, int] = {}
        self._waiting: OrderedDict[bytes, deque[Claim]] = OrderedDict()

    @property
    def is_pressed(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    @property
    def is_over(self) -> bool:
        """Whether more is held than may be: what was added without asking."""
        return self.held_bytes > self.total_bytes

    def try_take(self, owner: bytes, size_bytes: int) -> bool:
        """Take bytes if there are some, and nobody of the same owner waits already."""
        if owner in self._waiting or not self._fits(owner, size_bytes):
            return False
        self.add(owner, size_bytes)
        return True

    def take_later(self, owner: bytes, size_bytes: int, granted: Callable[[], None]) -> Claim:
        """Wait for bytes; ``cancel`` ends it."""
        claim = Claim(owner, size_bytes, granted)
        self._waiting.setdefault(owner, deque()).append(claim)
        return claim

    async def take(self, owner: bytes, size_bytes: int) -> None:
        """Take bytes; waits for them."""
        if self.try_take(owner, size_bytes):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        claim = self.take_later(
            owner, size_bytes, lambda: None if future.done() else future.set_result(None)
        )
        try:
            await future
        except asyncio.CancelledError:
            if claim.is_over:
                self.give(owner, size_bytes)
            else:
                self.cancel(claim)
            raise

    def add(self, owner: bytes, size_bytes: int) -> None:
        """Count bytes that are there already, whether there is room or not."""
        self.held_bytes += size_bytes
        self._owners[owner] = self._owners.get(owner, 0) + size_bytes

    def give(self, owner: bytes, size_bytes: int) -> None:
        """Give bytes back, to whoever's turn it is."""
        self.held_bytes -= size_bytes
        left = self._owners[owner] - size_bytes
        if left:
            self._owners[owner] = left
        else:
            del self._owners[owner]
        if self._waiting:
            self._grant()

    def cancel(self, claim: Claim) -> None:
        """Wait for it no longer."""
        claim.is_over = True
        waiting = self._waiting.get(claim.owner)
        if waiting is None:
            return
        waiting.remove(claim)
        if not waiting:
            del self._waiting[claim.owner]
        # It may have been the one that all others waited for.
        self._grant()

    def _grant(self) -> None:
        granted: list[Claim] = []
        passed = 0
        while passed < len(self._waiting):
            owner, claims = next(iter(self._waiting.items()))
            claim = claims[0]
            if not self._fits(owner, claim.size_bytes):
                if owner not in self._owners:
                    break  # too large for what is left: nobody behind it goes before it
                passed += 1
                self._waiting.move_to_end(owner)
                continue
            claims.popleft()
            if claims:
                self._waiting.move_to_end(owner)
            else:
                del self._waiting[owner]
            claim.is_over = True
            self.add(owner, claim.size_bytes)
            granted.append(claim)
            passed = 0
        for claim in granted:
            claim.granted()

    def _fits(self, owner: bytes, size_bytes: int) -> bool:
        after_bytes = self.held_bytes + size_bytes
        held = self._owners.get(owner, 0)
        if not held:
            return not self.held_bytes or after_bytes <= self.total_bytes
        kept_bytes = self.total_bytes // _KEPT_PART
        return (
            after_bytes <= self.total_bytes - kept_bytes and held + size_bytes <= self.share_bytes
        )
