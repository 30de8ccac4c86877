"""How many small edits a second go through servers of Yjs?

Ten writers make one small edit after the other. Of y-websocket, Hocuspocus and pycrdt-websocket it
is measured how long it takes until one more client, which observes, has all of them: they
acknowledge nothing and keep nothing. Of Bifolio's relay it is measured until every envelope is
acknowledged, and that is after it is on the disk: writers that wait for each, and one that sends 64
at a time.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import bench_relay
from benchmarks.peers.programs import SERVERS, running_server
from benchmarks.support.report import Benchmark, Computed, Measured, progress

_OURS = {"waiting": "{}_writers_envelopes_per_s", "64_at_once": "without_waiting_envelopes_per_s"}


@dataclass(frozen=True, slots=True)
class Size:
    """How many writers, and edits of each."""

    writers: int
    edits: int
    rounds: int


def measure(size: Size, folder: Path) -> Measured:
    """Write through each, in turns."""
    ours = bench_relay.Size(writers=(size.writers,), envelopes=size.edits, rounds=1)
    rounds: list[dict[str, float]] = []
    for number in range(size.rounds):
        progress(f"round {number + 1}")
        relay = folder / str(number)
        relay.mkdir()
        measured = bench_relay.measure(ours, relay).figures
        found = {
            f"bifolio_{name}": float(measured[figure.format(size.writers)])
            for name, figure in _OURS.items()
        }
        for name in SERVERS:
            with running_server(name) as server:
                theirs = server.client("write", str(size.writers), str(size.edits))
            found[name.replace("-", "_")] = theirs["updates"] / theirs["wall_s"]
        rounds.append(found)
    figures = {f"{name}_per_s": median(one[name] for one in rounds) for name in rounds[0]}
    # Times, as all ratios here are: what the same edits take with us, over what they take there.
    ratios = {
        f"bifolio_{mine}_over_{name.replace('-', '_')}": median(
            one[name.replace("-", "_")] / one[f"bifolio_{mine}"] for one in rounds
        )
        for mine in _OURS
        for name in SERVERS
    }
    return Measured(figures, ratios, Computed.of_json(["edits", size.writers * size.edits]))


BENCHMARK = Benchmark(
    name="peers_relay",
    question="How many small edits a second go through other servers?",
    baseline="y-websocket, Hocuspocus and pycrdt-websocket, which keep nothing",
    result="that all edits came",
    smoke=Size(writers=2, edits=70, rounds=1),
    full=Size(writers=10, edits=500, rounds=5),
    measure=measure,
)


if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
