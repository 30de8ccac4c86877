"""``kill -9`` again and again: ``python -m tests.crash [--cycles N] [--seed S]``; ``make crash``.

Ends with 1 where anything that was acknowledged is missing, the self-check finds damage, or the
replicas do not end equal. What is drawn comes from the seed; the moments of the kills do not, as
they are those of real processes: a failure prints what was done, and ``--keep`` keeps its folder.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.crash.cycles import Figures, run, said_of

PROGRESS_CYCLES = 50


def main(arguments: list[str]) -> int:
    """Take the cycles; 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="make crash ARGUMENTS=...", description=__doc__)
    parser.add_argument("--cycles", type=int, default=1_000, help="in all (1,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first 40 cycles (1)")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a failure")
    options = parser.parse_args(arguments)
    figures, begun = Figures(), time.monotonic()
    for _ in run(options.seed, options.cycles, figures, keep=options.keep):
        if figures.cycles % PROGRESS_CYCLES == 0:
            print(f"{figures.cycles:,} cycles, nothing lost so far", flush=True)
    print(said_of(figures, time.monotonic() - begun))
    print("\n".join(figures.violations) if figures.violations else "lost: 0")
    return 1 if figures.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
