"""The replicas and the relay of ``bifolio bench``, and what they do while it is measured.

Real work through the library's public interface: files imported, a relay process on this computer,
envelopes signed and sealed, every commit synced to the disk. One process holds all replicas; the
time that a core was busy is its own, so that other programs count as little as may be.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct

from bifolio import Library
from bifolio.errors import BifolioError
from bifolio.home import Home
from bifolio.results import Stage
from bifolio_cli.bench import workload
from bifolio_cli.demo.processes import Processes
from bifolio_cli.environment import Environment
from bifolio_cli.json_documents import BenchGrowth, BenchReport, BenchStep
from bifolio_cli.progress import Report

#: A relay listens after half a second.
_RELAY_TIMEOUT_S = 30.0
_READY = "listening on "

#: The library is measured while it has these parts of its size.
_PARTS = (8, 4, 2, 1)

#: Edits of which the middle one is told, at each size.
_EDITS_AT_ONE_SIZE = 25


class Plan(Struct, frozen=True):
    """What is to be measured; ``library`` is the user's own, whose references are copied."""

    references: int
    edits: int
    replicas: int
    library: Path | None = None


class _Cost(Struct):
    """Seconds on the clock, and for which a core was busy."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Add what is done inside."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall_s += time.perf_counter() - wall_s
            self.cpu_s += time.process_time() - cpu_s


def run(plan: Plan, progress: Report | None) -> BenchReport:
    """Measure all of it.

    Raises:
        BifolioError: the relay does not start, or the replicas end with different libraries.
    """
    processes = Processes()
    with ExitStack() as stack:
        stack.enter_context(processes)
        with processes.undisturbed():
            folder = Path(tempfile.mkdtemp(prefix="bifolio-bench-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.callback(processes.end_all)
        url = _start_relay(folder, processes)
        return _Bench(plan, folder, url, progress, stack).run()


class _Bench:
    """One run."""

    def __init__(
        self, plan: Plan, folder: Path, url: str, progress: Report | None, stack: ExitStack
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._url = url
        self._progress = progress
        self._stack = stack
        self._steps: list[BenchStep] = []
        self._growth: list[BenchGrowth] = []

    def run(self) -> BenchReport:
        first = self._open(Library.create(self._path(0), home=self._home(0)))
        self._import(first)
        replicas = [first, *self._fill(first)]
        ids = sorted(one.id for one in first.list())
        before = folder_bytes(self._folder / "relay")
        self._edit(replicas, ids)
        self._merge(replicas)
        sent = folder_bytes(self._folder / "relay") - before
        states = {one.status().state for one in replicas}
        if len(states) != 1:
            raise BifolioError(
                "The replicas of the benchmark ended with different libraries: a fault of Bifolio.",
                next_step="Report it with the numbers that you gave.",
            )
        edits = self._plan.edits * len(replicas)
        return BenchReport(
            references=len(ids),
            edits=self._plan.edits,
            replicas=len(replicas),
            steps=tuple(self._steps),
            growth=tuple(self._growth),
            bytes_per_reference=round(before / len(ids)),
            bytes_per_edit=round(sent / edits) if edits else 0,
            disk_bytes_per_reference=round(folder_bytes(self._path(1)) / len(ids)),
            peak_bytes=_peak_bytes(),
            state=states.pop(),
        )

    # --- what is measured -----------------------------------------------------------------------

    def _import(self, library: Library) -> None:
        """Import in parts, and edit at each size: what an edit costs must not follow the size."""
        items = self._items()
        cost, done = _Cost(), 0
        for part in _PARTS:
            upto = max(1, len(items) // part)
            if upto > done:
                file = self._folder / f"part{part}.json"
                file.write_text(json.dumps(items[done:upto]), "utf-8")
                with cost.measure():
                    library.import_files([file], progress=self._progress)
                file.unlink()
                done = upto
                self._growth.append(self._edit_at_size(library))
        self._add("import", len(items), cost)

    def _edit_at_size(self, library: Library) -> BenchGrowth:
        ids = sorted(one.id for one in library.list(limit=500))
        typist = workload.Typist(self._plan.replicas, self._plan.replicas + 1, ids)
        costs = []
        for _ in range(_EDITS_AT_ONE_SIZE):
            cost = _Cost()
            with cost.measure():
                typist.edit(library)
            costs.append(cost)
        return BenchGrowth(
            references=library.status().references,
            edit_ms=round(median(one.wall_s for one in costs) * 1000, 3),
            edit_cpu_ms=round(median(one.cpu_s for one in costs) * 1000, 3),
        )

    def _fill(self, first: Library) -> list[Library]:
        send, fill = _Cost(), _Cost()
        with send.measure():
            ticket = first.attach(self._url, backup=False, progress=self._progress).ticket
        assert ticket is not None
        count = first.status().references
        self._add("send", count, send)
        others = []
        for number in range(1, self._plan.replicas):
            with fill.measure():
                made = Library.attach_new(
                    ticket, self._path(number), home=self._home(number), progress=self._progress
                )
            others.append(self._open(made))
        for one in (*others, first, *others):
            one.sync()
        self._add("fill", count * len(others), fill)
        return others

    def _edit(self, replicas: Sequence[Library], ids: Sequence[str]) -> None:
        cost, done = _Cost(), 0
        total = self._plan.edits * len(replicas)
        for number, library in enumerate(replicas):
            typist = workload.Typist(number, len(replicas), ids)
            for _ in range(self._plan.edits):
                with cost.measure():
                    typist.edit(library)
                done += 1
                if self._progress is not None:
                    self._progress(Stage.WRITING, done, total)
        self._add("edit", total, cost)

    def _merge(self, replicas: Sequence[Library]) -> None:
        """All send what they wrote, then each merges what the others did."""
        send, merge, pulled = _Cost(), _Cost(), 0
        with send.measure():
            replicas[0].sync()
        for library in (*replicas[1:], *replicas):
            with merge.measure():
                pulled += library.sync(self._progress).pulled
        self._add("merge", pulled, merge)

    def _add(self, name: str, count: int, cost: _Cost) -> None:
        self._steps.append(BenchStep(name, count, round(cost.wall_s, 4), round(cost.cpu_s, 4)))

    # --- small steps ----------------------------------------------------------------------------

    def _items(self) -> list[dict[str, Any]]:
        if self._plan.library is None:
            return list(workload.references(0, self._plan.references))
        file = self._folder / "own.json"
        home = Home(self._folder / "reader", device_name="bench")
        with (
            Library.open(self._plan.library, home=home, reading=True) as library,
            file.open("wb") as out,
        ):
            library.export(out, format="csl-json")
        found: list[dict[str, Any]] = json.loads(file.read_bytes())
        if not found:
            raise BifolioError(
                "The library has no references to measure with.",
                next_step="Leave out -L: references are made up then.",
            )
        return found

    def _open(self, library: Library) -> Library:
        return self._stack.enter_context(library)

    def _home(self, number: int) -> Home:
        return Home(self._folder / f"home{number}", device_name=f"replica{number + 1}")

    def _path(self, number: int) -> Path:
        return self._folder / f"home{number}" / "Library.bifolio"


def folder_bytes(folder: Path) -> int:
    """The size of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _peak_bytes() -> int:
    """The most memory that this process had; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) * (1 if sys.platform == "darwin" else 1024)


def _start_relay(folder: Path, processes: Processes) -> str:
    """A relay on a free port; its address."""
    process = processes.start(
        [sys.executable, "-m", "bifolio_cli.main", "relay", "--port", "0", "--data", "relay"],
        folder=folder,
        variables=Environment.variables_for(home=folder, device="relay"),
        stderr=subprocess.DEVNULL,
    )
    watchdog = threading.Timer(_RELAY_TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        ready = process.stdout.readline() if process.stdout is not None else ""
    finally:
        watchdog.cancel()
    if not ready.startswith(_READY):
        raise BifolioError(
            "The relay of the benchmark did not start.",
            next_step="Run 'bifolio demo --keep' to see what it says.",
        )
    return ready.removeprefix(_READY).strip()
