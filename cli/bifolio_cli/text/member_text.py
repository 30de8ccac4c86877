"""Members, tickets and what becomes of them, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bifolio.results import InviteState
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.results import InviteView, MemberView, RemovedMembers

_STATES = {
    InviteState.OPEN: "open",
    InviteState.USED: "used",
    InviteState.EXPIRED: "expired",
    InviteState.CLOSED: "closed",
}


def member_lines(members: Sequence[MemberView]) -> Iterator[str]:
    """One line for each member: name, role, when it joined and was last heard from, its id."""
    for one in members:
        name = f"{one.name} (this computer)" if one.is_own else one.name
        joined = f"joined {one.joined}" if one.joined else ""
        heard = f"last heard from {one.last_heard}" if one.last_heard else "not heard from yet"
        yield "\t".join((name, one.role, joined, "" if one.is_own else heard, one.id))


def invite_lines(invites: Sequence[InviteView]) -> Iterator[str]:
    """One line for each ticket: what it is good for, its label, who came with it, its id."""
    for one in invites:
        kind = "recovery code" if one.is_recovery else one.role
        uses = ""
        if not one.is_recovery:
            uses = "any number" if one.uses is None else f"{len(one.joined)} of {one.uses} used"
        expires = f"until {one.expires}" if one.expires else "without end"
        joined = f"joined: {', '.join(one.joined)}" if one.joined else ""
        yield "\t".join(
            (kind, _STATES[one.state], one.label, uses, expires, f"by {one.by}", joined, one.id)
        )


def invitation_lines(invite: InviteView) -> Iterator[str]:
    """For whom a new ticket is."""
    who = "any number of computers" if invite.uses is None else count(invite.uses, "computer")
    becomes = {"owner": "owners", "editor": "editors", "reader": "readers"}[invite.role]
    if invite.uses == 1:
        becomes = f"an {invite.role}" if invite.role != "reader" else "a reader"
    until = f" until {invite.expires}" if invite.expires else ""
    yield f"With this ticket {who} can become {becomes} of the library{until}."
    yield (
        "Who has it can join: send it on a way that others do not read. 'bifolio invites' lists "
        "the tickets, 'bifolio invites revoke ID' closes one."
    )


def removal_lines(done: RemovedMembers) -> Iterator[str]:
    """What a removal did, and what it did not."""
    for one in done.removed:
        yield f"{one.name} is no member any more ({one.id})."
    if done.closed_invites:
        closed = count(done.closed_invites, "ticket")
        verb = "is" if done.closed_invites == 1 else "are"
        yield f"{closed} made or used there {verb} closed."
    yield (
        "What was sent from there stays in the library; what follows can neither be read nor be "
        "changed from there. What has been read there stays there."
    )
