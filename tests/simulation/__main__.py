"""Long runs of the simulation: ``python -m tests.simulation [--steps N] [--seed S] ...``.

``make simulate`` calls this. Prints how many steps were taken, how fast, and what happened in them;
at a violation it says which seed it was and how it is replayed, and ends with 1.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter

from tests.simulation import mutations
from tests.simulation.runs import Outcome, has_moves, has_rights, run_seeds

#: A run is healed and checked at its end, so that many short ones find more than a long one.
STEPS_OF_ONE = 400
FIRST_SEED = 10_000
PROGRESS_STEPS = 5_000
#: Said of what was done, where it is a fault or a change of who is there and where.
QUIET = ("type", "attach", "carry", "commit", "connect", "sync")


def main(arguments: list[str]) -> int:
    """Take the steps; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="make simulate ARGUMENTS=...", description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000, help="in all (20,000)")
    parser.add_argument("--each", type=int, default=STEPS_OF_ONE, help="in one run (400)")
    parser.add_argument("--seed", type=int, help="of the only run: replay it")
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="seed of the first run")
    parser.add_argument("--processes", type=int, default=2, help="at once (2)")
    parser.add_argument("--mutation", default="", choices=("", *mutations.NAMES), help="break it")
    parser.add_argument("--rights", action="store_true", help="of the seeds those with rights")
    parser.add_argument("--moves", action="store_true", help="of these those with new keys")
    options = parser.parse_args(arguments)
    count = 1 if options.seed is not None else -(-options.steps // options.each)
    first = options.first if options.seed is None else options.seed
    wanted = has_moves if options.moves else has_rights if options.rights else _any
    if options.seed is not None:
        wanted = _any
    begun, steps, counts, failed = time.monotonic(), 0, Counter[str](), list[Outcome]()
    outcomes = run_seeds(
        itertools.islice(filter(wanted, itertools.count(first)), count),
        options.each,
        processes=min(options.processes, count),
        mutation=options.mutation,
    )
    for outcome in outcomes:
        steps, before = steps + outcome.steps, steps
        if before // PROGRESS_STEPS < steps // PROGRESS_STEPS:
            print(f"{steps:,} steps, {len(failed)} runs broke a promise so far", flush=True)
        counts += outcome.counts
        if outcome.failure:
            failed.append(outcome)
            replay = f"--seed {outcome.seed} --each {options.each}"
            print(f"seed {outcome.seed} broke a promise after {outcome.steps} steps:")
            print(f"{outcome.failure}\nreplay: make simulate ARGUMENTS='{replay}'", flush=True)
    seconds = time.monotonic() - begun
    print(f"{steps:,} steps in {count:,} runs: {steps / seconds:,.0f} steps/s, {seconds:,.0f} s")
    for name, times in sorted(counts.items(), key=lambda one: (one[0] in QUIET, -one[1])):
        print(f"  {times:9,}  {name}")
    print(f"{len(failed)} runs broke a promise" if failed else "every promise was kept")
    return 1 if failed else 0


def _any(seed: int) -> bool:  # noqa: ARG001
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
