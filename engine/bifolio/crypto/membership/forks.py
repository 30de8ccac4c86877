"""Two logs of one library that went different ways: which one goes on, and what is made again.

A relay that was put back to yesterday's copy takes records that others had taken differently. Both
logs are good, so a rule decides, the same one on every computer, over all that follows the last
record that both have:

1. The log in which a right is taken comes first: a removal, or a role that an owner loses. Were the
   first records alone compared, who was removed long ago could make up a past that begins with a
   removal, or with a low hash.
2. Where both take rights, the one whose author has been an owner for longer at the fork: an owner
   who was removed cannot make up a removal of those before it.
3. Where neither does, the log in which a ticket is closed: it lets nobody in by a past made up.
4. The lower hash of the two first records.

What lost is carried on top of what won (kind ``carry``), as it was signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bifolio import limits
from bifolio.crypto.membership.records import Record, parse_record
from bifolio.crypto.membership.rights import Role
from bifolio.crypto.membership.rules import Membership, carried_by
from bifolio.errors import MembershipError


@dataclass(frozen=True, slots=True)
class MergedLogs:
    """The log that goes on; ``lost`` are the records of the other one from the fork on, in order,
    to be carried (``make_carry``); ``ours_won`` if it is the first of the two. ``shared`` counts
    the records with which both begin."""

    winner: Membership
    lost: tuple[bytes, ...]
    ours_won: bool
    shared: int


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
        return MergedLogs(ours, (), True, shared)
    if shared == len(ours.records):
        return MergedLogs(theirs, (), False, shared)
    before = Membership.from_records(ours.records[:shared], kinds=ours.kinds)
    ours_won = _rank(ours, before) < _rank(theirs, before)
    winner, loser = (ours, theirs) if ours_won else (theirs, ours)
    lost = tuple(raw for raw in loser.records[shared:] if not winner.has_carried(raw))
    return MergedLogs(winner, lost, ours_won, shared)


def carried_records(record: Record) -> list[Record]:
    """The records in one that carries others, and in those, as far as they can be read."""
    found: list[Record] = []
    left = [(raw, 1) for raw in carried_by(record)]
    while left:
        raw, depth = left.pop()
        try:
            found.append(parse_record(raw))
        except MembershipError:
            continue
        if found[-1].header.kind == "carry" and depth < limits.MEMBERSHIP_CARRY_DEPTH_MAX:
            left.extend((one, depth + 1) for one in carried_by(found[-1]))
    return found


def carry_depth(records: Sequence[bytes]) -> int:
    """How often records are carried in others that are carried, at most."""
    depth, left = 0, list(records)
    while left and depth <= limits.MEMBERSHIP_CARRY_DEPTH_MAX:
        parsed = (parse_record(raw) for raw in left)
        left = [raw for one in parsed if one.header.kind == "carry" for raw in carried_by(one)]
        depth += bool(left)
    return depth


def _shared(ours: Membership, theirs: Membership) -> int:
    """How many records both logs begin with."""
    pairs = zip(ours.records, theirs.records, strict=False)
    for number, (one, other) in enumerate(pairs):
        if one != other:
            return number
    return min(len(ours.records), len(theirs.records))


def _rank(log: Membership, before: Membership) -> tuple[int, int, bytes]:
    """The lower one wins; ``before`` is what both logs begin with."""
    records = [parse_record(raw) for raw in log.records[len(before.records) :]]
    takers = [before.owner_since(one.header.author) for one in records if _takes_right(one, before)]
    if takers:
        return (0, min(takers), records[0].hash)
    closes = any(one.header.kind == "revoke" for one in records)
    return (1 if closes else 2, 0, records[0].hash)


def _takes_right(record: Record, before: Membership) -> bool:
    """Whether it removes somebody, or takes the role of one who was an owner at the fork."""
    if record.header.kind == "remove":
        return True
    device, role = record.fields.get("device"), record.fields.get("role")
    return (
        record.header.kind == "role"
        and role != Role.OWNER
        and isinstance(device, bytes)
        and before.role_of(device) is Role.OWNER
    )
