"""EndNote's XML that is damaged: its records cut out of the text, and a record's text mended.

A record is what stands between ``<record`` and ``</record>``, or the next ``<record`` where that is
missing, so that no damage reaches beyond its own record. Mended is what is certain: characters
that XML has no place for go, ``&`` and ``<`` that begin nothing are themselves, HTML's entities are
their characters. May know XML, not what an element means.
"""

from __future__ import annotations

import html.entities
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from bifolio.formats.endnote.text import ILLEGAL

_TOKEN: Final = re.compile(r"<!--|<!\[CDATA\[|<record\s*/>|<record(?=[\s>])|</record\s*>")
_CLOSERS: Final = {"<!--": "-->", "<![CDATA[": "]]>"}
_END: Final = "</record"

_CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_REFERENCE: Final = re.compile(
    r"&(?:#(?:([0-9]{1,7})|[xX]([0-9a-fA-F]{1,6}));|([A-Za-z0-9]{2,31};))?"
)
_LONE: Final = re.compile(r"<(?![A-Za-z_/!?])|(?<=\]\])>")
#: XML's own five are not left as they are: after a fault libxml2 drops them.
_ENTITIES: Final = html.entities.html5


@dataclass(frozen=True, slots=True)
class Piece:
    """One record's text and the line on which it begins."""

    line: int
    text: str


def pieces(text: str, *, after: int) -> Iterator[Piece]:
    """The records in order but those that the first end tags close.

    Args:
        after: up to this end tag the text is well formed.
    """
    start: int | None = None
    at = ended = limit = 0
    line, counted = 1, 0
    unclosed: dict[str, int] = {}
    while (found := _TOKEN.search(text, at)) is not None:
        token, at = found.group(), found.end()
        if (closer := _CLOSERS.get(token)) is not None:
            if ended >= after and limit < at:
                # What is not closed within its record must not take others with it.
                found_end = text.find(_END, at)
                limit = len(text) if found_end < 0 else found_end
            if ended < after or unclosed.get(closer, -1) < limit:
                end = text.find(closer, at, len(text) if ended < after else limit)
                at = at if end < 0 else end + len(closer)
                unclosed[closer] = limit if end < 0 else -1
            continue
        closes = not token.startswith("<record") or token.endswith("/>")
        cut = at if token.startswith(_END) else found.start()
        ended += closes
        if start is not None and (ended > after or not token.startswith(_END)):
            line += text.count("\n", counted, start)
            counted = start
            yield Piece(line, text[start:cut])
        start = None if closes else found.start()
    if start is not None:
        yield Piece(line + text.count("\n", counted, start), text[start:])


def mend(text: str) -> str:
    """The record's text with every character that is no XML taken for what it must be."""
    if "<![CDATA[" in text:
        text = _CDATA.sub(lambda found: escape(found.group(1)), text)
    text = _REFERENCE.sub(_reference, ILLEGAL.sub("", text))
    return _LONE.sub(lambda found: f"&#{ord(found.group())};", text)


def _reference(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if decimal or hexadecimal:
        number = int(decimal) if decimal else int(hexadecimal, 16)
        legal = 0 < number <= 0x10FFFF and not ILLEGAL.match(chr(number))
        return f"&#{number};" if legal else ""
    if name in _ENTITIES:
        return "".join(f"&#{ord(one)};" for one in _ENTITIES[name])
    return f"&#38;{name or ''}"
