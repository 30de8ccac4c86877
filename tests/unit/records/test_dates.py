"""Dates: EDTF in, CSL out; what is no date is kept as it was written."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.cases import each

from bifolio.records.dates import date_text, date_year, parse_date


@each(
    ("written", "date"),
    [
        ("2024", {"date-parts": [[2024]]}),
        ("2024-05", {"date-parts": [[2024, 5]]}),
        ("2024-02-29", {"date-parts": [[2024, 2, 29]]}),
        ("0476", {"date-parts": [[476]]}),
        ("-0044", {"date-parts": [[-44]]}),
        ("2024-05/2024-07", {"date-parts": [[2024, 5], [2024, 7]]}),
        ("2023/2024", {"date-parts": [[2023], [2024]]}),
        ("2024-21", {"date-parts": [[2024]], "season": 1}),
        ("1450~", {"date-parts": [[1450]], "circa": True}),
    ],
)
def test_a_date_is_read_and_written_back(written: str, date: dict[str, Any]) -> None:
    assert parse_date(written) == date
    assert date_text(date) == written


@pytest.mark.parametrize("written", ["1450?", "1450%"])
def test_every_doubt_is_circa(written: str) -> None:
    assert parse_date(written) == {"date-parts": [[1450]], "circa": True}


def test_a_range_of_doubtful_ends_is_circa_as_a_whole() -> None:
    assert parse_date("1450~/1460?") == {"date-parts": [[1450], [1460]], "circa": True}


@each(
    "written", ["2023-02-29", "2024-13", "2024-00", "2024-5", "in press", "spring 2024", "", "24"]
)
def test_what_is_no_date_is_kept_as_it_was_written(written: str) -> None:
    assert parse_date(written) == {"literal": written}
    assert date_text({"literal": written}) == written


@each(
    ("date", "year"),
    [
        ({"date-parts": [[2024, 5]]}, 2024),
        ({"date-parts": [[-44]]}, -44),
        ({"literal": "in press, 2024?"}, 2024),
        ({"literal": "no. 12024 of the list"}, None),
        ({"literal": "in press"}, None),
        ({}, None),
    ],
)
def test_the_year_of_a_date(date: dict[str, Any], year: int | None) -> None:
    assert date_year(date) == year
