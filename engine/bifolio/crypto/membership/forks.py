"""Two logs of one library that went different ways: which one goes on, and what is made again.

A relay that was put back to yesterday's copy takes records that others had taken differently. Both
logs are good, so a rule decides, the same one on every computer: of two records after one
predecessor a removal comes first; of two removals that of who has been an owner for longer, so
that an owner who was removed cannot make up a removal of those before it; then the lower hash.
What lost is carried on top of what won (kind ``carry``), as it was signed.
"""

from __future__ import annotations

from dataclasses import dataclass

from bifolio.crypto.membership.records import parse_record
from bifolio.crypto.membership.rules import Membership
from bifolio.errors import MembershipError


@dataclass(frozen=True, slots=True)
class MergedLogs:
    """The log that goes on; ``lost`` are the records of the other one from the fork on, in order,
    to be carried (``make_carry``); ``ours_won`` if it is the first of the two."""

    winner: Membership
    lost: tuple[bytes, ...]
    ours_won: bool


def merge_logs(ours: Membership, theirs: Membership) -> MergedLogs:
    """Decide between two logs; which of them is given first changes nothing but ``ours_won``.

    Where one is the beginning of the other nothing is lost. Equal logs: ours.

    Raises:
        MembershipError: they are not the logs of one library.
    """
    if ours.library_id != theirs.library_id:
        raise MembershipError("the log is that of another library")
    shared = _shared(ours, theirs)
    if shared == len(theirs.records):
        return MergedLogs(ours, (), True)
    if shared == len(ours.records):
        return MergedLogs(theirs, (), False)
    ours_won = _rank(ours, shared) < _rank(theirs, shared)
    winner, loser = (ours, theirs) if ours_won else (theirs, ours)
    lost = tuple(raw for raw in loser.records[shared:] if not winner.has_carried(raw))
    return MergedLogs(winner, lost, ours_won)


def _shared(ours: Membership, theirs: Membership) -> int:
    """How many records both logs begin with."""
    pairs = zip(ours.records, theirs.records, strict=False)
    for number, (one, other) in enumerate(pairs):
        if one != other:
            return number
    return min(len(ours.records), len(theirs.records))


def _rank(log: Membership, position: int) -> tuple[int, int, bytes]:
    """The lower one wins."""
    record = parse_record(log.records[position])
    if record.header.kind != "remove":
        return (1, 0, record.hash)
    before = Membership.from_records(log.records[:position], kinds=log.kinds)
    return (0, before.owner_since(record.header.author), record.hash)
