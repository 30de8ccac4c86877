"""What does a newcomer pay for ten years of a library, and what does an edit leave behind?

A library of real references is edited for simulated years, each edit by a session of its own and
an envelope of its own, one note far more often than the others. One computer joins while the relay
has the log alone and replays it; then a snapshot is made and verified, and another computer joins.
Both are real processes on real homes, and hold the same references. The bytes of an edit are those
that the hot record's state has above what it holds to read, stored and before it is compressed.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import Computer, Ended, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from benchmarks.support.wire import CountingProxy, counting_proxy

from bifolio import Library, limits
from bifolio.document.record import flatten
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.replica.membership import LibraryMembership
from bifolio.replication.outbox import Outbox

#: A reference near the file's beginning, so that every size has it: the hot one.
_KEY = "Swanson:TB1-1-7"

_WORDS = "the of a library note paper page reads writes merges again proof claim method".split()


@dataclass(frozen=True, slots=True)
class Size:
    """How many references, edits in all, and edits of the one hot note among them."""

    references: int
    edits: int
    hot_edits: int


def measure(size: Size, folder: Path) -> Measured:
    """Live through the years, and let one computer join before a snapshot and one after."""
    office, early, late = (Computer(folder / one) for one in ("office", "early", "late"))
    file = folder / "library.bib"
    write_bibliography(file, size.references)
    progress(f"importing {size.references:,} references")
    references = office.new_library(file)
    figures: dict[str, float | int] = {"references": references, "edits": size.edits}
    with running_relay(folder / "relay") as relay, counting_proxy(relay.url) as proxy:
        progress("living through the years")
        before_bytes = _hot_bytes(office)
        figures["years_s"] = _live(office, size)
        with _snapshots(made=False), _open(office) as library:
            ticket = library.attach(proxy.url, backup=False).ticket
        progress("a newcomer replays the log")
        before = _join(early, ticket, proxy, figures, "log")
        progress("a snapshot is made, and verified by the first newcomer")
        with _snapshots(made=True):
            for computer in (office, early, office):
                with _open(computer) as library:
                    library.sync()
        progress("a newcomer loads it")
        with _open(office) as library:
            ticket = library.invite()
        after = _join(late, ticket, proxy, figures, "snapshot")
    figures |= _bytes_of(office, size, before_bytes)
    for name, computer in (("log", early), ("snapshot", late)):
        file_bytes = (computer.library / "library.sqlite").stat().st_size
        figures[f"newcomer_by_{name}_file_bytes"] = file_bytes
    shown = [one.run("list").document() for one in (early, late)]
    return Measured(
        figures,
        {
            "seconds_log_over_snapshot": before.seconds / after.seconds,
            "bytes_log_over_snapshot": figures["log_wire_bytes"] / figures["snapshot_wire_bytes"],
        },
        Computed.of_json([*shown[0], *shown[1]]),
    )


def _live(office: Computer, size: Size) -> float:
    """Edit for years: each edit is a session of its own, sealed by itself."""
    choose = random.Random(1)
    began = time.perf_counter()
    with _open(office) as library:
        keys = [one.key for one in library.list() if one.key != _KEY]
        library._replica.database.execute("PRAGMA synchronous = OFF")
        outbox = Outbox(library._replica, LibraryMembership(library._replica))
        text = "A first note. "
        every = size.edits // size.hot_edits
        for number in range(size.edits):
            if number % every == 0:
                text = _edited(text, choose)
                library.edit(_KEY, [Edit("note", Act.SET, (text,))])
            else:
                value = f"Title in its version {number}"
                library.edit(choose.choice(keys), [Edit("title", Act.SET, (value,))])
            outbox.seal()
            if number % 1000 == 0:
                progress(f"{number:,} edits")
    return time.perf_counter() - began


def _edited(text: str, choose: random.Random) -> str:
    """A word put in somewhere, or some letters taken out."""
    if choose.random() < 0.6 or len(text) < 100:
        at = choose.randrange(len(text))
        return f"{text[:at]}{choose.choice(_WORDS)} {text[at:]}"
    at = choose.randrange(len(text) - 10)
    return text[:at] + text[at + 7 :]


def _join(
    computer: Computer, ticket: str, proxy: CountingProxy, figures: dict[str, float | int], by: str
) -> Ended:
    """A computer joins with a ticket; what that took."""
    before = proxy.sent_bytes + proxy.received_bytes
    ended = computer.run("attach", ticket, str(computer.library))
    figures[f"{by}_s"], figures[f"{by}_cpu_s"] = ended.seconds, ended.cpu_s
    figures[f"{by}_peak_bytes"] = ended.peak_bytes
    figures[f"{by}_wire_bytes"] = proxy.sent_bytes + proxy.received_bytes - before
    return ended


def _hot_bytes(office: Computer) -> int:
    """The bytes of the hot record's state, before they are compressed."""
    with _open(office) as library:
        state = library._replica.records.state(library.show(_KEY).id)
    assert state is not None
    return len(flatten(state))


def _bytes_of(office: Computer, size: Size, before_bytes: int) -> dict[str, float | int]:
    """What the hot record's state has for each edit above its text and what it began with."""
    with _open(office) as library:
        shown = library.show(_KEY)
        text_bytes = len(str(shown.fields["note"]).encode())
        state = library._replica.records.state(shown.id)
        assert state is not None
        state = flatten(state)
        row = library._replica.database.row(
            "SELECT length(records.state) + coalesce(length(record_bases.state), 0) "
            "+ coalesce(length(names), 0) FROM records LEFT JOIN record_bases ON record = id "
            "WHERE id = ?",
            (shown.id,),
        )
        assert row is not None
    return {
        "hot_state_bytes": len(state),
        "hot_stored_bytes": row[0],
        "hot_text_bytes": text_bytes,
        "bytes_per_edit": (len(state) - before_bytes - text_bytes) / size.hot_edits,
        "stored_bytes_per_edit": (row[0] - text_bytes) / size.hot_edits,
        "office_file_bytes": (office.library / "library.sqlite").stat().st_size,
    }


def _open(computer: Computer) -> Library:
    return Library.open(computer.library, home=Home(computer.home, device_name=computer.home.name))


@contextmanager
def _snapshots(*, made: bool) -> Iterator[None]:
    """In this process a snapshot is made at once where it is due, or never."""
    changed = {
        "SNAPSHOT_LOG_BYTES_MIN": 0 if made else 1 << 40,
        "SNAPSHOT_STATES_DIVISOR": 1 << 40,
        "SNAPSHOT_WAIT_S": 0.0,
        "STATEMENT_INTERVAL_S": 0.0,
    }
    before = {name: getattr(limits, name) for name in changed}
    for name, value in changed.items():
        setattr(limits, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(limits, name, value)


BENCHMARK = Benchmark(
    name="growth",
    question="What does a newcomer pay for ten years of a library, and what does an edit leave?",
    baseline="a newcomer that replays the log, in the same run",
    result="the references of both newcomers as `bifolio list --json` shows them",
    smoke=Size(references=30, edits=60, hot_edits=20),
    full=Size(references=1_000, edits=36_500, hot_edits=1_500),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
