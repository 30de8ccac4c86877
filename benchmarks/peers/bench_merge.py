"""What do Yjs, Loro and a durable peer take to merge the same offline edits?

Two replicas of one library edit it offline, then each merges what the other one wrote: seventy of a
hundred edits set a field, ten add a reference, ten delete one and ten add words to a note, a tenth
of them of references that both edit. Yjs and Loro hold the library as one document of a map for
each reference, in memory: nothing is kept. The durable peer and Bifolio hold a document for each
reference and write every message with ``synchronous=FULL``; Bifolio also opens, checks and hashes,
and derives what lists and searches read ("searchable").
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.peers import workload
from benchmarks.peers.programs import run_node
from benchmarks.support.merging import Computer, Cost, compare, two_computers
from benchmarks.support.processes import ProcessFailedError
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio_cli.bench.workload import Typist

_PEERS = ("durable_peer", "yjs", "loro")
_OURS = ("bifolio", "bifolio_searchable")


@dataclass(frozen=True, slots=True)
class Size:
    """How many references, and edits of each replica."""

    references: int
    edits: int
    rounds: int


def measure(size: Size, folder: Path) -> Measured:
    """Let everybody merge, in turns."""
    workload.write(folder, size.references, size.edits)
    files = [str(folder / name) for name in ("library.jsonl", "edits0.jsonl", "edits1.jsonl")]
    rounds: list[dict[str, Cost]] = []
    results: list[Any] = []
    with two_computers(folder, folder / "library.json") as computers:
        for number in range(size.rounds):
            progress(f"round {number + 1}")
            found = _merge(folder, computers, number, size)
            for name in ("yjs", "loro"):
                theirs = run_node("merge.mjs", name, *files)
                updates = theirs["updates"]
                found[name] = Cost(theirs["wall_s"] / updates, theirs["cpu_s"] / updates)
                results.append([name, theirs["references"], theirs["hash"]])
            rounds.append(found)
        titles = sorted(str(one.fields.get("title")) for one in computers[0].library.list())
        if len({one.library._replica.meta.state_hash for one in computers}) != 1:
            raise ProcessFailedError("the two computers differ")
    figures: dict[str, float | int] = {}
    for name in (*_OURS, *_PEERS):
        figures[f"{name}_us_an_update"] = median(one[name].wall_s for one in rounds) * 1e6
        figures[f"{name}_cpu_us_an_update"] = median(one[name].cpu_s for one in rounds) * 1e6
    ratios = {
        f"{ours}{kind}_over_{peer}": median(
            getattr(one[ours], of) / getattr(one[peer], of) for one in rounds
        )
        for ours in _OURS
        for peer in _PEERS
        for kind, of in (("", "wall_s"), ("_cpu", "cpu_s"))
    }
    return Measured(figures, ratios, Computed.of_json([titles, *results]))


def _merge(folder: Path, computers: Sequence[Computer], number: int, size: Size) -> dict[str, Cost]:
    """Bifolio and the durable peer: what an update takes each."""
    ids = sorted(one.id for one in computers[0].library.list())
    for replica, computer in enumerate(computers):
        typist = Typist(2 * number + replica, 2 * size.rounds, ids)
        for _ in range(size.edits):
            typist.edit(computer.library)
        computer.seal()
    sent = [one.take_envelopes() for one in computers]
    run = compare(folder, [(computers[0], sent[1]), (computers[1], sent[0])])
    costs = (run.engine, run.searchable, run.durable)
    return {
        name: Cost(one.wall_s / run.updates, one.cpu_s / run.updates)
        for name, one in zip(("bifolio", "bifolio_searchable", "durable_peer"), costs, strict=True)
    }


BENCHMARK = Benchmark(
    name="peers_merge",
    question="What do others take to merge the same offline edits?",
    baseline="Yjs and Loro in memory, and a pycrdt document a reference in SQLite",
    result="the titles in the end, and what Yjs and Loro hold",
    smoke=Size(references=50, edits=20, rounds=1),
    full=Size(references=10_000, edits=1_000, rounds=5),
    measure=measure,
)


if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
