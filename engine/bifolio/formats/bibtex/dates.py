"""The dates of a BibTeX entry: ``date``, or ``year`` with ``month`` and ``day``.

What is no date, or says another than the rest, becomes an extra field or a literal.
"""

from __future__ import annotations

import re
from typing import Final

from bifolio.formats import dates
from bifolio.formats.field_collector import FieldCollector
from bifolio.formats.latex import text as latex
from bifolio.records.dates import CslDate, date_year, parse_date

#: (place among the tags, name in small letters, name as written, text)
EntryTexts = list[tuple[int, str, str, str]]

PARTS: Final = frozenset({"year", "month", "day", "date"})

_EXTRA: Final = "x.bibtex."
#: A reprint and its original, in either order.
_REPRINT: Final = re.compile(r"\[(\d{4})\] ?(\d{4})|(\d{4}) ?\[(\d{4})\]")
_SAID: Final = re.compile(r"(?:last )?(?:accessed|visited|retrieved)(?: on)?:? ", re.IGNORECASE)


def other_date(text: str) -> CslDate:
    """A date that is alone in a field (``urldate``), in EDTF or in words."""
    line = " ".join(text.split())
    date = dates.any_date(_SAID.sub("", line, count=1))
    return date if "date-parts" in date else {"literal": line}


def gather_issued(collector: FieldCollector, entry: EntryTexts) -> None:
    """Give the tags of the entry's date to ``issued``."""
    first: dict[str, tuple[int, str]] = {}
    for index, name, _, raw in entry:
        if name in PARTS and (text := _text(name, raw)):
            if name in first:
                collector.append(index, _EXTRA + name, text)
            else:
                first[name] = (index, text)
    if "date" in first:
        _gather_date(collector, first)
    else:
        _gather_year(collector, first)


def _text(name: str, raw: str) -> str:
    """The text of a part; BibLaTeX's date is no TeX, and a ``~`` at its end is a sign of EDTF. Of a
    year before Christ Better BibTeX leaves it out, and so do we."""
    edtf = raw.strip("{} ") if name == "date" and "~" in raw else ""
    if edtf[:1].isdigit() and "\\" not in edtf:
        return " ".join(edtf.split())
    return " ".join(latex.decode(raw).split())


def _gather_date(collector: FieldCollector, first: dict[str, tuple[int, str]]) -> None:
    index, text = first["date"]
    date = _candidate(collector, index, "date", text)
    stated = date_year(date)
    for name in ("year", "month", "day"):
        if name in first:
            index, text = first[name]
            if name == "year" and stated is not None and text != str(stated):
                collector.append(index, _EXTRA + name, text)
            else:
                collector.feed(index, "issued")


def _candidate(collector: FieldCollector, index: int, name: str, text: str) -> CslDate:
    """The date of a whole field, with the original's date and the time of day apart."""
    if (reprint := _REPRINT.fullmatch(text)) is not None:
        original, year = reprint.group(1) or reprint.group(4), reprint.group(2) or reprint.group(3)
        collector.candidate(index, "original-date", parse_date(original), rank=1)
        date = parse_date(year)
    else:
        date = dates.any_date(text)
        if dates.has_time(text) or dates.is_open(text):
            collector.append(index, _EXTRA + name, text)
    collector.candidate(index, "issued", date)
    return date


def _gather_year(collector: FieldCollector, first: dict[str, tuple[int, str]]) -> None:
    month = first.get("month")
    day = first.get("day")
    if "year" in first:
        index, text = first["year"]
        edtf = dates.bibtex_year(text)
        whole = None
        if month is not None and edtf.isdigit():
            whole = dates.month_and_day(int(edtf), month[1], day[1] if day else "")
            if whole is None and day is not None:
                whole = dates.month_and_day(int(edtf), month[1])
                if whole is not None:
                    collector.append(day[0], _EXTRA + "day", day[1])
                    day = None
        if whole is None:
            _candidate(collector, index, "year", edtf or text)
        else:
            collector.candidate(index, "issued", whole)
            for part in (month, day):
                if part is not None:
                    collector.feed(part[0], "issued")
            return
    for name, part in (("month", month), ("day", day)):
        if part is not None:
            collector.append(part[0], _EXTRA + name, part[1])
