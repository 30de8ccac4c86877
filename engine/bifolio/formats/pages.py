"""Ranges of pages as files write them: one hyphen between two numbers, or a dash where a number
has a hyphen of its own (``A1-1–A1-9``). May not know any format.
"""

from __future__ import annotations

import re
from typing import Final

_BETWEEN: Final = re.compile(r"(?<=[\w?.])(?:\s*(?:-{2,4}|–|—)\s*|\s+-\s+)(?=[\w?.])")
#: Words for pages, which a citation says itself.
_WORD: Final = re.compile(
    r"\s*(?:pp(?:\.\s*|\s*)|(?:p|pgs?|pages?|p[áa]gs?|S|Seiten?)(?:\.\s*|\s+))(?=[\dA-Z]?\d)",
    re.IGNORECASE,
)
_LIST: Final = re.compile(r"([,;])")


def plain_range(text: str) -> str:
    """The pages with one mark between first and last, each range of a list by itself."""
    text = without_word(text)
    if text.isalnum():
        return text
    return "".join(_plain(part) for part in _LIST.split(text))


def without_word(text: str) -> str:
    """The pages without a word for pages before them (``pp. 12``)."""
    return text if text[:1].isdigit() else _WORD.sub("", text, count=1)


def _plain(text: str) -> str:
    return _mark(_BETWEEN.split(text))


def _mark(ends: list[str]) -> str:
    hyphenated = len(ends) == 2 and any("-" in end.strip() for end in ends)
    return ("–" if hyphenated else "-").join(ends)


def join_range(start: str, end: str) -> str:
    """The range from one page to another."""
    return _mark([without_word(start), without_word(end)])


def split_range(text: str) -> tuple[str, str] | None:
    """(first, last) of one range; None for what is none, or several."""
    if "," in text or ";" in text:
        return None
    ends = text.split("–") if "–" in text else text.split("-")
    if len(ends) != 2 or not all(end.strip() for end in ends):
        return None
    return ends[0].strip(), ends[1].strip()
