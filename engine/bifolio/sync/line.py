"""How much to send at once over a line: little at first, more while it is good, less after a cut.

What a connection carried from cut to cut is remembered by the next one, and so is the rate. A
message that is a small part of both costs little when the line is cut in the middle of it, and
somebody else finds a turn after a few seconds on the slowest line.
"""

from __future__ import annotations

from collections.abc import Callable

from bifolio import limits

#: What a rate is measured over, and a pause in which nothing was to be carried.
_MEASURED_S = 1.0
_PAUSE_S = 15.0


class Line:
    """One way to a relay, over all connections that are made on it; ``now_s`` is monotonic."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._carried = 0
        #: What a connection carries until it is cut, as far as known; None on a good line.
        self._between_cuts: int | None = None
        self._bytes_per_s: float | None = None
        self._measured_from_s: float | None = None
        self._measured_bytes = 0
        #: What is here, or there, for good, over all connections: by that a sync gets on.
        self.progress_bytes = 0
        self._seen_bytes = 0
        self._counted: set[bytes] = set()
        self._epoch: bytes | None = None

    @property
    def message_bytes(self) -> int:
        """The largest message that is good to send or to ask for now: a power of two."""
        if self._between_cuts is None:
            size = max(limits.FLOW_BYTES_FIRST, self._carried // limits.FLOW_PART_WHILE_GOOD)
        else:
            size = max(self._between_cuts, self._carried) // limits.FLOW_PART_AFTER_CUT
        if self._bytes_per_s is not None:
            size = min(size, int(self._bytes_per_s * limits.FLOW_MESSAGE_S))
        size = min(max(size, limits.FLOW_BYTES_MIN), limits.BATCH_BYTES_TARGET)
        return 1 << (size.bit_length() - 1)

    @property
    def window_bytes(self) -> int:
        """What may be on its way without an answer."""
        return self.message_bytes * limits.FLOW_MESSAGES_IN_FLIGHT

    @property
    def chunks_in_flight(self) -> int:
        """How many chunks of files may be on their way without an answer."""
        chunks = self.window_bytes // limits.SEALED_CHUNK_BYTES_MAX
        return max(1, min(chunks, limits.CHUNKS_IN_FLIGHT_MAX))

    def begin(self) -> None:
        """A connection was made."""
        self._carried = 0
        self._measured_from_s = None

    def note_cut(self) -> None:
        """The connection was cut while something was on its way."""
        before = self._between_cuts
        self._between_cuts = self._carried if before is None else (before + self._carried) // 2

    def follow(self, epoch: bytes) -> None:
        """The relay has the log of this epoch. A relay that has another one each time takes for
        ever what it was given: no progress is counted then."""
        if self._epoch is None:
            self._epoch = epoch
        elif self._epoch != epoch:
            self._epoch = b""

    def note_news(self, name: bytes, size_bytes: int) -> None:
        """Something is here, or there, for good, which is counted once by its name: what a relay
        took it can take again."""
        if self._epoch and name not in self._counted:
            self._counted.add(name)
            self.progress_bytes += size_bytes

    def note_partial(self, grown_bytes: int) -> None:
        """So much more is here of a message that is not finished; fewer than none where it is, or
        was given up."""
        self.progress_bytes += grown_bytes

    def gets_on(self) -> bool:
        """Whether so much more is here, or there, than when this was last so that another
        connection is worth it. What was given up, or was no news once it was whole, has to come
        again before anything counts: a relay that never finishes keeps nobody on the line."""
        if self.progress_bytes - self._seen_bytes < limits.PROGRESS_BYTES:
            return False
        self._seen_bytes = self.progress_bytes
        return True

    def note_arrived(self, size_bytes: int) -> None:
        """The relay has so much of what was on its way at the last cut."""
        if self._between_cuts is not None:
            self._between_cuts += size_bytes

    def note_moved(self, size_bytes: int) -> None:
        """So many bytes came, or were acknowledged."""
        self._carried += size_bytes
        lasted = self._between_cuts
        if lasted is not None and self._carried >= max(
            lasted * limits.FLOW_RECOVERED, limits.FLOW_BYTES_FIRST
        ):
            self._between_cuts = None
        self._measure(size_bytes)

    def _measure(self, size_bytes: int) -> None:
        """The rate, over a second or more in which something moved."""
        now_s = self._now_s()
        if self._measured_from_s is None or now_s - self._measured_from_s > _PAUSE_S:
            self._measured_from_s, self._measured_bytes = now_s, 0
            return
        self._measured_bytes += size_bytes
        elapsed_s = now_s - self._measured_from_s
        if elapsed_s < _MEASURED_S:
            return
        rate = self._measured_bytes / elapsed_s
        before = self._bytes_per_s
        self._bytes_per_s = rate if before is None else (before + rate) / 2
        self._measured_from_s, self._measured_bytes = now_s, 0
