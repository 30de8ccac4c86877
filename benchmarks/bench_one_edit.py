"""Does editing one reference of a large library cost what it costs in a small one?

``show``, ``edit`` and ``status`` as whole processes on libraries of growing size; the bytes that
an edit adds to the library and sends to the relay. The baseline of each ratio is the smallest
library of the same run: cost that follows the change, and not the library, gives ratios near 1.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import Computer, ProcessFailedError, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from benchmarks.support.wire import CountingProxy, counting_proxy

from bifolio.replica.folder import open_database

#: A reference near the file's beginning, so that every size has it.
_KEY = "Swanson:TB1-1-7"

_COMMANDS = ("show", "edit", "status")


@dataclass(frozen=True, slots=True)
class Size:
    """How large the libraries are, smallest first, and how often each command runs."""

    references: tuple[int, ...]
    rounds: int
    synced_rounds: int


@dataclass(slots=True)
class _Cost:
    """What the commands cost in one library."""

    computer: Computer
    references: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    peak_bytes: dict[str, int] = field(default_factory=dict)
    library_bytes: float = 0.0
    file_bytes: float = 0.0
    sent_bytes: float = 0.0


def measure(size: Size, folder: Path) -> Measured:
    """Measure each library, and compare the larger ones with the smallest."""
    costs = [_built(folder, count) for count in size.references]
    before = [(_library_bytes(cost.computer), _file_bytes(cost.computer)) for cost in costs]
    progress("show, edit, status")
    for number in range(1, size.rounds + 1):
        # In turns, because other programs share the machine.
        for cost in costs:
            _run_commands(cost, number)
    for cost, (library_bytes, file_bytes) in zip(costs, before, strict=True):
        cost.library_bytes = (_library_bytes(cost.computer) - library_bytes) / size.rounds
        cost.file_bytes = (_file_bytes(cost.computer) - file_bytes) / size.rounds
        progress(f"edits of {cost.references:,} references, each with a sync")
        with (
            running_relay(folder / f"relay-{cost.references}") as relay,
            counting_proxy(relay.url) as proxy,
        ):
            cost.computer.run("attach", proxy.url, "--no-backup")
            cost.sent_bytes = median(_sent_for_one_edit(cost.computer, proxy, size.synced_rounds))
    shown = [cost.computer.run("show", _KEY).document() for cost in costs]
    figures: dict[str, float | int] = {}
    for cost in costs:
        figures |= _figures(cost)
    return Measured(figures, _ratios(costs), Computed.of_json(shown))


def _built(folder: Path, count: int) -> _Cost:
    computer = Computer(folder / f"computer-{count}")
    file = folder / f"library-{count}.bib"
    write_bibliography(file, count)
    progress(f"importing {count:,} references")
    references = computer.new_library(file)
    computer.run("edit", _KEY, "volume=0")  # the first edit also introduces the device
    return _Cost(computer, references)


def _run_commands(cost: _Cost, number: int) -> None:
    for arguments in (("show", _KEY), ("edit", _KEY, f"volume={number}"), ("status",)):
        ended = cost.computer.run(*arguments)
        command = arguments[0]
        cost.seconds.setdefault(command, []).append(ended.seconds)
        cost.peak_bytes[command] = max(cost.peak_bytes.get(command, 0), ended.peak_bytes)


def _sent_for_one_edit(computer: Computer, proxy: CountingProxy, rounds: int) -> list[int]:
    """What a sync with one edit sends beyond a sync with nothing to say."""
    sent: list[int] = []
    for number in range(rounds):
        sizes: list[int] = []
        for edited in (False, True):
            if edited:
                computer.run("edit", _KEY, f"volume={1000 + number}")
            before = proxy.sent_bytes
            if computer.run("sync").document()["pushed"] != int(edited):
                raise ProcessFailedError("a sync did not push what was edited")
            sizes.append(proxy.sent_bytes - before)
        sent.append(sizes[1] - sizes[0])
    return sent


def _library_bytes(computer: Computer) -> int:
    """The bytes of the change log and of the records' states."""
    database = open_database(computer.library)
    row = database.row(
        "SELECT (SELECT total(length(body) + length(frontier)) FROM changes)"
        " + (SELECT total(length(state)) FROM records)"
    )
    database.close()
    assert row is not None
    return int(row[0])


def _file_bytes(computer: Computer) -> int:
    """The pages of the library's file that are in use."""
    database = open_database(computer.library)
    pages = [database.row(f"PRAGMA {name}") for name in ("page_count", "freelist_count")]
    page_size = database.row("PRAGMA page_size")
    database.close()
    assert pages[0] is not None
    assert pages[1] is not None
    assert page_size is not None
    return int((pages[0][0] - pages[1][0]) * page_size[0])


def _figures(cost: _Cost) -> dict[str, float | int]:
    count = cost.references
    figures: dict[str, float | int] = {}
    for command in _COMMANDS:
        figures[f"{command}_{count}_s"] = median(cost.seconds[command])
        figures[f"{command}_{count}_peak_bytes"] = cost.peak_bytes[command]
    figures[f"edit_{count}_library_bytes"] = cost.library_bytes
    figures[f"edit_{count}_file_bytes"] = cost.file_bytes
    figures[f"edit_{count}_sent_bytes"] = cost.sent_bytes
    return figures


def _ratios(costs: Sequence[_Cost]) -> dict[str, float]:
    smallest = costs[0]
    ratios: dict[str, float] = {}
    for cost in costs[1:]:
        named = f"{cost.references}_over_{smallest.references}"
        for command in _COMMANDS:
            seconds = median(cost.seconds[command]) / median(smallest.seconds[command])
            peak = cost.peak_bytes[command] / smallest.peak_bytes[command]
            ratios[f"{command}_s_{named}"] = seconds
            ratios[f"{command}_peak_{named}"] = peak
        ratios[f"edit_library_bytes_{named}"] = cost.library_bytes / smallest.library_bytes
        ratios[f"edit_sent_bytes_{named}"] = cost.sent_bytes / smallest.sent_bytes
    return ratios


BENCHMARK = Benchmark(
    name="one_edit",
    question="Does one edit cost the same in a library of any size?",
    baseline="the smallest library of the same run",
    result="the edited reference of each library as `bifolio show --json` shows it",
    smoke=Size(references=(20, 60), rounds=1, synced_rounds=1),
    full=Size(references=(1_000, 10_000, 100_000), rounds=15, synced_rounds=5),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
