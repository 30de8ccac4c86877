"""What does a reference take on the disk, and of what?

Made-up references with abstracts, 1.6 kB each, at the computer that imported and sent them and at
one that received them, each file by table. The durable peer keeps a pycrdt document for each
reference in SQLite: neither a history, nor an index, nor where anything came from.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.processes import Computer, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from pycrdt import Doc, Map

from bifolio_cli.bench import workload

#: What the tables of the file are for; whatever else there is, is of the lists.
_PURPOSES = {
    "records": ("records", "idx_records_id"),
    "history": ("changes", "history", "touches", "object_versions", "snapshot_chunks"),
    "search": ("refs_fts", "refs_fts_data", "refs_fts_idx", "refs_fts_docsize", "refs_fts_content"),
}


@dataclass(frozen=True, slots=True)
class Size:
    """How many references."""

    references: int


def measure(size: Size, folder: Path) -> Measured:
    """Import, send, receive; then look at the files."""
    items = list(workload.references(0, size.references))
    file = folder / "library.json"
    file.write_text(json.dumps(items), "utf-8")
    sender, receiver = Computer(folder / "sender"), Computer(folder / "receiver")
    progress("importing")
    sender.new_library(file)
    with running_relay(folder / "relay") as relay:
        progress("sending and receiving")
        ticket = sender.run("attach", relay.url, "--no-backup").document()["ticket"]
        receiver.run("attach", ticket, str(receiver.library))
        for computer in (receiver, sender):
            computer.run("sync")
    peer = _peer_bytes(folder / "peer.sqlite", items)
    figures: dict[str, float | int] = {
        "references": size.references,
        "durable_peer_bytes_per_reference": peer / size.references,
    }
    ratios: dict[str, float] = {}
    for computer in (sender, receiver):
        name, path = computer.home.name, computer.library / "library.sqlite"
        for purpose, taken in _by_purpose(path).items():
            figures[f"{name}_{purpose}_bytes_per_reference"] = taken / size.references
        whole = path.stat().st_size
        figures[f"{name}_bytes_per_reference"] = whole / size.references
        ratios[f"{name}_over_durable_peer"] = whole / peer
    ratios["state_over_bare_document"] = _states(receiver) / _bare(items)
    return Measured(figures, ratios, Computed.of_json(receiver.run("list").document()))


def _by_purpose(path: Path) -> Mapping[str, int]:
    """The bytes of the file by what they are for; where SQLite can tell them."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            tables = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")
            found = {str(name): int(taken) for name, taken in tables}
        except sqlite3.OperationalError:
            return {}
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        page = connection.execute("PRAGMA page_size").fetchone()[0]
    by_purpose = {
        purpose: sum(found.pop(name, 0) for name in names) for purpose, names in _PURPOSES.items()
    }
    return by_purpose | {"lists": sum(found.values()), "free": free * page}


def _states(computer: Computer) -> int:
    """The bytes of all states as they are stored."""
    path = computer.library / "library.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        row = connection.execute(
            "SELECT sum(length(state)) FROM records WHERE kind = 'reference'"
        ).fetchone()
    return int(row[0])


def _document(item: Mapping[str, Any]) -> bytes:
    document: Doc[Any] = Doc()
    document["r"] = Map({name: json.dumps(value) for name, value in item.items()})
    return document.get_update()


def _bare(items: list[dict[str, Any]]) -> int:
    return sum(len(_document(one)) for one in items)


def _peer_bytes(path: Path, items: list[dict[str, Any]]) -> int:
    """The file of the durable peer."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE record (id TEXT PRIMARY KEY, state BLOB)")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO record VALUES (?, ?)", [(one["id"], _document(one)) for one in items]
        )
        connection.execute("COMMIT")
    return path.stat().st_size


BENCHMARK = Benchmark(
    name="disk",
    question="What does a reference take on the disk?",
    baseline="a pycrdt document for each reference in SQLite",
    result="the references of the receiver as `bifolio list --json` shows them",
    smoke=Size(references=40),
    full=Size(references=10_000),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
