"""How long does a command take to start?

Whole processes on a library of a few references, in turns with two baselines of the same run:
``python -c pass``, and ``python -c "import pycrdt, sqlite3"``, which an edit cannot do without.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import Computer, Ended, run_process
from benchmarks.support.report import Benchmark, Computed, Measured, progress

#: A reference near the file's beginning, so that every size has it.
_KEY = "Swanson:TB1-1-7"

_READING = {
    "status": ("status",),
    "show": ("show", _KEY),
    "search": ("search", "printing", "--limit", "5"),
    "list": ("list", "--limit", "5"),
}
_BASELINES = {"pass": "pass", "pycrdt": "import pycrdt, sqlite3"}


@dataclass(frozen=True, slots=True)
class Size:
    """How many references the library has, and how often each command runs."""

    references: int
    rounds: int


def measure(size: Size, folder: Path) -> Measured:
    """Run everything in turns, because other programs share the machine."""
    computer = Computer(folder / "computer")
    file = folder / "library.bib"
    write_bibliography(file, size.references)
    computer.new_library(file)
    computer.run("edit", _KEY, "volume=0")  # the first edit also introduces the device
    progress("starting commands")
    ended: dict[str, list[Ended]] = {}
    for number in range(size.rounds):
        for name, code in _BASELINES.items():
            ended.setdefault(name, []).append(run_process([sys.executable, "-c", code]))
        for name, arguments in _READING.items():
            ended.setdefault(name, []).append(computer.run(*arguments))
        ended.setdefault("edit", []).append(computer.run("edit", _KEY, f"volume={number}"))
    figures: dict[str, float | int] = {}
    for name, runs in ended.items():
        figures[f"{name}_s"] = median(one.seconds for one in runs)
        figures[f"{name}_cpu_s"] = median(one.cpu_s for one in runs)
    ratios = {f"{name}_cpu_to_pass": _ratio(figures, name, "pass") for name in _READING}
    ratios["edit_cpu_to_pycrdt"] = _ratio(figures, "edit", "pycrdt")
    return Measured(figures, ratios, Computed.of_json([computer.run("show", _KEY).document()]))


def _ratio(figures: dict[str, float | int], name: str, baseline: str) -> float:
    return figures[f"{name}_cpu_s"] / figures[f"{baseline}_cpu_s"]


BENCHMARK = Benchmark(
    name="start",
    question="How long does a command take to start?",
    baseline="`python -c pass` for what reads, `python -c 'import pycrdt, sqlite3'` for an edit",
    result="the edited reference as `bifolio show --json` shows it",
    smoke=Size(references=20, rounds=1),
    full=Size(references=1_000, rounds=25),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
