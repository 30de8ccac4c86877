"""Builders for replicas: computers with a clock of their own, that hand envelopes to each other."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from tests.support.empty_databases import create_database
from tests.support.stored_changes import all_envelopes

from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.document import deletion, editing
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.formats import read
from bifolio.ids import RandomBytes
from bifolio.imports.importer import Importer, Item
from bifolio.library import status
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import Values
from bifolio.replica import folder, lookup
from bifolio.replica.envelope_formats import EnvelopeFormats
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica, Runtime, Write
from bifolio.replication.inbox import ApplyResult, Inbox, Received
from bifolio.replication.outbox import Outbox
from bifolio.results import ImportReport, ReferenceView
from bifolio.storage.database import Database
from bifolio.storage.derived import DERIVED_VERSION
from bifolio.storage.meta import Meta

NOW_S = 1_700_000_000.0


class Computer:
    """One computer with one replica of a library, its clock and its keys."""

    def __init__(
        self,
        path: Path,
        name: str,
        keys: DeviceKeys,
        database: Database,
        formats: EnvelopeFormats | None = None,
    ) -> None:
        self.wall_s = NOW_S
        self.monotonic_s = 1000.0
        self.name = name
        self.keys = keys
        self._random = random.Random(f"{name} {path}")
        self.draw: RandomBytes = self._random.randbytes
        runtime = Runtime(
            wall_s=lambda: self.wall_s,
            monotonic_s=lambda: self.monotonic_s,
            random_bytes=lambda count: self.draw(count),
        )
        self.replica = Replica(path, database, lambda: keys, runtime, formats=formats)
        # No test of these pulls the plug; that a fresh file is durable is tested in storage.
        database.execute("PRAGMA synchronous = OFF")
        self.member_log = LibraryMembership(self.replica)
        self.inbox = Inbox(self.replica, self.member_log)
        self.outbox = Outbox(self.replica, self.member_log)

    # --- time -----------------------------------------------------------------------------

    def waits(self, seconds: float) -> None:
        """Time passes."""
        self.wall_s += seconds
        self.monotonic_s += seconds

    # --- edits ----------------------------------------------------------------------------

    def adds(self, record_id: str, values: Values) -> None:
        """Add a reference under an id."""

        def write(plan: Plan, entries: Entries) -> None:
            editing.plan_creation(plan, entries, kind="reference", values=values)

        self.commits(record_id, write)

    def sets(self, record_id: str, field: str, *texts: str) -> None:
        """Set a field."""
        edit = Edit(field, Act.SET, texts)
        self.commits(record_id, lambda plan, entries: editing.plan_edits(plan, entries, [edit]))

    def deletes(self, record_id: str) -> None:
        """Put a reference into the trash."""
        self.commits(record_id, deletion.plan_delete)

    def commits(self, record_id: str, write: Write) -> None:
        """One change; the clock goes on a little before it."""
        self.waits(0.001)
        self.replica.commit([(record_id, write)])

    def imports(self, *items: Item, dry_run: bool = False) -> ImportReport:
        """Import what a file would hold."""
        with self.replica.database.rehearsal() if dry_run else nullcontext():
            return self.imports_all(items)

    def imports_all(self, items: Iterable[Item]) -> ImportReport:
        """Import what a file gives, one item after the other."""
        return Importer(self.replica, file="a.ris").run(items)

    # --- what it holds --------------------------------------------------------------------

    def shows(self, record_id: str) -> ReferenceView:
        """A reference as it is shown."""
        row = self.replica.references.read(record_id)
        assert row is not None
        return lookup.show(self.replica, row)

    def titles(self) -> list[str]:
        """The titles of the live references, sorted."""
        return sorted(row.title or "" for row in self.replica.references.iter_rows(trashed=False))

    @property
    def state(self) -> str:
        """The state hash."""
        return status.state_hash(self.replica)

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that the file holds, by table."""
        tables = self.replica.database.rows(
            "SELECT name, sql LIKE '%WITHOUT ROWID' FROM sqlite_master WHERE type = 'table' "
            "ORDER BY name"
        )
        index = {"refs_fts": self.replica.references.index.all_rows()}  # FTS5 has no rows of it
        return index | {
            name: self.replica.database.rows(
                f"SELECT * FROM [{name}]"
                if without_rowid
                else f"SELECT rowid, * FROM [{name}] ORDER BY rowid"
            )
            for name, without_rowid in tables
            if not name.startswith(("refs_fts", "sqlite_"))
        }

    # --- envelopes ------------------------------------------------------------------------

    def envelopes(self) -> list[bytes]:
        """Everything that it holds, sealed, in causal order."""
        self.outbox.seal()
        return [stored.envelope for stored in all_envelopes(self.replica.database)]

    def receives(self, envelopes: Sequence[bytes]) -> ApplyResult:
        """Merge envelopes in one batch."""
        return self.inbox.receive([Received(envelope, None) for envelope in envelopes])

    def receives_in_any_order(self, envelopes: Sequence[bytes], choose: random.Random) -> None:
        """Merge envelopes in another order, in several batches, some of them twice."""
        left = [*envelopes, *choose.choices(envelopes, k=5)]
        choose.shuffle(left)
        while left:
            count = choose.randint(1, len(left))
            self.receives(left[:count])
            left = left[count:]

    def learns(self, *others: Computer) -> ApplyResult:
        """Merge everything that others hold."""
        return self.receives([envelope for other in others for envelope in other.envelopes()])

    def joins(self, owner: Computer) -> Computer:
        """Become a member of the owner's library by a ticket; itself."""
        secret = self.draw(32)
        owner.member_log.learn([owner.member_log.invite(secret)])
        membership = owner.member_log.membership()
        assert membership is not None
        known = self.member_log.membership()
        self.member_log.learn(membership.records[len(known.records) if known else 0 :])
        record = self.member_log.join(secret)
        for one in (owner, self):
            one.member_log.learn([record])
        return self

    def reopened(self, *, formats: EnvelopeFormats | None = None) -> Computer:
        """The same replica, opened again, by a program that can read these envelopes."""
        self.replica.database.close()
        again = Computer(
            self.replica.path,
            self.name,
            self.keys,
            folder.open_database(self.replica.path),
            formats,
        )
        again.draw = random.Random(f"{self._random.random()}").randbytes
        again.wall_s, again.monotonic_s = self.wall_s, self.monotonic_s
        return again


