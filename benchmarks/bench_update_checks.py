"""What does it cost to check another computer's update before pycrdt sees it?

New references as an import makes them, and edits of them: of a field that its writer did not
write before, of the same field again, of a text's middle. Each is read and checked as ``merge``
does. The baseline is what merging the same update costs without: loading the document, applying,
reading and writing it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import ProcessFailedError
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio.clock import make_stamp
from bifolio.document import canonical, editing, importing, view
from bifolio.document.importing import ImportVersion
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.document.update_structure import read_update
from bifolio.formats import MAPPING_VERSION, read
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import ImportedReference

_SLOT = "wAAAAA1"
_CLIENT = 1_000_001
_NOTE = "A note of some sentences. " * 20

#: The state of a document and an update to it.
Case = tuple[bytes | None, bytes]


@dataclass(frozen=True, slots=True)
class Size:
    """How many references, and how often each is measured: the least of these counts."""

    records: int
    repeats: int


def measure(size: Size, folder: Path) -> Measured:
    """Time reading, checking and merging, each the least of several times."""
    states = _imported(folder, size.records)
    cases: dict[str, list[Case]] = {
        "new_reference": [(None, state) for state in states],
        "field_edit": [_edited(state, [_set("volume", "1007")]) for state in states],
        "second_field_edit": [
            _edited(state, [_set("volume", "1007")], [_set("issue", "1008")]) for state in states
        ],
        "field_again": [
            _edited(state, [_set("volume", "1007")], [_set("volume", "1008")]) for state in states
        ],
        "text_edit": [
            _edited(state, [_set("note", _NOTE)], [_set("note", _NOTE.replace("some", "few", 1))])
            for state in states
        ],
    }
    figures: dict[str, float | int] = {}
    ratios: dict[str, float] = {}
    hashes: list[bytes] = []
    for name, of_kind in cases.items():
        progress(name.replace("_", " "))
        read_s = _least(partial(_read_all, of_kind), size.repeats)
        check_s = _check_least(of_kind, size.repeats)
        merge_s = _least(partial(_merge_all, of_kind, hashes), size.repeats)
        figures[f"{name}_read_us"] = read_s / len(of_kind) * 1e6
        figures[f"{name}_check_us"] = check_s / len(of_kind) * 1e6
        figures[f"{name}_merge_without_us"] = merge_s / len(of_kind) * 1e6
        ratios[f"{name}_check_over_merge_without"] = check_s / merge_s
    if len(set(hashes)) != len(cases):
        raise ProcessFailedError("merging the same update twice gave two contents")
    return Measured(figures, ratios, Computed.of(sorted(set(hashes))))


def _imported(folder: Path, count: int) -> list[bytes]:
    file = folder / "library.bib"
    write_bibliography(file, count)
    return [
        importing.first_import(
            item.record_id(), ImportVersion(item.values, item.source), mapping=MAPPING_VERSION
        )[0]
        for item in read(file)
        if isinstance(item, ImportedReference)
    ]


def _set(field: str, value: str) -> Edit:
    return Edit(field, Act.SET, (value,))


def _edited(state: bytes, *changes: Sequence[Edit]) -> Case:
    """The last of some changes by one writer, and the state before it."""
    document = RecordDocument(state, client_id=_CLIENT)
    before = update = state
    for number, edits in enumerate(changes):
        before = document.state()
        stamp = make_stamp(milliseconds=1_700_000_000_000 + number, counter=0)
        plan = Plan(Writer(_SLOT, stamp))
        editing.plan_edits(plan, document.entries(), edits)
        update = document.write(plan)
    return before, update


def _read_all(cases: list[Case]) -> None:
    for _, update in cases:
        read_update(update)


def _check_least(cases: list[Case], repeats: int) -> float:
    """Seconds to read and check all, by documents that were just loaded."""
    least = float("inf")
    for _ in range(repeats):
        documents = [RecordDocument(state) for state, _ in cases]
        began = time.perf_counter()
        for document, (_, update) in zip(documents, cases, strict=True):
            document.check(update)
        least = min(least, time.perf_counter() - began)
    return least


def _merge_all(cases: list[Case], hashes: list[bytes]) -> None:
    """Merge without any check, and make what is stored; notes the last record's hash."""
    hashed = 0
    for state, update in cases:
        document = RecordDocument(state)
        document.merge_own(update)
        entries = document.entries()
        hashed = canonical.record_share("00", view.kind_of(entries), entries)
        document.state()
    hashes.append(hashed.to_bytes(32, "big"))


def _least(act: Callable[[], None], repeats: int) -> float:
    least = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        act()
        least = min(least, time.perf_counter() - began)
    return least


BENCHMARK = Benchmark(
    name="update_checks",
    question="What does it cost to check another computer's update before pycrdt sees it?",
    baseline="loading, merging, reading and writing the same documents without a check",
    result="the hash of the last record of each kind after merging",
    smoke=Size(records=5, repeats=2),
    full=Size(records=500, repeats=7),
    measure=measure,
)


if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
