"""What does it cost to merge what others wrote meanwhile?

Two computers with one library edit it offline, each by itself, and each merges what the other one
wrote: seventy of a hundred edits set a field, ten add a reference, ten delete one and ten add words
to a note; a tenth of them are on references that both edit. Then edits that were sealed one by one,
as a computer seals them that stays connected, and many edits of one reference.

Envelopes are merged as a sync does it, without a network: opened, checked, merged, hashed and
durable; then what lists and searches read is derived ("searchable"). The baselines merge the same
updates in the same turn: a record a pycrdt ``Doc`` in memory, and the durable peer, a record a
``Doc`` in SQLite, one ``synchronous=FULL`` transaction for each message. Neither checks, opens,
lists or searches anything.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import ProcessFailedError, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from pycrdt import Doc

from bifolio import Library, limits
from bifolio.crypto.envelope import parse_envelope
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.replica.membership import LibraryMembership
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.outbox import Outbox

#: The fields that are set; of these some are searched and some are not.
_FIELDS = ("title", "publisher", "volume", "issue", "page", "URL", "container-title")

#: One reference in so many is edited by both computers.
_SHARED_ONE_IN = 50

#: A record and one update of it.
Update = tuple[str, bytes]

#: Updates as they come: a list for each message.
Messages = Sequence[Sequence[Update]]


@dataclass(frozen=True, slots=True)
class Size:
    """How many references, how many edits on each computer and of one reference, how often."""

    references: int
    edits: int
    edits_sealed_alone: int
    edits_of_one: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Cost:
    """Seconds on the wall, and of CPU."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class _Run:
    """How many updates were merged, and what that cost: the engine until all is durable, and to
    derive what lists and searches read; the durable peer; bare pycrdt."""

    updates: int
    engine: _Cost
    derived: _Cost
    durable: _Cost
    bare: _Cost

    @property
    def searchable(self) -> _Cost:
        """What the engine takes until all is durable, listed and searchable."""
        return _add(self.engine, self.derived)


_WHOSE: dict[str, Callable[[_Run], _Cost]] = {
    "engine": attrgetter("engine"),
    "engine_searchable": attrgetter("searchable"),
    "durable_peer": attrgetter("durable"),
    "bare_pycrdt": attrgetter("bare"),
}


@dataclass(slots=True)
class _Computer:
    """One of the two computers."""

    library: Library
    seed: int

    @property
    def member_log(self) -> LibraryMembership:
        """The membership log as it knows it."""
        return LibraryMembership(self.library._replica)

    def seal(self) -> None:
        """Seal what waits."""
        Outbox(self.library._replica, self.member_log).seal()

    def take_envelopes(self) -> list[bytes]:
        """What was sealed since the last call, in its order."""
        outbox = Outbox(self.library._replica, self.member_log)
        found = outbox.offers(after=0, bytes_max=1 << 40)
        with self.library._database.transaction():
            for number, one in enumerate(found):
                self.library._replica.changes.set_position(one.hash, number + 1)
        return [one.envelope for one in found]

    def merge(self, envelopes: Sequence[bytes]) -> None:
        """Merge envelopes as a sync does, message by message."""
        replica = self.library._replica
        inbox = Inbox(replica, self.member_log)
        for message in _in_messages(envelopes):
            cursor = replica.meta.cursor
            assert cursor is not None
            after = cursor.position
            received = [Received(one, after + place + 1) for place, one in enumerate(message)]
            moved = msgspec.structs.replace(cursor, position=after + len(message))
            result = inbox.receive(received, cursor=moved)
            if result.refused or not result.changes:
                raise ProcessFailedError(f"not all was merged: {result}")

    def updates(self, envelopes: Sequence[bytes]) -> Messages:
        """The updates in envelopes, in their messages."""
        return [
            [update for raw in message for update in self._opened(raw)]
            for message in _in_messages(envelopes)
        ]

    def _opened(self, raw: bytes) -> list[Update]:
        envelope = parse_envelope(raw)
        key = self.member_log.key(envelope.header.generation)
        assert key is not None
        body = self.library._replica.formats.read(envelope, key)
        return [update for change in body.changes for update in change.records]


def measure(size: Size, folder: Path) -> Measured:
    """Let both edit and merge, in turns with the baselines."""
    found: dict[str, list[_Run]] = {}
    with _two_computers(folder, size.references) as computers:
        first, second = computers
        ids = sorted(one.id for one in first.library.list())
        for number in range(size.rounds):
            progress(f"round {number + 1}")
            for one in computers:
                _edit(one, ids, size.edits, seed=100 * number + one.seed)
                one.seal()
            sent = [one.take_envelopes() for one in computers]
            found.setdefault("offline", []).append(
                _compare(folder, [(first, sent[1]), (second, sent[0])])
            )
            _edit(first, ids, size.edits_sealed_alone, seed=100 * number + 50, alone=True)
            sealed_alone = [(second, first.take_envelopes())]
            found.setdefault("sealed_alone", []).append(_compare(folder, sealed_alone))
            _edit_one(first, ids[number], size.edits_of_one)
            first.seal()
            of_one = [(second, first.take_envelopes())]
            found.setdefault("one_reference", []).append(_compare(folder, of_one))
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


