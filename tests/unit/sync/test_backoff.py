"""How long to wait before the next attempt."""

from __future__ import annotations

import itertools
import random

import pytest

from bifolio.sync.backoff import DAMAGED_FILE, LIBRARY, RECONNECT, Backoff


@pytest.mark.parametrize("backoff", [RECONNECT, LIBRARY, DAMAGED_FILE])
def test_the_bound_grows_to_its_end_and_stays(backoff: Backoff) -> None:
    bounds = list(itertools.islice(backoff.waits(lambda: 1.0), 40))
    assert bounds[0] == backoff.first_s
    assert bounds == sorted(bounds)
    assert bounds[-1] == backoff.longest_s == backoff.bound_s(10**9)


def test_two_thousand_clients_do_not_come_back_together() -> None:
    generator = random.Random(1)
    third = [list(itertools.islice(RECONNECT.waits(generator.random), 8))[-1] for _ in range(2000)]
    bound = max(third)
    early = sum(wait < bound / 10 for wait in third)
    assert 100 < early < 300
    assert min(third) >= 0
