"""A library that becomes part of another one (DESIGN §4, last part; case A1).

Its live references stay readable all the time. Each is made at once what will be offered of it
(``document.snapshots``): as it is where one import made it, and otherwise what is live in it, named
by its content, so that nothing bears the name of a device that the joined library does not know.
What the library has already is not offered again: while the log is pulled, ``join_offers`` keeps
what it holds of each record.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.crypto.keys import seal_to
from bifolio.document import snapshots
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument, flatten
from bifolio.errors import DocumentError, EnvelopeError
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.results import Action, ActionKind
from bifolio.storage.join_offers import JoinOffer
from bifolio.wire.changes import Change

#: Records in one change of a joining library: about 128 KiB of ordinary references.
_OFFERS_AT_ONCE = 64


def keep_ticket(replica: Replica, secret: bytes) -> None:
    """Keep a ticket's secret, sealed to this device, for a join that may have to be made again;
    inside a transaction."""
    replica.meta.ticket_secret = seal_to(replica.keys.box_public, secret)


def kept_ticket(replica: Replica) -> bytes | None:
    """The secret of the ticket that is kept; None where there is none, or it is another
    device's: the folder was copied."""
    if not replica.meta.ticket_secret:
        return None
    try:
        return replica.keys.unseal(replica.meta.ticket_secret)
    except EnvelopeError:
        return None


def begin(replica: Replica, member_log: LibraryMembership, library_id: bytes) -> int:
    """Leave the old library for another; the caller has made a backup, and holds a transaction.

    Returns:
        how many trashed references stay in the backup only.
    """
    left_out = 0
    workspace = replica.workspace()
    for record_id in replica.records.all_ids():
        row = replica.references.read(record_id)
        record = replica.records.read(record_id)
        gone = replica.references.purged.read(record_id) is not None
        kept = record is not None and record.kind != "settings" and not gone
        if row is not None and row.trashed:
            left_out += 1
            kept = False
        if not kept or record is None:
            replica.records.remove(record_id)
            replica.references.remove(record_id)
            continue
        try:
            own = flatten(record.state)
            offered = snapshots.offered_update(record_id, own)
        except DocumentError:
            continue  # it stays here, and a self-check names it
        replica.join_offers.add(record_id, own=own)
        if offered != own:
            workspace.put(record_id, RecordDocument(offered))
            if workspace.changes >= limits.DOCUMENTS_OPEN_MAX:
                workspace.save()
    workspace.save()
    replica.changes.remove_all()
    replica.newer_envelopes.remove_all()
    replica.snapshots.remove_all()
    replica.statements.remove_all()
    replica.journal.forget()
    member_log.forget()
    replica.log_hashes.remove_all()
    replica.heard.remove_all()
    replica.meta.forget(
        "other_stories", "own_chain", "last_own", "frontier", "cursor", "introduced", "clocks_ahead"
    )
    replica.meta.forget(
        "stated",
        "stated_at_ms",
        "stated_since_ms",
        "declared_through",
        "covered_frontier",
        "snapshot_loading",
        "snapshot_made",
        "snapshot_not_before_ms",
        "snapshot_last",
        "snapshots_looked_ms",
        "snapshot_kept",
        "snapshot_kept_verdicts",
        "snapshot_loaded_ms",
    )
    replica.meta.forget("bundled", "bundle_taken_ms", "ticket_secret")
    replica.meta.forget("relay_notice", "former_relays", "relay_move", "detached_from")
    replica.meta.library_id = library_id
    return left_out


def settle_offers(replica: Replica) -> int:
    """Once the log is merged: make changes of what the library does not have yet.

    Returns:
        how many records are offered.
    """
    offered: list[str] = []
    with replica.journal.command() as command:
        while offers := replica.join_offers.first(_OFFERS_AT_ONCE):
            with replica.database.transaction():
                offered += _settle(replica, offers)
        if offered:
            kinds = [replica.records.kind(one) for one in offered]
            command.actions = (Action(ActionKind.JOINED, count=kinds.count("reference")),)
    return len(offered)


def _settle(replica: Replica, offers: Sequence[JoinOffer]) -> list[str]:
    """One change of what the library lacks of these records; the ids of those that it lacks."""
    updates: list[tuple[str, bytes]] = []
    unions: list[tuple[JoinOffer, bytes]] = []
    for offer in offers:
        record_id = offer.record_id
        replica.join_offers.remove(record_id)
        update = snapshots.offered_update(record_id, offer.own)
        if offer.remote:
            if not RecordDocument(offer.remote).merge_own(update):
                continue
            unions.append((offer, update))
        if len(update) > limits.RECORD_UPDATE_BYTES_MAX:
            _leave_out(replica, record_id, len(update))
            continue
        updates.append((record_id, update))
    if updates:
        # A part of the command that joins, so that one undo takes back what it offered.
        _add_before_edits(replica, Change(replica.next_stamp(), tuple(updates)))
        _add_deletes(replica, unions)
    return [record_id for record_id, _ in updates]


def _add_before_edits(replica: Replica, change: Change) -> None:
    """Put what is offered before the edits that were made of it since the library joined."""
    offered = {record_id for record_id, _ in change.records}
    edits = [
        edit
        for edit in replica.changes.unsealed_edits()
        if any(record_id in offered for record_id, _ in Change.parse(edit.body).records)
    ]
    replica.add_change(change)
    replica.changes.remove_unsealed(edits)
    for edit in edits:
        number = replica.changes.add_unsealed(edit.body, edit.frontier, slot=edit.slot)
        replica.journal.index.move([edit.number], to=number)


def _add_deletes(replica: Replica, unions: Sequence[tuple[JoinOffer, bytes]]) -> None:
    """One change of what is to be deleted where offered records meet the library's."""
    stamp = replica.next_stamp()
    workspace = replica.workspace()
    updates: list[tuple[str, bytes]] = []
    for offer, update in unions:
        plan = Plan(Writer("", stamp))
        snapshots.plan_union(plan, own=offer.own, remote=offer.remote, offered=update)
        document = workspace.document(offer.record_id)
        plan.removals &= document.entries().keys()
        if not plan.is_empty:
            updates.append((offer.record_id, document.write(plan)))
            workspace.mark_changed(offer.record_id)
    workspace.save()
    if updates:
        replica.add_change(Change(stamp, tuple(updates)))


def _leave_out(replica: Replica, record_id: str, size: int) -> None:
    """A record that no envelope could hold stays here, and ``status`` names it."""
    replica.meta.too_large = {**replica.meta.too_large, record_id: size}
