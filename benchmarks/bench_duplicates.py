"""How long does it take to find the likely duplicates of a library?

``Library.duplicates.list`` in one process. Every hundredth reference has a copy with a wrong
letter in its title and another citation key.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support import shelf
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio import Library
from bifolio.home import Home
from bifolio.storage.database import Database
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.references import References

_COPY_OF_EVERY = 100


@dataclass(frozen=True, slots=True)
class Size:
    """How many references, their copies aside."""

    references: int


def measure(size: Size, folder: Path) -> Measured:
    """Fill a library, plant duplicates, and look for them."""
    home = Home(folder / "home")
    path = folder / "Library.bifolio"
    Library.create(path, home=home).close()
    progress("filling the library")
    database = Database.open(path / "library.sqlite")
    database.execute("PRAGMA synchronous = OFF")
    with database.transaction():
        count = shelf.fill(References(database), _with_copies(shelf.rows(folder, size.references)))
    progress("reading what is compared")
    began = time.process_time()
    compared = sum(1 for _ in References(database).iter_for_comparison())
    reading_s = time.process_time() - began
    database.close()
    with Library.open(path, home=home) as library:
        progress("looking for duplicates")
        began_s, began = time.perf_counter(), time.process_time()
        groups = library.duplicates.list()
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began
    planted = [
        group for group in groups if any(one.key.endswith("-planted") for one in group.references)
    ]
    figures: dict[str, float | int] = {
        "references": count,
        "groups": len(groups),
        "planted_found": len(planted),
        "duplicates_s": took_s,
        "duplicates_cpu_s": cpu_s,
        "reading_cpu_s": reading_s,
    }
    assert compared == count
    shown = [[group.score, [one.id for one in group.references]] for group in groups]
    return Measured(figures, {"cpu_over_reading": cpu_s / reading_s}, Computed.of_json(shown))


def _with_copies(rows: Iterator[ReferenceRow]) -> Iterator[ReferenceRow]:
    for number, row in enumerate(rows):
        yield row
        if number % _COPY_OF_EVERY == 0 and row.title:
            place = len(row.title) // 2
            wrong = row.title[:place] + "x" + row.title[place + 1 :]
            other_id = f"{int(row.id, 16) ^ 1:032x}"
            yield replace(row, id=other_id, key=f"{row.key}-planted", title=wrong)


BENCHMARK = Benchmark(
    name="duplicates",
    question="How long does it take to find the likely duplicates of a library?",
    baseline="reading from the library what is compared, and comparing nothing",
    result="the groups, each with its score and its ids",
    smoke=Size(references=400),
    full=Size(references=100_000),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
