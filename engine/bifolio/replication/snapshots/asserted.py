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
from bifolio.crypto.snapshot import Snapshot
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


def has_cut_off(replica: Replica, member_log: LibraryMembership, snapshot: Snapshot) -> bool:
    """Whether a snapshot has what counts here by a snapshot's word alone."""
    membership = member_log.membership()
    if membership is None or not membership.has_lost_rights:
        return False
    return any(
        membership.is_cut(end.device)
        and _is_cut_off(replica, membership, ChainEnd(end.device, end.chain, end.seq, end.hash))
        for end in snapshot.header.chains
    )


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
