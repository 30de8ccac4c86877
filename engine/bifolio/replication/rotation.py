"""A library in which this device goes on under new keys, once the members' list says so.

What is kept here sealed to the old keys is sealed to the new ones. Another process may go on under
the old ones for a while: what it writes is this device's all the same, and is written again.
"""

from __future__ import annotations

from bifolio.crypto.keys import DeviceKeys
from bifolio.ids import TAG_LENGTH, device_tag
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
    if _may_write(member_log):
        adopt_lost_changes(replica, member_log, of=frozenset({earlier}))


def adopt_late_edits(replica: Replica, member_log: LibraryMembership) -> None:
    """Write again as this device's what another process wrote under its old keys, or a backup of
    before brought. Who may not write keeps it as it is, as a part of its draft."""
    if has_late_edits(replica, member_log):
        adopt_lost_changes(replica, member_log, of=earlier_tags(replica))


def has_late_edits(replica: Replica, member_log: LibraryMembership) -> bool:
    """Whether there is something to ``adopt_late_edits``."""
    earlier = earlier_tags(replica)
    if not earlier or not _may_write(member_log):
        return False
    others = replica.changes.unsealed_of_others(replica.keys.tag)
    return any(one.slot[:TAG_LENGTH] in earlier for one in others)


def earlier_tags(replica: Replica) -> frozenset[str]:
    """The tags of the keys that this device had before: by the list of members, and by itself, as a
    relay and a backup may both be of before it took the new ones."""
    successors, own = replica.meta.successors, replica.keys.tag
    remembered = map(device_tag, replica.keys.earlier)
    return frozenset((*(tag for tag, now in successors.items() if now == own), *remembered))


def _may_write(member_log: LibraryMembership) -> bool:
    role = member_log.role()
    return role is not None and role.may_write
