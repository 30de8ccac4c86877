"""Members who lose rights: removed, or given a role that does not write."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulation.computer import Computer
from tests.simulation.relay import SimulatedRelay, sync

from bifolio.crypto.membership import Membership, Role, make_remove, make_role
from bifolio.errors import BifolioError, Next, as_next_step
from bifolio.ids import RandomBytes
from bifolio.replication.chain_ends import cut_of
from bifolio_relay.requests import AppendMember, MembersPart


def membership_of(computer: Computer) -> Membership:
    """The list of members as a computer knows it."""
    membership = computer.member_log.membership()
    assert membership is not None
    return membership


def waits_for_key(computer: Computer, error: BifolioError) -> bool:
    """Whether a sync ended because an owner has still to give a member the key of a snapshot."""
    if error.next_step != as_next_step(Next.SYNC_TICKET_MAKER):
        return False
    log = membership_of(computer)
    return any(computer.member_log.key(one) is None for one in log.generations)


def append(author: Computer, relay: SimulatedRelay, records: Sequence[bytes]) -> None:
    """Append records of a computer's own making, one after the other."""
    for record in records:
        log = membership_of(author)
        question = AppendMember(log.library_id, author.keys.sign_public, log.head, record, True)
        answer = relay.answer(question)
        assert isinstance(answer, MembersPart), answer
        relay.members_grown(answer, None)
        author.member_log.learn([record])


def demote(owner: Computer, relay: SimulatedRelay, device: bytes) -> None:
    """An owner makes a member one that reads only."""
    sync(relay, owner)
    record = make_role(
        membership_of(owner),
        owner.keys,
        device=device,
        role=Role.READER,
        cut=cut_of(owner.replica, device),
    )
    append(owner, relay, [record])


def promote(owner: Computer, relay: SimulatedRelay, device: bytes) -> None:
    """An owner lets a member write."""
    sync(relay, owner)
    record = make_role(membership_of(owner), owner.keys, device=device, role=Role.EDITOR)
    append(owner, relay, [record])


def remove(owner: Computer, relay: SimulatedRelay, device: bytes, *, draw: RandomBytes) -> None:
    """An owner removes a member; the others get the next key."""
    sync(relay, owner)
    log = membership_of(owner)
    keys = {one: key for one in log.generations if (key := owner.member_log.key(one)) is not None}
    records = make_remove(
        log,
        owner.keys,
        cuts={device: cut_of(owner.replica, device)},
        content_key=draw(32),
        earlier=keys,
        random_bytes=draw,
    )
    append(owner, relay, records)
