"""The simulation where every record is stored as one that was edited for years: a core, and what
came since its base."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.simulator import Simulator
from tests.support.hot_limits import every_record_is_hot

from bifolio.document.record import RecordDocument
from bifolio.replica.replica import Replica

SEEDS = range(1, 3)
HEAVY_SEEDS = range(3, 120)


@pytest.fixture(autouse=True)
def all_are_hot() -> Iterator[None]:
    with every_record_is_hot():
        yield


def _runs() -> list[object]:
    """Each seed with snapshots and without; in the default run the first ones take turns."""
    return [
        pytest.param(
            seed,
            snapshots,
            marks=[] if seed in SEEDS and snapshots == (seed % 2 == 0) else [pytest.mark.heavy],
        )
        for snapshots in (False, True)
        for seed in (*SEEDS, *HEAVY_SEEDS)
    ]


@pytest.mark.parametrize(("hot_seed", "snapshots"), _runs())
def test_all_converge_where_every_record_has_a_core(
    tmp_path: Path, hot_seed: int, *, snapshots: bool
) -> None:
    simulator = Simulator(tmp_path, hot_seed, snapshots=snapshots)
    try:
        simulator.run(60)
        assert sum([count_cores(one.replica) for one in simulator.computers]) > 0
    finally:
        print("\n".join(simulator.log))
        simulator.close()


def count_cores(replica: Replica) -> int:
    """How many records have a core, each of which shows what the whole record shows."""
    count = 0
    for record_id in replica.records.all_ids():
        document = replica.document(record_id)
        count += document.is_core
        whole = RecordDocument(replica.records.state(record_id))
        assert document.entries() == whole.entries()
    return count
