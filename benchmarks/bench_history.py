"""Does the past of one reference cost the same in a library of any size?

History, log, revert and undo of one reference in libraries of growing size, inside one process.
The baseline of each ratio is the smallest library of the same run: cost that follows what
happened to the reference, and not the library, gives ratios near 1. The changes are sealed, as
they are after a sync: what a step of the past costs most is the opening of its envelope.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio import Library
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.replica.membership import LibraryMembership
from bifolio.replication.outbox import Outbox

#: A reference near the file's beginning, so that every size has it.
_KEY = "Swanson:TB1-1-7"

_EDITS = 5


@dataclass(frozen=True, slots=True)
class Size:
    """How large the libraries are, smallest first, and how often each act runs."""

    references: tuple[int, ...]
    rounds: int


@dataclass(slots=True)
class _Cost:
    """What the past costs in one library."""

    library: Library
    references: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    told: list[object] = field(default_factory=list)


def measure(size: Size, folder: Path) -> Measured:
    """Measure each library in turns, and compare the larger ones with the smallest."""
    costs = [_built(folder, count) for count in size.references]
    progress("history, log, revert, undo")
    for _ in range(size.rounds):
        for cost in costs:
            _run(cost)
    for cost in costs:
        events = cost.library.history.of(_KEY)
        cost.told = [[one.what, one.field, one.before, one.after] for one in events[-1:]]
        cost.library.close()
    figures: dict[str, float | int] = {}
    for cost in costs:
        for act, seconds in cost.seconds.items():
            figures[f"{act}_{cost.references}_s"] = median(seconds)
    return Measured(figures, _ratios(costs), Computed.of_json(cost.told for cost in costs))


def _built(folder: Path, count: int) -> _Cost:
    file = folder / f"library-{count}.bib"
    write_bibliography(file, count)
    home = folder / f"home-{count}"
    home.mkdir()
    library = Library.create(
        folder / f"{count}.bifolio", home=Home(home, device_name="desk"), name="Measured"
    )
    progress(f"importing {count:,} references")
    library.import_files([file])
    for number in range(_EDITS):
        library.edit(_KEY, [Edit("volume", Act.SET, (str(number),))])
    replica = library._replica
    Outbox(replica, LibraryMembership(replica)).seal()
    return _Cost(library, count)


def _run(cost: _Cost) -> None:
    history = cost.library.history
    change = history.of(_KEY)[-1].change
    acts: dict[str, Callable[[], object]] = {
        "history": lambda: history.of(_KEY),
        "log": lambda: history.log(limit=5),
        "revert": lambda: history.revert(_KEY, to=change),
        "edit": lambda: cost.library.edit(_KEY, [Edit("issue", Act.SET, ("7",))]),
        "undo": history.undo,
    }
    for name, act in acts.items():
        began = time.perf_counter()
        act()
        cost.seconds.setdefault(name, []).append(time.perf_counter() - began)


def _ratios(costs: Sequence[_Cost]) -> dict[str, float]:
    smallest = costs[0]
    return {
        f"{act}_{cost.references}_over_{smallest.references}": median(seconds)
        / median(smallest.seconds[act])
        for cost in costs[1:]
        for act, seconds in cost.seconds.items()
    }


BENCHMARK = Benchmark(
    name="history",
    question="Does the past of one reference cost the same in a library of any size?",
    baseline="the smallest library of the same run",
    result="the last event of the reference in each library",
    smoke=Size(references=(30, 120), rounds=1),
    full=Size(references=(1_000, 100_000), rounds=15),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
