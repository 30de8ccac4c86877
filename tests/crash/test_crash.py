"""A few cycles of kills; `make crash` takes a thousand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.crash.cycles import Figures, run, said_of
from tests.crash.world import Lost, World

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="commands are forked here")


def test_a_few_kills_lose_nothing() -> None:
    figures = Figures()
    for _ in run(7, 2, figures):
        pass
    assert not figures.violations, figures.violations[0]
    assert figures.cycles == 2


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_many_kills_lose_nothing() -> None:
    figures = Figures()
    for _ in run(1_000, 120, figures):
        pass
    assert not figures.violations, figures.violations[0]
    print(said_of(figures, 0.0))
    assert sum(figures.killed.values()) > 30


def test_what_is_lost_is_noticed(tmp_path: Path) -> None:
    """A change of a desk that is taken away again behind its back."""
    world = World(tmp_path, 1)
    try:
        desk = world.desks[0]
        desk.check_facts()
        desk.facts.tags["work1"].add("never written")
        with pytest.raises(Lost, match="never written"):
            desk.check()
    finally:
        world.close()
