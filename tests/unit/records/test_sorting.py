"""Orders of lists."""

from __future__ import annotations

import pytest

from bifolio.errors import InvalidValueError
from bifolio.records.sorting import Order, Sort, parse_sort


def test_an_order_is_read_with_its_direction() -> None:
    assert parse_sort("year") == Sort(Order.YEAR)
    assert parse_sort(" -Year ") == Sort(Order.YEAR, descending=True)


def test_an_unknown_order_names_those_that_there_are() -> None:
    with pytest.raises(
        InvalidValueError, match="relevance, year, title, author, key, added, modified, id"
    ):
        parse_sort("date")
