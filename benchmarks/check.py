"""Runs the benchmarks that have a budget and names what costs more than it may.

``make bench-check``, or ``python benchmarks/check.py offline_merge local_edit`` for some of them.
Ends with 1 where a ratio is over its budget, or where a budget names a ratio that there is not.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.report import progress
from benchmarks.support.runs import run_benchmark

BUDGETS = Path(__file__).with_name("budgets.toml")

Budgets = Mapping[str, Mapping[str, float]]


def read_budgets(path: Path = BUDGETS) -> Budgets:
    """By benchmark: the most that each ratio may be, by its name or a pattern of it."""
    with path.open("rb") as file:
        return tomllib.load(file)


def find_faults(budgets: Mapping[str, float], ratios: Mapping[str, float]) -> Iterator[str]:
    """What is over its budget, a line for each."""
    for pattern, most in budgets.items():
        found = {name: value for name, value in ratios.items() if fnmatchcase(name, pattern)}
        if not found:
            yield f"{pattern}: the benchmark has no such ratio"
        for name, value in found.items():
            if value > most:
                yield f"{name}: {value:.4g}, and may be {most:g} at most"


def main() -> int:
    """The command; its exit code."""
    budgets = read_budgets()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some only")
    faults = 0
    for name in parser.parse_args().names or budgets:
        progress(f"{name} ...")
        ratios = run_benchmark(name, full=True)["ratios"]
        for fault in find_faults(budgets[name], ratios):
            faults += 1
            print(f"{name}: {fault}", flush=True)
    print("All ratios are within their budgets." if not faults else f"{faults} over budget.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
