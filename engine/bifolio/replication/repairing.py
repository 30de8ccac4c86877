"""What was set aside, tried again: by a newer version, or after what it lacked came.

An earlier version set a record's later updates aside with the one that it could not read; each is
tried by itself now. An update stays aside where it is refused again.
"""

from __future__ import annotations

from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.applying import Applier
from bifolio.replication.inbox import Inbox
from bifolio.replication.judging import Judge

#: Updates that are tried in one transaction.
_AT_ONCE = 1000


def retry_all(replica: Replica) -> int:
    """Try all that was set aside; returns how many updates and changes were merged.

    For a newer version, which may be able to merge what an earlier one could not. What it cannot
    merge stays set aside.
    """
    return retry_quarantined(replica) + retry_fatal(replica)


def retry_quarantined(replica: Replica) -> int:
    """Try every update that was set aside; returns how many were merged.

    Until a round merges nothing: one may build on another that comes later.
    """
    judge = Judge(replica, LibraryMembership(replica))
    merged = 0
    while (found := _round(replica, judge)) > 0:
        merged += found
    return merged


def retry_fatal(replica: Replica) -> int:
    """Try the envelopes that ended the process; returns how many changes they brought.

    One that ends it twice again is set aside again.
    """
    return Inbox(replica, LibraryMembership(replica)).retry_fatal().changes


def _round(replica: Replica, judge: Judge) -> int:
    merged, number = 0, 0
    while rows := replica.quarantined.after(number, most=_AT_ONCE):
        number = rows[-1].number
        with replica.database.transaction():
            applier = Applier(replica, judge.author_of)
            for one in rows:
                if replica.quarantined.has(one.number):  # not released by an earlier one
                    merged += applier.retry(one)
                if applier.is_full:
                    applier.save()
            applier.settle()
            applier.save()
    return merged
