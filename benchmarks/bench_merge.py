"""What does merging cost, and how fast does a record grow?

Edits that many writers made at the same time, of one record and of one record each, merged as a
received batch is: documents, conflicts, index, state hash and commit. The baseline is one bare
pycrdt ``Doc`` to which the same updates are applied. Then the bytes that an edit adds to a
record for ever, in sessions of one edit and of five.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import ProcessFailedError
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from pycrdt import Doc, Map

from bifolio import Library
from bifolio.clock import make_stamp
from bifolio.document import editing, importing
from bifolio.document.importing import ImportVersion
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.formats import MAPPING_VERSION, read
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import ImportedReference
from bifolio.replica.folder import open_database
from bifolio.replica.workspace import Workspace
from bifolio.storage.database import Database
from bifolio.storage.groups import GroupTable
from bifolio.storage.meta import Meta
from bifolio.storage.records import Records
from bifolio.storage.references import References

#: The fields that a growing record is edited in.
_FIELDS = ("volume", "issue", "page", "edition", "publisher")

#: A record and one update of it.
Update = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Size:
    """How many edits."""

    concurrent_edits: int
    records: int
    edits_in_sessions: int


def measure(size: Size, folder: Path) -> Measured:
    """Merge both kinds of batch with the engine and with bare pycrdt, then let a record grow."""
    states = _imported(folder, size.records)
    one_id, one_state = states[0]
    concurrent = [
        (one_id, _edited(one_id, one_state, number)) for number in range(size.concurrent_edits)
    ]
    spread = [
        (record_id, _edited(record_id, state, number))
        for number, (record_id, state) in enumerate(states)
    ]
    progress("merging")
    figures: dict[str, float | int] = {}
    ratios: dict[str, float] = {}
    hashes: list[bytes] = []
    for name, held, updates in (
        ("one_record", states[:1], concurrent),
        ("spread", states, spread),
    ):
        engine_s, state_hash = _merged_by_engine(folder / f"{name}.sqlite", held, updates)
        bare_s = _merged_by_pycrdt(held, updates)
        figures[f"{name}_edits_per_s"] = len(updates) / engine_s
        figures[f"{name}_bare_pycrdt_edits_per_s"] = len(updates) / bare_s
        ratios[f"{name}_over_bare_pycrdt"] = engine_s / bare_s
        hashes.append(state_hash)
    progress("edits in sessions")
    for edits in (1, 5):
        grown = _growth(folder / f"sessions-{edits}", edits, size.edits_in_sessions)
        figures[f"bytes_per_edit_in_sessions_of_{edits}"] = grown
    ratios["bytes_in_sessions_of_1_over_5"] = (
        figures["bytes_per_edit_in_sessions_of_1"] / figures["bytes_per_edit_in_sessions_of_5"]
    )
    return Measured(figures, ratios, Computed.of(hashes))


def _imported(folder: Path, count: int) -> list[Update]:
    """Real references as an import makes them."""
    file = folder / "library.bib"
    write_bibliography(file, count)
    references = [item for item in read(file) if isinstance(item, ImportedReference)]
    states: list[Update] = []
    for reference in references:
        record_id = reference.record_id()
        version = ImportVersion(reference.values, reference.source)
        update, _ = importing.first_import(record_id, version, mapping=MAPPING_VERSION)
        states.append((record_id, update))
    return states


def _edited(record_id: str, state: bytes, number: int) -> bytes:
    """The update of the number-th writer, who has seen the import and none of the others."""
    document = RecordDocument(state, client_id=1_000_000 + number)
    stamp = make_stamp(milliseconds=1_700_000_000_000 + number, counter=0)
    plan = Plan(Writer(f"w{number:011d}", stamp))
    edits = [Edit("volume", Act.SET, (str(number),)), Edit("tags", Act.ADD, (record_id[:6],))]
    editing.plan_edits(plan, document.entries(), edits)
    return document.write(plan)


def _merged_by_engine(
    path: Path, held: Sequence[Update], updates: Sequence[Update]
) -> tuple[float, bytes]:
    """Seconds to merge and commit one batch, and the state hash that it gives."""
    database = Database.create(path)
    _merge_batch(database, held)
    seconds = _timed(lambda: _merge_batch(database, updates))
    records, meta = Records(database), Meta(database)
    if meta.state_hash != _sum_of_hashes(database):
        raise ProcessFailedError("the state hash that is kept is not that of the records")
    shown = RecordDocument(records.state(updates[-1][0])).entries().live("volume")
    if shown[0].value != str(len(updates) - 1):
        raise ProcessFailedError("the newest edit is not shown")
    state_hash = meta.state_hash.to_bytes(32, "big")
    database.close()
    return seconds, state_hash


def _merge_batch(database: Database, updates: Iterable[Update]) -> None:
    with database.transaction():
        workspace = Workspace(
            Records(database), References(database), GroupTable(database), Meta(database)
        )
        for record_id, update in updates:
            workspace.document(record_id).merge(update)
            workspace.mark_changed(record_id)
        workspace.save()


def _merged_by_pycrdt(held: Sequence[Update], updates: Sequence[Update]) -> float:
    document: Doc[Any] = Doc()
    root = document.get("r", type=Map)
    for _, state in held:
        document.apply_update(state)

    def apply() -> None:
        for _, update in updates:
            document.apply_update(update)

    seconds = _timed(apply)
    if not len(root):
        raise ProcessFailedError("pycrdt merged nothing")
    return seconds


def _growth(home: Path, edits: int, total: int) -> float:
    """Bytes per edit that a record's state grows by, each session with a new incarnation."""
    device = Home(home, device_name="benchmark")
    path = home / "Library.bifolio"
    with Library.create(path, home=device) as library:
        record_id = library.add(
            {"type": "book", "title": "Growth"} | dict.fromkeys(_FIELDS, "100")
        ).id
    before = _state_bytes(path, record_id)
    for session in range(total // edits):
        with Library.open(path, home=device) as library:
            for number in range(edits):
                # In turns, and three digits each, so that no growth is a longer value's.
                turn = session * edits + number
                value = str(100 + turn % 900)
                library.edit(record_id, [Edit(_FIELDS[turn % len(_FIELDS)], Act.SET, (value,))])
    return (_state_bytes(path, record_id) - before) / (total // edits * edits)


def _state_bytes(path: Path, record_id: str) -> int:
    database = open_database(path)
    state = Records(database).state(record_id)
    database.close()
    assert state is not None
    return len(state)


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


BENCHMARK = Benchmark(
    name="merge",
    question="What does merging cost, and how fast does a record grow?",
    baseline="one bare pycrdt document to which the same updates are applied",
    result="the state hashes after merging both batches",
    smoke=Size(concurrent_edits=20, records=30, edits_in_sessions=10),
    full=Size(concurrent_edits=500, records=5_000, edits_in_sessions=500),
    measure=measure,
)


def _sum_of_hashes(database: Database) -> int:
    """What the state hash must be."""
    rows = database.rows("SELECT hash FROM records")
    return sum(int.from_bytes(share, "big") for (share,) in rows) % (1 << 256)


if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
