"""A library in which this device goes on under new keys, once the members' list says so.

What is kept here sealed to the old keys is sealed to the new ones. Another process may go on under
the old ones for a while: what it writes is this device's all the same, and is written again.
"""

from __future__ import annotations

from bifolio.crypto.keys import DeviceKeys
from bifolio.ids import device_tag
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.drafts import adopt_lost_changes


def knows_this_device(replica: Replica, member_log: LibraryMembership) -> bool:
    """Whether this device is a member, under its present key or one that followed it."""
    membership = member_log.membership()
    if membership is None:
        return False
    return membership.role_of(membership.current(replica.keys.sign_public)) is not None


def has_rotated(member_log: LibraryMembership, successor: DeviceKeys) -> bool:
    """Whether the list of members knows these keys."""
    membership = member_log.membership()
    return membership is not None and membership.role_of(successor.sign_public) is not None


def take(replica: Replica, member_log: LibraryMembership, successor: DeviceKeys) -> None:
    """Go on under the new keys, which the list of members knows."""
    earlier = device_tag(replica.keys.sign_public)
    with replica.database.transaction():
        replica.meta.notes = ()
        member_log.take_keys(successor)
        # A snapshot that the old keys made counts for nothing now until these say that it is right.
        replica.meta.forget("snapshots_looked_ms")
    _adopt(replica, member_log, frozenset({earlier}))


def adopt_late_edits(replica: Replica, member_log: LibraryMembership) -> None:
    """Write again as this device's what another process wrote under its old keys."""
    successors, own = replica.meta.successors, replica.keys.tag
    earlier = frozenset(tag for tag, now in successors.items() if now == own)
    if earlier and replica.changes.unsealed_of_others(own):
        _adopt(replica, member_log, earlier)


def _adopt(replica: Replica, member_log: LibraryMembership, earlier: frozenset[str]) -> None:
    """Write again what the device wrote under these keys; who may not write keeps it as it is, as
    a part of its draft."""
    role = member_log.role()
    if role is not None and role.may_write:
        adopt_lost_changes(replica, member_log, of=earlier)
