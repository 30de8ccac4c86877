"""What the relay holds of files: asked before anything is carried, and dropped when unneeded."""

from __future__ import annotations

from collections import deque

from bifolio import limits
from bifolio.wire.messages import AskBlobs, BlobState, DropBlobs, Message, nothing_of


class RelayBlobs:
    """The states of blobs on the relay as this connection knows them, a batch at a time."""

    def __init__(self) -> None:
        self._states: dict[bytes, BlobState] = {}
        #: The most that was ever held of each on this connection: what comes and goes is no news.
        self._most_held: dict[bytes, int] = {}
        self._to_ask: deque[bytes] = deque()
        self._asked: tuple[bytes, ...] = ()
        self._to_drop: dict[bytes, None] = {}
        self._dropping: tuple[bytes, ...] = ()
        self._dropped_once: set[bytes] = set()

    @property
    def is_known(self) -> bool:
        """Whether everything that was to be asked is answered."""
        return not self._to_ask and not self._asked

    @property
    def awaits_answer(self) -> bool:
        """Whether a question or a drop is to be answered."""
        return bool(self._asked or self._dropping)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is to be asked or dropped any more."""
        return self.is_known and not self._to_drop and not self._dropping

    def state(self, blob: bytes) -> BlobState:
        """How much the relay holds of a blob."""
        return self._states.get(blob, nothing_of(blob))

    def note(self, state: BlobState) -> bool:
        """The relay said how much it holds of a blob; True if it never held so much before.

        Of one that is of no interest nothing is kept: the relay may tell of any number.
        """
        if state.blob not in self._states:
            return False
        self._states[state.blob] = state
        held = state.held + state.whole
        if held <= self._most_held.get(state.blob, -1):
            return False
        self._most_held[state.blob] = held
        return True

    def ask_about(self, blob: bytes) -> None:
        """A blob is of interest; it is asked for once."""
        if blob not in self._states:
            self._states[blob] = nothing_of(blob)
            self._to_ask.append(blob)

    def drop(self, blob: bytes) -> None:
        """Have the relay hold a blob no longer; once in a connection, so it cannot go on."""
        if blob not in self._dropped_once:
            self._dropped_once.add(blob)
            self._to_drop[blob] = None

    def take_answer(self, blobs: tuple[bytes, ...]) -> None:
        """The relay told of these; perhaps they are what was asked."""
        if blobs == self._asked:
            self._asked = ()

    def take_drop_answer(self, blobs: tuple[bytes, ...]) -> bool:
        """Whether the relay told of these because it dropped them for us."""
        if not self._dropping or blobs != self._dropping:
            return False
        self._dropping = ()
        return True

    def refuse_drop(self, subject: bytes) -> bool:
        """Something was refused; True if it was a drop, which is then given up."""
        if subject not in self._dropping:
            return False
        self._dropping = ()
        return True

    def forget(self) -> None:
        """Nothing is known to be there any more: all is asked again."""
        self._states.clear()
        self._to_ask.clear()
        self._asked = ()

    def next_question(self) -> list[Message]:
        """Ask about the next batch; nothing while one is unanswered."""
        if self._asked or not self._to_ask:
            return []
        count = min(len(self._to_ask), limits.BLOBS_BATCH_MAX)
        self._asked = tuple(self._to_ask.popleft() for _ in range(count))
        return [AskBlobs(self._asked)]

    def next_drop(self) -> list[Message]:
        """Drop the next batch; nothing while one is unanswered."""
        if self._dropping or not self._to_drop:
            return []
        self._dropping = tuple(self._to_drop)[: limits.BLOBS_BATCH_MAX]
        for blob in self._dropping:
            del self._to_drop[blob]
        return [DropBlobs(self._dropping)]
