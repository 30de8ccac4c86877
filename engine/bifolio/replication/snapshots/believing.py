"""Which of the relay's snapshots may be loaded, by what members said of them.

Nobody can see from a snapshot alone whether its maker wrote into it what another never wrote: the
names in it are proved, what was written under them is not. A replica that holds the changes can
compare. So a snapshot is believed on the word of a second device; on its maker's alone where there
is no other that could have said so, or where the log no longer has what it brings, which is noted
for the user. One that a member calls wrong is not loaded. The word of who has lost the right to
write since does not count: what it called right is its maker's word, as long as that one has the
right. Of one whose maker came in by a list of members that lost, what another found counts as that
one's word alone. Of a snapshot of which nobody who has it says so, who has all of it already takes
its place in the log and nothing else; others wait until it was compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from bifolio.crypto.membership import Membership
from bifolio.crypto.snapshot import Snapshot, parse_snapshot
from bifolio.crypto.statement import Verdict
from bifolio.errors import EnvelopeError
from bifolio.wire.snapshot_messages import SnapshotState


class Belief(IntEnum):
    """How far a snapshot is believed."""

    WRONG = 0  #: a member says that it is not what the changes give
    UNSEEN = 1  #: nobody has compared it yet
    BY_MAKER = 2  #: its maker alone says so, and others could have
    ATTESTED = 3  #: another device says so, or there is no other


@dataclass(frozen=True, slots=True)
class ToldSnapshot:
    """A snapshot that the relay tells of, made by a device that may write."""

    snapshot: Snapshot
    is_whole: bool
    verdicts: tuple[Verdict, ...]
    raw_verdicts: tuple[bytes, ...]
    belief: Belief
    #: Whether its maker lost the right to write, and nobody else says that it is right.
    is_orphan: bool = False

    def verdict_of(self, device: bytes) -> Verdict | None:
        """What a device said of it."""
        return next((one for one in self.verdicts if one.device == device), None)


def read_told(
    told: Sequence[SnapshotState], membership: Membership, *, library: bytes, device: bytes
) -> list[ToldSnapshot]:
    """The snapshots that are this library's and that members made, the newest first.

    Args:
        told: by the relay.
        membership: as known here.
        library: its id.
        device: this device's signing key.
    """
    found = []
    for state in told:
        try:
            snapshot = parse_snapshot(state.header)
        except EnvelopeError:
            continue
        header = snapshot.header
        if header.library != library:
            continue
        verdicts, was_compared = _verdicts(state, snapshot, membership)
        is_vouched = any(one.is_right and one.device != header.device for one in verdicts)
        had_right = _had_right(snapshot, membership)
        if not (had_right or is_vouched):
            continue
        # Who was removed since: only what a member says is right.
        is_orphan = not membership.may_write(header.device) and not is_vouched
        belief = _belief(header.device, verdicts, membership, device=device)
        if belief is Belief.UNSEEN and was_compared:
            belief = Belief.BY_MAKER
        if is_orphan:
            belief = min(belief, Belief.UNSEEN)
        if not had_right:
            # It came in by a list of members that lost: the word of who compared it is left.
            belief = min(belief, Belief.BY_MAKER)
        is_whole = state.held == header.chunks
        found.append(
            ToldSnapshot(snapshot, is_whole, tuple(verdicts), state.verdicts, belief, is_orphan)
        )
    return sorted(found, key=lambda one: (-one.snapshot.header.n, -one.snapshot.header.made_ms))


def _had_right(snapshot: Snapshot, membership: Membership) -> bool:
    """Whether its maker had the right to make it. Under a head that nobody knows any more, as it
    was of a list of members that lost, that is who may write now: it could sign the same again."""
    header = snapshot.header
    if not membership.knows(header.membership_head):
        return membership.may_write(header.device)
    role = membership.role_of(header.device, head=header.membership_head)
    return role is not None and role.may_write


def _verdicts(
    state: SnapshotState, snapshot: Snapshot, membership: Membership
) -> tuple[list[Verdict], bool]:
    """What devices that may write say of it, and whether one that lost the right since called it
    right."""
    found, was_compared = [], False
    for raw in state.verdicts:
        try:
            verdict = Verdict.parse(raw)
        except EnvelopeError:
            continue
        if verdict.library != snapshot.header.library or verdict.snapshot != snapshot.id:
            continue
        if membership.may_write(verdict.device):
            found.append(verdict)
        else:
            was_compared |= verdict.is_right and membership.has_met(verdict.device)
    return found, was_compared


def _belief(
    maker: bytes, verdicts: Sequence[Verdict], membership: Membership, *, device: bytes
) -> Belief:
    if any(not one.is_right for one in verdicts):
        return Belief.WRONG
    if any(one.device != maker for one in verdicts):
        return Belief.ATTESTED
    if not verdicts:
        return Belief.UNSEEN
    others = [
        one.device
        for one in membership.members
        if membership.may_write(one.device) and one.device not in (maker, device)
    ]
    return Belief.BY_MAKER if others else Belief.ATTESTED
