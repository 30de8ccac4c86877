"""Does an edit cost the same in a record that was edited for years as in a fresh one?

One note is edited in thousands of sessions of one edit each, as somebody does who writes a few
lines a day. Then one more edit through the library, as a whole process, and one that comes from
another computer: the processor's time, and the bytes that are written to the library's file. The
baseline of each ratio is the library of the same run whose note has the fewest sessions behind it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.hot_record import age
from benchmarks.support.processes import Computer, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio import Library
from bifolio.home import Home
from bifolio.records.edits import Act, Edit

_KEY = "hot"

#: Edits after which a record of any age is stored as it is from then on.
_SETTLED = 8


@dataclass(frozen=True, slots=True)
class Size:
    """How many sessions the notes have behind them, fewest first, and how often each edit is."""

    sessions: tuple[int, ...]
    rounds: int


@dataclass(slots=True)
class _Cost:
    """What edits cost in one library."""

    sessions: int
    computer: Computer
    stored_bytes: int = 0
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.figures.setdefault(name, []).append(value)


def measure(size: Size, folder: Path) -> Measured:
    """Measure each library, and compare the older records with the youngest."""
    costs = [_built(folder, sessions) for sessions in size.sessions]
    progress("edits through the library, and as whole processes")
    for number in range(size.rounds):
        for cost in costs:  # in turns, because other programs share the machine
            _edit_here(cost, number)
    for cost in costs:
        progress(f"edits of another computer, {cost.sessions:,} sessions")
        _edit_elsewhere(cost, folder, size.rounds)
    shown = [cost.computer.run("show", _KEY).document()["fields"]["note"] for cost in costs]
    figures: dict[str, float | int] = {}
    for cost in costs:
        figures[f"stored_{cost.sessions}_bytes"] = cost.stored_bytes
        for name, values in cost.figures.items():
            figures[f"{name.replace('_', f'_{cost.sessions}_', 1)}"] = median(values)
    return Measured(figures, _ratios(costs), Computed.of_json(shown))


def _built(folder: Path, sessions: int) -> _Cost:
    progress(f"a note of {sessions:,} sessions")
    cost = _Cost(sessions, Computer(folder / f"office-{sessions}"))
    with Library.create(cost.computer.library, home=_home(cost.computer)) as library:
        library.add({"type": "book", "title": "On Paper", "citation-key": _KEY})
        age(library, _KEY, sessions)
    for number in range(_SETTLED):
        with _open(cost.computer) as library:
            _edit(library, f"settled {number}")
    with _open(cost.computer) as library:
        cost.stored_bytes = library._replica.records.size_bytes()
    return cost


def _edit_here(cost: _Cost, number: int) -> None:
    with _open(cost.computer) as library:
        log = cost.computer.library / "library.sqlite-wal"
        before = log.stat().st_size if log.exists() else 0
        cost.add("edit_cpu_s", _cpu_of(lambda: _edit(library, f"here {number}")))
        cost.add("edit_written_bytes", log.stat().st_size - before)
        text = _note(library)
    ended = cost.computer.run("edit", _KEY, f"note={text} and so on")
    cost.add("process_cpu_s", ended.cpu_s)


def _edit_elsewhere(cost: _Cost, folder: Path, rounds: int) -> None:
    """What a sync takes that brings one edit, above one that brings nothing."""
    laptop = Computer(folder / f"laptop-{cost.sessions}")
    with running_relay(folder / f"relay-{cost.sessions}") as relay:
        with _open(cost.computer) as library:
            ticket = library.attach(relay.url, backup=False).ticket
        Library.attach_new(ticket, laptop.library, home=_home(laptop)).close()
        for number in range(rounds + _SETTLED):
            with _open(laptop) as library:
                _edit(library, f"there {number}")
                library.sync()
            with _open(cost.computer) as library:
                with_news = _cpu_of(library.sync)
                without = _cpu_of(library.sync)
            if number >= _SETTLED:
                cost.add("received_cpu_s", max(with_news - without, 1e-6))


def _edit(library: Library, words: str) -> None:
    library.edit(_KEY, [Edit("note", Act.SET, (f"{_note(library)} {words}",))])


def _note(library: Library) -> str:
    return str(library.show(_KEY).fields["note"])


def _cpu_of(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _home(computer: Computer) -> Home:
    return Home(computer.home, device_name=computer.home.name)


def _open(computer: Computer) -> Library:
    return Library.open(computer.library, home=_home(computer))


def _ratios(costs: Sequence[_Cost]) -> dict[str, float]:
    youngest = costs[0]
    return {
        f"{name}_{cost.sessions}_over_{youngest.sessions}": median(values)
        / median(youngest.figures[name])
        for cost in costs[1:]
        for name, values in cost.figures.items()
    }


BENCHMARK = Benchmark(
    name="hot_record",
    question="Does an edit cost the same in a record that was edited for years as in a fresh one?",
    baseline="the note of the same run with the fewest sessions behind it",
    result="the notes as `bifolio show --json` shows them",
    smoke=Size(sessions=(1, 900), rounds=1),
    full=Size(sessions=(1, 1_000, 10_000, 36_500), rounds=9),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
