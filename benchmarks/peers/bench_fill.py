"""What do servers of Yjs take to fill a second computer?

One client brings a library of references of 1.6 kB to a server; then a new client connects and
has all of it. The clients of y-websocket, Hocuspocus and pycrdt-websocket keep it in memory, as the
servers do, and begin when their process has loaded. Bifolio's is the whole command
``bifolio attach TICKET``: all is opened, checked, durable, listed and searchable when it ends, and
the relay has it on the disk.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.peers import workload
from benchmarks.peers.programs import SERVERS, running_server
from benchmarks.support.processes import Computer, ProcessFailedError, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress


@dataclass(frozen=True, slots=True)
class Size:
    """How many references."""

    references: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Fill:
    """What one new client took, and its server at most."""

    wall_s: float
    cpu_s: float
    server_peak_bytes: int


def measure(size: Size, folder: Path) -> Measured:
    """Fill a new client of each, in turns."""
    workload.write(folder, size.references, 0)
    rounds: list[dict[str, _Fill]] = []
    for number in range(size.rounds):
        progress(f"round {number + 1}")
        found = {"bifolio": _attach(folder / str(number), folder / "library.json", size)}
        for name in SERVERS:
            found[name] = _fill(name, folder / "library.jsonl", size)
        rounds.append(found)
    figures: dict[str, float | int] = {"references": size.references}
    for name in rounds[0]:
        short = name.replace("-", "_")
        figures[f"{short}_s"] = median(one[name].wall_s for one in rounds)
        figures[f"{short}_cpu_s"] = median(one[name].cpu_s for one in rounds)
        peak_bytes = max(one[name].server_peak_bytes for one in rounds)
        figures[f"{short}_server_peak_bytes"] = peak_bytes
    ratios = {
        f"bifolio_over_{name.replace('-', '_')}": median(
            one["bifolio"].wall_s / one[name].wall_s for one in rounds
        )
        for name in SERVERS
    }
    return Measured(figures, ratios, Computed.of_json(["filled", size.references]))


def _attach(folder: Path, file: Path, size: Size) -> _Fill:
    office, laptop = Computer(folder / "office"), Computer(folder / "laptop")
    office.new_library(file)
    with running_relay(folder / "relay") as relay:
        ticket = office.run("attach", relay.url, "--no-backup").document()["ticket"]
        ended = laptop.run("attach", ticket, str(laptop.library))
        if ended.document()["references"] != size.references:
            raise ProcessFailedError("the second computer has not all references")
        return _Fill(ended.seconds, ended.cpu_s, relay.peak_bytes())


def _fill(name: str, library: Path, size: Size) -> _Fill:
    with running_server(name) as server, server.loaded(library):
        found = server.client("fill", str(size.references))
        if found["references"] != size.references:
            raise ProcessFailedError(f"the second client of {name} has not all references")
        return _Fill(found["wall_s"], found["cpu_s"], server.peak_bytes())


BENCHMARK = Benchmark(
    name="peers_fill",
    question="What do others take to fill a second computer?",
    baseline="clients of y-websocket, Hocuspocus and pycrdt-websocket, which keep nothing",
    result="that all references came",
    smoke=Size(references=50, rounds=1),
    full=Size(references=10_000, rounds=5),
    measure=measure,
)


if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
