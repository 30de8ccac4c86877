"""The simulation in a library that makes snapshots all the time and lets go of its log."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation.simulator import Simulator

SEEDS = range(1, 2)
HEAVY_SEEDS = range(2, 60)


@pytest.mark.parametrize(
    "growing_seed",
    [*SEEDS, *(pytest.param(one, marks=pytest.mark.heavy) for one in HEAVY_SEEDS)],
)
def test_all_heal_where_the_log_goes_under_snapshots(tmp_path: Path, growing_seed: int) -> None:
    simulator = Simulator(tmp_path, growing_seed, snapshots=True)
    try:
        simulator.run(60)
    finally:
        print("\n".join(simulator.log))
        simulator.close()
