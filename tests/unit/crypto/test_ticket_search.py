"""A ticket is found in whatever a mail program, a chat or a word processor made of it."""

from __future__ import annotations

import quopri
import secrets
from email.mime.text import MIMEText

import pytest
from tests.support.cases import each

from bifolio.crypto.ticket import Ticket
from bifolio.crypto.ticket_search import find_ticket
from bifolio.errors import TicketError

TICKET = Ticket(
    relay="wss://relay.example/bifolio",
    library=bytes(range(16)),
    secret=bytes(range(32)),
    epoch=bytes(range(16)),
    position=12,
    chain_hash=bytes(range(100, 132)),
    membership_head=bytes(range(200, 232)),
)
TEXT = TICKET.encode()
OTHER = Ticket(
    relay="",
    library=bytes(16),
    secret=bytes(32),
    epoch=bytes(16),
    position=0,
    chain_hash=bytes(32),
    membership_head=bytes(32),
).encode()


def wrapped(width: int, prefix: str = "", end: str = "\n") -> str:
    return end.join(prefix + TEXT[at : at + width] for at in range(0, len(TEXT), width))


def quoted(text: str) -> str:
    return "\n".join("> " + line for line in text.split("\n"))


@each(
    "text",
    [
        TEXT,
        f"  {TEXT}\n",
        f"{TEXT}.",
        f"({TEXT}),",
        f"<{TEXT}>",
        f'"{TEXT}"',
        f"\u201e{TEXT}\u201c",
        f"\u00ab {TEXT} \u00bb",
        f"`{TEXT}`",
        f"_{TEXT}_",
        f"**{TEXT}**",
        f"Ticket={TEXT}; it is good for a week",
        TEXT.replace("bifolio:", "BIFOLIO: "),
        TEXT.replace("bifolio:", "bi\u00adfolio:"),
        TEXT[:40] + "\u200b" + TEXT[40:],
        "\ufeff" + TEXT[:33] + "\u2060\u200d" + TEXT[33:],
        wrapped(60),
        wrapped(76, end="\r\n"),
        wrapped(50, "> "),
        wrapped(50, "> > "),
        wrapped(50, ">>> "),
        wrapped(50, "| "),
        wrapped(50, "    "),
        f"Dear Ada,\n\n{wrapped(64)}\n\nBest wishes, Bob",
        f"Dear Ada,\n\n{wrapped(64)}\nBest wishes\nBob\n",
        f"On Monday Bob wrote:\n{wrapped(64, '> ')}\n> Best wishes\n> Bob\n\nThank you!",
        quopri.encodestring(f"Here: {TEXT} as said".encode()).decode(),
        quoted(quopri.encodestring(f"Here: {TEXT} as said".encode()).decode()),
        f'<p>Use <a href="{TEXT}">this</a></p>',
        f"<p>{wrapped(50, end='<br>')}</p>",
        f"<p>{wrapped(50, end='</span><span>')}</p>",
        TEXT.replace(":", "%3A"),
        MIMEText(f"Grüße! {TEXT}", "plain", "utf-8").as_string(),
        MIMEText(f"<p>Grüße! <b>{wrapped(60, end='<wbr>')}</b></p>", "html", "utf-8").as_string(),
        f"first try {TEXT[:-5]} oops, here it is: {TEXT}",
        f"{TEXT}\n{TEXT}\n",
        f"see https://example.org/bifolio:help and {TEXT}",
    ],
)
def test_a_ticket_is_found(text: str) -> None:
    assert find_ticket(text) == TICKET


@each(
    "text",
    ["", " \n", "hello", "bifolio:", "bifolio:AAAA", TEXT[:-1], TEXT[:-7] + "abcdefg", TEXT[:90]],
)
def test_what_is_no_whole_ticket_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(TicketError) as error:
        find_ticket(text)
    assert TEXT[20:40] not in str(error.value)


def test_two_different_tickets_are_not_chosen_from() -> None:
    with pytest.raises(TicketError, match="2 different"):
        find_ticket(f"{TEXT} or {OTHER}")
    locked = TICKET.encode_locked("four plain words", secrets.token_bytes)
    for text in (f"{TEXT} or {locked}", f"{locked} or {TEXT}"):
        with pytest.raises(TicketError, match="2 different"):
            find_ticket(text)


def test_a_text_made_to_take_long_does_not() -> None:
    with pytest.raises(TicketError):
        find_ticket("bifolio: " + "A " * 400_000)
    with pytest.raises(TicketError):
        find_ticket("bifolio:A\n" * 100_000)
    with pytest.raises(TicketError):
        find_ticket("<" * 500_000 + "bifolio:")
    with pytest.raises(TicketError, match="characters"):
        find_ticket("A" * 2_000_000)
