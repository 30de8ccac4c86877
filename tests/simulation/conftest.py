"""The options of the simulation: ``--seed N`` replays one run."""

from __future__ import annotations

import pytest
from tests.support.examples import IS_FULL

#: `make test-all` runs twelve times as many.
SEEDS = range(1, 25 if IS_FULL else 3)
HEAVY_SEEDS = range(1000, 1300)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="replay one run of the simulation")
    parser.addoption("--steps", type=int, default=None, help="how many steps that run takes")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    given = metafunc.config.getoption("--seed", None)
    chosen = {
        "seed": SEEDS if given is None else [given],
        "heavy_seed": HEAVY_SEEDS if given is None else [given],
    }
    for name, seeds in chosen.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, seeds)


@pytest.fixture
def steps(request: pytest.FixtureRequest) -> int | None:
    """The number of steps asked for, if any was."""
    asked = request.config.getoption("--steps", None)
    return asked if isinstance(asked, int) else None
