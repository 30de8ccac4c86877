"""What counts by a snapshot's word alone: what it has behind the end of who lost a right.

A member may write anything as its own, so what a snapshot has of others counts by the word of those
who call it right, and the removal of its author does not reach into it. No envelope can bring it to
who refused it or took it back; so these merge the snapshot, and where the relay has none with it, a
member that holds it makes one. Nothing of this costs anything where nobody lost a right.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.crypto.envelope import parse_envelope
from bifolio.crypto.membership import Membership, Permission
from bifolio.crypto.snapshot import Snapshot, parse_snapshot
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.snapshots.believing import Belief, ToldSnapshot
from bifolio.storage.snapshots import ChainEnd


def counts_here(replica: Replica, envelope_hash: bytes) -> bool:
    """Whether what an envelope brought is here and counts."""
    is_merged = replica.changes.is_merged(envelope_hash)
    return is_merged and not replica.voided.has(envelope_hash)


def brings_cut_off(replica: Replica, member_log: LibraryMembership, one: ToldSnapshot) -> bool:
    """Whether a snapshot that counts has what is not here of who lost the right to write, once all
    of the log is here, and can be opened."""
    membership, header = member_log.membership(), one.snapshot.header
    if membership is None or not membership.has_lost_rights:
        return False
    if not one.is_whole or one.belief <= Belief.UNSEEN:
        return False
    return any(
        membership.is_cut(end.device) and not counts_here(replica, end.hash)
        for end in header.chains
    ) and bool(member_log.key(header.generation))


def speaks_alone(replica: Replica, member_log: LibraryMembership, snapshot: Snapshot) -> bool:
    """Whether this replica made a snapshot of which it alone can say that it is right: with what
    counts by a snapshot's word, as who took that back cannot compare it, and who never had it
    neither; or with what it began with on a maker's word, where nobody finds that right."""
    membership = member_log.membership()
    if membership is None or snapshot.header.device != replica.keys.sign_public:
        return False
    if replica.meta.snapshot_unproved:
        return True
    return membership.has_lost_rights and any(
        membership.is_cut(end.device)
        and _is_cut_off(replica, membership, ChainEnd(end.device, end.chain, end.seq, end.hash))
        for end in snapshot.header.chains
    )


def may_be_proved(
    replica: Replica, member_log: LibraryMembership, known: Sequence[ToldSnapshot]
) -> bool:
    """Whether what this replica began with on its maker's word may still be found right by another.
    Where its maker has lost the right to write, or neither the relay nor this replica has it any
    more, nobody else speaks for what is here: then this member does, who may write it as its own.

    Args:
        replica: that began with it.
        member_log: the replica's.
        known: what the relay told of.
    """
    meta, membership = replica.meta, member_log.membership()
    if membership is None:
        return True
    held = [one.snapshot for one in known]
    if meta.snapshot_kept:
        held.append(parse_snapshot(meta.snapshot_kept))
    unshared = find_unshared(replica, member_log, known)
    if unshared is not None and not any(
        end.hash == unshared for one in held for end in one.header.chains
    ):
        return False  # by an earlier one: to find the later one right says nothing of it
    makers = [one.header.device for one in held if one.id == meta.snapshot_unproved]
    return any(map(membership.may_write, makers))


def find_unshared(
    replica: Replica, member_log: LibraryMembership, known: Sequence[ToldSnapshot]
) -> bytes | None:
    """The end of a chain that counts here by a snapshot's word alone, and is in none of those that
    the relay has.

    Args:
        replica: that has all of the relay's log.
        member_log: the replica's.
        known: what the relay told of.
    """
    membership = member_log.membership()
    if membership is None or not membership.has_lost_rights:
        return None
    held = {
        end.hash
        for one in known
        if one.is_whole and one.belief is not Belief.WRONG and not one.is_orphan
        for end in one.snapshot.header.chains
    }
    for end in replica.snapshots.chains():
        is_held = end.hash in held or not membership.is_cut(end.device)
        if not is_held and _is_cut_off(replica, membership, end):
            return end.hash
    return None


def _is_cut_off(replica: Replica, membership: Membership, end: ChainEnd) -> bool:
    """Whether the end of a chain counts by a snapshot's word, and no log has it."""
    if not replica.snapshots.is_asserted(end.hash):
        return False
    stored = replica.changes.envelope(end.hash)
    if stored is None:
        return replica.snapshots.position(end.hash) is None
    return membership.permits(parse_envelope(stored.envelope)) is Permission.FORBIDDEN
