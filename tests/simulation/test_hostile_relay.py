from __future__ import annotations
from pathlib import Path
import pytest
from tests.simulation.hostile_world import World
from tests.support.hostile_relay import Attack, Network

def test_smoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, Network.of(monkeypatch))
    world.suffer(Attack())
    world.recover()
    world.check()
    print(world.sentences(), world.network.told)
    world.close()
