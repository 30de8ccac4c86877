"""How long to wait before the next attempt."""

from __future__ import annotations

import itertools
import random

from bifolio import limits
from bifolio.sync.backoff import waits


def test_the_bound_grows_to_its_end_and_stays() -> None:
    bounds = list(itertools.islice(waits(lambda: 1.0), 40))
    assert bounds[0] == limits.RECONNECT_FIRST_S
    assert bounds == sorted(bounds)
    assert bounds[-1] == limits.RECONNECT_MAX_S


def test_two_thousand_clients_do_not_come_back_together() -> None:
    generator = random.Random(1)
    third = [list(itertools.islice(waits(generator.random), 8))[-1] for _ in range(2000)]
    bound = max(third)
    early = sum(wait < bound / 10 for wait in third)
    assert 100 < early < 300
    assert min(third) >= 0
