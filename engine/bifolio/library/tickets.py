"""Tickets as front ends handle them: found in what somebody pasted, and what they say openly."""

from __future__ import annotations

import os

from msgspec import Struct

from bifolio.crypto.ticket import Ticket
from bifolio.crypto.ticket_search import find_ticket
from bifolio.replication.relay_addresses import is_local_address

__all__ = ["FoundTicket", "find", "is_local_address", "lock"]


class FoundTicket(Struct, frozen=True):
    """A ticket: the whole of it, which is a secret, its library's id, and its relay's address
    (empty for a bundle)."""

    ticket: str
    library: str
    relay: str

    def __repr__(self) -> str:
        return f"FoundTicket(library={self.library!r}, relay={self.relay!r})"


def lock(ticket: str, passphrase: str) -> str:
    """A ticket that is worth nothing without a passphrase.

    Raises:
        TicketError: it is no ticket.
    """
    return Ticket.decode(ticket).encode_locked(passphrase, os.urandom)


def find(text: str, *, passphrase: str | None = None) -> FoundTicket:
    """The ticket in a text, such as a whole mail; opened, if it has a passphrase.

    Raises:
        LockedTicketError: it has a passphrase, and none or another one was given.
        TicketError: there is none, none that is whole, or more than one.
    """
    ticket = find_ticket(text, passphrase=passphrase)
    return FoundTicket(ticket.encode(), ticket.library.hex(), ticket.relay)
