"""Dates in BibTeX and RIS."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.cases import each

from bifolio.formats.dates import bibtex_year, month_and_day, ris_date, write_ris_date


@each(
    ("month", "day", "parts"),
    [
        ("January", "", [[1984, 1]]),
        ("3", "", [[1984, 3]]),
        ("Sept.", "", [[1984, 9]]),
        ("10 January", "", [[1984, 1, 10]]),
        ("January", "10", [[1984, 1, 10]]),
        ("June-August", "", [[1984, 6], [1984, 8]]),
        ("January 10--12", "", [[1984, 1, 10], [1984, 1, 12]]),
    ],
)
def test_months_and_days_are_read_as_people_write_them(
    month: str, day: str, parts: list[list[int]]
) -> None:
    assert month_and_day(1984, month, day) == {"date-parts": parts}


@pytest.mark.parametrize(("month", "day"), [("????", ""), ("Michaelmas", ""), ("February", "31")])
def test_what_is_no_month_is_never_guessed(month: str, day: str) -> None:
    assert month_and_day(1984, month, day) is None


def test_only_a_year_is_a_year() -> None:
    assert bibtex_year("1999--2001") == "1999/2001"
    assert bibtex_year("in press") == ""


@each(
    ("text", "date"),
    [
        ("2014", {"date-parts": [[2014]]}),
        ("2014//", {"date-parts": [[2014]]}),
        ("2014/03/05/", {"date-parts": [[2014, 3, 5]]}),
        ("2014///Spring", {"date-parts": [[2014]], "season": 1}),
        ("2014 Mar 5", {"date-parts": [[2014, 3, 5]]}),
        ("201403", {"date-parts": [[2014, 3]]}),
        ("201413", {"literal": "201413"}),
        ("2014-03", {"date-parts": [[2014, 3]]}),
        ("in press", {"literal": "in press"}),
    ],
)
def test_ris_dates_are_read_and_come_back(text: str, date: dict[str, Any]) -> None:
    assert ris_date(text) == (date, True)
    assert ris_date(write_ris_date(date)) == (date, True)


def test_a_range_comes_back_through_ris() -> None:
    date = {"date-parts": [[2014, 3], [2015, 4]]}
    assert ris_date(write_ris_date(date)) == (date, True)


def test_other_words_in_an_ris_date_are_not_in_the_date() -> None:
    assert ris_date("2014/03//Easter") == ({"date-parts": [[2014, 3]]}, False)
