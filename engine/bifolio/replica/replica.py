"""The opened replica: its keys, its time, its incarnation, and one commit of edits.

Time and randomness come in with ``Runtime``, so that the simulator can be exact.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bifolio import lazy, limits
from bifolio.clock import HybridClock
from bifolio.crypto.keys import DeviceKeys
from bifolio.document import registers
from bifolio.document.entries import Entries, join
from bifolio.document.plan import Plan, Writer
from bifolio.errors import ReaderError, RecordTooLargeError
from bifolio.ids import (
    NONCE_BYTES,
    SETTINGS_ID,
    RandomBytes,
    base64url,
    incarnation_client_id,
    random_slot,
)
from bifolio.records.canonical import canonical_json
from bifolio.replica.backlog import Backlog
from bifolio.replica.deletion_guard import Cause, DeletionGuard
from bifolio.replica.derivation import Derivation
from bifolio.replica.folder import FILES
from bifolio.replica.journal import Journal
from bifolio.storage.changes import Changes, UnsealedChange
from bifolio.storage.contents import Contents
from bifolio.storage.database import Database
from bifolio.storage.edit_mark import EditMark
from bifolio.storage.groups import GroupTable
from bifolio.storage.heard import Heard
from bifolio.storage.incarnations import Incarnations
from bifolio.storage.join_offers import JoinOffers
from bifolio.storage.listings import Listings
from bifolio.storage.log_hashes import LogHashes
from bifolio.storage.meta import Meta
from bifolio.storage.newer_envelopes import NewerEnvelopes
from bifolio.storage.pending_envelopes import PendingEnvelopes
from bifolio.storage.quarantined_updates import QuarantinedUpdates
from bifolio.storage.records import Records
from bifolio.storage.references import References
from bifolio.storage.refused_envelopes import RefusedEnvelopes
from bifolio.storage.snapshot_source import SnapshotSource
from bifolio.storage.snapshots import Snapshots
from bifolio.storage.statements import Statements
from bifolio.storage.transfers import Transfers
from bifolio.storage.voided_envelopes import VoidedEnvelopes
from bifolio.wire.changes import Change
from bifolio.wire.changes import Incarnation as DeclaredIncarnation

if TYPE_CHECKING:
    from bifolio.document import record as documents
    from bifolio.replica import hot_records
    from bifolio.replica import workspace as workspaces
    from bifolio.replica.envelope_formats import EnvelopeFormats
else:
    # For writing, and for what no table holds.
    hot_records = lazy.module("bifolio.replica.hot_records")
    workspaces = lazy.module("bifolio.replica.workspace")

#: The role of who may only read, as ``crypto.membership.Role`` writes it.
_READER = "reader"

#: Plans one record's writes, having seen its entries.
Write = Callable[[Plan, Entries], None]


class Runtime(Struct, frozen=True):
    """What a replica takes from its computer."""

    wall_s: Callable[[], float] = time.time
    monotonic_s: Callable[[], float] = time.monotonic
    random_bytes: RandomBytes = os.urandom

    def now_ms(self) -> int:
        """The computer's time in milliseconds since 1970."""
        return int(self.wall_s() * 1000)


class Incarnation(Struct):
    """One opening for writing: a slot and a client id that are never used again (I8). Its nonce
    and the device's key prove to everybody that the client id is its own."""

    slot: str
    nonce: bytes
    client_id: int
    offset_s: float  # wall clock less monotonic clock when it was taken


