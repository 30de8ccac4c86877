"""Tickets: what survives a mail program, and what is said of one that did not."""

from __future__ import annotations

import base64
import textwrap

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio import limits
from bifolio.crypto.ticket import SCHEME, Ticket, _checksum
from bifolio.errors import Next, NextStep, TicketError
from bifolio.ids import base64url

TICKET = Ticket(
    relay="wss://relay.example.org/bifolio",
    library=b"L" * 16,
    secret=b"S" * 32,
    epoch=b"E" * 16,
    position=1234,
    chain_hash=b"C" * 32,
    membership_head=b"M" * 32,
)
TEXT = TICKET.encode()


def text_of(*fields: object) -> str:
    """A ticket of these values with a checksum that fits."""
    content = msgpack.packb(fields)
    return SCHEME + base64url(content + _checksum(content))


def test_a_ticket_comes_back() -> None:
    assert Ticket.decode(TEXT) == TICKET
    assert TEXT.startswith("bifolio:")
    assert TEXT.split() == [TEXT]


def test_a_ticket_shows_its_secret_to_nobody_who_prints_it() -> None:
    assert "S" * 8 not in repr(TICKET)
    assert "S" * 8 not in str(TICKET)


@each(
    "mailed",
    [
        f"  {TEXT}\r\n",
        "\n".join(textwrap.wrap(TEXT, 40)),
        "\r\n    ".join(textwrap.wrap(TEXT, 76)),
        TEXT.replace(":", ": \u00a0", 1),
        "\t" + TEXT[:4] + "\n" + TEXT[4:],
        TEXT.replace("bifolio", "Bifolio"),
    ],
)
def test_spaces_and_line_breaks_of_mail_programs_do_no_harm(mailed: str) -> None:
    assert Ticket.decode(mailed) == TICKET


def test_every_changed_character_is_noticed() -> None:
    for position in range(len(SCHEME), len(TEXT)):
        other = "A" if TEXT[position] != "A" else "B"
        with pytest.raises(TicketError):
            Ticket.decode(TEXT[:position] + other + TEXT[position + 1 :])


def test_every_missing_or_doubled_character_is_noticed() -> None:
    for position in range(len(TEXT)):
        with pytest.raises(TicketError):
            Ticket.decode(TEXT[:position] + TEXT[position + 1 :])
        with pytest.raises(TicketError):
            Ticket.decode(TEXT[:position])
    for position in range(len(SCHEME), len(TEXT)):
        with pytest.raises(TicketError):
            Ticket.decode(TEXT[:position] + TEXT[position] + TEXT[position:])


@each(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("wss://relay.example.org", "begin with 'bifolio:'"),
        (TEXT[len(SCHEME) :], "begin with 'bifolio:'"),
        (SCHEME, "missing"),
        (TEXT[:-1], "missing"),
        (TEXT[:40] + "…", r"contains '\\u2026'"),
        (TEXT + "==", "contains '='"),
        (TEXT + ">", "contains '>'"),
        (SCHEME + "A" * limits.TICKET_CHARACTERS_MAX, "at most"),
        (text_of(3, "of the future"), "newer Bifolio"),
        (text_of(), "cut short"),
        (text_of(0), "holds 1 values"),
        (text_of(1, "wss://h", b"", b"", b"", 1, b"", b""), "library has the wrong length"),
    ],
)
def test_the_reason_is_precise(text: str, reason: str) -> None:
    with pytest.raises(TicketError, match=reason):
        Ticket.decode(text)


def test_a_ticket_of_the_future_is_not_copied_again() -> None:
    with pytest.raises(TicketError) as failure:
        Ticket.decode(text_of(3, "of the future"))
    assert failure.value.next_step == NextStep(Next.UPGRADE)


@given(st.text(max_size=200))
def test_any_text_is_a_ticket_or_a_ticket_error(text: str) -> None:
    for candidate in (text, SCHEME + text):
        with pytest.raises(TicketError):
            Ticket.decode(candidate)


@given(st.binary(max_size=200))
def test_any_bytes_with_a_fitting_checksum_are_a_ticket_error(content: bytes) -> None:
    with pytest.raises(TicketError):
        Ticket.decode(SCHEME + base64url(content + _checksum(content)))


@given(
    st.lists(
        st.none() | st.booleans() | st.floats() | st.integers(-9, 9) | st.text() | st.binary(),
        max_size=9,
    )
)
def test_any_values_with_a_fitting_checksum_are_a_ticket_error(fields: list[object]) -> None:
    with pytest.raises(TicketError):
        Ticket.decode(text_of(*fields))
    with pytest.raises(TicketError):
        Ticket.decode(text_of(1, *fields))


@each(
    "relay",
    [
        "relay.example.org",
        "https://relay.example.org",
        "ws://",
        "ws:///path",
        "ws://host:port",
        "ws://host:99999",
        "ws://[::1",
        "ws://a b",
        "ws://a\nb",
        "ws://h/\ud800",
        "ws://" + "a" * limits.RELAY_URL_CHARACTERS_MAX,
    ],
)
def test_an_address_that_is_no_relays_makes_no_ticket(relay: str) -> None:
    with pytest.raises(TicketError, match="address"):
        Ticket(
            relay=relay,
            library=bytes(16),
            secret=bytes(32),
            epoch=bytes(16),
            position=0,
            chain_hash=bytes(32),
            membership_head=bytes(32),
        )


@each("relay", ["ws://127.0.0.1:8765", "ws://[::1]:80/", "wss://rélais.example/a?b", "WSS://H"])
def test_the_addresses_of_relays_are_carried_as_given(relay: str) -> None:
    ticket = Ticket(relay, bytes(16), bytes(32), bytes(16), 0, bytes(32), bytes(32))
    assert Ticket.decode(ticket.encode()) == ticket


@pytest.mark.parametrize("position", [-1, 2**53])
def test_a_position_out_of_its_bounds_makes_no_ticket(position: int) -> None:
    with pytest.raises(TicketError):
        Ticket("ws://h", bytes(16), bytes(32), bytes(16), position, bytes(32), bytes(32))


def test_padding_bits_give_no_second_form_of_a_ticket() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    body = TEXT[len(SCHEME) :]
    padded = body + "=" * (-len(body) % 4)
    forms = [
        SCHEME + body[:-1] + last
        for last in alphabet
        if base64.urlsafe_b64decode(body[:-1] + last + "=" * (-len(body) % 4))
        == base64.urlsafe_b64decode(padded)
    ]
    good = []
    for form in forms:
        try:
            good.append(Ticket.decode(form))
        except TicketError:
            continue
    assert good == [TICKET]