def new_computer(
    tmp_path: Path,
    name: str,
    *,
    library: bytes | None = None,
    keys: DeviceKeys | None = None,
    formats: EnvelopeFormats | None = None,
) -> Computer:
    """A computer with an empty replica: of a library, or of none yet."""

    def build(unfinished: Path) -> None:
        database = create_database(unfinished / folder.FILE)
        with database.transaction():
            meta = Meta(database)
            meta.derived_version = DERIVED_VERSION
            meta.replica_id = name.encode().ljust(16, b"\x00")
            if library is not None:
                meta.library_id = library
        database.close()

    path = tmp_path / f"{name}.bifolio"
    folder.place(path, build)
    keys = keys or new_device_keys(name, random.Random(name).randbytes)
    return Computer(path, name, keys, Database.open(path / folder.FILE), formats)


def owner_of_a_library(tmp_path: Path, name: str = "office") -> Computer:
    """A computer that has made a library."""
    computer = new_computer(tmp_path, name)
    with computer.replica.database.transaction():
        computer.member_log.create_genesis(b"k" * 32)
    computer.replica.name_library("Thesis")
    return computer


def members(tmp_path: Path, *names: str) -> list[Computer]:
    """The owner of a library, and members who hold nothing of it yet."""
    owner = owner_of_a_library(tmp_path, names[0])
    others = [new_computer(tmp_path, name, library=owner.replica.library_id) for name in names[1:]]
    for other in others:
        other.joins(owner)
    for other in others:
        membership = owner.member_log.membership()
        known = other.member_log.membership()
        assert membership is not None
        assert known is not None
        if len(known.records) < len(membership.records):
            other.member_log.learn(membership.records[len(known.records) :])
    return [owner, *others]


def meet(*computers: Computer) -> None:
    """Everybody learns everything; then all show the same."""
    for _ in range(2):
        for computer in computers:
            computer.learns(*(other for other in computers if other is not computer))
    assert len({computer.state for computer in computers}) == 1


def ris(folder_of_file: Path, *records: Mapping[str, str]) -> list[Item]:
    """What an RIS file with these records holds; each is a book unless it says otherwise."""
    path = folder_of_file / "a.ris"
    lines: list[str] = []
    for record in records:
        lines.append(f"TY  - {record.get('TY', 'BOOK')}")
        lines += [f"{tag}  - {value}" for tag, value in record.items() if tag != "TY"]
        lines.append("ER  - ")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(read(path))
