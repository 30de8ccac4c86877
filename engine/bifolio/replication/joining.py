"""A library that becomes part of another one (DESIGN §4, last part; case A1).

Its live references stay readable all the time; they are offered to the joined library as whole
updates, slots, stamps and client ids kept, in a new chain. What the library has already is not
offered again: while the log is pulled, ``join_offers`` keeps what it holds of each record.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.document import canonical, view
from bifolio.document.record import RecordDocument
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.wire.changes import Change

#: Records in one change of a joining library: about 128 KiB of ordinary references.
_OFFERS_AT_ONCE = 64


def begin(replica: Replica, member_log: LibraryMembership, library_id: bytes) -> int:
    """Leave the old library for another; the caller has made a backup, and holds a transaction.

    Returns:
        how many trashed references stay in the backup only.
    """
    left_out = 0
    for record_id in replica.records.all_ids():
        row = replica.references.read(record_id)
        record = replica.records.read(record_id)
        gone = replica.references.purged.read(record_id) is not None
        kept = record is not None and record.kind != "settings" and not gone
        if row is not None and row.trashed:
            left_out += 1
            kept = False
        if not kept:
            replica.records.remove(record_id)
            replica.references.remove(record_id)
            continue
        replica.join_offers.add(record_id)
    replica.changes.remove_all()
    replica.newer_envelopes.remove_all()
    replica.journal.forget()
    member_log.forget()
    replica.log_hashes.remove_all()
    replica.heard.remove_all()
    replica.meta.forget(
        "other_stories", "own_chain", "last_own", "frontier", "cursor", "introduced", "clocks_ahead"
    )
    replica.meta.library_id = library_id
    return left_out


def settle_offers(replica: Replica) -> int:
    """Once the log is merged: make changes of what the library does not have yet.

    Returns:
        how many records are offered.
    """
    offered = 0
    while rows := replica.join_offers.first(_OFFERS_AT_ONCE):
        with replica.database.transaction():
            offered += _settle(replica, rows)
    return offered


def _settle(replica: Replica, rows: Sequence[tuple[str, bytes]]) -> int:
    """One change of what the library lacks of these records."""
    updates: list[tuple[str, bytes]] = []
    for record_id, remote in rows:
        replica.join_offers.remove(record_id)
        update = _state_to_offer(replica, record_id, remote)
        if update is None:
            continue
        if len(update) > limits.RECORD_UPDATE_BYTES_MAX:
            _leave_out(replica, record_id, len(update))
            continue
        updates.append((record_id, update))
    if updates:
        with replica.journal.unasked():
            replica.add_change(Change(replica.next_stamp(), tuple(updates)))
    return len(updates)


def _leave_out(replica: Replica, record_id: str, size: int) -> None:
    """A record that no envelope could hold stays here, and ``status`` names it."""
    replica.meta.too_large = {**replica.meta.too_large, record_id: size}


def _state_to_offer(replica: Replica, record_id: str, remote: bytes) -> bytes | None:
    """The whole state of a record where the library lacks some of it."""
    state = replica.records.state(record_id)
    if state is None:
        return None
    own = RecordDocument(state)
    if remote:
        theirs = RecordDocument(remote)
        if _text(record_id, own) == _text(record_id, theirs):
            return None
    return own.state()


def _text(record_id: str, document: RecordDocument) -> str:
    entries = document.entries()
    return canonical.record_json(record_id, view.kind_of(entries), entries)
