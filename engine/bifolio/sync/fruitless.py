"""Whether an exchange gets anywhere: messages that bring nothing new are counted.

A relay that answers for ever without an end (pages that never come, heads that always moved, files
that come and go) is no error of any single message. What is new is the caller's to say; it must be
something that cannot be taken back and said again.
"""

from __future__ import annotations

from collections.abc import Callable

from bifolio import limits
from bifolio.errors import RelayConductError


class FruitlessCount:
    """The messages since the last one that brought something new; ``now_ms`` is a clock that
    nobody sets."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._count = 0
        self._news_ms: int | None = None
        self._counted_ms = 0

    def note_news(self) -> None:
        """Something new came, or something of ours arrived."""
        self._count = 0
        self._news_ms = self._now_ms()

    def count(self, *, is_settled: bool) -> None:
        """A message came that may bring nothing.

        While nothing is under way, others' doings are told, as many as there are: then a few each
        second are no sign of anything.

        Raises:
            RelayConductError: there were too many, or it has gone on for too long.
        """
        now_ms = self._now_ms()
        if self._news_ms is None:
            self._news_ms = self._counted_ms = now_ms
        if is_settled:
            seconds = max(now_ms - self._counted_ms, 0) // 1000
            if seconds:
                self._count = max(self._count - seconds * limits.FRUITLESS_PER_SECOND, 0)
                self._counted_ms = now_ms
            self._news_ms = now_ms
        else:
            self._counted_ms = now_ms
        self._count += 1
        waited_ms = now_ms - self._news_ms
        if self._count > limits.FRUITLESS_MESSAGES_MAX or (
            self._count > limits.FRUITLESS_LONG_MESSAGES
            and waited_ms > limits.FRUITLESS_LONG_S * 1000
        ):
            raise RelayConductError("it answers again and again, and nothing new comes of it")
