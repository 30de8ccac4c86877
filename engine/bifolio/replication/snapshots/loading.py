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
from bifolio.document.update_identity import UpdateAuthor
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import refilling
from bifolio.replication.applying import Applier, Source
from bifolio.replication.snapshots.reading import SnapshotFacts, SnapshotReader
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


def load(replica: Replica, member_log: LibraryMembership, snapshot: Snapshot) -> LogPosition:
    """Merge a snapshot; from where the log goes on.

    Raises:
        EnvelopeError, DocumentError, NewerFormatError: nothing of it was merged.
    """
    header = snapshot.header
    facts = check(replica, member_log, snapshot)
    # Who has all of it lacks only the place in a log whose entries went.
    was_whole = all(replica.changes.is_merged(one.hash) for one in header.chains)
    was_whole &= not replica.meta.snapshot_loading
    _note_merged(replica, snapshot, facts)
    reader = SnapshotReader(replica, member_log, snapshot)
    source = Source(UpdateAuthor(header.device, False, {}), snapshot.id)
    ids: list[str] = []
    records = reader.records()
    is_left = True
    while is_left:
        with replica.database.transaction():
            applier = Applier(replica, lambda _: None)
            is_left = False
            for record_id, state in records:
                ids.append(record_id)
                if not refilling.take_state(replica, record_id, state):
                    applier.merge_state(source, record_id, state)
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
        meta.cursor = position
        meta.snapshot_loading = b""
    return position


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
        before = meta.frontier
        kept = [one for one in before if one not in facts.covered]
        fresh = [one for one in facts.frontier if one in before or not changes.is_merged(one)]
        snapshots.add_covered(facts.covered)
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
