"""How many devices came with one ticket lately: who holds one cannot fill the list of members.

In memory, for one process: a bound against haste, not a count that must be exact.
"""

from __future__ import annotations

from collections import OrderedDict

from bifolio import limits

_WINDOW_MS = 60_000


class JoinRates:
    """Joins in the minute under way, by library and invite."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[tuple[bytes, bytes], tuple[int, int]] = OrderedDict()

    def count(self, library: bytes, invite: bytes, now_ms: int) -> int:
        """How many joined with the invite within this minute."""
        minute, joins = self._minutes.get((library, invite), (0, 0))
        return joins if minute == now_ms // _WINDOW_MS else 0

    def note(self, library: bytes, invite: bytes, now_ms: int) -> None:
        """One more joined."""
        joins = self.count(library, invite, now_ms) + 1
        self._minutes[library, invite] = (now_ms // _WINDOW_MS, joins)
        self._minutes.move_to_end((library, invite))
        if len(self._minutes) > limits.RELAY_JOIN_RATES_KEPT:
            self._minutes.popitem(last=False)
