"""What the connections of one library are told of its growth, whichever process wrote.

What was committed through this process is told with what the commit has at hand. What others wrote
to the same store is read and told when the store's watch reports it. Both go through here, so that
everybody is told of each entry once, and in the order of positions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import replace

from bifolio import limits
from bifolio.errors import MembershipError, RelayStorageError
from bifolio_relay.log_service import LogService
from bifolio_relay.peer import Peer
from bifolio_relay.requests import BlobStates, LogPart, MembersPart
from bifolio_relay.storage import Growth


class Feed:
    """One library's connections, and what they have been told up to. Begins to watch at once."""

    def __init__(self, library: bytes, service: LogService, logger: logging.Logger) -> None:
        self.library = library
        self.peers: set[Peer] = set()
        #: Held while entries are gathered and told, and while a membership record is written and
        #: told: nobody else's telling may come between.
        self.telling = asyncio.Lock()
        #: Members' questions that are at the store at once.
        self.turns = asyncio.Semaphore(limits.RELAY_LIBRARY_QUESTIONS_MAX)
        self._service = service
        self._logger = logger
        self._told = Growth()
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watch = asyncio.create_task(self._follow())

    @property
    def is_over(self) -> bool:
        """Whether nothing is told any more, because the store failed."""
        return self._watch.done()

    async def wait_until_begun(self) -> None:
        """Wait until all that is written from now on will be told.

        Raises:
            RelayStorageError: the store failed.
        """
        await asyncio.shield(self._begun)

    async def end(self) -> None:
        """Watch no longer."""
        self._watch.cancel()
        with suppress(asyncio.CancelledError):
            # One that failed ends the connection that is the last to go with its error.
            await self._watch
        self._begun.cancel()

    async def gather_entries(self, entries: Mapping[int, bytes], end: int) -> LogPart | None:
        """What is to be told of the log up to ``end``: these entries, and others' between them.

        To be called, and its answer told, while ``telling`` is held. None if all was told already;
        without envelopes where they are too many to be told, or cannot be read now.
        """
        after = self._told.n
        if end <= after:
            return None
        positions = range(after + 1, end + 1)
        found = dict(entries)
        is_short = len(positions) <= len(found) + limits.BATCH_ENVELOPES_MAX
        if is_short and not all(position in found for position in positions):
            try:
                part = await self._service.read_entries(self.library, after)
            except RelayStorageError as error:
                self._logger.error("what others wrote cannot be read: %s", error.message)
            else:
                found |= dict(enumerate(part.envelopes, after + 1))
        self._told = replace(self._told, n=end)
        if is_short and all(position in found for position in positions):
            return LogPart(after, tuple(found[position] for position in positions), end)
        return LogPart(end, (), end)

    def tell_members(self, part: MembersPart, *, author: Peer | None = None) -> None:
        """Membership records were appended, through the connection ``author`` if that is here."""
        if part.start > self._told.members:
            # Others' records before it were not told yet: a notice, so that they are asked for.
            part = MembersPart(part.total, (), part.total, part.head, part.grown)
        self._told = replace(self._told, members=max(self._told.members, part.total))
        for peer in tuple(self.peers):
            if peer is not author:
                peer.tell_members(part)

    def tell_blobs(self, states: BlobStates, *, author: Peer) -> None:
        """Blobs were completed or dropped through the connection ``author``."""
        tally = 0 if states.tally is None else states.tally.n
        others_too = tally > self._told.blobs + len(states.states)
        self._told = replace(self._told, blobs=max(self._told.blobs, tally))
        for peer in tuple(self.peers):
            if peer is not author:
                peer.tell_blobs(states)
        if others_too:
            self._tell_blob_news()

    async def _follow(self) -> None:
        """Tell of what the watch reports beyond what was told."""
        try:
            async with aclosing(self._service.watch(self.library)) as growths:
                async for growth in growths:
                    if self._begun.done():
                        await self._tell_growth(growth)
                    else:
                        self._told = growth
                        self._begun.set_result(None)
        except (RelayStorageError, MembershipError) as error:
            self._logger.error("what others write cannot be seen: %s", error.message)
            if not self._begun.done():
                self._begun.set_exception(error)
            for peer in tuple(self.peers):
                peer.stop("the relay cannot read this library now")

    async def _tell_growth(self, growth: Growth) -> None:
        # Membership first: what others pushed may have been made under it.
        if growth.members > self._told.members:
            async with self.telling:
                part = await self._service.read_new_members(self.library, self._told.members)
                if part is not None and part.total > self._told.members:
                    self.tell_members(part)
        if growth.n > self._told.n:
            async with self.telling:
                entries = await self.gather_entries({}, growth.n)
                if entries is not None:
                    for peer in [one for one in self.peers if one.session.is_member]:
                        peer.apply_commit((), entries, submitted_bytes=0)
        if growth.blobs > self._told.blobs:
            self._told = replace(self._told, blobs=growth.blobs)
            self._tell_blob_news()

    def _tell_blob_news(self) -> None:
        """Blobs were completed or dropped, and nobody here knows which."""
        for peer in tuple(self.peers):
            peer.tell_blob_news()
