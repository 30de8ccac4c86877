"""How long until an edit has reached everybody who is connected to servers of Yjs?

Many readers in one process, and a writer that makes one edit after the other, each when all have
the one before. Those of y-websocket, Hocuspocus and pycrdt-websocket merge it into a document of
each reader, in a process of Node; Bifolio's readers take the envelope, in a process of Python, and
its relay has it on the disk before.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import bench_readers
from benchmarks.peers.programs import SERVERS, running_server
from benchmarks.support.report import Benchmark, Computed, Measured, progress


@dataclass(frozen=True, slots=True)
class Size:
    """Who listens, and how many edits."""

    readers: int
    edits: int
    rounds: int


def measure(size: Size, folder: Path) -> Measured:
    """Edit through each, in turns."""
    ours = bench_readers.Size(readers=size.readers, edits=size.edits, rounds=1)
    rounds: list[dict[str, float]] = []
    for number in range(size.rounds):
        progress(f"round {number + 1}")
        relay = folder / str(number)
        relay.mkdir()
        measured = bench_readers.measure(ours, relay).figures
        found = {f"bifolio_{kind}": float(measured[f"relay_{kind}_ms"]) for kind in _KINDS}
        for name in SERVERS:
            with running_server(name) as server:
                theirs = server.client("read", str(size.readers), str(size.edits))
            short = name.replace("-", "_")
            found |= {f"{short}_{kind}": theirs[f"{kind}_s"] * 1000 for kind in _KINDS}
        rounds.append(found)
    figures = {f"{name}_ms": median(one[name] for one in rounds) for name in rounds[0]}
    ratios = {
        f"bifolio_{kind}_over_{short}": median(
            one[f"bifolio_{kind}"] / one[f"{short}_{kind}"] for one in rounds
        )
        for kind in _KINDS
        for short in (name.replace("-", "_") for name in SERVERS)
    }
    return Measured(figures, ratios, Computed.of_json(["edits", size.readers * size.edits]))


_KINDS = ("half", "last")

BENCHMARK = Benchmark(
    name="peers_readers",
    question="How long until an edit has reached all clients of other servers?",
    baseline="y-websocket, Hocuspocus and pycrdt-websocket, which keep nothing",
    result="that all edits reached all readers",
    smoke=Size(readers=4, edits=2, rounds=1),
    full=Size(readers=300, edits=10, rounds=3),
    measure=measure,
)


if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
