"""A computer with one replica: the real tables, keys and documents, in a folder, without sockets.

Time and randomness come from a seeded clock and generator, so a run can be repeated. What is
slow and has nothing to do with merging is left out: SQLite does not wait for the disk here (the
end-to-end tests kill real processes). Knows nothing of relays and of what is checked.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from tests.support.empty_databases import create_database

from bifolio.crypto.envelope import (
    CONTENT_KEY_BYTES,
    open_envelope,
    parse_envelope,
    read_header,
)
from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import Membership, Role, make_invite, make_join
from bifolio.errors import NotAMemberError
from bifolio.ids import digest
from bifolio.library import status
from bifolio.replica import folder as replica_folder
from bifolio.replica.envelope_formats import EnvelopeFormats
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica, Runtime
from bifolio.replication import rotation
from bifolio.storage.database import Database
from bifolio.storage.meta import Meta
from bifolio.storage.packed_states import unpack_state
from bifolio.wire.changes import Body, Change

START_S = 1_700_000_000.0

#: The ids of the changes in each envelope, and of each change that is not sealed.
_CHANGE_IDS: dict[bytes, frozenset[bytes]] = {}
#: The device that wrote each change which was ever sealed.
AUTHORS: dict[bytes, bytes] = {}


@dataclass(slots=True)
class Clock:
    """A computer's time; ``jump`` moves the wall clock alone."""

    wall_s: float = START_S
    monotonic_s: float = 0.0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.wall_s += seconds
        self.monotonic_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock, forwards or back."""
        self.wall_s += seconds


class Computer:
    """One replica, opened; ``content_key`` lets a test read what is sealed."""

    #: The changes in each envelope that any computer ever held: one that a snapshot covers is not
    #: here to be read.
    _change_ids: ClassVar[dict[bytes, frozenset[bytes]]] = {}

    def __init__(
        self,
        folder: Path,
        keys: DeviceKeys,
        clock: Clock,
        seed: int,
        content_key: bytes,
        *,
        formats: EnvelopeFormats | None = None,
    ) -> None:
        self.folder = folder
        #: The keys in its home, and those that are to take their place while it rotates them.
        self.home_keys = keys
        self.next_keys: DeviceKeys | None = None
        #: The ids of changes that it wrote again as its own, under its next keys.
        self.adopted: set[bytes] = set()
        self.clock = clock
        self.content_key = content_key
        #: What its program can read; None is what this one can.
        self.formats = formats
        #: A ticket's secret while this device is to become a member with it.
        self.join_secret: bytes | None = None
        self._random = random.Random(seed)
        self._openings = 0
        self._known: tuple[tuple[int, int], frozenset[bytes]] | None = None
        self.replica: Replica
        self.member_log: LibraryMembership
        self.open()

    @property
    def keys(self) -> DeviceKeys:
        """The keys that it speaks with in this library."""
        return self.replica.keys

    @property
    def name(self) -> str:
        """The name of the device."""
        return self.home_keys.name

    def open(self) -> None:
        """Open the replica, as a new process would."""
        self._openings += 1
        database = Database.open(self.folder / replica_folder.FILE)
        database.execute("PRAGMA synchronous = OFF")
        runtime = Runtime(
            wall_s=lambda: self.clock.wall_s,
            monotonic_s=lambda: self.clock.monotonic_s,
            random_bytes=self._random.randbytes,
        )
        self.replica = Replica(
            self.folder, database, self._load_keys, runtime, formats=self.formats
        )
        self.member_log = LibraryMembership(self.replica)

    def begin_session(self) -> None:
        """What a process does before it talks to a relay: edits that wait under this device's
        earlier keys, as in a backup of before, are written again as its own."""
        self.replica.check_keys()
        if rotation.earlier_tags(self.replica):
            with self.adopting():
                rotation.adopt_late_edits(self.replica, self.member_log)

    @contextmanager
    def adopting(self) -> Iterator[None]:
        """Note which changes are written again meanwhile. Another one's may be taken back in the
        same sync, as its author was removed: those are not."""
        before, keys = self.known(), self._own_keys()
        yield
        gone, keys = before - self.known(), keys | self._own_keys()
        self.adopted |= {one for one in gone if AUTHORS.get(one, self.keys.sign_public) in keys}

    def _own_keys(self) -> frozenset[bytes]:
        """The signing keys that this device has, had or takes, by its list of members."""
        membership = self.member_log.membership()
        before = membership.lineage(self.keys.sign_public) if membership is not None else ()
        return frozenset((self.home_keys.sign_public, self.keys.sign_public, *before))

    def _load_keys(self) -> DeviceKeys:
        """As a library's process does: it may be on the next keys before its home is."""
        wanted = self.replica.meta.device_key
        if self.next_keys is not None and wanted == self.next_keys.sign_public:
            return self.next_keys
        return self.home_keys

    def close(self) -> None:
        """Close the replica."""
        self.replica.database.close()

    def reopen(self) -> None:
        """End the process and start another one."""
        self.close()
        self.open()

    def upgrade(self, formats: EnvelopeFormats) -> None:
        """End the process and start that of a program that can read other envelopes."""
        self.formats = formats
        self.reopen()

    def copy_file(self, target: Path) -> Path:
        """A consistent copy of the replica's file, made while the replica stays open."""
        target.mkdir(parents=True)
        self.replica.database.back_up(target / replica_folder.FILE)
        return target

    def restore(self, backup: Path) -> None:
        """Put an earlier copy of the file in the place of the present one."""
        self.close()
        for file in self.folder.glob(replica_folder.FILE + "*"):
            file.unlink()
        shutil.copy(backup / replica_folder.FILE, self.folder / replica_folder.FILE)
        self.open()

    def version(self) -> tuple[int, int]:
        """Differs whenever something may have been written to the replica since."""
        return self._openings, self.replica.database._connection.total_changes

    def known(self) -> frozenset[bytes]:
        """The ids of all changes that are merged here, read from the tables."""
        version = self.version()
        if self._known is not None and self._known[0] == version:
            return self._known[1]
        found: set[bytes] = set()
        rows = self.replica.database.rows(
            "SELECT number, hash, CASE WHEN hash IS NULL THEN body END FROM changes "
            "WHERE hash IS NULL OR hash NOT IN (SELECT hash FROM voided_envelopes)"
        )
        for number, envelope_hash, body in rows:
            name = envelope_hash or digest(body)
            ids = _CHANGE_IDS.get(name)
            if ids is None:
                if envelope_hash:
                    row = self.replica.database.row(
                        "SELECT body FROM changes WHERE number = ?", (number,)
                    )
                    assert row is not None
                    key = self.key_of(row[0])
                    if key is None:
                        continue  # it lost the right before that generation
                    changes = opened(row[0], key).changes
                    author = read_header(row[0]).device
                    AUTHORS.update((change_id(one), author) for one in changes)
                else:
                    changes = (Change.parse(unpack_state(body)),)
                ids = _CHANGE_IDS[name] = frozenset(change_id(one) for one in changes)
            found |= ids
        passed = self.replica.voided.all_hashes()
        for covered in self.replica.snapshots.covered():
            found |= frozenset() if covered in passed else _CHANGE_IDS.get(covered, frozenset())
        self._known = (version, frozenset(found))
        return self._known[1]

    def key_of(self, envelope: bytes) -> bytes | None:
        """The content key of an envelope; None where this computer was never given it."""
        generation = read_header(envelope).generation
        try:
            found = self.member_log.key(generation)
        except NotAMemberError:
            found = None  # in a backup of before it took new keys, until it syncs
        return found or (self.content_key if not generation else None)

    def member_head(self) -> bytes:
        """The head of its list of members; empty while it knows nothing of them."""
        membership = self.member_log.membership()
        return membership.head if membership is not None else b""

    def newest_change(self) -> bytes:
        """The id of the change that was committed last, before it is sealed."""
        row = self.replica.database.row(
            "SELECT body FROM changes WHERE hash IS NULL ORDER BY number DESC LIMIT 1"
        )
        assert row is not None
        return change_id(Change.parse(unpack_state(row[0])))

    def state(self) -> tuple[str, tuple[str, ...]]:
        """The state hash that is kept, and the canonical JSON of every record."""
        return status.state_hash(self.replica), tuple(status.state_json(self.replica))


