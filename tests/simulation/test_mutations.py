"""Each promise that is broken on purpose is noticed within a bounded number of steps."""

from __future__ import annotations

import pytest
from tests.simulation import mutations
from tests.simulation.runs import run_seed

#: Runs of 150 steps: so many at most until a broken promise is seen.
RUNS_MAX = 40
STEPS = 150


@pytest.mark.heavy
@pytest.mark.parametrize("name", mutations.NAMES)
def test_a_broken_promise_is_noticed(name: str) -> None:
    for seed in range(1, RUNS_MAX + 1):
        if run_seed(seed, STEPS, name).failure:
            return
    raise AssertionError(f"{RUNS_MAX * STEPS:,} steps and nobody noticed")


def test_a_cursor_that_moves_without_what_it_passes_is_noticed() -> None:
    """The small sister: one of them, in a few steps."""
    assert any(run_seed(seed, 120, "move-the-cursor-alone").failure for seed in range(1, 4))
