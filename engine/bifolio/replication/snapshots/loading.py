"""A snapshot checked whole, then merged.

Nothing of it touches the library before all of it was read: its structure, its limits, and that
every name in it is some device's of this library. What follows is a few transactions. The first one
says what is merged now, so that an edit made in between builds on it; the states come after; the
cursor is the last. A kill leaves the mark that it goes on, and merging again is merging once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set
from typing import NamedTuple

from bifolio import limits
from bifolio.crypto.envelope import read_header
from bifolio.crypto.snapshot import Snapshot
from bifolio.document.record import RecordDocument
from bifolio.document.update_identity import UpdateAuthor
from bifolio.replica.checked_states import CheckedStates, Record, StateChecker
from bifolio.replica.creation import REFERENCE
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import refilling
from bifolio.replication.applying import Applier, Source
from bifolio.replication.cut_forks import NOT_IN_CHAIN
from bifolio.replication.judging import NO_RIGHT, Judge
from bifolio.replication.snapshots.asserted import counts_here
from bifolio.replication.snapshots.reading import SnapshotFacts, SnapshotReader
from bifolio.storage.records import StoredRecord, check_of
from bifolio.storage.snapshots import ChainEnd
from bifolio.wire.position import LogPosition


class Checked(NamedTuple):
    """A snapshot that was checked, and what was found of each of its records."""

    facts: SnapshotFacts
    states: CheckedStates


class Loaded(NamedTuple):
    """A snapshot that was merged: from where the log goes on, and the references that were not
    here before and are stored as they came."""

    position: LogPosition
    arrived: Set[str]


def check(replica: Replica, member_log: LibraryMembership, snapshot: Snapshot) -> Checked:
    """Check all of a snapshot whose chunks are here, without a change.

    Raises:
        EnvelopeError, DocumentError: with what is wrong.
        NewerFormatError: only a newer program can read it.
    """
    reader = SnapshotReader(replica, member_log, snapshot)
    facts = reader.facts()
    checker = StateChecker(replica.backlog, facts.slots)
    for record_id, state in reader.records():
        checker.check(record_id, state)
    return Checked(facts, checker.finish())


def load(
    replica: Replica,
    member_log: LibraryMembership,
    snapshot: Snapshot,
    *,
    keeps_place: bool = False,
) -> Loaded:
    """Merge a snapshot.

    Args:
        replica: where it is merged.
        member_log: the replica's.
        snapshot: whose chunks are here.
        keeps_place: whether all of the log is here already, so that it goes on from where it is.

    Raises:
        EnvelopeError, DocumentError, NewerFormatError: nothing of it was merged.
    """
    if snapshot.header.chunks >= limits.CHUNKS_CHECKED_AHEAD_MIN:
        replica.backlog.start()
    try:
        return _load(replica, member_log, snapshot, keeps_place=keeps_place)
    finally:
        replica.backlog.end_checks()


def _load(
    replica: Replica, member_log: LibraryMembership, snapshot: Snapshot, *, keeps_place: bool
) -> Loaded:
    header = snapshot.header
    facts, states = check(replica, member_log, snapshot)
    # Who has all of it lacks only the place in a log whose entries went.
    was_whole = all(counts_here(replica, one.hash) for one in header.chains)
    was_whole &= not replica.meta.snapshot_loading
    merging = _Merging(replica, member_log, snapshot, states, begins=not was_whole)
    _note_merged(replica, snapshot, facts)
    records = enumerate(SnapshotReader(replica, member_log, snapshot).records())
    while merging.merge_some(records):
        pass
    position = LogPosition(header.epoch, header.n, header.chain_hash)
    with replica.database.transaction():
        is_given_up = refilling.give_up_covered(replica, header.chains) > 0
        if is_given_up and was_whole:
            replica.snapshots.begin_records(merging.ids)
        if is_given_up or not was_whole:
            # No bundle has what it brought.
            replica.meta.bundled = None
            replica.meta.snapshot_loaded_ms = replica.runtime.now_ms()
        replica.snapshot_source.note_in_snapshot(facts.covered)
        # Kept for a relay that loses its log: nobody else may have what it brought.
        replica.snapshots.remove_chunks(but=[snapshot.id])
        replica.log_hashes.add(header.epoch, [(header.n, header.chain_hash)])
        replica.pending.arrive_all()
        meta = replica.meta
        if keeps_place and meta.cursor is not None:
            position = meta.cursor
        meta.cursor = position
        meta.snapshot_loading = b""
    return Loaded(position, merging.arrived)


class _Merging:
    """The records of one snapshot on their way into the library."""

    def __init__(
        self,
        replica: Replica,
        member_log: LibraryMembership,
        snapshot: Snapshot,
        states: CheckedStates,
        *,
        begins: bool,
    ) -> None:
        """
        Args:
            replica: where they are merged.
            member_log: the replica's.
            snapshot: that has them.
            states: what was found of them.
            begins: whether their histories begin with it.
        """
        self._replica = replica
        self._begins = begins
        self._states = states
        self._judge = Judge(replica, member_log)
        # Where a kill came in between, something may have been typed on top of what was merged.
        self._has_changes = replica.changes.has_sealed() or bool(replica.meta.snapshot_loading)
        self._source = Source(UpdateAuthor(snapshot.header.device, False, {}), snapshot.id)
        #: Read and not merged yet.
        self._page: deque[tuple[int, Record]] = deque()
        #: Those whose history begins with it, and those that were not here and are stored as they
        #: came.
        self.ids: list[str] = []
        self.arrived: set[str] = set()

    def merge_some(self, records: Iterator[tuple[int, Record]]) -> bool:
        """Merge as many as one transaction should; whether there may be more."""
        replica, merged = self._replica, len(self.ids)
        with replica.database.transaction():
            self._judge.begin()
            applier = Applier(replica, self._judge.author_of)
            may_store = self._may_store()
            widened: list[tuple[str, bytes, bytes]] = []
            while not (applier.is_spent or applier.is_full) and self._read(records):
                # In this transaction: another process may have brought some of them since.
                here = replica.records.present([record_id for _, (record_id, _) in self._page])
                while self._page and not (applier.is_spent or applier.is_full):
                    number, (record_id, state) = self._page.popleft()
                    base = _base_of(replica, record_id) if self._has_changes else None
                    if base is None:
                        self.ids.append(record_id)
                    share = self._states.share(number)
                    is_new = base is None and record_id not in here
                    if may_store and share is not None and is_new:
                        self.arrived.add(record_id)
                        applier.take_new(StoredRecord(record_id, REFERENCE, state, share))
                    elif refilling.take_state(replica, record_id, state):
                        pass
                    elif applier.merge_state(self._source, record_id, state) and base is not None:
                        widened.append((record_id, base, state))
            applier.save()
            # In the same transaction; of one that could not be saved nothing was brought.
            for record_id, before, state in widened:
                if record_id in applier.records:
                    _widen_base(replica, record_id, before, state)
            if self._begins:
                # With what was merged: another process may write on top of it from here on.
                replica.snapshots.begin_records(self.ids[merged:])
        return bool(self._page) or self._read(records)

    def _read(self, records: Iterator[tuple[int, Record]]) -> bool:
        """Read some records that are looked up at once, where none is left; whether there is
        any."""
        size = sum(len(state) for _, (_, state) in self._page)
        while len(self._page) < limits.LOADED_AHEAD and size < limits.SNAPSHOT_PART_BYTES:
            one = next(records, None)
            if one is None:
                break
            self._page.append(one)
            size += len(one[1][1])
        return bool(self._page)

    def _may_store(self) -> bool:
        """Whether a reference that is not here has nothing that waits for it, and there are so many
        that what lists read of them is derived later."""
        replica = self._replica
        return (
            len(self._states) >= limits.DERIVED_LATER_MIN
            and replica.meta.refill is None
            and replica.database.is_empty("join_offers")
            and replica.database.is_empty("quarantined_updates")
        )


def _base_of(replica: Replica, record_id: str) -> bytes | None:
    """What a record of which changes are here held before them, empty where it held nothing; None
    where no change of it is here, so that what it holds is where its history begins."""
    base = replica.snapshots.base(record_id)
    history = replica.journal.index.of_record(record_id)
    if not any(base is None or one.number > base.after for one in history):
        return None
    return base.state if base is not None else b""


def _widen_base(replica: Replica, record_id: str, before: bytes, state: bytes) -> None:
    """A snapshot brought something of a record of which changes are here: that lies below these,
    which go on being what the record is made of, so that one that loses its right can go."""
    document = RecordDocument(before or None)
    document.merge_incomplete(state)
    base = refilling.read_state(record_id, document.state())
    if base is not None:
        replica.snapshots.write_base(record_id, base.state, check_of(base))


def take_place(replica: Replica, snapshot: Snapshot) -> LogPosition:
    """From where the log goes on behind a snapshot all of which is here; nothing of it is merged,
    and nothing counts as arrived, before it was compared."""
    header = snapshot.header
    position = LogPosition(header.epoch, header.n, header.chain_hash)
    with replica.database.transaction():
        replica.log_hashes.add(header.epoch, [(header.n, header.chain_hash)])
        replica.meta.cursor = position
    return position


def _note_merged(replica: Replica, snapshot: Snapshot, facts: SnapshotFacts) -> None:
    """Say what is merged with it."""
    changes, snapshots, meta = replica.changes, replica.snapshots, replica.meta
    with replica.database.transaction():
        if meta.snapshot_loading == snapshot.raw:
            return  # a kill came in between
        _count_again(replica, facts)
        before = meta.frontier
        kept = [one for one in before if one not in facts.covered]
        fresh = [one for one in facts.frontier if one in before or not changes.is_merged(one)]
        snapshots.add_covered(facts.covered)
        # What its maker had and does not count, is passed over where it is not here either.
        passed = [one for one in facts.passed if not changes.is_merged(one)]
        snapshots.add_covered(passed)
        for envelope_hash in passed:
            replica.voided.add(envelope_hash)
        snapshots.write_chains(
            ChainEnd(one.device, one.chain, one.seq, one.hash) for one in snapshot.header.chains
        )
        snapshots.add_declared(facts.declared)
        for one in facts.replaced:
            other = changes.beginning(one.hash)
            if other is not None and read_header(other).device != one.device:
                continue  # nobody speaks for what another one wrote
            changes.add_replacements([one.hash], by=one.by, device=one.device)
        own = meta.own_chain
        if own is not None and any(
            (one.device, one.chain) == (own.device, own.chain)
            and one.seq >= own.seq
            and one.hash != own.head
            for one in snapshot.header.chains
        ):
            meta.own_chain = None  # a copy of this folder went on with it
        meta.frontier = [*kept, *sorted(fresh)]
        meta.covered_frontier = sorted(facts.frontier)
        meta.snapshot_loading = snapshot.raw


def _count_again(replica: Replica, facts: SnapshotFacts) -> None:
    """What was refused or taken back here, as its author lost the right to write, counts by the
    word of those who say what the snapshot is: it is merged with that, and not by itself."""
    changes = replica.changes
    for one in replica.voided.all_hashes() & facts.covered:
        stored = changes.envelope(one)
        if stored is not None:
            replica.journal.index.remove(stored.number)
            changes.remove_envelope(one)
        replica.voided.remove(one)
    for one in (*replica.refused.hashes(NO_RIGHT), *replica.refused.hashes(NOT_IN_CHAIN)):
        if one in facts.covered:
            replica.refused.forget(one)
