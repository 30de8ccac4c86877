"""A ticket in whatever somebody pasted: a mail, a chat, a file, a line with marks around it.

Mail programs wrap it, put ``> `` before its lines, brackets, quotation marks or a full stop around
it, and characters that nobody sees into it. Where it ends shows its checksum. Nothing of what was
pasted is ever repeated. May import only ``ticket``, ``errors`` and ``limits``.
"""

from __future__ import annotations

import re
import unicodedata

from bifolio import limits
from bifolio.crypto.ticket import SCHEME, Ticket
from bifolio.errors import LockedTicketError, Next, TicketError

#: What stands before the lines of a quoted mail.
_QUOTED = re.compile(r"(?m)^[ \t]*(?:[>|][ \t]?)+")
#: A soft line break of quoted-printable text, and its equals sign.
_SOFT_BREAK = re.compile(r"=\r?\n")
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
    found: dict[str, Ticket] = {}
    fault: TicketError | None = None
    cleaned = _clean(text)
    for number, place in enumerate(_SCHEME.finditer(cleaned)):
        if number >= limits.TICKET_PLACES_MAX:
            break
        try:
            ticket = _ticket_at(cleaned, place.end(), passphrase)
        except TicketError as error:
            fault = fault or error
        else:
            found[ticket.encode()] = ticket
    if len(found) > 1:
        raise TicketError(
            f"the text holds {len(found)} different ones", next_step=Next.CHOOSE_ONE_TICKET
        )
    if found:
        return next(iter(found.values()))
    if fault is not None:
        raise fault
    raise TicketError("it is empty" if not text.strip() else f"nothing begins with '{SCHEME}'")


def _clean(text: str) -> str:
    """The text without what is not seen, and without the marks of quoted lines."""
    seen = "".join(one for one in text if unicodedata.category(one) != "Cf" and one != "\xad")
    # Letters of another width, and the dashes that a word processor makes of a hyphen.
    plain = unicodedata.normalize("NFKC", seen)
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    return _QUOTED.sub("", _SOFT_BREAK.sub("", plain))


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
