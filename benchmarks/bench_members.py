"""What do a thousand members with three computers each, and two hundred removals, cost a library?

An owner's replica with that list of members; the baseline is the same library before anybody
joined, in the same run. An edit does not look at the list; a process that syncs verifies all of it
once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.report import Benchmark, Computed, Measured, progress
from tests.support.relay_client import CONTENT_KEY, SharedLibrary

from bifolio import Library, limits
from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import (
    ChainEnd,
    Membership,
    Role,
    make_join,
    make_remove,
)
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.replica.membership import LibraryMembership

T = TypeVar("T")

#: Of one message of a relay.
_PART_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Size:
    """Members, the computers of each, how many members are removed, and how many edits and openings
    of the list are timed."""

    members: int
    devices: int
    removals: int
    edits: int
    openings: int = 5


def measure(size: Size, folder: Path) -> Measured:
    """Build the list, then time what reads it."""
    shared = SharedLibrary(1)
    secret, _ = shared.invite(Role.EDITOR)
    progress(f"{size.members * size.devices} joins")
    people: list[list[DeviceKeys]] = []
    for person in range(size.members):
        people.append([])
        for number in range(size.devices):
            keys = new_device_keys(f"{person}-{number}", shared.random)
            record = make_join(shared.membership, keys, ticket_secret=secret)
            shared.membership = shared.membership.append(record)
            people[-1].append(keys)
    joined_bytes = shared.membership.size_bytes
    known = {0: CONTENT_KEY}
    removal_s: list[float] = []
    for number in range(size.removals):
        if number % 20 == 0:
            progress(f"{number} removals")
        removal_s.append(_timed(partial(_remove, shared, people[number], known))[1])
    records = shared.membership.records
    membership, verify_s = _timed(lambda: Membership.from_records(records))
    invite_secret, _ = shared.invite(Role.EDITOR)
    newcomer = new_device_keys("newcomer", shared.random)
    joining = shared.membership
    _, join_s = _timed(lambda: make_join(joining, newcomer, ticket_secret=invite_secret))
    learn_s = _learn(folder, membership)
    (small_s, large_s), (open_few_s, open_many_s) = _edits(size, folder, membership)
    figures = {
        "log_records": len(records),
        "log_bytes": membership.size_bytes,
        "log_bytes_after_joins": joined_bytes,
        "verify_s": verify_s,
        "join_s": join_s,
        "learn_s": learn_s,
        "removal_s": median(removal_s),
        "edit_few_members_ms": small_s * 1000,
        "edit_many_members_ms": large_s * 1000,
        "open_few_members_ms": open_few_s * 1000,
        "open_many_members_ms": open_many_s * 1000,
    }
    ratios = {
        "edit_many_over_few": large_s / small_s,
        # Of what a process does once that syncs: reading and verifying the list in the file.
        "open_many_over_few": open_many_s / open_few_s,
    }
    said = [f"{one.device.hex()} {one.role}".encode() for one in membership.members]
    return Measured(figures, ratios, Computed.of(said))


def _remove(shared: SharedLibrary, devices: list[DeviceKeys], known: dict[int, bytes]) -> None:
    content_key = shared.random(32)
    cuts = {one.sign_public: {shared.random(16): ChainEnd(1, shared.random(32))} for one in devices}
    made = make_remove(
        shared.membership,
        shared.owner,
        cuts=cuts,
        content_key=content_key,
        earlier=known,
        random_bytes=shared.random,
    )
    for record in made:
        shared.membership = shared.membership.append(record)
    known[shared.membership.generation] = content_key


def _learn(folder: Path, membership: Membership) -> float:
    """The seconds in which a newcomer's replica verifies and stores the list as a relay gives it,
    in messages of so many records and bytes."""
    library = Library.create(folder / "new.bifolio", home=Home(folder / "home of new"))
    replica = library._replica
    log = LibraryMembership(replica)
    with replica.database.transaction():
        log.forget()
        replica.meta.library_id = membership.library_id
    parts: list[list[bytes]] = [[]]
    for record in membership.records:
        own_bytes = sum(map(len, parts[-1])) + len(record)
        if parts[-1] and (len(parts[-1]) == limits.MEMBERS_BATCH_MAX or own_bytes > _PART_BYTES):
            parts.append([])
        parts[-1].append(record)
    began = time.process_time()
    for part in parts:
        log.learn(part)
    took_s = time.process_time() - began
    library.close()
    return took_s


def _edits(
    size: Size, folder: Path, membership: Membership
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The seconds of an edit, and of reading and verifying the list of members, in a library of one
    member, and in one whose list is the long one."""
    libraries = []
    for name in ("few", "many"):
        home = Home(folder / f"home of {name}", device_name=name)
        library = Library.create(folder / f"{name}.bifolio", home=home)
        library.add({"title": "Paper", "citation-key": "paper"})
        libraries.append(library)
    replica = libraries[1]._replica
    log = LibraryMembership(replica)
    with replica.database.transaction():
        log.forget()
        replica.meta.library_id = membership.library_id
    log.learn(membership.records)
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(size.edits):
        for library, times in zip(libraries, took, strict=True):
            edit = [Edit("volume", Act.SET, (str(number),))]
            times.append(_timed(partial(library.edit, "paper", edit))[1])
    opened: tuple[list[float], list[float]] = ([], [])
    for _ in range(size.openings):
        for library, times in zip(libraries, opened, strict=True):
            times.append(_timed(LibraryMembership(library._replica).membership)[1])
    for library in libraries:
        library.close()
    return (median(took[0]), median(took[1])), (median(opened[0]), median(opened[1]))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and the processor's time: other programs use the machine too."""
    began = time.process_time()
    done = work()
    return done, time.process_time() - began


BENCHMARK = Benchmark(
    name="members",
    question="What do a thousand members with three computers each, and 200 removals, cost?",
    baseline="an edit in a library of one member",
    result="the members that are left, with their roles, in their order",
    smoke=Size(members=4, devices=3, removals=2, edits=5),
    full=Size(members=1000, devices=3, removals=200, edits=200),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
