"""Identifiers as files have them: DOI, ISBN, ISSN, addresses."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from bifolio.formats.bounds import split_list

_DOI_PREFIX: Final = re.compile(
    r"\s*(?P<address>(?:https?:/{0,2})?[\w.-]*doi[.-]org(?:[\w.-]*)(?::\d+)?/|https?://\S*?/doi/"
    r"(?:abs/|full/|pdf/|epdf/|epub/)?)?(?:doi[:\s.]\s*)?(?=10\.)",
    re.I,
)
#: What an address has behind its DOI.
_BEHIND: Final = re.compile(r"(?:[?#].*|/(?:full|abstract|pdf|meta))$")
_ESCAPED: Final = re.compile(r"%[0-7][0-9A-Fa-f]")
_DOI: Final = re.compile(r"10\.\d{3,9}(?:\.\d+)*/\S+")
_DOI_ADDRESS: Final = re.compile(r"https?://(?:dx\.)?doi\.org/(10\.\S+)", re.I)
_ISBN: Final = re.compile(r"(?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx]")
_SERIAL: Final = re.compile(
    r"(?:E-?)?(?:ISSN|ISBN)?[:\s-]*"
    r"((?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx]|\d{4}-?\d{3}[\dXx])"
    r"\s*(?:\([^()]*\)|\[[^\[\]]*\])?",
    re.IGNORECASE,
)
#: A comma parts addresses only before white space: inside of one it is a character.
_URL_BREAK: Final = re.compile(r"\s*;\s*(?=\w+://)|,?\s+(?=\w+://)|\s+")
_PARTS: Final = re.compile(
    r"\s*[,;\n]\s*|\s+(?:and|&)\s+|\s*/\s*(?=[\dIE])|\s+(?=97[89])|\s+(?=\d{4}-\d{3}[\dXx](?:\s|$))"
)


def doi_of(text: str) -> str:
    """The DOI without an address or prefix before it, and without a point behind it; any other
    text as it is. The signs that an address writes with numbers (``%3C``) are signs."""
    before = _DOI_PREFIX.match(text)
    if before is None:
        return text.strip()
    doi = text[before.end() :].strip()
    if " " not in doi and _ESCAPED.search(doi):
        doi = unquote(doi)
    if _DOI.fullmatch(doi) is None:
        return doi
    if before["address"]:
        doi = _BEHIND.sub("", doi)
    return doi.rstrip(".,")


def is_doi(text: str) -> bool:
    """Whether the whole text is a DOI."""
    return bool(_DOI.fullmatch(doi_of(text)))


def doi_in_address(text: str) -> str:
    """The DOI that an address leads to; empty for any other address."""
    found = _DOI_ADDRESS.fullmatch(text.strip())
    return found.group(1) if found else ""


def is_issn(text: str) -> bool:
    """Whether the text begins with an ISSN (a word such as ``(electronic)`` may follow)."""
    return bool(re.match(r"(?:E-?)?(?:ISSN:?\s*)?\d{4}-?\d{3}[\dXx](?![\d-])", text, re.I))


def is_isbn(text: str) -> bool:
    """Whether the text begins with an ISBN."""
    found = _ISBN.match(text)
    digits = re.sub(r"[^\dXx]", "", found.group()) if found else ""
    return len(digits) in (10, 13)


def split_identifiers(text: str) -> list[str]:
    """The ISSNs or ISBNs of one text; the text whole if any part of it is neither."""
    parts = [part for part in split_list(_PARTS, text.strip()) if part]
    if len(parts) > 1 and all(is_issn(part) or is_isbn(part) for part in parts):
        return parts
    return [text.strip()] if text.strip() else []


def bare_serial_number(text: str) -> str:
    """The ISSN or ISBN without words about it (``ISSN:``, ``(Print)``); any other text as it is."""
    found = _SERIAL.fullmatch(text.strip())
    return found.group(1) if found else text


def split_urls(text: str) -> list[str]:
    """The addresses of one text; the text whole if any part of it is none."""
    parts = [part for part in split_list(_URL_BREAK, text.strip()) if part]
    if len(parts) > 1 and all(re.match(r"\w+://", part) for part in parts):
        return parts
    return [text.strip()] if text.strip() else []
