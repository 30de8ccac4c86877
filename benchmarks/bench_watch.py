"""How long does an edit take from one computer to another that both run ``sync --watch``?

From the start of the process ``bifolio edit`` on one home to the line that ``sync --watch``
prints on the other, where the edit is then merged and stored. The baseline is the same ``edit``
process alone: what remains is the way through two watchers and the relay.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import Computer, ProcessFailedError, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress

_KEY = "Swanson:TB1-1-7"
_ARRIVES_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large the library is, and how many edits travel."""

    references: int
    edits: int


@dataclass(slots=True)
class _Rounds:
    """The lines of a watcher, each with the moment at which it came."""

    process: subprocess.Popen[str]
    _lines: queue.SimpleQueue[tuple[float, str]] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put((time.perf_counter(), line))

    def first(self) -> None:
        """Wait until the watcher has everything."""
        self._next()

    def pulled(self) -> float:
        """When the next change of another computer was merged."""
        while True:
            at, line = self._next()
            if json.loads(line)["pulled"]:
                return at

    def _next(self) -> tuple[float, str]:
        try:
            return self._lines.get(timeout=_ARRIVES_WITHIN_S)
        except queue.Empty:
            raise ProcessFailedError("a watcher printed no line in time") from None


def measure(size: Size, folder: Path) -> Measured:
    """Edit on one computer and wait for the other, again and again."""
    file = folder / "library.bib"
    write_bibliography(file, size.references)
    office, laptop = Computer(folder / "office"), Computer(folder / "laptop")
    office.new_library(file)
    with running_relay(folder / "relay") as relay:
        ticket = office.run("attach", relay.url, "--no-backup").document()["ticket"]
        laptop.run("attach", ticket, str(laptop.library))
        alone = [office.run("edit", _KEY, f"note=Alone {n}.").seconds for n in range(size.edits)]
        for computer in (office, laptop, office):
            computer.run("sync")
        with office.watching() as sending, laptop.watching() as receiving:
            rounds = _Rounds(receiving)
            _Rounds(sending).first()
            rounds.first()
            progress("editing")
            travels = [_travel(office, laptop, rounds, n) for n in range(size.edits)]
        shown = laptop.run("show", _KEY).document()
    whole = [one[0] for one in travels]
    return Measured(
        figures={
            "edit_alone_median_s": median(alone),
            "edit_to_other_computer_median_s": median(whole),
            "edit_to_other_computer_max_s": max(whole),
            "after_edit_ended_median_s": median(one[1] for one in travels),
        },
        ratios={"edit_to_other_computer_over_edit_alone": median(whole) / median(alone)},
        computed=Computed.of_json([shown]),
    )


def _travel(
    office: Computer, laptop: Computer, rounds: _Rounds, number: int
) -> tuple[float, float]:
    """Seconds until an edit was on the other computer: from its start, and from its end."""
    note = f"Travelled {number}."
    began = time.perf_counter()
    office.run("edit", _KEY, f"note={note}")
    ended = time.perf_counter()
    arrived = rounds.pulled()
    if laptop.run("show", _KEY).document()["fields"]["note"] != note:
        raise ProcessFailedError("the round that was waited for did not bring the edit")
    return arrived - began, arrived - ended


BENCHMARK = Benchmark(
    name="watch",
    question="How long does an edit take to another computer under `sync --watch`?",
    baseline="the same `bifolio edit` process alone",
    result="the edited reference as the other computer shows it",
    smoke=Size(references=20, edits=2),
    full=Size(references=1_000, edits=25),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
