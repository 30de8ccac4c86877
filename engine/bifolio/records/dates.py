"""Dates: EDTF as a user writes it, CSL's object as it is stored and shown.

Read are the forms that CSL has a place for: a year, a month, a day, a season, a range of them,
approximate or uncertain. Every other form of EDTF, and what is no EDTF at all, is kept as the
literal that it is, never guessed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bifolio import lazy
from bifolio.lazy import pattern

if TYPE_CHECKING:
    import calendar
else:
    calendar = lazy.module("calendar")

CslDate = dict[str, Any]

_PLAIN = pattern(r"(-?\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")

#: No calendar needs more, and the year must fit a column of numbers.
_NUMBER_MAX = 999_999_999

_SEASONS = {21: 1, 22: 2, 23: 3, 24: 4}

#: All that a date's object may hold.
_MEMBERS = frozenset({"date-parts", "season", "circa", "literal"})


def parse_date(text: str) -> CslDate:
    """Read EDTF into a CSL date; anything else becomes ``{"literal": text}``.

    ``2024`` gives ``{"date-parts": [[2024]]}``, ``2024-05/2024-07`` two parts, ``2024~``
    (``%`` likewise) a ``circa`` of true, ``2024-21`` a season.
    """
    written = text.strip()
    circa = written[-1:] in ("~", "%", "?") and bool(_PLAIN.fullmatch(written[:-1]))
    body = written[:-1] if circa else written
    ends = body.split("/")
    if len(ends) <= 2 and (parts := [_parts(end) for end in ends]) and None not in parts:
        return _assemble([part for part in parts if part is not None], circa=circa)
    if len(ends) == 2 and (circa_range := _circa_range(ends)) is not None:
        return circa_range
    return {"literal": text}


def date_text(date: CslDate) -> str:
    """The EDTF text of a CSL date, or its literal."""
    if "date-parts" not in date:
        return str(date.get("literal", ""))
    ends = [
        "-".join([_year(end[0]), *(f"{part:02d}" for part in end[1:])])
        for end in date["date-parts"]
    ]
    if date.get("season"):
        ends = [f"{end[:5].rstrip('-')}-{20 + int(date['season'])}" for end in ends]
    return "/".join(ends) + ("~" if date.get("circa") else "")


def is_date(stored: object) -> bool:
    """Whether this is a CSL date that every reader of dates can take: nothing but the members it
    may have, one or two ends of a year, a month and a day that a calendar has, or a literal.

    Another member's program may have written it: a fraction, or a member of a newer version, makes
    it a value that this program does not know.
    """
    if not isinstance(stored, dict) or not stored.keys() <= _MEMBERS:
        return False
    ends = stored.get("date-parts")
    if not isinstance(stored.get("circa", False), bool):
        return False
    if "literal" in stored and not isinstance(stored["literal"], str):
        return False
    if "date-parts" not in stored:
        return "literal" in stored and "season" not in stored
    if "season" in stored and not _is_number(stored["season"], 1, max(_SEASONS.values())):
        return False
    return isinstance(ends, list) and 1 <= len(ends) <= 2 and all(map(_is_end, ends))


def _is_end(end: object) -> bool:
    """Whether this is a year, perhaps with a month, perhaps with a day."""
    return (
        isinstance(end, list)
        and 1 <= len(end) <= 3
        and _is_number(end[0], -_NUMBER_MAX, _NUMBER_MAX)
        and all(map(_is_number, end[1:], (1, 1), (12, 31)))
    )


def _is_number(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and type(value) is int and least <= value <= most


def date_year(date: CslDate) -> int | None:
    """The (first) year of a CSL date, where it has one."""
    parts = date.get("date-parts")
    if parts and parts[0]:
        return int(parts[0][0])
    found = re.search(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)", str(date.get("literal", "")))
    return int(found.group(1)) if found else None


def _parts(text: str) -> list[int] | None:
    found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(group) if group else None for group in found.groups())
    if year is None:
        return None
    if month is None:
        return [year]
    if month in _SEASONS and day is None:
        return [year, month]
    if not 1 <= month <= 12:
        return None
    if day is None:
        return [year, month]
    leap_year = year if year > 0 else 4
    if not 1 <= day <= calendar.monthrange(leap_year, month)[1]:
        return None
    return [year, month, day]


def _assemble(ends: list[list[int]], *, circa: bool) -> CslDate:
    date: CslDate = {}
    if len(ends) == 1 and len(ends[0]) == 2 and ends[0][1] in _SEASONS:
        date = {"date-parts": [ends[0][:1]], "season": _SEASONS[ends[0][1]]}
    elif any(len(end) == 2 and end[1] in _SEASONS for end in ends):
        return {"literal": "/".join("-".join(map(str, end)) for end in ends)}
    else:
        date = {"date-parts": ends}
    if circa:
        date["circa"] = True
    return date


def _circa_range(ends: list[str]) -> CslDate | None:
    """A range whose ends are uncertain or approximate: CSL marks the whole date."""
    parts = [_parts(end.rstrip("~?%")) for end in ends]
    if None in parts:
        return None
    return _assemble([part for part in parts if part is not None], circa=True)


def _year(year: int) -> str:
    return f"{year:04d}" if year >= 0 else f"-{-year:04d}"
