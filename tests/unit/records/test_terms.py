"""Marks: values that a search finds without being words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bifolio.records.terms import Mark, mark, marks_of, year_mark, year_range

years = st.integers(-9999, 9999)


@given(years, st.none() | years, st.none() | years)
def test_a_range_of_years_is_just_the_years_in_it(
    year: int, low: int | None, high: int | None
) -> None:
    written = year_mark(year)
    fits = [
        written.startswith(one) if prefix else written == one
        for one, prefix in year_range(low, high)
    ]
    assert sum(fits) == int((low is None or low <= year) and (high is None or year <= high))


@given(st.none() | years, st.none() | years)
def test_a_range_of_years_is_few_marks(low: int | None, high: int | None) -> None:
    assert len(year_range(low, high)) <= 72


def test_years_beyond_all_calendars_stand_at_the_ends() -> None:
    assert year_mark(500_000) == year_mark(999_999_999) > year_mark(9999)
    assert year_mark(-500_000) <= year_mark(-9999)


def test_identifiers_are_one_mark_however_they_are_written() -> None:
    doi = mark(Mark.DOI, "10.1000/XYZ")
    for written in (
        "https://doi.org/10.1000/xyz",
        "doi:10.1000/xyz",
        "http://dx.doi.org/10.1000/xyz",
    ):
        assert mark(Mark.DOI, written) == doi
    assert mark(Mark.ISBN, "0-201-13448-9") == mark(Mark.ISBN, "0201134489")
    assert mark(Mark.URL, "https://www.tug.org/") == mark(Mark.URL, "http://tug.org")
    assert mark(Mark.TAG, "a") != mark(Mark.GROUP, "a")


def test_a_reference_has_a_mark_for_each_field_and_value() -> None:
    fields = {"tags": ["Thesis", "to read"], "DOI": "10.1/a", "author": [{"family": "Doe"}]}
    found = set(
        marks_of(
            key="doe2020",
            type="book",
            fields=fields | {"citation-key-aliases": ["doe2019"], "ISBN": []},
            columns=["title"],
            year=2020,
            in_conflict=True,
        )
    )
    wanted = {
        *(mark(Mark.TAG, "thesis"), mark(Mark.TAG, "To Read"), mark(Mark.DOI, "10.1/A")),
        *(mark(Mark.KEY, "doe2020"), mark(Mark.KEY, "doe2019"), mark(Mark.TYPE, "book")),
        *(mark(Mark.HAS, name) for name in ("title", "tags", "DOI", "author")),
        *(year_mark(2020), mark(Mark.CONFLICT), mark(Mark.ANY)),
    }
    assert wanted <= found
    assert mark(Mark.HAS, "ISBN") not in found
