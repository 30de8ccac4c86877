"""What ``bifolio attach`` and ``--relay`` take for a ticket, and what for an address."""

from __future__ import annotations

import pytest
from tests.support.cases import each

from bifolio.errors import UsageError
from bifolio_cli.ticket_input import PastedTicket, RelayAddress, read_target, relay_url


@each(
    "text",
    [
        "https://mail.example/?t=bifolio%3Aabc",
        "https://mail.example/?t=bifolio%3aabc",
        "https://mail.example/#bifolio:abc",
        "wss://relay.example/bifolio:abc",
    ],
)
def test_a_link_with_a_ticket_is_a_ticket_and_is_sent_nowhere(text: str) -> None:
    assert read_target(text) == PastedTicket(text)


def test_an_address_is_one_in_either_scheme() -> None:
    assert read_target(" HTTPS://relay.example/x ") == RelayAddress("wss://relay.example/x")
    assert relay_url("http://relay.example:8787") == "ws://relay.example:8787"
    for other in ("relay.example", "-", "bifolio:abc", "", "ftp://relay.example"):
        assert relay_url(other) is None
    with pytest.raises(UsageError):
        read_target("relay.example")