class Replica:
    """A replica's tables, and commits to them."""

    def __init__(
        self,
        path: Path,
        database: Database,
        load_keys: Callable[[], DeviceKeys],
        runtime: Runtime,
        *,
        formats: EnvelopeFormats | None = None,
    ) -> None:
        self.path = path
        self.database = database
        self.runtime = runtime
        self._formats = formats
        self._load_keys = load_keys
        self._keys: DeviceKeys | None = None
        #: A key that the library was opened with elsewhere.
        self._keys_not_here = b""
        self.meta = Meta(database)
        self.log_hashes = LogHashes(database)
        self.heard = Heard(database)
        self.records = Records(database)
        self.changes = Changes(database)
        self.snapshots = Snapshots(database)
        self.snapshot_source = SnapshotSource(database)
        self.statements = Statements(database)
        self.newer_envelopes = NewerEnvelopes(database)
        self.pending = PendingEnvelopes(database)
        self.refused = RefusedEnvelopes(database)
        self.voided = VoidedEnvelopes(database)
        self._references = References(database)
        self.groups = GroupTable(database)
        self.contents = Contents(path / FILES)
        self._transfers = Transfers(database)
        self.journal = Journal(database)
        self.listings = Listings(database)
        self.join_offers = JoinOffers(database)
        self.quarantined = QuarantinedUpdates(database)
        self._deletion_guard = DeletionGuard(database)
        self._derivation = Derivation(database, self._deletion_guard, self.workspace_to_show)
        self._incarnations = Incarnations(database)
        self._incarnation: Incarnation | None = None
        #: The stamp of an edit that may be committed, and how often something was undone before it.
        self._stamped = ("", 0)
        self._edit_mark = EditMark(path)

    @property
    def keys(self) -> DeviceKeys:
        """This device's keys, loaded when they are first needed: reading needs none."""
        if self._keys is None:
            self._keys = self._load_keys()
        return self._keys

    def check_keys(self) -> bool:
        """Go on under this device's new keys, if another process took some; whether it did."""
        wanted = self.meta.device_key
        if not wanted or wanted in (self.keys.sign_public, self._keys_not_here):
            return False
        fresh = self._load_keys()
        if fresh.sign_public != wanted:
            self._keys_not_here = wanted  # the folder was copied from another computer
            return False
        self._keys, self._incarnation = fresh, None
        return True

    def take_keys(self, keys: DeviceKeys) -> None:
        """This device's keys are these from here on. Inside a transaction."""
        self._keys, self._incarnation = keys, None
        self.meta.device_key = keys.sign_public
        self.meta.own_chain = None

    @property
    def formats(self) -> EnvelopeFormats:
        """Which envelopes can be read: those that this program knows, unless others are given."""
        if self._formats is None:
            # Loaded here: it opens envelopes, and showing a reference must start fast without it.
            from bifolio.replica.envelope_formats import ENVELOPE_FORMATS

            self._formats = ENVELOPE_FORMATS
        return self._formats

    @property
    def library_id(self) -> bytes:
        """The library's id, 16 bytes."""
        return self.meta.library_id

    @property
    def references(self) -> References:
        """What lists and searches read, all of it derived that is committed."""
        self._derivation.drain()
        return self._references

    @property
    def transfers(self) -> Transfers:
        """Where the contents of files are, with all derived that names one."""
        self._derivation.drain()
        return self._transfers

    @property
    def deletion_guard(self) -> DeletionGuard:
        """What of others' deletions is shown on, once all is derived that is committed."""
        self._derivation.drain()
        return self._deletion_guard

    @property
    def backlog(self) -> Backlog:
        """What is committed and not derived yet, and the second process that derives it."""
        return self._derivation.backlog

    def drain(self) -> None:
        """Derive what lists and searches read of all that is committed: before a snapshot, in
        which nothing can be written, and where a batch ends."""
        self._derivation.drain()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read transaction: all that is read inside is of one moment, and derived as far as
        it is committed."""
        for left in reversed(range(limits.SNAPSHOT_TRIES)):
            self.drain()
            with self.database.snapshot():
                # Another process may have committed a batch just now.
                if not left or self._derivation.backlog.is_empty():
                    yield
                    return

    def workspace(
        self, *, client_id: int | None = None, cause: Cause = Cause.OWN
    ) -> workspaces.Workspace:
        """Documents for one transaction; ``cause`` is why they change."""
        return workspaces.Workspace(
            self.records,
            self._references,
            self.groups,
            self.meta,
            client_id=client_id,
            shown=self._deletion_guard.filter(cause),
            derive_later=self._derivation.backlog if cause is Cause.RECEIVED else None,
        )

    def workspace_to_show(self) -> workspaces.Workspace:
        """Documents of which only what is shown changes."""
        return self.workspace(cause=Cause.SHOWING)

    def document(self, record_id: str) -> documents.RecordDocument:
        """A record's document, to read."""
        return hot_records.load(self.records, record_id).document

    def commit(self, writes: Sequence[tuple[str, Write]]) -> list[str]:
        """Make one change of several records: all of it, or none of it.

        Returns:
            the ids of the records that changed; a plan without effect changes nothing.

        Raises:
            RecordTooLargeError: nothing was changed.
        """
        with self.database.transaction():
            changed = self.commit_inside(writes)
        self.mark_edit()
        return changed

    def mark_edit(self) -> None:
        """Note outside the database that the last edit was committed."""
        stamped, undone = self._stamped
        if not stamped or self.database.is_in_transaction:
            return
        self._stamped = ("", 0)
        # And not rolled back, as what is only tried is.
        if undone == self.database.times_undone or stamped <= self.meta.clock:
            self._edit_mark.write(stamped)

    def notice_lost_edits(self) -> None:
        """Note where the database is older than the last edit that was made in it."""
        last = self._edit_mark.read()
        if last is None or last <= self.meta.clock or self.database.is_read_only:
            return
        with self.database.transaction():
            before = self.meta.clock
            if last > before:
                self.meta.lost_edits = (before, last)
                # No edit may get a stamp that one of the lost ones has.
                self.meta.clock = last

    def check_may_write(self) -> None:
        """Refuse a change before it is made, where nobody would take it.

        Raises:
            ReaderError: this device may only read the library.
        """
        standing = self.meta.standing
        if standing is None or standing.role != _READER:
            return
        if standing.device == self.keys.sign_public:  # a copy's other device may be more
            raise ReaderError

    def commit_inside(self, writes: Sequence[tuple[str, Write]]) -> list[str]:
        """``commit`` as part of the caller's transaction."""
        self.check_may_write()
        incarnation = self.incarnation()
        stamp = self.next_stamp()
        workspace = self.workspace(client_id=incarnation.client_id)
        writer = Writer(incarnation.slot, stamp)
        updates: list[tuple[str, bytes]] = []
        for record_id, write in writes:
            document = workspace.document(record_id)
            plan = Plan(writer)
            write(plan, document.entries())
            if plan.is_empty:
                continue
            update = document.write(plan)
            if len(update) > limits.RECORD_UPDATE_BYTES_MAX:
                raise RecordTooLargeError(
                    record_id, size_bytes=len(update), limit_bytes=limits.RECORD_UPDATE_BYTES_MAX
                )
            workspace.mark_changed(record_id)
            updates.append((record_id, update))
        if not updates:
            return []
        changed = list(dict.fromkeys(record_id for record_id, _ in updates))
        updates += self._introduce_device(workspace, writer)
        workspace.save()
        self.add_change(Change(stamp, tuple(updates)), slot=incarnation.slot)
        return changed

    def commit_each(self, record_ids: Sequence[str], write: Write) -> list[str]:
        """The same write to many records, inside the caller's transaction: one change, or
        several where they are so many that their documents would fill the memory."""
        changed = []
        for start in range(0, len(record_ids), limits.RECORDS_PER_CHANGE_MAX):
            part = record_ids[start : start + limits.RECORDS_PER_CHANGE_MAX]
            changed += self.commit_inside([(one, write) for one in part])
        return changed

    def add_change(self, change: Change, *, slot: str = "") -> None:
        """Keep an own change with the frontier of this moment, inside a transaction.

        One that no envelope could hold is kept in pieces, or nothing after it would ever be sent.

        Args:
            slot: the slot of the incarnation that wrote it; empty where all of it is named by its
                content, as an import is.
        """
        piece: list[tuple[str, bytes]] = []
        size = 0
        for record_id, update in change.records:
            full = size + len(update) > limits.RECORD_UPDATE_BYTES_MAX
            if piece and (full or len(piece) == limits.RECORDS_PER_ENVELOPE_MAX):
                self._add_piece(Change(change.stamp, tuple(piece)), slot)
                piece, size = [], 0
            piece.append((record_id, update))
            size += len(update)
        self._add_piece(Change(change.stamp, tuple(piece)), slot)

    def incarnations_of(self, changes: Sequence[UnsealedChange]) -> tuple[DeclaredIncarnation, ...]:
        """The incarnations under which own changes were written, as an envelope declares them."""
        nonces = self._incarnations.nonces({change.slot for change in changes if change.slot})
        return tuple(DeclaredIncarnation(slot, nonces[slot]) for slot in sorted(nonces))

    def end_incarnations(self, changes: Sequence[UnsealedChange]) -> None:
        """Those under which these were written, which an envelope declares now; in its
        transaction."""
        self._incarnations.close({change.slot for change in changes if change.slot})

    def end_incarnation(self) -> None:
        """What is written from here on bears another name; inside a transaction."""
        self._incarnations.close({self.incarnation().slot})

    def _add_piece(self, change: Change, slot: str) -> None:
        number = self.changes.add_unsealed(change.serialize(), self.meta.frontier, slot=slot)
        self.journal.write(number, change, device=self.keys.tag)

    def next_stamp(self) -> str:
        """A stamp after every one that any process gave out or followed here; in a transaction."""
        clock = HybridClock(self.meta.clock)
        stamp = clock.next(self.runtime.now_ms())
        self.meta.clock = stamp
        self._stamped = (stamp, self.database.times_undone)
        return stamp

    def name_library(self, name: str) -> None:
        """Write the library's name into its settings."""
        with self.database.transaction():
            self.name_library_inside(name)

    def name_library_inside(self, name: str) -> None:
        """``name_library`` as part of the caller's transaction."""

        def write(plan: Plan, entries: Entries) -> None:
            if not entries.live("kind"):
                plan.put("kind", workspaces.SETTINGS, seen=[])
            registers.plan_set(plan, entries, "name", name)

        with self.journal.unasked():
            self.commit_inside([(SETTINGS_ID, write)])

    def introduce_device(self) -> None:
        """Write this device's name into the settings where it is not there, in a change."""
        self.check_may_write()
        with self.database.transaction():
            incarnation = self.incarnation()
            stamp = self.next_stamp()
            workspace = self.workspace(client_id=incarnation.client_id)
            updates = self._introduce_device(workspace, Writer(incarnation.slot, stamp))
            if updates:
                workspace.save()
                with self.journal.unasked():
                    self.add_change(Change(stamp, tuple(updates)), slot=incarnation.slot)

    def incarnation(self) -> Incarnation:
        """This opening's slot and client id, taken at its first write.

        A process whose wall and monotonic clocks part was suspended or cloned: it takes new
        ones, so that two running copies never write under one name. So does one whose last
        changes were sealed: nobody can delete beforehand what bears a name that is not known yet.
        """
        self.check_keys()
        runtime = self.runtime
        offset = runtime.wall_s() - runtime.monotonic_s()
        current = self._incarnation
        if (
            current is None
            or abs(offset - current.offset_s) > limits.CLOCK_JUMP_S
            # Not after a rollback of its first write, nor when others know its client id.
            or not self._incarnations.is_open(current.slot)
        ):
            current = self._take_incarnation(offset)
            self._incarnation = current
        return current

    def _take_incarnation(self, offset: float) -> Incarnation:
        random_bytes = self.runtime.random_bytes
        slot = random_slot(self.keys.tag, random_bytes)
        while self._incarnations.has(slot):
            slot = random_slot(self.keys.tag, random_bytes)
        nonce = random_bytes(NONCE_BYTES)
        client_id = incarnation_client_id(self.keys.sign_public, slot, nonce)
        self._incarnations.add(slot, client_id, nonce=nonce)
        clock = HybridClock(self.meta.clock)
        clock.start(self.runtime.now_ms())
        self.meta.clock = clock.last
        return Incarnation(slot, nonce, client_id, offset)

    def _introduce_device(
        self, workspace: workspaces.Workspace, writer: Writer
    ) -> list[tuple[str, bytes]]:
        """The settings' update that says whose slots these are, at a device's first change."""
        introduced = (self.keys.sign_public, self.keys.name)
        # The tag too: an earlier version introduced a device by a shorter one.
        if self.meta.introduced == introduced and self.keys.tag in self.meta.devices:
            return []
        document = workspace.document(SETTINGS_ID)
        plan = Plan(writer)
        entries = document.entries()
        if not entries.live("kind"):
            plan.put("kind", workspaces.SETTINGS, seen=[])
        name = join("device", self.keys.tag)
        value = canonical_json({"name": self.keys.name, "key": base64url(self.keys.sign_public)})
        if all(live.value != value for live in entries.live(name)):
            own = [live for live in entries.live(name) if self._is_own(live.value)]
            plan.put(name, value, seen=own)
        self.meta.introduced = introduced
        if plan.is_empty:
            return []
        update = document.write(plan)
        workspace.mark_changed(SETTINGS_ID)
        return [(SETTINGS_ID, update)]

    def _is_own(self, value: str | None) -> bool:
        return value is not None and base64url(self.keys.sign_public) in value
