"""A ticket in whatever somebody pasted: a mail, a chat, a file, a line with marks around it.

Mail programs wrap it, put ``> `` before its lines, brackets, quotation marks or a full stop around
it, tags and characters that nobody sees into it, and encode it as a whole. Where it ends shows its
checksum. Nothing of what was pasted is ever repeated. May import only ``ticket``, ``errors`` and
``limits``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from email import message_from_string

from bifolio import limits
from bifolio.crypto.ticket import SCHEME, Ticket
from bifolio.errors import LockedTicketError, Next, NextStep, TicketError

#: What stands before the lines of a quoted mail.
_QUOTED = re.compile(r"(?m)^[ \t]*(?:[>|][ \t]?)+")
#: A soft line break of quoted-printable text with its equals sign, also in a mail that was quoted.
_SOFT_BREAK = re.compile(r"=[ \t]*\r?\n(?:[ \t]*[>|])*[ \t]?")
#: The scheme as it is written in the parameter of an address.
_PERCENT = re.compile(re.escape(SCHEME[:-1]) + "%3a", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_ENCODED_PART = re.compile(r"(?im)^content-transfer-encoding:")
#: The scheme, with what a mail program may have put between its letters.
_SCHEME = re.compile(r"\s*".join(map(re.escape, SCHEME)), re.IGNORECASE)
_BLANKS = re.compile(r"\s*")
_PIECE = re.compile(r"[A-Za-z0-9_-]+")


def find_ticket(text: str, *, passphrase: str | None = None) -> Ticket:
    """The ticket in a text.

    Raises:
        LockedTicketError: it has a passphrase, and none or another one was given.
        TicketError: there is none, none that is whole, or more than one.
    """
    if len(text) > limits.TICKET_TEXT_CHARACTERS_MAX:
        raise TicketError(
            f"the text has more than {limits.TICKET_TEXT_CHARACTERS_MAX:,} characters"
        )
    fault: TicketError | None = None
    for reading in _readings(text):
        try:
            return _find_in(reading, passphrase)
        except TicketError as error:
            if error.is_of_newer_version or isinstance(error, LockedTicketError):
                raise
            if error.next_step == NextStep(Next.CHOOSE_ONE_TICKET):
                raise
            fault = fault or error
    assert fault is not None
    raise fault


def _readings(text: str) -> Iterator[str]:
    """The text as it is, and as what it may be otherwise: HTML, the source of a mail."""
    cleaned = _clean(text)
    yield cleaned
    if _TAG.search(cleaned):
        yield _TAG.sub("", cleaned)
    if _ENCODED_PART.search(text):
        parts = message_from_string(text).walk()
        bodies = [one.get_payload(decode=True) for one in parts if not one.is_multipart()]
        texts = [one.decode("utf-8", "replace") for one in bodies if isinstance(one, bytes)]
        decoded = _clean("\n".join(texts))
        yield decoded
        yield _TAG.sub("", decoded)


def _find_in(cleaned: str, passphrase: str | None) -> Ticket:
    """The ticket in one reading of a text.

    Raises:
        LockedTicketError, TicketError: as ``find_ticket``.
    """
    found: dict[str, Ticket] = {}
    fault: TicketError | None = None
    is_one_locked = False
    for number, place in enumerate(_SCHEME.finditer(cleaned)):
        if number >= limits.TICKET_PLACES_MAX:
            break
        try:
            ticket = _ticket_at(cleaned, place.end(), passphrase)
        except TicketError as error:
            fault = fault or error
            is_one_locked = is_one_locked or isinstance(error, LockedTicketError)
        else:
            found[ticket.encode()] = ticket
    number = len(found) + (bool(found) and is_one_locked)
    if number > 1:
        raise TicketError(
            f"the text holds {number} different ones", next_step=Next.CHOOSE_ONE_TICKET
        )
    if found:
        return next(iter(found.values()))
    if fault is not None:
        raise fault
    raise TicketError("it is empty" if not cleaned.strip() else f"nothing begins with '{SCHEME}'")


def _clean(text: str) -> str:
    """The text without what is not seen, and without the marks of quoted lines."""
    seen = "".join(one for one in text if unicodedata.category(one) != "Cf" and one != "\xad")
    # Letters of another width, and the dashes that a word processor makes of a hyphen.
    plain = unicodedata.normalize("NFKC", seen)
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    return _PERCENT.sub(SCHEME, _QUOTED.sub("", _SOFT_BREAK.sub("", plain)))


def _ticket_at(text: str, start: int, passphrase: str | None) -> Ticket:
    """The ticket that goes on here; its checksum says where it ends.

    Raises:
        TicketError: there is no whole one.
    """
    body = ""
    fault: TicketError | None = None
    start = _behind_blanks(text, start)
    for _ in range(limits.TICKET_PIECES_MAX):
        piece = _PIECE.match(text, start)
        if piece is None:
            break
        body += piece.group()
        if len(body) > limits.TICKET_CHARACTERS_MAX:
            break
        # Marks of emphasis may follow at once, and are letters of tickets too.
        for tried in dict.fromkeys((body, body.rstrip("_"), body.rstrip("-_"))):
            try:
                return Ticket.decode(SCHEME + tried, passphrase=passphrase)
            except TicketError as error:
                if error.is_of_newer_version or isinstance(error, LockedTicketError):
                    raise
                fault = error
        start = _behind_blanks(text, piece.end())
        if start == piece.end():
            break
    raise fault or TicketError("a part of it is missing, or it was altered on the way")


def _behind_blanks(text: str, start: int) -> int:
    blank = _BLANKS.match(text, start)
    return blank.end() if blank is not None else start
