"""Seeded runs of the simulation, one after the other in several processes."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulation import mutations
from tests.simulation.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one seed did; ``failure`` is empty where all promises held."""

    seed: int
    steps: int
    counts: Counter[str]
    failure: str = ""


def has_moves(seed: int) -> bool:
    """Whether keys and relays change in a seed's run; every one of these takes rights too."""
    return seed % 16 in (7, 8)


def has_rights(seed: int) -> bool:
    """Whether rights are taken and given in a seed's run."""
    return seed % 4 == 2 or seed % 16 == 13 or has_moves(seed)


def run_seed(seed: int, steps: int, mutation: str) -> Outcome:
    """One seeded run, in a folder in memory where there is one; odd seeds make snapshots, and every
    second one of the others takes rights and gives them, as every eighth odd one does. Every eighth
    seed takes rights, and new keys, and goes from relay to relay."""
    memory = Path("/dev/shm")
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        mutations.applied(mutation),
    ):
        simulator = Simulator(
            Path(folder),
            seed,
            computers=2 + seed % 3,
            snapshots=seed % 2 == 1,
            rights=has_rights(seed),
            moves=has_moves(seed),
        )
        try:
            simulator.run(steps)
        except Exception:  # noqa: BLE001  whatever ends a run is what was looked for
            said = "\n".join(simulator.log[-40:])
            failure = f"{traceback.format_exc()}\n{said}"
            return Outcome(seed, sum(simulator.counts.values()), simulator.counts, failure)
        finally:
            simulator.close()
        return Outcome(seed, steps, simulator.counts)


def run_seeds(
    seeds: Iterator[int], steps: int, *, processes: int, mutation: str
) -> Iterator[Outcome]:
    """The outcomes of as many seeds as there are, in whichever order they end."""
    with ProcessPoolExecutor(processes, max_tasks_per_child=50) as pool:
        running: set[Future[Outcome]] = set()
        for seed in seeds:
            running.add(pool.submit(run_seed, seed, steps, mutation))
            if len(running) >= 2 * processes:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        yield from (one.result() for one in running)
