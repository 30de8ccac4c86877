"""What does one edit cost through the API, and what does it take on disk?

Edits of one field and of a note, each durable when the call returns: planned, written, stamped,
kept for sending, listed and searchable. The durable peer writes the same field into a pycrdt
document, keeps the update and the state, and commits, in SQLite with ``synchronous=FULL``; it
lists and searches nothing. In turns, edit by edit.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from pycrdt import Doc, Map

from bifolio import Library
from bifolio.home import Home
from bifolio.records.edits import Act, Edit

_FIELDS = ("title", "publisher", "volume", "issue", "page", "container-title")


@dataclass(frozen=True, slots=True)
class Size:
    """How many references, and how many edits."""

    references: int
    edits: int


def measure(size: Size, folder: Path) -> Measured:
    """Edit the library and the peer in turns."""
    file = folder / "library.bib"
    write_bibliography(file, size.references)
    home = Home(folder / "home", device_name="bench")
    with Library.create(folder / "home" / "Library.bifolio", home=home) as library:
        progress("importing")
        library.import_files([file])
        ids = sorted(one.id for one in library.list())
        peer = _Peer(folder / "peer.sqlite", library, ids)
        progress("editing")
        engine, durable = _edit(size, library, peer, ids)
        shown = [
            [str(one.fields.get(name, "")) for name in ("note", *_FIELDS)] for one in library.list()
        ]
        states = sum(len(library._replica.records.state(one) or b"") for one in ids)
    peer.close()
    disk = _file_bytes(folder / "home" / "Library.bifolio" / "library.sqlite")
    figures: dict[str, float | int] = {
        "edits": size.edits,
        "disk_bytes_per_reference": disk / len(ids),
        "state_bytes_per_reference": states / len(ids),
        "durable_peer_disk_bytes_per_reference": _file_bytes(folder / "peer.sqlite") / len(ids),
    }
    ratios = {
        "disk_over_durable_peer": disk / _file_bytes(folder / "peer.sqlite"),
        "cpu_over_durable_peer": sum(engine.cpu_s) / sum(durable.cpu_s),
        "wall_over_durable_peer": median(engine.wall_s) / median(durable.wall_s),
    }
    for name, cost in (("engine", engine), ("durable_peer", durable)):
        figures[f"{name}_edit_ms"] = median(cost.wall_s) * 1000
        figures[f"{name}_edit_cpu_ms"] = sum(cost.cpu_s) / size.edits * 1000
    return Measured(figures, ratios, Computed.of_json(sorted(shown)))


class _Costs:
    """What each edit cost."""

    def __init__(self) -> None:
        self.wall_s: list[float] = []
        self.cpu_s: list[float] = []

    def measure(self, act: Callable[[], Any]) -> None:
        """Do it, and note its cost."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        act()
        self.wall_s.append(time.perf_counter() - wall_s)
        self.cpu_s.append(time.process_time() - cpu_s)


def _edit(size: Size, library: Library, peer: _Peer, ids: list[str]) -> tuple[_Costs, _Costs]:
    choose = random.Random(7)
    engine, durable = _Costs(), _Costs()
    for number in range(size.edits):
        ref = choose.choice(ids)
        field = "note" if number % 8 == 0 else choose.choice(_FIELDS)
        value = f"{choose.randrange(1000)} words"
        durable.measure(lambda: peer.edit(ref, field, value))  # noqa: B023
        edits = [Edit(field, Act.SET, (value,))]
        engine.measure(lambda: library.edit(ref, edits))  # noqa: B023
    return engine, durable


class _Peer:
    """A record a document in SQLite: loaded, written, and committed with its update."""

    def __init__(self, path: Path, library: Library, ids: list[str]) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE record (id TEXT PRIMARY KEY, state BLOB)")
        self._connection.execute("CREATE TABLE log (number INTEGER PRIMARY KEY, body BLOB)")
        self._connection.execute("BEGIN")
        for one in ids:
            document: Doc[Any] = Doc()
            document["r"] = Map(
                {name: str(value) for name, value in library.show(one).fields.items()}
            )
            self._connection.execute(
                "INSERT INTO record VALUES (?, ?)", (one, document.get_update())
            )
        self._connection.execute("COMMIT")

    def edit(self, record_id: str, field: str, value: str) -> None:
        """One edit, durable at the end."""
        self._connection.execute("BEGIN IMMEDIATE")
        row = self._connection.execute("SELECT state FROM record WHERE id = ?", (record_id,))
        document: Doc[Any] = Doc()
        document.apply_update(row.fetchone()[0])
        updates: list[bytes] = []
        subscription = document.observe(lambda event: updates.append(event.update))
        document.get("r", type=Map)[field] = value
        document.unobserve(subscription)
        self._connection.execute(
            "UPDATE record SET state = ? WHERE id = ?", (document.get_update(), record_id)
        )
        self._connection.execute("INSERT INTO log (body) VALUES (?)", (updates[-1],))
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Have all of it in one file."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


def _file_bytes(path: Path) -> int:
    return path.stat().st_size


BENCHMARK = Benchmark(
    name="local_edit",
    question="What does one edit cost through the API?",
    baseline="the same edits of a pycrdt document a record, durable in SQLite",
    result="the edited fields of every reference in the end",
    smoke=Size(references=40, edits=16),
    full=Size(references=10_000, edits=400),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
