"""Tickets as front ends handle them: found in what somebody pasted, and what they say openly."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

from bifolio.crypto.ticket_search import find_ticket


class FoundTicket(Struct, frozen=True):
    """A ticket: the whole of it, which is a secret, its library's id, and its relay's address
    (empty for a bundle)."""

    ticket: str
    library: str
    relay: str

    def __repr__(self) -> str:
        return f"FoundTicket(library={self.library!r}, relay={self.relay!r})"


def find(text: str) -> FoundTicket:
    """The ticket in a text, such as a whole mail.

    Raises:
        TicketError: there is none, none that is whole, or more than one.
    """
    ticket = find_ticket(text)
    return FoundTicket(ticket.encode(), ticket.library.hex(), ticket.relay)


def is_local_address(relay: str) -> bool:
    """Whether a relay's address names the computer itself, so that no other one finds it."""
    try:
        host = (urlsplit(relay).hostname or "").rstrip(".")
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
