"""CSL-JSON's dates as programs write them (numbers as strings, ``raw``, EDTF) to ours.

May know CSL's schema of dates, nothing of items.
"""

from __future__ import annotations

from typing import Any, Final

from bifolio.formats.date_words import SEASON_NAMES, in_english
from bifolio.formats.dates import any_date, is_open, season_range
from bifolio.records.dates import CslDate, parse_date

_PARTS: Final = ("year", "month", "day")
_KNOWN: Final = {"date-parts", "season", "circa", "literal", "raw"}


def csl_date(value: Any) -> tuple[CslDate, bool]:
    """The date of a CSL-JSON variable, and whether all of the variable is in it."""
    if isinstance(value, str | int):
        text = str(value)
        return (any_date(text), not is_open(text)) if text.strip() else ({}, True)
    value = _as_object(value)
    if not isinstance(value, dict):
        return {}, False
    other = value.keys() - _KNOWN - (set(_PARTS) if "date-parts" in value else set())
    words = [value[name] for name in ("literal", "raw") if isinstance(value.get(name), str)]
    stored, is_whole = _without_open_end(value.get("date-parts"))
    if (seasons := _seasons(stored)) is not None:
        return seasons, not other and not words and is_whole
    parts = _parts(stored)
    if parts is None and (parts := _parts(_without_days(stored))) is not None:
        is_whole = False  # 31 April is some day in April
    if parts is None:
        if not words:
            return {}, False
        date = {"literal": words[0]} if "literal" in value else any_date(words[0])
        if value.get("circa") and "date-parts" in date:
            date = {**date, "circa": True}
        return date, not other and len(words) == 1 and "date-parts" not in value
    date = {"date-parts": parts}
    season = _season(value.get("season"))
    if season is not None and len(parts) == 1 and len(parts[0]) == 1:
        date["season"] = season
    if value.get("circa") and str(value["circa"]).lower() not in ("0", "false"):
        date["circa"] = True
    whole = is_whole and not other and not words
    return date, whole and ("season" in date) == bool(value.get("season"))


def _as_object(value: Any) -> Any:
    """The date as CSL has it, where pandoc's older form says the same: an object of year, month and
    day (or a list of one or two), or parts that are no list of lists."""
    ends = value if isinstance(value, list) else [value]
    if 1 <= len(ends) <= 2 and all(isinstance(end, dict) and "year" in end for end in ends):
        if all(end.keys() <= {*_PARTS, "circa", "season"} for end in ends):
            parts = [[end[name] for name in _PARTS if end.get(name)] for end in ends]
            return {**ends[0], "date-parts": parts} if len(parts) == 1 else {"date-parts": parts}
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        return value[0]
    elif isinstance(value, dict) and isinstance(stored := value.get("date-parts"), list) and stored:
        is_flat = not any(isinstance(part, list) for part in stored)
        return {**value, "date-parts": [stored]} if is_flat else value
    return value


def _without_open_end(stored: Any) -> tuple[Any, bool]:
    """(the parts without an end that says nothing, whether there was none of that kind): a range
    without its end, as some programs write it."""
    if isinstance(stored, list) and len(stored) == 2 and isinstance(stored[1], list):
        for end, other in ((stored[1], stored[:1]), (stored[0], stored[1:])):
            nothing = ("", None, 0, "0") if isinstance(end, list) and len(end) == 3 else ("", None)
            if isinstance(end, list) and not any(part not in nothing for part in end):
                return other, False
    return stored, True


def _seasons(stored: Any) -> CslDate | None:
    """A season, or two of them, where the month's number should be: 21 to 24, or 13 to 16."""
    if not isinstance(stored, list) or not 1 <= len(stored) <= 2:
        return None
    ends: list[tuple[int, int]] = []
    for end in stored:
        numbers = [_number(part) for part in end] if isinstance(end, list) else []
        if len(numbers) < 2 or any(numbers[2:]) or numbers[0] is None:
            return None
        season = (numbers[1] or 0) - (20 if (numbers[1] or 0) > 20 else 12)
        if not 1 <= season <= len(SEASON_NAMES):
            return None
        ends.append((numbers[0], season))
    return season_range(ends[0], ends[-1])


def _parts(stored: Any) -> list[list[int]] | None:
    """One or two dates of one to three numbers; nothing if they are no date."""
    if not isinstance(stored, list) or not 1 <= len(stored) <= 2:
        return None
    ends: list[list[int]] = []
    for end in stored:
        if not isinstance(end, list) or not 1 <= len(end) <= 3:
            return None
        numbers = [_number(part) for part in end]
        while len(numbers) > 1 and not numbers[-1]:
            numbers.pop()  # some programs write a missing month or day as 0 or ""
        known = [number for number in numbers if number is not None]
        if len(known) != len(numbers) or not _is_date(known):
            return None
        ends.append(known)
    return ends


def _without_days(stored: Any) -> Any:
    """The parts without days."""
    if not isinstance(stored, list):
        return stored
    return [end[:2] if isinstance(end, list) else end for end in stored]


def _is_date(numbers: list[int]) -> bool:
    year = f"{numbers[0]:04d}" if numbers[0] >= 0 else f"-{-numbers[0]:04d}"
    text = "-".join([year, *(f"{number:02d}" for number in numbers[1:])])
    return parse_date(text).get("date-parts") == [numbers]


def _number(part: Any) -> int | None:
    if isinstance(part, bool):
        return None
    if isinstance(part, int):
        return part
    text = str(part).strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None


def _season(stored: Any) -> int | None:
    text = str(stored).strip()
    if text in ("1", "2", "3", "4"):
        return int(text)
    name = in_english(text)
    return SEASON_NAMES.index(name) + 1 if name in SEASON_NAMES else None
