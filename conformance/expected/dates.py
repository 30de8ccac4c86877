"""Dates as other projects write them in one text: numbers or English words, or a literal."""

from __future__ import annotations

import re
from typing import Any, Final

_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NUMBERS: Final = re.compile(r"(\d{4})(?:[-/](\d{1,2}))?(?:[-/](\d{1,2}))?")
_WORDS: Final = (
    re.compile(r"(?P<month>[A-Za-z]{3})[a-z]*\.? (?P<day>\d{1,2}),? (?P<year>\d{4})"),
    re.compile(r"(?P<day>\d{1,2}) (?P<month>[A-Za-z]{3})[a-z]*\.? (?P<year>\d{4})"),
    re.compile(r"(?P<month>[A-Za-z]{3})[a-z]*\.? (?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4}) (?P<month>[A-Za-z]{3})[a-z]*(?: (?P<day>\d{1,2}))?"),
)


def read_date(text: str) -> dict[str, Any]:
    """The CSL date of a text."""
    written = " ".join(text.split()).removesuffix("T00:00:00Z")
    if (found := _NUMBERS.fullmatch(written)) is not None:
        return {"date-parts": [[int(part) for part in found.groups() if part]]}
    for pattern in _WORDS:
        found = pattern.fullmatch(written)
        month = found["month"].lower() if found else ""
        if found is not None and month in _MONTHS:
            parts = [int(found["year"]), _MONTHS.index(month) + 1]
            day = found.groupdict().get("day")
            return {"date-parts": [[*parts, int(day)] if day else parts]}
    return {"literal": written}
