"""Dates as BibTeX and RIS write them, to CSL dates and back. Nothing is guessed.

A day or month that is no date leaves the year as it is; a year that is none stays a literal.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from bifolio.formats.date_words import MONTHS, SEASON_NAMES, in_english
from bifolio.records.dates import CslDate, date_text, parse_date

MONTH_MACROS: Final = {name[:3].lower(): name for name in MONTHS}
_SEASONS: Final = {name: place for place, name in enumerate(SEASON_NAMES, 1)}

_WORD: Final = re.compile(r"([^\W\d_]+)\.?|(\d{1,2})(?![^\W_])")
_RANGE: Final = re.compile(r"\s*(?:---?|–|—|/|-)\s*")
_YEARS: Final = re.compile(r"(\d{4})\s*(?:--?|–|/)\s*(\d{4})")
_TIMED: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_UNSPECIFIED: Final = re.compile(r"(\d{2,3})([Xxu]{1,2})(?<=[\dXxu]{4})")
_UNKNOWN: Final = re.compile(r"(\d{4}(?:-\d\d)??)(?:-00){1,2}")
_TWO_SEASONS: Final = re.compile(r"(\d{4})-(2[1-4])/(\d{4})-(2[1-4])")
#: A day of eight digits or a month of six, of numbers between blanks, or as Chinese and Japanese
#: write it.
_EIGHT: Final = re.compile(
    r"(\d{4})(?:(\d{2})(\d{2})|(0[1-9]|1[0-2])(?<=[12]\d{5})| (\d{1,2})(?: (\d{1,2}))?"
    r"|年(\d{1,2})月(?:(\d{1,2})日)?)"
)
_PLAIN_DATE: Final = r"(\d{4}(?:-\d{2}(?:-\d{2})?)?)"
_OPEN: Final = re.compile(
    rf"{_PLAIN_DATE}\s*(?:/|--?|–|—)\s*(?:\.\.|present|ongoing|today|open|unknown)?"
    rf"|(?:\.\.)?/{_PLAIN_DATE}",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"(?<!\d)\d{4}(?!\d)")
#: ``12-May-2012``, ``2012/May/12``: signs that part and join nothing.
_LETTERS: Final = r"([^\W\d_]{3,9})\.?"
_HYPHENATED: Final = re.compile(
    rf"(\d{{1,2}})[-/]{_LETTERS}[-/](\d{{4}})|(\d{{4}})[-/]{_LETTERS}[-/](\d{{1,2}})"
    rf"|{_LETTERS}[-/](\d{{4}})"
)
#: A day and a month, or the other way round, where one of them tells which.
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4})")
_RIS: Final = re.compile(r"(\d{4})(?:/(\d{0,2})(?:/(\d{0,2})(?:/(.*))?)?)?/*", re.DOTALL)
_RIS_WORDS: Final = re.compile(r"(\d{4})[ /]+(.*[A-Za-z].*)")


@lru_cache(maxsize=4096)
def edtf_date(text: str) -> CslDate:
    """The date of an EDTF text, older forms of EDTF and a time of day included, or a literal.

    A decade or century (``199X``, ``20uu``) is the range of its years; a month or day of zeros is
    none; two seasons are their names.
    """
    date = parse_date(text)
    if "date-parts" in date:
        return date
    if (unknown_part := _UNKNOWN.fullmatch(text)) is not None:
        return parse_date(unknown_part.group(1))
    if (seasons := _TWO_SEASONS.fullmatch(text)) is not None:
        year, season, last_year, last = map(int, seasons.groups())
        return season_range((year, season - 20), (last_year, last - 20))
    if (timed := _TIMED.fullmatch(text)) is not None:
        date = parse_date(timed.group(1))
    elif (unspecified := _UNSPECIFIED.fullmatch(text)) is not None:
        known, unknown = unspecified.groups()
        date = parse_date("/".join(known + digit * len(unknown) for digit in "09"))
    return date if "date-parts" in date else {"literal": text}


def season_range(first: tuple[int, int], last: tuple[int, int]) -> CslDate:
    """The date of two (year, season), which CSL has no form for unless they are one."""
    if first == last:
        return {"date-parts": [[first[0]]], "season": first[1]}
    names = [SEASON_NAMES[season - 1] for _, season in (first, last)]
    if first[0] == last[0]:
        return {"literal": f"{names[0]}–{names[1]} {first[0]}"}
    return {"literal": f"{names[0]} {first[0]} – {names[1]} {last[0]}"}


def has_time(text: str) -> bool:
    """Whether the text is a date with a time of day other than midnight, which CSL cannot hold."""
    timed = _TIMED.fullmatch(text)
    return timed is not None and timed.group(2) != "00:00:00"


def is_open(text: str) -> bool:
    """Whether the text is a range of dates with one end only, which CSL has no form for."""
    return _OPEN.fullmatch(text.strip()) is not None


@lru_cache(maxsize=4096)
def any_date(text: str) -> CslDate:
    """The date of a text in EDTF, in words (``12 May 2012``, ``Apr-Jun 2019``, ``Spring 2019``) or
    in eight digits, or the literal. Of an open range it is the end that is known."""
    line = " ".join(text.split())
    date = edtf_date(line)
    if "date-parts" in date or date["literal"] != line:
        return date
    if line[:1] == "(" and line[-1:] == ")" and "(" not in line[1:]:
        date = any_date(line[1:-1])
        return date if "date-parts" in date else {"literal": text}
    if (years := bibtex_year(line)) != "":
        return parse_date(years)
    if (eight := _EIGHT.fullmatch(line)) is not None:
        numbers = [int(one) for one in eight.groups() if one]
        date = parse_date("-".join([f"{numbers[0]:04d}", *(f"{one:02d}" for one in numbers[1:])]))
        return date if "date-parts" in date else {"literal": text}
    if (found := _OPEN.fullmatch(line)) is not None:
        date = parse_date(found.group(1) or found.group(2))
        return date if "date-parts" in date else {"literal": text}
    year = _YEAR.findall(line)
    worded = worded_date(year[0], line) if len(year) == 1 else _two_ends(line, year)
    return worded or {"literal": text}


def _two_ends(line: str, years: list[str]) -> CslDate | None:
    """The range of two dates in words, each with its year (``Dec 2019 - Jan 2020``)."""
    ends = _RANGE.split(in_english(line))
    if len(years) != 2 or len(ends) != 2:
        return None
    dated = [worded_date(year, end) for year, end in zip(years, ends, strict=True)]
    known = [date["date-parts"] for date in dated if date and "season" not in date]
    if len(known) != 2 or any(len(parts) != 1 for parts in known):
        return None
    (first,), (last,) = known
    return {"date-parts": [first, last]} if first < last else None


@lru_cache(maxsize=4096)
def bibtex_year(text: str) -> str:
    """The EDTF of a year field; empty if it is none."""
    found = _YEARS.fullmatch(text)
    edtf = f"{found.group(1)}/{found.group(2)}" if found else text
    return edtf if "date-parts" in parse_date(edtf) else ""


@lru_cache(maxsize=4096)
def month_and_day(year: int, month: str, day: str = "") -> CslDate | None:
    """The date of a year, a month as written (``January--March``, ``3``, ``jan 5``, ``4. Mai``) and
    a day; the month may say the year once more."""
    month = in_english(re.sub(rf"(?<!\d){year:04d}(?!\d)", " ", month)).strip(" ,.-/~")
    if (season := _SEASONS.get(month)) is not None and not day:
        return {"date-parts": [[year]], "season": season}
    written = _RANGE.split(month)
    together = len(written) == 1 and month.count("&") == 1
    if together:
        written = [part.strip() for part in month.split("&")]
    ends = [_month_end(part) for part in written]
    if not 1 <= len(ends) <= 2 or None in ends:
        return None
    known = [end for end in ends if end is not None]
    if len(known) == 2 and written[0].isdigit() and all(known[1]):
        # 4--8 August: the first number is a day of the second one's month
        known[0] = (known[1][0], int(written[0]))
    elif len(known) == 2 and known[0][1] and written[1].isdigit():
        known[1] = (known[0][0], int(written[1]))  # January 10--12
    if day and (with_days := _with_days(known, day)) is None:
        return None
    if day and with_days is not None:
        known = with_days
    if not known or known[0][0] == 0 or known != sorted(known):
        return None  # from December to January: of which year the other one is, nothing says
    if together and not _is_next(known):
        return None
    texts = [f"{year:04d}-{m:02d}" + (f"-{d:02d}" if d else "") for m, d in known]
    date = parse_date("/".join(texts))
    return date if "date-parts" in date else None


def _with_days(known: list[tuple[int, int]], day: str) -> list[tuple[int, int]] | None:
    """The ends with what the field ``day`` says of them."""
    days = [part for part in _RANGE.split(in_english(day)) if part]
    if any(not part.isdigit() for part in days) or any(one[1] for one in known):
        return None
    if len(known) == 1:
        return [(known[0][0], int(part)) for part in days]
    if len(days) == 2:
        return [(known[place][0], int(days[place])) for place in (0, 1)]
    return None


def _is_next(known: list[tuple[int, int]]) -> bool:
    """Whether two days, or two months, that *and* joins are one behind the other."""
    (month, day), (other, last) = known
    return last == day + 1 if month == other else not day and not last and other == month + 1


def _month_end(text: str) -> tuple[int, int] | None:
    """(month, day) of one end; the day is 0 where there is none, the month 0 if only a day."""
    month = day = 0
    rest = _WORD.sub("", text).strip(" ,.~")
    if rest or not text.strip():
        return None
    words = _WORD.findall(text)
    if len(words) == 1 and words[0][1]:
        number = int(words[0][1])
        return (number, 0) if 1 <= number <= 12 else (0, number)
    for word, number in words:
        if number and not day:
            day = int(number)
        elif word in MONTHS and not month:
            month = MONTHS.index(word) + 1
        else:
            return None
    return month, day


def bibtex_month(date: CslDate) -> list[tuple[str, str]] | None:
    """(tag, raw) of year, month and day; nothing for a date that these cannot say."""
    if "literal" in date:
        return None
    parts = date.get("date-parts", [])
    if date.get("circa") or not parts or any(not 1000 <= end[0] <= 9999 for end in parts):
        return None
    years = [str(end[0]) for end in parts]
    if len(parts) == 2 and all(len(end) == 1 for end in parts) and not date.get("season"):
        return [("year", "{" + "--".join(years) + "}")]
    tags = [("year", "{" + years[0] + "}")]
    if date.get("season"):
        tags.append(("month", "{" + SEASON_NAMES[int(date["season"]) - 1] + "}"))
        return tags if len(parts) == 1 else None
    if len(parts) == 2 and (years[0] != years[1] or len(parts[0]) != 2 or len(parts[1]) != 2):
        return None
    if len(parts[0]) > 1:
        months = [list(MONTH_MACROS)[end[1] - 1] for end in parts]
        tags.append(("month", ' # "--" # '.join(months)))
    if len(parts[0]) > 2:
        tags.append(("day", "{" + str(parts[0][2]) + "}"))
    return tags


@lru_cache(maxsize=4096)
def ris_date(text: str) -> tuple[CslDate, bool]:
    """The date of an RIS line, and whether all of the text is in it."""
    return _slashed_date(text.strip()) or (any_date(text.strip()), not is_open(text))


def _slashed_date(written: str) -> tuple[CslDate, bool] | None:
    """``yyyy/mm/dd/other``, or a year and words; nothing for another text."""
    found = _RIS.fullmatch(written)
    if found is not None:
        year, month, day, other = found.groups()
        season = _SEASONS.get(in_english((other or "").strip(" /")))
        if season is not None and not month and not day:
            return {"date-parts": [[int(year)]], "season": season}, True
        month, day = (part if part and int(part) else "" for part in (month, day))
        given = [year] + [f"{int(part):02d}" for part in (month, day) if part]
        date = parse_date("-".join(given))
        if "date-parts" in date and not (day and not month):
            if other and (plain := date_text(parse_date(other))) and _is_range(other):
                return parse_date(plain), True
            return date, not (other or "").strip(" /")
        return {"date-parts": [[int(year)]]}, False
    written = _HYPHENATED.sub(_with_blanks, written)
    worded = _RIS_WORDS.fullmatch(written)
    if worded is not None and (date_of := month_and_day(int(worded[1]), worded[2])) is not None:
        return date_of, True
    return None


def _with_blanks(found: re.Match[str]) -> str:
    return " ".join(filter(None, found.groups()))


def _is_range(text: str) -> bool:
    return "date-parts" in parse_date(text)


def write_ris_date(date: CslDate) -> str:
    """The RIS text: ``yyyy/mm/dd/other``; what that cannot say is EDTF in *other*."""
    if "literal" in date:
        return str(date["literal"])
    parts = date["date-parts"]
    first = parts[0]
    plain = f"{first[0]:04d}" + "".join(f"/{part:02d}" for part in first[1:])
    if date.get("season"):
        return f"{first[0]:04d}///{SEASON_NAMES[int(date['season']) - 1]}"
    if len(parts) > 1 or date.get("circa"):
        return plain + "/" * (4 - len(first)) + date_text(date)
    return plain + "/" * (3 - len(first)) if len(first) > 1 else plain


_DOTTED: Final = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})")


def year_date(text: str) -> CslDate:
    """The date of a year field: a year, two years, EDTF, a date in words, or the literal."""
    edtf = bibtex_year(text)
    return parse_date(edtf) if edtf else any_date(text)


def worded_date(year: str, text: str) -> CslDate | None:
    """The date of a year and a text that says more (``Jan 3``, ``3 May 2012``, ``2012/05/03``).

    Nothing if the text is no date, or one of another year.
    """
    if not re.fullmatch(r"\d{4}", year):
        return None
    written = " ".join(text.split())
    written = _HYPHENATED.sub(_with_blanks, written)
    if (dotted := _DOTTED.fullmatch(written)) is not None:
        day, month, of_year = dotted.groups()
        written = f"{of_year}-{int(month):02d}-{int(day):02d}"
    elif (last := _YEAR_LAST.fullmatch(written)) is not None:
        one, other = int(last.group(1)), int(last.group(3))
        if one != other and one <= 12 and other <= 12:
            return None  # a day and a month, but nothing says which is which
        day_month = f"{min(one, other):02d}-{max(one, other):02d}"
        written = f"{last.group(4)}-{day_month}"
    date = parse_date(written)
    if "date-parts" not in date and re.match(r"\d{4}/", written):
        date, whole = _slashed_date(written) or ({}, False)
        date = date if whole else {}
    if "date-parts" in date:
        return date if all(end[0] == int(year) for end in date["date-parts"]) else None
    rest = re.sub(rf"(?<!\d){year}(?!\d)", "", in_english(written)).strip(" ,.-/")
    return month_and_day(int(year), rest) if rest else None
