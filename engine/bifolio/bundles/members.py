"""The membership log of a bundle and this replica's become one, without a relay.

A relay lets one record follow another. Where there is none, two computers that join with one
ticket, each from its own bundle, make two logs. The rule of ``crypto.membership`` says which goes
on, the same one everywhere, and each replica that is a member carries on top what lost; so whoever
takes in the other's bundle next has both.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from bifolio.crypto.membership import Membership, merge_logs
from bifolio.errors import MembershipError, NewerMembershipError
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import joining


def read_log(replica: Replica, records: Sequence[bytes]) -> Membership:
    """The membership that records tell of.

    Raises:
        MembershipError: they break a rule.
    """
    return Membership.from_records(records, kinds=replica.formats.record_kinds)


def merge_members(
    replica: Replica, member_log: LibraryMembership, records: Sequence[bytes]
) -> bool:
    """Follow a bundle's log, or go on with our own and bring what is in the other one.

    Returns:
        whether anything changed.

    Raises:
        MembershipError: a record breaks a rule, or the log is another library's.
    """
    theirs, ours = read_log(replica, records), member_log.membership()
    if ours is None:
        member_log.learn(records)
        return True
    merged = merge_logs(ours, theirs)
    if merged.ours_won:
        changed = bool(merged.lost) and member_log.keep_lost(merged.lost)
    elif theirs.records[: len(ours.records)] == ours.records:
        member_log.learn(theirs.records[len(ours.records) :])
        changed = True
    else:
        member_log.meet(records)
        changed = True
    with suppress(MembershipError, NewerMembershipError):
        changed |= _carry(member_log)
        _join_again(replica, member_log)
        changed |= _carry(member_log)
    return changed


def _carry(member_log: LibraryMembership) -> bool:
    """Bring what lost on top of the log that goes on; whether there was any."""
    changed = False
    while (record := member_log.carry()) is not None:
        member_log.learn([record])
        changed = True
    return changed


def _join_again(replica: Replica, member_log: LibraryMembership) -> None:
    """This device's join lost against another one: it is made again on top, by its ticket."""
    if member_log.role() is not None:
        return
    secret = joining.kept_ticket(replica)
    if secret is not None:
        member_log.learn([member_log.join(secret)])
