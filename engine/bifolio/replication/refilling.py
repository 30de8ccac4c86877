"""What was damaged here and is filled again: from the relay's log, or from other changes.

A damaged envelope keeps its row, empty, in the causal order of the changes; when the relay's log is
pulled again it is filled in place and not merged as news. At the end of that sync the index of
changes, the records and the frontier are made again from the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bifolio.crypto.snapshot import CoveredChain
from bifolio.document import canonical, snapshots, view
from bifolio.document.record import RecordDocument, flatten
from bifolio.errors import BifolioError, DocumentError
from bifolio.history.replay import Replay, rebuild_index
from bifolio.replica.derived_tables import rebuild_lists
from bifolio.replica.replica import Replica
from bifolio.storage.lost_changes import LostChanges
from bifolio.storage.records import StoredRecord, check_of
from bifolio.wire.log_chain import log_start
from bifolio.wire.position import LogPosition


def is_due(replica: Replica) -> bool:
    """Whether something is to be filled again from the relay."""
    return replica.meta.refill is not None


def begin(replica: Replica, *, before: int | None = None, from_start: bool = False) -> None:
    """Have the relay's log pulled again; inside a transaction.

    Args:
        before: from just before this position, where that is known.
        from_start: from the beginning.
    """
    meta = replica.meta
    if meta.refill is None:
        meta.refill = ()
    cursor = meta.cursor
    if cursor is None:
        return
    start = LogPosition(cursor.epoch, 0, log_start(replica.library_id, cursor.epoch))
    if before is not None and not from_start and before > 1:
        chain_hash = replica.log_hashes.read(cursor.epoch, before - 1)
        if chain_hash is not None:
            start = LogPosition(cursor.epoch, before - 1, chain_hash)
    if start.position < cursor.position:
        meta.cursor = start


def note_records(replica: Replica, record_ids: Sequence[str]) -> None:
    """Records that are to be made again when the log is whole; inside a transaction."""
    replica.meta.refill = tuple(dict.fromkeys((*(replica.meta.refill or ()), *record_ids)))


def finish(replica: Replica) -> int:
    """The relay's log was pulled to its end: make again what builds on it.

    Returns:
        how many records were made again.
    """
    wanted = replica.meta.refill
    if wanted is None:
        return 0
    made = 0
    with replica.database.transaction():
        rebuild_index(replica)
        for record_id in wanted:
            rebuilt = rebuild_record(replica, record_id)
            if rebuilt is not None:
                replica.records.write([rebuilt])
                made += 1
        recompute_frontier(replica)
        rebuild_lists(replica.database)
        if not LostChanges(replica.database).emptied():
            replica.meta.refill = None
    return made


def recompute_frontier(replica: Replica) -> None:
    """The frontier from what is stored; an envelope may be named by what it replaces."""
    changes = replica.changes
    links = changes.links()
    named = {one for _, frontier in links for one in frontier}
    named |= changes.replacing(named)
    named |= LostChanges(replica.database).predecessors()
    ends = [one for one, _ in links if one not in named]
    here = {one for one, _ in links}
    # What a snapshot covers is not here itself.
    ends += [
        one
        for one in replica.meta.covered_frontier
        if one not in named and one not in here and replica.snapshots.is_covered(one)
    ]
    replica.meta.frontier = ends


def asks_for_snapshot(replica: Replica) -> bool:
    """Whether a record is to be made again that a snapshot brought."""
    return any(map(replica.snapshots.is_brought, replica.meta.refill or ()))


def take_state(replica: Replica, record_id: str, state: bytes) -> bool:
    """Make a record again of its state in a snapshot and of what was changed here since; inside a
    transaction. False where what is here is whole, or the changes cannot be opened."""
    if record_id not in (replica.meta.refill or ()):
        return False
    stored = replica.records.read(record_id)
    if stored is not None and replica.records.is_whole(stored):
        return False
    base = read_state(record_id, state)
    if base is None:
        return False
    replica.snapshots.write_base(record_id, state, check_of(base))
    rebuilt = rebuild_record(replica, record_id)
    if rebuilt is None:
        return False
    replica.records.write([rebuilt])
    return True


def give_up_covered(replica: Replica, chains: Iterable[CoveredChain]) -> int:
    """Damaged envelopes that a snapshot covers do not come again: it brought what they did; inside
    a transaction.

    Returns:
        how many there were.
    """
    count, lost = 0, LostChanges(replica.database)
    for end in chains:
        for envelope_hash, position in lost.remove_emptied(end.chain, end.seq):
            replica.snapshots.add_covered([envelope_hash])
            if position is not None:
                replica.snapshots.set_position(envelope_hash, position)
            count += 1
    return count


def read_state(record_id: str, state: bytes) -> StoredRecord | None:
    """What a state holds; None where it cannot be read."""
    try:
        entries = RecordDocument(state).entries()
        kind = view.kind_of(entries)
        return StoredRecord(
            record_id, kind, state, canonical.record_share(record_id, kind, entries)
        )
    except (DocumentError, ArithmeticError, LookupError, TypeError, ValueError):
        return None


def rebuild_record(replica: Replica, record_id: str) -> StoredRecord | None:
    """A record as its changes make it, from what a snapshot brought on; None where they make none,
    or cannot be opened, or where what the snapshot brought is not here but in the record."""
    base = None
    if replica.snapshots.is_brought(record_id):
        base = replica.snapshots.own_base(record_id)
        if base is None:
            return None
    past = Replay(replica)
    aside = {one.contents for one in replica.quarantined.of_record(record_id)}
    is_empty = base is None
    try:
        document = RecordDocument(base)
        for logged in replica.journal.index.of_record(record_id):
            change = past.change(logged)
            if change is None:
                return None
            for one, update in change.records:
                if one == record_id and update not in aside:
                    is_empty = not _merge(document, update) and is_empty
        if is_empty:
            return None
        entries = document.entries()
        kind = view.kind_of(entries)
        share = canonical.record_share(record_id, kind, entries)
        return StoredRecord(record_id, kind, document.state(), share)
    except BifolioError:
        return None


def write_again(replica: Replica, lost: Mapping[int, Sequence[str]]) -> None:
    """Own changes that were never sent are gone, and the records have what they did: what they have
    that the other changes do not make is offered as a library that joins offers its records.

    Args:
        lost: by number the records that each touched.
    """
    for number in lost:
        replica.journal.index.remove_unsealed(number)
    for record_id in dict.fromkeys(one for ids in lost.values() for one in ids):
        stored = replica.records.read(record_id)
        if stored is None:
            continue
        own = flatten(stored.state)
        others = rebuild_record(replica, record_id)
        replica.join_offers.add(record_id, own=own)
        replica.join_offers.write_remote(record_id, others.state if others else b"")
        document = RecordDocument(others.state if others else None)
        document.merge_own(snapshots.offered_update(record_id, own))
        entries = document.entries()
        kind = view.kind_of(entries)
        share = canonical.record_share(record_id, kind, entries)
        replica.records.write([StoredRecord(record_id, kind, document.state(), share)])


def _merge(document: RecordDocument, update: bytes) -> bool:
    try:
        return document.merge_incomplete(update)
    except DocumentError:
        return False
