"""A relay that lies: whatever it says, nothing is lost, nothing is believed, and it ends.

``ATTACKS`` are the lies. Of each: a sync ends within so many messages and seconds; what the user is
to know is said; and on the next honest relay everything is as if there had been no lie.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.simulation.hostile_attacks import ATTACKS
from tests.simulation.hostile_world import GOOD, World
from tests.support.hostile_relay import Network

from bifolio import limits


def _named(*, heavy_everywhere: bool = False) -> list[object]:
    return [
        pytest.param(
            name, id=name, marks=[pytest.mark.heavy] if case.heavy or heavy_everywhere else []
        )
        for name, case in ATTACKS.items()
    ]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(limits, "ANSWER_TIMEOUT_S", 0.3)
    return World(tmp_path, Network.of(monkeypatch))


@pytest.mark.parametrize("name", _named())
def test_a_lie_is_seen_or_does_no_harm(world: World, name: str) -> None:
    case = ATTACKS[name]
    world.suffer(case.make(world))
    read = world.sentences()
    print(f"{name} | {read}")
    if case.reads:
        assert re.search(case.reads, read), read
    world.recover(on=GOOD)
    world.check()
    world.close()
