"""The simulation in a library that makes snapshots all the time and lets go of its log."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation.relay import SimulatedRelay, sync
from tests.simulation.simulator import Simulator

from bifolio import limits

SEEDS = range(1, 4)
HEAVY_SEEDS = range(4, 60)

#: Between two acts of growing: longer than anybody waits with a statement or a snapshot.
LATER_S = 2 * 3600.0
MUCH_LATER_S = 31 * 24 * 3600.0


class GrowingSimulator(Simulator):
    """Time passes in large steps too, so that snapshots are made, verified and loaded, and what is
    below them goes, while all the rest may happen in between."""

    def step(self) -> None:
        """One thing happens, or time passes and somebody syncs."""
        if self.choose.random() < 0.85:
            super().step()
            return
        seconds = MUCH_LATER_S if self.choose.random() < 0.1 else LATER_S
        self.relay.now_ms += int(seconds * 1000)
        for computer in self.computers:
            computer.clock.advance(seconds)
        # Nobody stays connected to a relay that says nothing for hours.
        for connection in list(self.relay.connections):
            self._end(connection)
        computer = self.choose.choice(self.computers)
        self._say(f"{seconds:.0f} seconds pass")
        sync(self.relay, computer)

    def _check_relay(self, relay: SimulatedRelay) -> None:
        """The log begins anywhere; the store compares each envelope with its chain's end."""
        end = relay.end()
        assert end is not None
        assert end.members_head == self.computers[0].member_head()


@pytest.fixture
def growing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_LOG_BYTES_MIN", 0)
    monkeypatch.setattr(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000)


@pytest.mark.usefixtures("growing")
@pytest.mark.parametrize(
    "growing_seed",
    [*SEEDS, *(pytest.param(one, marks=pytest.mark.heavy) for one in HEAVY_SEEDS)],
)
def test_all_heal_where_the_log_goes_under_snapshots(tmp_path: Path, growing_seed: int) -> None:
    simulator = GrowingSimulator(tmp_path, growing_seed)
    try:
        simulator.run(60)
    finally:
        print("\n".join(simulator.log))
        simulator.close()
