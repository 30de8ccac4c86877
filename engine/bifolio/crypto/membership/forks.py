"""Two logs of one library that went different ways: which one goes on, and what is made again.

A relay that was put back to yesterday's copy takes records that others had taken differently. Both
logs are good, so a rule decides, the same one on every computer, over all that follows the last
record that both have:

1. The log in which a right is taken comes first: a removal, or a role that an owner loses. Were the
   first records alone compared, who was removed long ago could make up a past that begins with a
   removal, or with a low hash.
2. Where both take rights, the one whose author has been an owner for longer at the fork: an owner
   who was removed cannot make up a removal of those before it.
3. Otherwise the log in which a ticket is closed, and of two the one in which fewer came with it:
   it lets nobody in by a past made up.
4. Where both have the same records and differ in what carries them, the longer one.
5. The lower hash of the two first records.

What has no effect where it is carried, because its author lost the right, counts for none of this.
What lost is carried on top of what won (kind ``carry``), as it was signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bifolio import limits
from bifolio.crypto.encoding import content_hash
from bifolio.crypto.membership.records import Record, parse_record
from bifolio.crypto.membership.rights import Effect, Role
from bifolio.crypto.membership.rules import Membership, carried_by
from bifolio.errors import MembershipError

#: As if an owner had become one after all records that there may be.
_NOBODY = limits.RELAY_MEMBERSHIP_RECORDS_MAX + 1


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
    same = ours.content == theirs.content
    ours_won = _rank(ours, before, same=same) < _rank(theirs, before, same=same)
    winner, loser = (ours, theirs) if ours_won else (theirs, ours)
    return MergedLogs(winner, lost_to(winner, loser, shared), ours_won, shared)


def lost_to(winner: Membership, loser: Membership, shared: int) -> tuple[bytes, ...]:
    """What of a log, from the fork on, is not in the one that goes on, in its order.

    Records that only carried what is there are left out at the end: nothing follows them. If they
    were carried, two computers that bring two logs together would make two logs of them again.
    """
    missing = loser.content - winner.content
    lost = [raw for raw in loser.records[shared:] if not winner.has_carried(raw)]
    while lost and not _brings(lost[-1], missing):
        lost.pop()
    return tuple(lost)


def _brings(raw: bytes, missing: frozenset[bytes]) -> bool:
    """Whether a record is one of those that are missing, or carries one."""
    record = parse_record(raw)
    return record.hash in missing or any(one.hash in missing for one in carried_records(record))


def carried_records(record: Record) -> list[Record]:
    """The records in one that carries others, and in those, as far as they can be read."""
    return [one for one, _ in _carried(record)]


def carry_depth(records: Sequence[bytes]) -> int:
    """How often records of a log are carried in others that are carried, at most."""
    return max((depth for raw in records for _, depth in _carried(parse_record(raw))), default=0)


def _carried(record: Record) -> Iterator[tuple[Record, int]]:
    """The records in one that carries others, with how many carry each; one that cannot be read,
    as a newer program's may, is passed over."""
    left = [(raw, 1) for raw in carried_by(record)]
    while left:
        raw, depth = left.pop()
        try:
            one = parse_record(raw)
        except MembershipError:
            continue
        yield one, depth
        if depth < limits.MEMBERSHIP_CARRY_DEPTH_MAX and one.header.kind == "carry":
            left.extend((further, depth + 1) for further in carried_by(one))


def _shared(ours: Membership, theirs: Membership) -> int:
    """How many records both logs begin with."""
    pairs = zip(ours.records, theirs.records, strict=False)
    for number, (one, other) in enumerate(pairs):
        if one != other:
            return number
    return min(len(ours.records), len(theirs.records))


def _rank(log: Membership, before: Membership, *, same: bool) -> tuple[int, int, int, int, bytes]:
    """The lower one wins; ``before`` is what both logs begin with, ``same`` if they have the same
    records."""
    shared = len(before.records)
    effects = log.effects_from(shared)
    takers = [before.owner_since(one.author) for one in effects if _takes_right(one, before)]
    closed = {one.subject for one in effects if one.kind == "revoke"}
    came = sum(one.kind == "join" and one.author in closed for one in effects)
    length, head = (-len(log.records), log.head) if same else (0, content_hash(log.records[shared]))
    return (min(takers, default=_NOBODY), not closed, came, length, head)


def _takes_right(effect: Effect, before: Membership) -> bool:
    """Whether it removed somebody, or took the role of one who was an owner at the fork."""
    if effect.kind == "remove":
        return True
    is_owners = before.role_of(effect.subject) is Role.OWNER
    return effect.kind == "role" and effect.role is not Role.OWNER and is_owners
