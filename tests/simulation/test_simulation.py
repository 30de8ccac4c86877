"""Seeded runs of the whole: a failing one prints how it is replayed and what happened in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation.runs import run_seed
from tests.simulation.simulator import Simulator
from tests.support.examples import IS_FULL


def test_all_heal_and_nothing_typed_is_lost(tmp_path: Path, seed: int, steps: int | None) -> None:
    run(tmp_path, seed, steps or (120 if IS_FULL else 70))


@pytest.mark.heavy
def test_all_heal_and_nothing_typed_is_lost_in_long_runs(
    tmp_path: Path, heavy_seed: int, steps: int | None
) -> None:
    run(tmp_path, heavy_seed, steps or 400, computers=2 + heavy_seed % 3)


@pytest.mark.heavy
@pytest.mark.parametrize("rights_seed", [2, 14, 18, 22, 30, 13, 29, 45])
def test_who_keeps_the_right_to_write_loses_nothing_and_who_lost_it_keeps_a_draft(
    rights_seed: int,
) -> None:
    assert run_seed(rights_seed, 200, "").failure == ""


def test_who_keeps_the_right_to_write_loses_nothing() -> None:
    """The small sister: one run, in which two are removed and a ticket is closed."""
    assert run_seed(2, 50, "").failure == ""


def run(folder: Path, seed: int, steps: int, *, computers: int = 3) -> None:
    """One run; pytest shows what is printed only where it fails."""
    print(f"seed {seed}: replay with  pytest tests/simulation --seed {seed} --steps {steps}")
    simulator = Simulator(folder, seed, computers=computers)
    try:
        simulator.run(steps)
    finally:
        print("\n".join(simulator.log))
        simulator.close()


@pytest.mark.heavy
def test_a_list_that_only_has_to_be_longer_carries_records_whose_places_are_known() -> None:
    """Two lists of members with the same content, of which the one that goes on was shorter."""
    assert run_seed(3004, 400, "").failure == ""
