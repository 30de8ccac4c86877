"""What does it cost to merge what others wrote meanwhile?

Two computers with one library edit it offline, each by itself, and each merges what the other one
wrote: seventy of a hundred edits set a field, ten add a reference, ten delete one and ten add words
to a note; a tenth of them are on references that both edit. Then edits that were sealed one by one,
as a computer seals them that stays connected, many in a message and each in one of its own, and
many edits of one reference.

Envelopes are merged as a sync does it, without a network: opened, checked, merged, hashed and
durable; then what lists and searches read is derived ("searchable"). The baselines merge the same
updates in the same turn: a record a pycrdt ``Doc`` in memory, and the durable peer, a record a
``Doc`` in SQLite, one ``synchronous=FULL`` transaction for each message. Neither checks, opens,
lists or searches anything.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.merging import Computer, Cost, Run, compare, two_computers
from benchmarks.support.processes import ProcessFailedError
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio.records.edits import Act, Edit

#: The fields that are set; of these some are searched and some are not.
_FIELDS = ("title", "publisher", "volume", "issue", "page", "URL", "container-title")

#: One reference in so many is edited by both computers.
_SHARED_ONE_IN = 50


@dataclass(frozen=True, slots=True)
class Size:
    """How many references, how many edits on each computer and of one reference, how often."""

    references: int
    edits: int
    edits_sealed_alone: int
    edits_of_one: int
    rounds: int


_WHOSE: dict[str, Callable[[Run], Cost]] = {
    "engine": attrgetter("engine"),
    "engine_searchable": attrgetter("searchable"),
    "durable_peer": attrgetter("durable"),
    "bare_pycrdt": attrgetter("bare"),
}


def measure(size: Size, folder: Path) -> Measured:
    """Let both edit and merge, in turns with the baselines."""
    found: dict[str, list[Run]] = {}
    progress("importing")
    file = folder / "library.bib"
    write_bibliography(file, size.references)
    with two_computers(folder, file) as computers:
        first, second = computers
        ids = sorted(one.id for one in first.library.list())
        for number in range(size.rounds):
            progress(f"round {number + 1}")
            for one in computers:
                _edit(one, ids, size.edits, seed=100 * number + one.seed)
                one.seal()
            sent = [one.take_envelopes() for one in computers]
            found.setdefault("offline", []).append(
                compare(folder, [(first, sent[1]), (second, sent[0])])
            )
            _edit(first, ids, size.edits_sealed_alone, seed=100 * number + 50, alone=True)
            sealed_alone = [(second, first.take_envelopes())]
            found.setdefault("sealed_alone", []).append(compare(folder, sealed_alone))
            _edit(first, ids, size.edits_sealed_alone, seed=100 * number + 60, alone=True)
            alone = [(second, first.take_envelopes())]
            found.setdefault("alone", []).append(compare(folder, alone, alone=True))
            _edit_one(first, ids[number], size.edits_of_one)
            first.seal()
            of_one = [(second, first.take_envelopes())]
            found.setdefault("one_reference", []).append(compare(folder, of_one))
        hashes = {one.library._replica.meta.state_hash for one in computers}
        if len(hashes) != 1:
            raise ProcessFailedError("the two computers differ")
        shown = [_shown(one) for one in first.library.list()]
    figures: dict[str, float | int] = {}
    ratios: dict[str, float] = {}
    for name, runs in found.items():
        figures |= _figures(name, runs)
        ratios |= _ratios(name, runs)
    return Measured(figures, ratios, Computed.of_json(sorted(shown)))


def _figures(name: str, runs: Sequence[Run]) -> dict[str, float | int]:
    """Microseconds an update, the median over the rounds."""
    figures: dict[str, float | int] = {f"{name}_updates": runs[0].updates}
    for whose, of in _WHOSE.items():
        figures[f"{name}_{whose}_us"] = median(of(run).wall_s / run.updates * 1e6 for run in runs)
        cpu_us = median(of(run).cpu_s / run.updates * 1e6 for run in runs)
        figures[f"{name}_{whose}_cpu_us"] = cpu_us
    return figures


def _ratios(name: str, runs: Sequence[Run]) -> dict[str, float]:
    """The engine over the others, each in its own round."""
    return {
        f"{name}_over_durable_peer": median(run.engine.wall_s / run.durable.wall_s for run in runs),
        f"{name}_cpu_over_durable_peer": median(
            run.engine.cpu_s / run.durable.cpu_s for run in runs
        ),
        f"{name}_searchable_cpu_over_durable_peer": median(
            run.searchable.cpu_s / run.durable.cpu_s for run in runs
        ),
        f"{name}_cpu_over_bare_pycrdt": median(run.engine.cpu_s / run.bare.cpu_s for run in runs),
    }


def _edit(
    computer: Computer, ids: Sequence[str], count: int, *, seed: int, alone: bool = False
) -> None:
    """Edits as they come: the same ones for the same seed.

    Args:
        ids: the references that both had at first.
        alone: whether each is sealed by itself.
    """
    choose = random.Random(seed)
    library = computer.library
    shared = max(1, len(ids) // _SHARED_ONE_IN)
    own = ids[shared + computer.seed :: 2]
    for number in range(count):
        of_both = choose.random() < 0.1
        ref = ids[choose.randrange(shared)] if of_both else own[choose.randrange(len(own))]
        kind = choose.random()
        value = f"{choose.randrange(1000)} {seed}"
        if kind < 0.1:
            library.add({"type": "book", "title": f"New {number} {value}", "author": ["Lee, Ann"]})
        elif library.show(ref).trashed:
            library.restore([ref])
        elif kind < 0.2:
            library.delete([ref])
        elif kind < 0.3:
            note = library.show(ref).fields.get("note", "")
            library.edit(ref, [Edit("note", Act.SET, (f"{note} and more words {value}".strip(),))])
        else:
            library.edit(ref, [Edit(choose.choice(_FIELDS), Act.SET, (value,))])
        if alone:
            computer.seal()


def _edit_one(computer: Computer, ref: str, count: int) -> None:
    """Two fields of one reference in turns."""
    if computer.library.show(ref).trashed:
        computer.library.restore([ref])
    for number in range(count):
        field = _FIELDS[2 + number % 2]
        computer.library.edit(ref, [Edit(field, Act.SET, (str(number + 1),))])


def _shown(reference: Any) -> list[str]:
    """What is shown of a reference that is the same in every run: neither ids nor keys are."""
    return [str(reference.fields.get(name, "")) for name in ("title", "note", *_FIELDS)]


BENCHMARK = Benchmark(
    name="offline_merge",
    question="What does it cost to merge what others wrote meanwhile?",
    baseline="the same updates merged into a pycrdt document a record, in SQLite and in memory",
    result="title, note and the edited fields of every reference in the end",
    smoke=Size(references=60, edits=20, edits_sealed_alone=10, edits_of_one=20, rounds=1),
    full=Size(references=10_000, edits=1_000, edits_sealed_alone=500, edits_of_one=2_000, rounds=3),
    measure=measure,
)


if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
