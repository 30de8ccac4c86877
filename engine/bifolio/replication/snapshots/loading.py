"""A snapshot checked whole, then merged.

Nothing of it touches the library before all of it was read: its structure, its limits, and that
every name in it is some device's of this library. What follows is a few transactions. The first one
says what is merged now, so that an edit made in between builds on it; the states come after; the
cursor is the last. A kill leaves the mark that it goes on, and merging again is merging once.
"""

from __future__ import annotations

from bifolio.crypto.envelope import read_header
from bifolio.crypto.snapshot import Snapshot
from bifolio.document import snapshot_states
from bifolio.document.record import RecordDocument
from bifolio.document.update_identity import UpdateAuthor
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import refilling
from bifolio.replication.applying import Applier, Source
from bifolio.replication.cut_forks import NOT_IN_CHAIN
from bifolio.replication.judging import NO_RIGHT, Judge
from bifolio.replication.snapshots.asserted import counts_here
from bifolio.replication.snapshots.reading import SnapshotFacts, SnapshotReader
from bifolio.storage.records import check_of
from bifolio.storage.snapshots import ChainEnd
from bifolio.wire.position import LogPosition


def check(replica: Replica, member_log: LibraryMembership, snapshot: Snapshot) -> SnapshotFacts:
    """Check all of a snapshot whose chunks are here, without a change.

    Raises:
        EnvelopeError, DocumentError: with what is wrong.
        NewerFormatError: only a newer program can read it.
    """
    reader = SnapshotReader(replica, member_log, snapshot)
    facts = reader.facts()
    for record_id, state in reader.records():
        snapshot_states.check_state(record_id, state, facts.slots)
    return facts


def load(
    replica: Replica,
    member_log: LibraryMembership,
    snapshot: Snapshot,
    *,
    keeps_place: bool = False,
) -> LogPosition:
    """Merge a snapshot; from where the log goes on.

    Args:
        replica: where it is merged.
        member_log: the replica's.
        snapshot: whose chunks are here.
        keeps_place: whether all of the log is here already, so that it goes on from where it is.

    Raises:
        EnvelopeError, DocumentError, NewerFormatError: nothing of it was merged.
    """
    header = snapshot.header
    facts = check(replica, member_log, snapshot)
    # Who has all of it lacks only the place in a log whose entries went.
    was_whole = all(counts_here(replica, one.hash) for one in header.chains)
    was_whole &= not replica.meta.snapshot_loading
    has_own = replica.changes.has_sealed()
    _note_merged(replica, snapshot, facts)
    reader = SnapshotReader(replica, member_log, snapshot)
    source = Source(UpdateAuthor(header.device, False, {}), snapshot.id)
    judge = Judge(replica, member_log)
    ids: list[str] = []
    records = reader.records()
    is_left = True
    while is_left:
        with replica.database.transaction():
            judge.begin()
            applier = Applier(replica, judge.author_of)
            is_left = False
            for record_id, state in records:
                base = _base_of(replica, record_id) if has_own else None
                if base is None:
                    ids.append(record_id)
                if refilling.take_state(replica, record_id, state):
                    pass
                elif applier.merge_state(source, record_id, state) and base is not None:
                    _widen_base(replica, record_id, base, state)
                if applier.is_spent or applier.is_full:
                    is_left = True
                    break
            applier.save()
    position = LogPosition(header.epoch, header.n, header.chain_hash)
    with replica.database.transaction():
        if refilling.give_up_covered(replica, header.chains) or not was_whole:
            replica.snapshots.begin_records(ids)
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
    return position


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
