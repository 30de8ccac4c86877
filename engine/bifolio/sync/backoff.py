"""How long to wait before the next attempt: at a relay, a library's thread, a damaged file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bifolio import limits

#: Beyond so many doublings every bound is long past the longest wait.
_FAILURES_COUNTED_MAX = 64


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits whose bound grows with each failure, from ``first_s`` on, up to ``longest_s``."""

    first_s: float
    factor: float
    longest_s: float

    def bound_s(self, failures: int) -> float:
        """The longest wait after so many failures, counted from 0."""
        grown = self.first_s * self.factor ** min(failures, _FAILURES_COUNTED_MAX)
        return min(grown, self.longest_s)

    def waits(self, random_fraction: Callable[[], float]) -> Iterator[float]:
        """Seconds to wait before each attempt: drawn between zero and the bound, so that two
        thousand clients of a relay that restarts do not come back together."""
        return (self.bound_s(failures) * random_fraction() for failures in itertools.count())


#: A relay that cannot be reached.
RECONNECT = Backoff(limits.RECONNECT_FIRST_S, limits.RECONNECT_FACTOR, limits.RECONNECT_MAX_S)

#: A library that cannot be opened or synced, for the background process.
LIBRARY = Backoff(limits.AUTOSYNC_RETRY_FIRST_S, 2.0, limits.AUTOSYNC_RETRY_MAX_S)

#: A file that arrived damaged: it is asked for by the clock, by one computer alone.
DAMAGED_FILE = Backoff(limits.DAMAGED_RETRY_FIRST_S, 2.0, limits.DAMAGED_RETRY_MAX_S)