def change_id(change: Change) -> bytes:
    """What tells one change from every other, whatever envelope carries it."""
    return digest(change.serialize(), size=16)


@lru_cache(maxsize=4096)
def opened(envelope: bytes, content_key: bytes) -> Body:
    """What is in an envelope; every check of every step asks it of all that are stored."""
    return Body.parse(open_envelope(parse_envelope(envelope), content_key))


def found_library(folder: Path, *, seed: int, clock: Clock, name: str = "owner") -> Computer:
    """A new library on its first computer."""
    folder.mkdir(parents=True)
    rng = random.Random(seed)
    keys = new_device_keys(name, rng.randbytes)
    content_key = rng.randbytes(CONTENT_KEY_BYTES)
    _create_file(folder, b"")
    computer = Computer(folder, keys, clock, seed, content_key)
    with computer.replica.database.transaction():
        computer.member_log.create_genesis(content_key)
    computer.replica.name_library("Library")
    return computer


def empty_computer(
    folder: Path, *, seed: int, clock: Clock, name: str, library: Computer
) -> Computer:
    """A computer whose replica of a library is empty and whose device is no member yet."""
    return replica_of(
        folder,
        library.replica.library_id,
        new_device_keys(name, random.Random(seed).randbytes),
        seed=seed,
        clock=clock,
        content_key=library.content_key,
    )


def replica_of(
    folder: Path,
    library: bytes,
    keys: DeviceKeys,
    *,
    seed: int,
    clock: Clock,
    content_key: bytes,
    formats: EnvelopeFormats | None = None,
) -> Computer:
    """A computer whose replica of a library is empty."""
    folder.mkdir(parents=True)
    _create_file(folder, library)
    return Computer(folder, keys, clock, seed, content_key, formats=formats)


def introduce(computers: Sequence[Computer]) -> None:
    """Make all of them members, the first being the owner, as a relay would have passed on."""
    owner = computers[0]
    membership = owner.member_log.membership()
    assert membership is not None
    for number, computer in enumerate(computers[1:]):
        secret = digest(b"ticket", bytes([number]))
        membership = membership.append(
            make_invite(
                membership,
                owner.keys,
                ticket_secret=secret,
                role=Role.EDITOR,
                generation=0,
                content_key=owner.content_key,
            )
        )
        membership = membership.append(make_join(membership, computer.keys, ticket_secret=secret))
    for computer in computers:
        known: Membership | None = computer.member_log.membership()
        computer.member_log.learn(membership.records[len(known.records) if known else 0 :])


def _create_file(folder: Path, library_id: bytes) -> None:
    database = create_database(folder / replica_folder.FILE)
    with database.transaction():
        Meta(database).replica_id = digest(str(folder).encode(), size=16)
        if library_id:
            Meta(database).library_id = library_id
    database.close()
