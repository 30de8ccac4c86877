"""The files' part of one connection, decided without I/O.

The log always goes first: chunks are offered only while it is settled, a few at a time, so that
an envelope goes between two of them. What the relay holds is asked before anything is sent; of a
content that another computer is sending the relay says so (TAKEN), and this one goes on with the
next.
"""

from __future__ import annotations

from enum import Enum, auto

from bifolio import limits
from bifolio.errors import RelayConductError
from bifolio.results import Stage
from bifolio.sync.counts import Counts
from bifolio.sync.downloads import Downloads
from bifolio.sync.fruitless import FruitlessCount
from bifolio.sync.line import Line
from bifolio.sync.relay_blobs import RelayBlobs
from bifolio.sync.store import ChunkOutcome, FileStore, TransferItem
from bifolio.sync.uploads import Uploads
from bifolio.wire.messages import (
    Blobs,
    BlobState,
    Chunk,
    Code,
    Message,
    Nack,
    Welcome,
    nothing_of,
)

#: What is under way, for those who watch.
SENDING, RECEIVING = Stage.SENDING_FILES, Stage.RECEIVING_FILES


class _Plan(Enum):
    """How far it is known what is to be carried."""

    STALE = auto()  #: references may name other contents than before
    MADE = auto()
    COLLECTED = auto()  #: and what nothing names was dropped, in a moment without a transfer


class FileSync:
    """What to ask, send and fetch on one connection to a relay that holds the library."""

    def __init__(
        self,
        store: FileStore,
        welcome: Welcome,
        counts: Counts,
        fruitless: FruitlessCount,
        line: Line,
    ) -> None:
        self._store = store
        self._fruitless = fruitless
        self._plan = _Plan.STALE
        self._items: dict[bytes, TransferItem] = {}
        #: What was refused or is damaged, or another computer sends: not now.
        self._left_out: set[bytes] = set()
        self._blobs = RelayBlobs()
        self._uploads = Uploads(store, self._blobs, self._left_out, counts, line)
        self._downloads = Downloads(store, self._blobs, self._left_out, counts, line)
        self._restarts_left = limits.FILE_RESTARTS_MAX
        self._look_again_ms: int | None = None
        store.begin(welcome.epoch, welcome.blob_drops, welcome.blob_tally_hash)

    @property
    def is_settled(self) -> bool:
        """Whether everything is where it may be, as far as it can be had now."""
        return (
            self._plan is _Plan.COLLECTED
            and self._blobs.is_settled
            and self._uploads.is_idle
            and self._downloads.is_idle
        )

    def look_again(self) -> None:
        """References may name other contents than before."""
        self._plan = _Plan.STALE

    def is_due(self) -> bool:
        """Whether something that had to wait may be tried again now."""
        return self._look_again_ms is not None and self._store.now_ms() >= self._look_again_ms

    def progress(self) -> tuple[Stage, int, int] | None:
        """What is under way, how many bytes are done and of how many; None if nothing is."""
        for stage, way in ((SENDING, self._uploads), (RECEIVING, self._downloads)):
            if not way.is_idle:
                return stage, way.progress.done, way.progress.all
        return None

    # --- what came ------------------------------------------------------------------------

    def receive_blobs(self, message: Blobs) -> None:
        """The relay told how much it holds of some blobs.

        Raises:
            RelayConductError: it changes its mind for ever.
        """
        blobs = self._blobs
        if not message.states and not blobs.awaits_answer:
            self._ask_all_again()  # news was left out
            return
        told = tuple(one.blob for one in message.states)
        answers_drop = blobs.take_drop_answer(told)
        if answers_drop:
            self._store.note_dropped(told)
        if self._store.note_drops(message.drops, by_us=answers_drop):
            self._ask_all_again()
            return
        if answers_drop:
            self.look_again()  # what was dropped for its size is sent again
        blobs.take_answer(told)
        whole = [item for state in message.states if (item := self._note(state)) is not None]
        if whole:
            self._store.note_on_relay(whole, message.tally)
            self._downloads.offer(whole)

    def receive_chunk(self, message: Chunk) -> None:
        """A chunk came that was asked for."""
        outcome = self._downloads.receive(message)
        if outcome in (ChunkOutcome.DAMAGED, ChunkOutcome.USELESS):
            self.look_again()
        else:
            self._fruitless.note_news()

    def refuse(self, message: Nack) -> bool:
        """The relay refused something; False if it is none of ours."""
        blob = message.subject
        if self._blobs.refuse_drop(blob):
            return True
        if (item := self._uploads.stop(blob)) is None:
            if self._downloads.stop(blob) is not None:
                self._left_out.add(blob)
            return blob in self._left_out  # what was under way behind it
        self._left_out.add(blob)
        if message.code is Code.TAKEN:
            self._wait_until(self._store.now_ms() + int(limits.TAKEN_RETRY_S * 1000))
        else:
            self._uploads.refuse(item, message.code, message.detail)
        return True

    # --- what to do -----------------------------------------------------------------------

    def decide(self) -> list[Message]:
        """What to send now; only called while the log is settled."""
        if self.is_due():
            self._look_again_ms = None
            self._left_out.clear()
            self.look_again()
        if self._plan is _Plan.STALE:
            self._make_plan()
        if not self._blobs.is_known:
            return self._blobs.next_question()
        if self._plan is _Plan.MADE:
            self._collect()
        carried = [*self._uploads.decide(), *self._downloads.decide()]
        return [*self._blobs.next_drop(), *carried]  # what is damaged here is dropped there

    def _make_plan(self) -> None:
        """Read again what is to be carried; what is under way goes on."""
        self._plan = _Plan.MADE
        to_send, to_fetch = self._store.to_send(), self._store.to_fetch()
        known = (*to_send, *to_fetch, *self._store.to_find())
        for item in known:
            self._blobs.ask_about(item.blob)
        self._items = {one.blob: one for one in known}
        now_ms = self._store.now_ms()
        for item in to_fetch:
            if item.not_before_ms > now_ms:
                self._wait_until(item.not_before_ms)
        self._uploads.plan(to_send)
        self._downloads.plan(one for one in to_fetch if one.not_before_ms <= now_ms)

    def _collect(self) -> None:
        """Drop what nothing names any more, in a moment in which nothing is under way."""
        if not self._uploads.is_under_way and not self._downloads.is_under_way:
            self._plan = _Plan.COLLECTED
            for blob in self._store.collect():
                self._blobs.drop(blob)

    # --- small steps ------------------------------------------------------------------------

    def _note(self, state: BlobState) -> TransferItem | None:
        """Note a blob's state; the content that is on the relay whole, news to us."""
        if self._blobs.note(state):
            self._fruitless.note_news()
        item = self._items.get(state.blob)
        if item is None:
            return None
        if state.held and state.size_bytes != item.size_bytes:
            # Somebody sent another size under this name: nothing that could be of use.
            self._blobs.note(nothing_of(state.blob))
            self._blobs.drop(state.blob)
            return None
        if not state.whole:
            self._downloads.stop(state.blob)
        self._uploads.acknowledge(state)
        return item if state.whole else None

    def _ask_all_again(self) -> None:
        if self._restarts_left == 0:
            raise RelayConductError("it changes its mind about files again and again")
        self._restarts_left -= 1
        self._blobs.forget()
        self._uploads.stop_all()
        self._downloads.stop_all()
        self.look_again()

    def _wait_until(self, then_ms: int) -> None:
        soonest = self._look_again_ms
        self._look_again_ms = then_ms if soonest is None else min(soonest, then_ms)
