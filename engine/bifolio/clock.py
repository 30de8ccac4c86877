"""Hybrid logical time: stamps that order concurrent edits and never refuse one.

A stamp is 18 hex digits: 12 of milliseconds since 1970, 6 of a counter; stamps compare as
strings. Stamps of this clock begin at one millisecond: zero belongs to imports (DESIGN §4).
The time comes in as an argument. May import only ``limits``.
"""

from __future__ import annotations

from msgspec import Struct

from bifolio import limits

COUNTER_MAX = 0xFFFFFF
MILLISECONDS_MAX = 0xFFFFFFFFFFFF


def make_stamp(*, milliseconds: int, counter: int) -> str:
    """The stamp of a time and a counter."""
    return f"{milliseconds:012x}{counter:06x}"


def stamp_milliseconds(stamp: str) -> int:
    """The milliseconds since 1970 in a stamp."""
    return int(stamp[:12], 16)


def stamp_counter(stamp: str) -> int:
    """The counter in a stamp."""
    return int(stamp[12:18], 16)


def is_stamp(value: object) -> bool:
    """Whether this is a well-formed stamp."""
    return isinstance(value, str) and len(value) == 18 and not value.strip("0123456789abcdef")


def import_stamp(number: int) -> str:
    """The stamp of a record's number-th imported source, counted from 1."""
    return make_stamp(milliseconds=0, counter=number)


class HybridClock(Struct):
    """One replica's clock. ``last`` is the greatest stamp given out or followed."""

    last: str = "0" * 18

    def start(self, now_ms: int) -> None:
        """Begin an incarnation: a stored stamp too far ahead of the computer's time is left."""
        if stamp_milliseconds(self.last) > now_ms + limits.CLOCK_AHEAD_MS_MAX:
            self.last = make_stamp(milliseconds=max(now_ms, 1), counter=0)

    def next(self, now_ms: int) -> str:
        """A stamp greater than every one before, at or after the computer's time."""
        milliseconds, counter = stamp_milliseconds(self.last), stamp_counter(self.last)
        now_ms = min(max(now_ms, 1), MILLISECONDS_MAX)
        if now_ms > milliseconds:
            milliseconds, counter = now_ms, 0
        elif counter < COUNTER_MAX:
            counter += 1
        else:
            milliseconds, counter = milliseconds + 1, 0
        self.last = make_stamp(milliseconds=milliseconds, counter=counter)
        return self.last

    def follow(self, remote: str, now_ms: int) -> bool:
        """Learn a remote stamp. False when it is too far ahead to be followed."""
        if stamp_milliseconds(remote) > now_ms + limits.CLOCK_AHEAD_MS_MAX:
            return False
        self.last = max(self.last, remote)
        return True
