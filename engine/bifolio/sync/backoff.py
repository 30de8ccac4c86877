"""How long to wait before the next attempt to reach a relay."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bifolio import limits


def waits(random_fraction: Callable[[], float]) -> Iterator[float]:
    """Seconds to wait before each attempt: drawn between zero and a growing bound, so that two
    thousand clients of a relay that restarts do not come back together."""
    bound = limits.RECONNECT_FIRST_S
    while True:
        yield bound * random_fraction()
        bound = min(bound * limits.RECONNECT_FACTOR, limits.RECONNECT_MAX_S)