def _figures(name: str, runs: Sequence[_Run]) -> dict[str, float | int]:
    """Microseconds an update, the median over the rounds."""
    figures: dict[str, float | int] = {f"{name}_updates": runs[0].updates}
    for whose, of in _WHOSE.items():
        figures[f"{name}_{whose}_us"] = median(of(run).wall_s / run.updates * 1e6 for run in runs)
        cpu_us = median(of(run).cpu_s / run.updates * 1e6 for run in runs)
        figures[f"{name}_{whose}_cpu_us"] = cpu_us
    return figures


def _ratios(name: str, runs: Sequence[_Run]) -> dict[str, float]:
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


@contextmanager
def _two_computers(folder: Path, references: int) -> Iterator[tuple[_Computer, _Computer]]:
    """Two computers with one library of real references."""
    progress("importing")
    file = folder / "library.bib"
    write_bibliography(file, references)
    homes = [Home(folder / name, device_name=name) for name in ("first", "second")]
    with running_relay(folder / "relay") as relay:
        first = Library.create(folder / "first" / "Library.bifolio", home=homes[0])
        first.import_files([file])
        ticket = first.attach(relay.url).ticket
        assert ticket is not None
        second = Library.attach_new(ticket, folder / "second" / "Library.bifolio", home=homes[1])
        first.sync()
        second.sync()
    with first, second:
        yield _Computer(first, 1), _Computer(second, 2)


def _edit(
    computer: _Computer, ids: Sequence[str], count: int, *, seed: int, alone: bool = False
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


def _edit_one(computer: _Computer, ref: str, count: int) -> None:
    """Two fields of one reference in turns."""
    if computer.library.show(ref).trashed:
        computer.library.restore([ref])
    for number in range(count):
        field = _FIELDS[2 + number % 2]
        computer.library.edit(ref, [Edit(field, Act.SET, (str(number + 1),))])


def _compare(folder: Path, merges: Sequence[tuple[_Computer, Sequence[bytes]]]) -> _Run:
    """What it costs to merge envelopes on some computers, in all."""
    engine, derived, durable, bare = (_Cost(0, 0) for _ in range(4))
    count = 0
    for computer, envelopes in merges:
        messages = computer.updates(envelopes)
        states = _states(computer, messages)
        count += sum(map(len, messages))
        # In turns, because other programs share the machine.
        bare = _add(bare, _merge_in_memory(states, messages))
        durable = _add(durable, _merge_durably(folder / "peer.sqlite", states, messages))
        engine = _add(engine, _measured(partial(computer.merge, envelopes)))
        derived = _add(derived, _measured(computer.library._replica.drain))
    return _Run(count, engine, derived, durable, bare)


def _states(computer: _Computer, messages: Messages) -> dict[str, bytes | None]:
    """The states that a computer has of the records that are written to."""
    records = computer.library._replica.records
    return {record_id: records.state(record_id) for part in messages for record_id, _ in part}


def _merge_in_memory(states: dict[str, bytes | None], messages: Messages) -> _Cost:
    """A record a document in memory, loaded before."""
    documents: dict[str, Doc[Any]] = {}
    for record_id, state in states.items():
        documents[record_id] = Doc()
        if state is not None:
            documents[record_id].apply_update(state)

    def merge() -> None:
        for part in messages:
            for record_id, update in part:
                documents[record_id].apply_update(update)

    return _measured(merge)


def _merge_durably(path: Path, states: dict[str, bytes | None], messages: Messages) -> _Cost:
    """A record a document in SQLite: loaded, merged, and written with its message."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE record (id TEXT PRIMARY KEY, state BLOB)")
    connection.execute("BEGIN")
    held = [(one, state) for one, state in states.items() if state is not None]
    connection.executemany("INSERT INTO record VALUES (?, ?)", held)
    connection.execute("COMMIT")

    def merge() -> None:
        for part in messages:
            connection.execute("BEGIN IMMEDIATE")
            documents: dict[str, Doc[Any]] = {}
            for record_id, update in part:
                document = documents.get(record_id)
                if document is None:
                    document = documents[record_id] = Doc()
                    row = connection.execute(
                        "SELECT state FROM record WHERE id = ?", (record_id,)
                    ).fetchone()
                    if row is not None:
                        document.apply_update(row[0])
                document.apply_update(update)
            connection.executemany(
                "INSERT OR REPLACE INTO record VALUES (?, ?)",
                [(one, document.get_update()) for one, document in documents.items()],
            )
            connection.execute("COMMIT")

    cost = _measured(merge)
    connection.close()
    return cost


def _measured(act: Callable[[], None]) -> _Cost:
    wall_s, cpu_s = time.perf_counter(), _cpu_s()
    act()
    return _Cost(time.perf_counter() - wall_s, _cpu_s() - cpu_s)


def _cpu_s() -> float:
    """What this process has worked, and what those that it started and that have ended have."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def _add(one: _Cost, other: _Cost) -> _Cost:
    return _Cost(one.wall_s + other.wall_s, one.cpu_s + other.cpu_s)


def _in_messages(envelopes: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Envelopes as a relay sends them: so many in one message, of so many bytes."""
    message: list[bytes] = []
    size = 0
    for one in envelopes:
        full = len(message) == limits.BATCH_ENVELOPES_MAX
        if message and (full or size + len(one) > limits.BATCH_BYTES_TARGET):
            yield message
            message, size = [], 0
        message.append(one)
        size += len(one)
    if message:
        yield message


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
