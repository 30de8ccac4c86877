"""How long does a search take among many references, whatever it asks?

In one process, as the web app or a program of a user's would search: ``Library.search`` with the
first fifty references shown, and ``Library.count``. Each query runs several times, and the time
is that for which a core was busy: other programs share the machine.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support import shelf
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio import Library
from bifolio.home import Home
from bifolio.storage.database import Database
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.groups import GroupRow, GroupTable
from bifolio.storage.references import References

#: Each kind of query. The words are of the bibliography: titles of books on typography.
QUERIES = {
    "common_word": "the",
    "rare_word": "incunabula",
    "prefix": "typo*",
    "short_prefix": "th*",
    "two_words": "history printing",
    "phrase": '"the history of"',
    "negative_only": "-the",
    "either": "type OR paper OR ink",
    "title": "title:printing",
    "author": "author:knuth",
    "year_range": "year:1980..1995",
    "tag": 'tag:"common tag"',
    "rare_tag": 'tag:"rare tag"',
    "group": "group:Half",
    "smart_group": "group:Smart -group:Other",
    "type": "type:article",
    "has": "-has:DOI",
    "mixed": 'the year:1980..2000 author:knuth -tag:"common tag"',
    "chinese": "印刷",
}
SORTS = ("year", "-year", "title", "author", "key", "added")

_TIMES = 5
_SHOWN = 50
_SMART_GROUPS = 20


@dataclass(frozen=True, slots=True)
class Size:
    """How many references."""

    references: int


def measure(size: Size, folder: Path) -> Measured:
    """Fill a library and a bare FTS5 table with the same references, and ask both."""
    home = Home(folder / "home")
    path = folder / "Library.bifolio"
    Library.create(path, home=home).close()
    progress("filling the library, and a bare FTS5 table with the same texts")
    rows = list(shelf.rows(folder, size.references))
    fill_s = _filled(path, rows)
    bare, bare_fill_s = _bare_table(folder / "bare.sqlite", rows)
    figures: dict[str, float | int] = {
        "references": len(rows),
        "indexing_s": fill_s,
        "bare_indexing_s": bare_fill_s,
    }
    found: list[object] = []
    with Library.open(path, home=home) as library:
        progress("searching")
        for name, query in QUERIES.items():
            figures[f"{name}_found"] = library.count(query)
            figures[f"{name}_ms"] = 1000 * _fastest(
                lambda query=query: list(library.search(query, limit=_SHOWN))  # type: ignore[misc]
            )
            figures[f"{name}_count_ms"] = 1000 * _fastest(
                lambda query=query: library.count(query)  # type: ignore[misc]
            )
            found += [[name, one.id] for one in library.search(query, limit=_SHOWN)]
        for sort in SORTS:
            figures[f"common_word_by_{sort}_ms"] = 1000 * _fastest(
                lambda sort=sort: list(library.search("the", sort=sort, limit=_SHOWN))  # type: ignore[misc]
            )
        figures["group_list_ms"] = 1000 * _fastest(lambda: library.groups.list())
        figures["group_list_groups"] = len(library.groups.list())
    bare_ms = {
        name: 1000 * _fastest(lambda word=word: _bare_search(bare, word))  # type: ignore[misc]
        for name, word in (("common_word", '"the"'), ("phrase", '"the history of"'))
    }
    bare.close()
    figures |= {f"bare_{name}_ms": value for name, value in bare_ms.items()}
    ratios = {f"{name}_over_bare_common_word": _over(figures, bare_ms, name) for name in QUERIES}
    ratios["indexing_over_bare"] = fill_s / bare_fill_s
    return Measured(figures, ratios, Computed.of_json(found))


def _over(figures: dict[str, float | int], bare_ms: dict[str, float], name: str) -> float:
    return float(figures[f"{name}_ms"]) / bare_ms["common_word"]


def _filled(path: Path, rows: list[ReferenceRow]) -> float:
    """Write the rows and some groups; the CPU that it took."""
    database = Database.open(path / "library.sqlite")
    database.execute("PRAGMA synchronous = OFF")
    began = time.process_time()
    with database.transaction():
        shelf.fill(References(database), iter(rows))
    took = time.process_time() - began
    groups = GroupTable(database)
    with database.transaction():
        _group(groups, shelf.GROUP, "Half", None)
        _group(groups, "d" * 32, "Smart", "group:Half year:1980..")
        _group(groups, "c" * 32, "Other", "group:Smart author:knuth")
        for number in range(_SMART_GROUPS):
            query = f"printing year:{1970 + number}.. -tag:read"
            _group(groups, f"{number:032x}", f"Since {1970 + number}", query)
    database.close()
    return took


def _group(groups: GroupTable, group_id: str, name: str, query: str | None) -> None:
    groups.write(
        GroupRow(group_id, name, None, "", group_id, None, query, deleted=False, revived=False)
    )


def _bare_table(path: Path, rows: list[ReferenceRow]) -> tuple[sqlite3.Connection, float]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(
        "CREATE VIRTUAL TABLE bare USING fts5(title, creators, container, abstract, note, tags, "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    began = time.process_time()
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?)",
        (
            (row.title, row.creators, row.container, row.abstract, row.note, row.tags)
            for row in rows
        ),
    )
    connection.execute("COMMIT")
    return connection, time.process_time() - began


def _bare_search(connection: sqlite3.Connection, expression: str) -> None:
    """The first fifty by number, and how many there are: the least that a search can do."""
    connection.execute(
        f"SELECT rowid FROM bare WHERE bare MATCH ? LIMIT {_SHOWN}", (expression,)
    ).fetchall()
    connection.execute("SELECT count(*) FROM bare WHERE bare MATCH ?", (expression,)).fetchone()


def _fastest(act: Callable[[], object]) -> float:
    times = []
    for _ in range(_TIMES):
        began = time.process_time()
        act()
        times.append(time.process_time() - began)
    return min(times)


BENCHMARK = Benchmark(
    name="search",
    question="How long does a search take among many references?",
    baseline="FTS5 alone over the same texts: fifty numbers and the count of the commonest word",
    result="the ids of the first fifty references that each query finds",
    smoke=Size(references=300),
    full=Size(references=100_000),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
