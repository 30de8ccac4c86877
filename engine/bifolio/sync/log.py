"""The log's part of one connection: pull it to its end, then offer what it lacks.

The cursor follows the relay's chain of hashes entry by entry, so a relay that was wiped or rolled
back is seen by its epoch or by the hash at our cursor (PITFALLS 6), and one that changes its mind
by what it said before.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.errors import Next, NextStep, RelayConductError
from bifolio.ids import content_hash
from bifolio.results import Stage
from bifolio.sync.counts import Counts
from bifolio.sync.fruitless import FruitlessCount
from bifolio.sync.line import Line
from bifolio.sync.outgoing import Offers
from bifolio.sync.store import OfferedPlace, SyncStore
from bifolio.wire.log_chain import log_next, log_start
from bifolio.wire.messages import (
    Ack,
    ChainPlace,
    Envelopes,
    Locate,
    Located,
    Message,
    Nack,
    Pull,
    Receipt,
    Welcome,
)
from bifolio.wire.position import LogPosition


class LogSync:
    """What to pull of one library's log, and what to push to it."""

    def __init__(
        self,
        store: SyncStore,
        welcome: Welcome,
        *,
        library: bytes,
        counts: Counts,
        fruitless: FruitlessCount,
        line: Line,
        takes_fragments: bool,
    ) -> None:
        self._store = store
        self._counts = counts
        self._fruitless = fruitless
        self._line = line
        self._takes_fragments = takes_fragments
        line.follow(welcome.epoch)
        self._offers = Offers(store, counts, line)
        #: The log's length, as far as the relay told.
        self._end = welcome.n
        #: Hashes of the chain beyond the cursor that the relay told: they must hold.
        self._told_hashes = {welcome.n: welcome.chain_hash}
        #: Own entries that were acknowledged beyond the cursor, by position.
        self._early: dict[int, bytes] = {}
        #: Positions beyond what the store was told, each with the chain's hash.
        self._passed: list[tuple[int, bytes]] = []
        self._request: Pull | Locate | None = None
        #: From the first answer that reached the end on, the relay tells of each further entry.
        self._is_live = False
        #: Whether the log is the one that was followed before.
        self._is_continued = False
        self._cursor = self._first_cursor(welcome, library)
        #: What is asked for by LOCATE, and behind which number the next ones are; None where no
        #: ACK can have been lost, or the relay does not know that question.
        self._sought: dict[bytes, OfferedPlace] = {}
        self._seek_after: int | None = None
        if takes_fragments and self._cursor.position < welcome.n:
            self._seek_after = 0 if self._is_continued else None

    @property
    def is_at_end(self) -> bool:
        """Whether all that the relay has is merged here, and it tells of what follows."""
        return self._is_live and self._cursor.position >= self._end

    @property
    def is_settled(self) -> bool:
        """Whether both sides have every change, and no answer is to come."""
        return self.is_at_end and self._request is None and self._offers.is_settled

    def progress(self) -> tuple[Stage, int, int]:
        """What is under way, how much is done, and of how much."""
        if not self._is_live:
            return Stage.RECEIVING, self._cursor.position, self._end
        pushed = self._counts.pushed
        return Stage.SENDING, pushed, pushed + self._offers.changes_in_flight

    def receive(self, message: Envelopes) -> bool:
        """Entries of the log came, or a notice that it grew; True if any was news.

        Raises:
            RelayConductError: the log is not what the relay said before that it is.
        """
        self._request = None
        self._end = max(self._end, message.n)
        cursor = self._cursor
        end = message.after + len(message.envelopes)
        if message.after > cursor.position or end < cursor.position:
            return False  # a gap, or known already: ``decide`` pulls from the cursor
        fresh = message.envelopes[cursor.position - message.after :]
        if fresh:
            hashes = [content_hash(envelope) for envelope in fresh]
            moved = self._follow(cursor, hashes)
            moved, reached = self._follow_early(moved)
            passed = self._take_passed()
            batch = self._store.receive(cursor.position, fresh, moved, passed)
            self._counts.pulled += batch.changes
            self._cursor = self._put_back(moved)
            if reached and self._cursor is moved:
                self._store.acknowledge(reached, moved, ())
            if batch.is_lawful:
                self._fruitless.note_news()
                for name, envelope in zip(hashes, fresh, strict=True):
                    self._line.note_news(name, len(envelope))
            self._offers.look_again()
        elif end == message.n:
            self._store.acknowledge((), cursor, ())
        if self._cursor.position >= self._end:
            self._is_live = True
        return bool(fresh)

    def acknowledge(self, message: Ack) -> None:
        """Envelopes of ours are in the log."""
        for receipt in self._offers.acknowledge(message):
            self._keep(receipt)
            self._fruitless.note_news()
        moved, reached = self._follow_early(self._cursor)
        if reached:
            self._store.acknowledge(reached, moved, self._take_passed())
        self._cursor = moved

    def locate(self, message: Located) -> None:
        """Envelopes of which we asked are in the log: their ACK was lost by a cut."""
        self._request = None
        found = 0
        for receipt in message.positions:
            place = self._sought.pop(receipt.hash, None)
            if place is not None:
                found += 1
                self._counts.pushed += place.changes
                self._line.note_arrived(place.size_bytes)
                self._line.note_news(receipt.hash, place.size_bytes)
                self._keep(receipt)
                self._fruitless.note_news()
        if not found or self._sought:
            self._seek_after = None  # those behind it did not arrive either
        self._sought = {}
        moved, reached = self._follow_early(self._cursor)
        if reached:
            self._store.acknowledge(reached, moved, self._take_passed())
        self._cursor = moved

    def refuse(self, message: Nack) -> bool:
        """The relay refused something; False if it stands in the way of everything."""
        return self._offers.refuse(message)

    def move_to(self, position: LogPosition) -> None:
        """A snapshot brought all up to a position: the log is pulled from there on.

        Raises:
            RelayConductError: the log is not the one that the snapshot is of.
        """
        if self._told_hashes.get(position.position, position.chain_hash) != position.chain_hash:
            raise RelayConductError("its log is not the one that its snapshot was made of")
        self._cursor = position
        self._passed = []
        self.forget_request()

    def forget_request(self) -> None:
        """What was asked for does not come."""
        self._request = None

    def take_left_to_snapshot(self) -> bool:
        """Whether the relay's snapshots have to be compared with what is here, once."""
        return self._offers.take_left_to_snapshot()

    def look_again(self) -> None:
        """There may be changes that were not offered yet."""
        self._offers.look_again()

    def offer_again(self) -> None:
        """What is under way was refused as it is: it is offered again."""
        self._offers.forget()

    def decide(self) -> list[Message]:
        """Pull until the end is reached, and offer from then on."""
        self._cursor = self._put_back(self._cursor)
        if self.is_at_end:
            return self._offers.decide()
        if self._request is None:
            self._request = self._locate_some() or self._pull()
            return [self._request]
        return []

    def _pull(self) -> Pull:
        """The next entries, up to one of our own that is known to be there."""
        after = self._cursor.position
        following = [position for position in self._early if position > after]
        count = min(following) - 1 - after if following and self._takes_fragments else 0
        return Pull(after, min(count, limits.BATCH_ENVELOPES_MAX))

    def _locate_some(self) -> Locate | None:
        """Ask whether what was on its way at a cut has arrived, before it is sent again or comes
        back by a pull."""
        if self._seek_after is None:
            return None
        places = self._store.offered_places(
            after=self._seek_after, count_max=limits.LOCATED_AT_ONCE_MAX
        )
        if not places:
            self._seek_after = None
            return None
        self._seek_after = places[-1][0]
        self._sought = {place.hash: place for _, place in places}
        return Locate(tuple(ChainPlace(place.author_chain, place.seq) for _, place in places))

    # --- the cursor -------------------------------------------------------------------------

    def _first_cursor(self, welcome: Welcome, library: bytes) -> LogPosition:
        """Where to pull from: our cursor if the relay has the log that it lies in."""
        start = LogPosition(welcome.epoch, 0, log_start(library, welcome.epoch))
        cursor = self._store.cursor()
        if cursor is None:
            self._compare_with_ticket(welcome)
            return start
        if cursor.epoch == welcome.epoch and welcome.cursor_hash == cursor.chain_hash:
            self._is_continued = True
            return cursor
        forget_log(self._store)
        return start

    def _put_back(self, cursor: LogPosition) -> LogPosition:
        """The cursor, or an earlier one where the replica has room or a right now for what it did
        not keep: from there on the log is pulled again, and must be what it was."""
        stored = self._store.cursor()
        if stored is None or stored.epoch != cursor.epoch or stored.position >= cursor.position:
            return cursor
        self._told_hashes.setdefault(cursor.position, cursor.chain_hash)
        return stored

    def _compare_with_ticket(self, welcome: Welcome) -> None:
        """A newcomer notices a relay that was wiped or rolled back since its ticket was made."""
        expected = self._store.ticket_position()
        if expected is None or expected.position == 0:
            return
        if expected.epoch != welcome.epoch:
            # Two logs cannot be compared: this one may hold all that the other did, and more.
            self._store.note(
                "The relay was set up again since the ticket was made.",
                NextStep(Next.SYNC_TICKET_MAKER_IF_MISSING),
            )
        elif welcome.attested_hash != expected.chain_hash:
            self._store.note(
                "The relay holds less than it did when the ticket was made.",
                NextStep(Next.SYNC_TICKET_MAKER),
            )

    def _keep(self, receipt: Receipt) -> None:
        """Keep a receipt until the checked log reaches its position."""
        self._end = max(self._end, receipt.position)
        # What lies before the cursor was pulled, and learnt its position from the log: a
        # receipt that says more than the log did counts for nothing.
        if receipt.position > self._cursor.position:
            self._early[receipt.position] = receipt.hash

    def _follow(self, cursor: LogPosition, hashes: Sequence[bytes]) -> LogPosition:
        """The cursor after further entries; what the relay told us before must hold."""
        position, chain_hash = cursor.position, cursor.chain_hash
        for one in hashes:
            position, chain_hash = position + 1, log_next(chain_hash, one)
            told = self._told_hashes.pop(position, None)
            if told is not None and told != chain_hash:
                raise RelayConductError(
                    f"its log is not what it said it was at position {position}"
                )
            self._early.pop(position, None)
            self._passed.append((position, chain_hash))
        return LogPosition(cursor.epoch, position, chain_hash)

    def _take_passed(self) -> list[tuple[int, bytes]]:
        passed, self._passed = self._passed, []
        return passed

    def _follow_early(self, cursor: LogPosition) -> tuple[LogPosition, list[tuple[bytes, int]]]:
        """The cursor after own entries that were acknowledged ahead of it, and their receipts.

        Only now do they count as acknowledged: a position that the checked log does not reach
        yet could be gone when a relay is rolled back, and nobody would offer it again.
        """
        reached = []
        while (own := self._early.get(cursor.position + 1)) is not None:
            cursor = self._follow(cursor, [own])
            reached.append((own, cursor.position))
        return cursor, reached


def forget_log(store: SyncStore) -> None:
    """The relay is not what it was: everything is offered again, and ``status`` says why, unless
    it is another one."""
    if store.forget_log():
        store.note(
            "The relay lost part of its log (it was wiped, or restored from an older copy).",
            NextStep(Next.WAIT),
        )
