"""Envelopes merged as a sync does it, without a network, and the same updates merged bare.

The baselines are pycrdt documents, one for each record: in memory, and in SQLite with one
``synchronous=FULL`` transaction for each message (the durable peer). Neither checks, opens, lists
or searches anything.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from benchmarks.support.processes import ProcessFailedError, running_relay
from pycrdt import Doc

from bifolio import Library, limits
from bifolio.crypto.envelope import parse_envelope
from bifolio.home import Home
from bifolio.replica.membership import LibraryMembership
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.outbox import Outbox

#: A record and one update of it.
Update = tuple[str, bytes]

#: Updates as they come: a list for each message.
Messages = Sequence[Sequence[Update]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the wall, and of CPU."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """How many updates were merged, and what that cost: the engine until all is durable, and to
    derive what lists and searches read; the durable peer; bare pycrdt."""

    updates: int
    engine: Cost
    derived: Cost
    durable: Cost
    bare: Cost

    @property
    def searchable(self) -> Cost:
        """What the engine takes until all is durable, listed and searchable."""
        return _add(self.engine, self.derived)


@dataclass(slots=True)
class Computer:
    """One of the two computers."""

    library: Library
    seed: int = 0

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

    def merge(self, envelopes: Sequence[bytes], *, alone: bool = False) -> None:
        """Merge envelopes as a sync does, message by message; each ``alone`` in one."""
        replica = self.library._replica
        inbox = Inbox(replica, self.member_log)
        for message in _in_messages(envelopes, alone=alone):
            cursor = replica.meta.cursor
            assert cursor is not None
            after = cursor.position
            received = [Received(one, after + place + 1) for place, one in enumerate(message)]
            moved = msgspec.structs.replace(cursor, position=after + len(message))
            result = inbox.receive(received, cursor=moved)
            if result.refused or not result.changes:
                raise ProcessFailedError(f"not all was merged: {result}")

    def updates(self, envelopes: Sequence[bytes], *, alone: bool = False) -> Messages:
        """The updates in envelopes, in their messages."""
        return [
            [update for raw in message for update in self._opened(raw)]
            for message in _in_messages(envelopes, alone=alone)
        ]

    def _opened(self, raw: bytes) -> list[Update]:
        envelope = parse_envelope(raw)
        key = self.member_log.key(envelope.header.generation)
        assert key is not None
        body = self.library._replica.formats.read(envelope, key)
        return [update for change in body.changes for update in change.records]


@contextmanager
def two_computers(folder: Path, file: Path) -> Iterator[tuple[Computer, Computer]]:
    """Two computers with one library of a file's references."""
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
        yield Computer(first, 1), Computer(second, 2)


def compare(
    folder: Path, merges: Sequence[tuple[Computer, Sequence[bytes]]], *, alone: bool = False
) -> Run:
    """What it costs to merge envelopes on some computers, in all; each ``alone`` in its message."""
    engine, derived, durable, bare = (Cost(0, 0) for _ in range(4))
    count = 0
    for computer, envelopes in merges:
        messages = computer.updates(envelopes, alone=alone)
        states = _states(computer, messages)
        count += sum(map(len, messages))
        # In turns, because other programs share the machine.
        bare = _add(bare, _merge_in_memory(states, messages))
        durable = _add(durable, _merge_durably(folder / "peer.sqlite", states, messages))
        engine = _add(engine, _measured(partial(computer.merge, envelopes, alone=alone)))
        derived = _add(derived, _measured(computer.library._replica.drain))
    return Run(count, engine, derived, durable, bare)


def _states(computer: Computer, messages: Messages) -> dict[str, bytes | None]:
    """The states that a computer has of the records that are written to."""
    records = computer.library._replica.records
    return {record_id: records.state(record_id) for part in messages for record_id, _ in part}


def _merge_in_memory(states: dict[str, bytes | None], messages: Messages) -> Cost:
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


def _merge_durably(path: Path, states: dict[str, bytes | None], messages: Messages) -> Cost:
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


def _measured(act: Callable[[], None]) -> Cost:
    wall_s, cpu_s = time.perf_counter(), _cpu_s()
    act()
    return Cost(time.perf_counter() - wall_s, _cpu_s() - cpu_s)


def _cpu_s() -> float:
    """What this process has worked, and what those that it started and that have ended have."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def _add(one: Cost, other: Cost) -> Cost:
    return Cost(one.wall_s + other.wall_s, one.cpu_s + other.cpu_s)


def _in_messages(envelopes: Sequence[bytes], *, alone: bool = False) -> Iterator[Sequence[bytes]]:
    """Envelopes as a relay sends them: so many in one message, of so many bytes; each ``alone``, as
    they come to who stays connected."""
    if alone:
        yield from ([one] for one in envelopes)
        return
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
