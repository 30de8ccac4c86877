"""Tickets with a passphrase."""

from __future__ import annotations

import pytest
from tests.unit.crypto.builders import counting_bytes, secret

from bifolio.crypto.ticket import Ticket
from bifolio.crypto.ticket_search import find_ticket
from bifolio.errors import LockedTicketError, TicketError

TICKET = Ticket(
    relay="wss://relay.example",
    library=b"l" * 16,
    secret=secret("ticket"),
    epoch=b"e" * 16,
    position=7,
    chain_hash=b"c" * 32,
    membership_head=b"m" * 32,
)


@pytest.fixture(scope="module")
def locked() -> str:
    """The ticket under a passphrase, which takes the tenth of a second that it is to take."""
    return TICKET.encode_locked("four plain words here", counting_bytes("salt"))


def test_a_ticket_with_a_passphrase_opens_by_it_alone(locked: str) -> None:
    assert Ticket.decode(locked, passphrase=" four plain words here\n") == TICKET
    with pytest.raises(LockedTicketError, match="it has a passphrase") as asked:
        Ticket.decode(locked)
    assert not asked.value.is_wrong
    with pytest.raises(LockedTicketError, match="not its passphrase") as wrong:
        find_ticket(f"> {locked[:70]}\n> {locked[70:]}.", passphrase="four plain words")
    assert wrong.value.is_wrong
    assert "four" not in wrong.value.message


def test_it_is_found_in_a_mail_and_its_checksum_tells_a_slip(locked: str) -> None:
    mail = f"Hello,\n\n> <{locked[:60]}\n> {locked[60:]}>\n"
    with pytest.raises(LockedTicketError):
        find_ticket(mail)
    with pytest.raises(TicketError, match="missing, or it was altered"):
        find_ticket(locked[:-3])
    assert TICKET.encode() not in locked
