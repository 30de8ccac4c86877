"""What a ticket is for, found out before anything is changed here: whose library, who is in it.

The ticket's key opens the invite and what it says; the members' list says the rest.
"""

from __future__ import annotations

from msgspec import Struct

from bifolio.crypto.membership import (
    Membership,
    Role,
    find_keys,
    invite_keys,
    joined_names,
    member_names,
)
from bifolio.crypto.ticket import Ticket
from bifolio.errors import MembershipError, ProtocolError
from bifolio.replica.membership import AboutInvite, check_ticket


class TicketFacts(Struct, frozen=True):
    """Whose library a ticket is for, what who joins becomes, and the members' names, as far as the
    list of members has them; ``maker`` and ``name`` are empty where the invite does not say."""

    library: bytes
    name: str
    maker: str
    role: Role
    members: int
    member_names: tuple[str, ...]


def read_ticket(ticket: Ticket, records: list[bytes], device: bytes) -> TicketFacts:
    """What a ticket is for, by its library's list of members.

    Args:
        ticket: the ticket.
        records: the list, from its first record.
        device: this computer's signing key: who joined with the ticket may come again.

    Raises:
        ProtocolError: this is not the list of the ticket's library.
        TicketError: the ticket lets nobody in any more.
    """
    try:
        membership = Membership.from_records(records)
    except MembershipError as error:
        raise ProtocolError(f"its list of members is none: {error.reason}") from error
    if membership.library_id != ticket.library:
        raise ProtocolError("its list of members is another library's")
    pair = invite_keys(ticket.secret)
    invite = membership.invite(pair.sign_public)
    check_ticket(membership, ticket.secret, device)
    assert invite is not None
    keys = find_keys(membership, pair).keys
    grants = membership.grants(pair.sign_public)
    key = keys.get(grants[0].generation) if grants else None
    about = AboutInvite.open(key, invite) if key is not None else AboutInvite()
    names = {**joined_names(membership, keys), **member_names(membership, keys)}
    if about.by:  # who began the library never joined it
        names.setdefault(invite.author, about.by)
    members = sorted(membership.members, key=lambda one: one.role is not Role.OWNER)
    return TicketFacts(
        library=ticket.library,
        name=about.library,
        maker=names.get(invite.author) or about.by,
        role=invite.role,
        members=len(members),
        member_names=tuple(names[one.device] for one in members if one.device in names),
    )
