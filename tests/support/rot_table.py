"""One flipped bit in each table, each index and each page of the full-text index, one at a time.

``python -m tests.support.rot_table`` makes a library on three computers, of which the last one
began with a snapshot, and a relay. It flips one bit in each tree of that one's file and of the
relay's, and prints what found it, from what it was mended, and in how many seconds; with
``--write`` into docs/storage.md.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from tests.support.hot_limits import every_record_is_hot
from tests.support.relay_process import RelayProcess

from bifolio import Library, limits
from bifolio.doctor.examination import examine
from bifolio.doctor.repairing import repair
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.results.doctor import CheckVerdict
from bifolio_relay.storage import sqlite_checks, sqlite_mending

PAGE = Path(__file__).parents[2] / "docs" / "storage.md"
_BEGIN = "<!-- rot table: written by `python -m tests.support.rot_table --write` -->"
_END = "<!-- end of the rot table -->"
_PAGE_BYTES = 4096
_SEED = 7


@dataclass(frozen=True, slots=True)
class Place:
    """One bit of a file: in which tree, in which kind of page, and where."""

    tree: str
    kind: str
    offset: int
    bit: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table."""

    whose: str
    place: Place
    found: str
    mended: str
    seconds: float
    is_well: bool


class Bench:
    """A library on two computers and a relay, all in step, to be damaged copy by copy.

    With ``snapshots`` it is the replica of a third one, which began with a snapshot.
    """

    def __init__(
        self,
        folder: Path,
        relay: RelayProcess,
        *,
        references: int = 40,
        snapshots: bool = False,
    ) -> None:
        self._folder = folder
        self._relay = relay
        self.home = Home(folder / "office", device_name="office")
        self.path = folder / "Thesis.bifolio"
        home = Home(folder / "laptop", device_name="laptop")
        paper = folder / "paper.pdf"
        paper.write_bytes(b"%PDF-1.4 " + random.Random(_SEED).randbytes(3000))
        with Library.create(self.path, home=self.home) as library:
            for number in range(references):
                library.add(
                    {
                        "type": "book",
                        "title": f"Work number {number} on décay",
                        "author": [f"Doe{number}, Jane"],
                        "abstract": f"An abstract of work {number}. " * 20,
                        "citation-key": f"work{number}",
                        "tags": ["rot", f"t{number % 5}"],
                    }
                )
            library.groups.create("Reading")
            library.files.add("work0", [paper])
            library.delete(["work1"])
            with every_record_is_hot():
                for number in range(6):
                    note = "A note that is edited again, " * (number + 1)
                    library.edit("work2", [Edit("note", Act.SET, (note,))])
            ticket = library.attach(relay.url).ticket
            with Library.attach_new(ticket, folder / "Second.bifolio", home=home) as second:
                second.delete(["work3"])
                second.sync()
            library.sync()
            list(library.list())
            library.conflicts()
        if snapshots:
            self._begin_with_snapshot(home)
        self.state = self.state_of(self.path)

    def _begin_with_snapshot(self, second: Home) -> None:
        """Let the two make a snapshot, and a third computer begin with it and go on."""
        with _any_log_is_worth_a_snapshot():
            for _ in range(3):
                for path, home in (
                    (self.path, self.home),
                    (self._folder / "Second.bifolio", second),
                ):
                    with Library.open(path, home=home) as library:
                        library.sync()
            with Library.open(self.path, home=self.home) as library:
                ticket = library.invite()
            home = Home(self._folder / "new", device_name="new")
            path = self._folder / "Third.bifolio"
            with Library.attach_new(ticket, path, home=home) as third:
                assert third._replica.snapshots.has_any(), "it did not begin with a snapshot"
                third.edit("work2", [Edit("title", Act.SET, ("Changed since",))])
                with every_record_is_hot():
                    for number in range(6):
                        title = f"Changed since, {number} times"
                        third.edit("work2", [Edit("title", Act.SET, (title,))])
                third.files.add("work4", [self._folder / "paper.pdf"])
                third.delete(["work5"])
                third.groups.create("Read")
                third.sync()
                list(third.list())
                third.conflicts()
        self.path, self.home = path, home

    def state_of(self, path: Path) -> object:
        """What the library shows, and its state hash."""
        with Library.open(path, home=self.home) as library:
            shown = [sorted(map(repr, library.list(trash=trash))) for trash in (False, True)]
            return list(library.state_json()), shown

    def copy(self) -> Path:
        """A copy of the office's replica, in the place of the last one."""
        path = self._folder / "copy" / self.path.name
        shutil.rmtree(path.parent, ignore_errors=True)
        shutil.copytree(self.path, path)
        return path

    def relay_copy(self) -> Path:
        """A copy of the relay's folder, as it was when it was stopped."""
        path = self._folder / "relay-copy"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self._relay.data, path)
        with closing(sqlite3.connect(path / "relay.sqlite")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path


@contextmanager
def _any_log_is_worth_a_snapshot() -> Iterator[None]:
    """Snapshots of a small log, at once."""
    with (
        patch.object(limits, "SNAPSHOT_LOG_BYTES_MIN", 0),
        patch.object(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000),
        patch.object(limits, "SNAPSHOT_WAIT_S", 0.0),
        patch.object(limits, "STATEMENT_INTERVAL_S", 0.0),
    ):
        yield


def places(path: Path, *, seed: int = _SEED) -> Iterator[Place]:
    """One bit in a cell of one page of each kind of each tree."""
    picks = random.Random(seed)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        trees = connection.execute(
            "SELECT name, pagetype, pageno FROM dbstat WHERE pagetype IN ('leaf', 'internal',"
            " 'overflow') AND ncell + (pagetype = 'overflow') > 0 ORDER BY name, pagetype, pageno"
        ).fetchall()
    raw = path.read_bytes()
    chosen: dict[tuple[str, str], list[int]] = {}
    for name, kind, page in trees:
        chosen.setdefault((name, kind), []).append(page)
    for (name, kind), pages in chosen.items():
        start = (picks.choice(pages) - 1) * _PAGE_BYTES
        if kind == "overflow":
            offset = start + 4 + picks.randrange(16)
        else:
            header = start + (100 if start == 0 else 0)
            size = 12 if kind == "internal" else 8
            count = int.from_bytes(raw[header + 3 : header + 5], "big")
            at = header + size + 2 * picks.randrange(count)
            cell = start + int.from_bytes(raw[at : at + 2], "big")
            offset = cell + picks.randrange(4, 9)
        yield Place(name, kind, offset, picks.randrange(8))


def flip(path: Path, place: Place) -> None:
    """Flip the bit."""
    with path.open("r+b") as file:
        file.seek(place.offset)
        (byte,) = file.read(1)
        file.seek(place.offset)
        file.write(bytes([byte ^ 1 << place.bit]))


def damage_replica(bench: Bench, place: Place) -> Line:
    """Flip one bit of a replica's file, find it, mend it, and compare."""
    path = bench.copy()
    flip(path / "library.sqlite", place)
    began = time.monotonic()
    if _rows(path) == _rows(bench.path):
        # As where a number in the head of a row is written in two bytes now: it is the same one.
        seconds = time.monotonic() - began
        return Line("this computer's", place, "no value changed", "nothing", seconds, True)
    found = examine(path, bench.home, deep=True, offline=True)
    told = [
        one.check
        for one in found.checks
        if one.verdict is CheckVerdict.ATTENTION and one.check not in ("pending", "clock")
    ]
    done = repair(path, bench.home)
    after = examine(path, bench.home, deep=True, offline=True)
    well = all(
        one.verdict is not CheckVerdict.ATTENTION
        for one in after.checks
        if one.check in ("deep", "integrity", "records", "index", "library")
    )
    seconds = time.monotonic() - began
    is_well = bool(told) and well and bench.state_of(path) == bench.state
    sources = sorted({one.partition(", mended ")[2] for one in done.mended})
    by = "doctor --deep" if told else "nothing"
    return Line("this computer's", place, by, "; ".join(sources), seconds, is_well)


def _rows(path: Path) -> object:
    """Every row of every table, and what SQLite says of the file; None where it cannot be read."""
    try:
        with closing(sqlite3.connect(path / "library.sqlite")) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            verdict = connection.execute("PRAGMA integrity_check").fetchall()
            tables = [name for (name,) in names.fetchall()]
            rows = [connection.execute(f'SELECT * FROM "{one}"').fetchall() for one in tables]
            return verdict, tables, rows
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None


def damage_relay(bench: Bench, place: Place) -> Line:
    """Flip one bit of the relay's file, find it by its own check, and mend it."""
    folder = bench.relay_copy()
    path = folder / "relay.sqlite"
    flip(path, place)
    began = time.monotonic()
    found = sqlite_checks.check_all(path, folder)
    mended = []
    if any(one.library is None for one in found):
        sqlite_mending.mend_file(folder)
        mended.append("what can be read, in a fresh file")
    libraries = {one.library for one in found if one.library is not None}
    if libraries:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for key, library in sqlite_checks.libraries(connection):
                connection.execute("BEGIN IMMEDIATE")
                sqlite_mending.mend_library(connection, folder, key, library)
                connection.execute("COMMIT")
        mended.append("its log, and the members for what is lost")
    well = not sqlite_checks.check_all(path, folder)
    seconds = time.monotonic() - began
    by = "its own check" if found else "nothing"
    return Line("the relay's", place, by, "; ".join(mended), seconds, bool(found) and well)


def table(lines: Sequence[Line]) -> str:
    """The lines as Markdown."""
    rows = [
        "| whose copy | tree | page | found by | mended from | s |",
        "|---|---|---|---|---|---|",
    ]
    for one in lines:
        mended = one.mended.replace("from ", "") if one.is_well else f"**not**: {one.mended}"
        rows.append(
            f"| {one.whose} | `{one.place.tree}` | {one.place.kind} | {one.found} | {mended} "
            f"| {one.seconds:.1f} |"
        )
    return "\n".join(rows)


def measure(folder: Path, *, only: Sequence[str] = ()) -> list[Line]:
    """Flip a bit in each tree of the replica and of the relay (or in these alone)."""
    lines = []
    with RelayProcess(folder) as relay:
        bench = Bench(folder, relay, snapshots=True)
        for place in places(bench.path / "library.sqlite"):
            if not only or place.tree in only:
                lines.append(_tried(damage_replica, "this computer's", bench, place))
        relay.stop()
        for place in places(relay.data / "relay.sqlite"):
            if not only or place.tree in only:
                lines.append(_tried(damage_relay, "the relay's", bench, place))
        relay.start()
    return lines


def _tried(damage: Callable[[Bench, Place], Line], whose: str, bench: Bench, place: Place) -> Line:
    try:
        line = damage(bench, place)
    except Exception as error:  # noqa: BLE001 - a line of the table
        line = Line(whose, place, "nothing", f"{type(error).__name__}: {error}"[:90], 0.0, False)
    print("well" if line.is_well else "NOT WELL", line, file=sys.stderr, flush=True)
    return line


def main() -> None:
    """Print the table, or write it into the page."""
    with tempfile.TemporaryDirectory(prefix="rot-") as folder:
        lines = measure(Path(folder), only=[one for one in sys.argv[1:] if one[:1] != "-"])
    text = table(lines)
    print(text)
    print(f"{sum(one.is_well for one in lines)} of {len(lines)} found and mended")
    if "--write" in sys.argv:
        page = PAGE.read_text()
        before, _, rest = page.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        PAGE.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}")


if __name__ == "__main__":
    main()
