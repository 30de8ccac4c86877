"""Dates as people write them, wherever a format has a date: days in a month, words, open ranges."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.files import export, exported, load_content


@pytest.mark.parametrize(
    ("month", "parts"),
    [
        ("{4--8 Aug.}", [[2019, 8, 4], [2019, 8, 8]]),
        ("{4-8 August}", [[2019, 8, 4], [2019, 8, 8]]),
        ('"3{--}7 " # may', [[2019, 5, 3], [2019, 5, 7]]),
        ("{11-12 July}", [[2019, 7, 11], [2019, 7, 12]]),
        ("{July 11-12}", [[2019, 7, 11], [2019, 7, 12]]),
        ("{1st--3rd June}", [[2019, 6, 1], [2019, 6, 3]]),
        ("{4.--8. August}", [[2019, 8, 4], [2019, 8, 8]]),
        ("{30 April--2 May}", [[2019, 4, 30], [2019, 5, 2]]),
        ("{3--4}", [[2019, 3], [2019, 4]]),
        ("jun # {--} # aug", [[2019, 6], [2019, 8]]),
        ("{12 Aug.}", [[2019, 8, 12]]),
        ("{3.-7. Mai}", [[2019, 5, 3], [2019, 5, 7]]),
        ("{4 al 8 de agosto}", [[2019, 8, 4], [2019, 8, 8]]),
        ("{26 febbraio - 1 marzo}", [[2019, 2, 26], [2019, 3, 1]]),
        ("{4-8 ao{\\^u}t}", [[2019, 8, 4], [2019, 8, 8]]),
        ("{4 to 8 August}", [[2019, 8, 4], [2019, 8, 8]]),
        ("{4th-8th of August}", [[2019, 8, 4], [2019, 8, 8]]),
        ("{4 & 5 May}", [[2019, 5, 4], [2019, 5, 5]]),
        ("{Monday, 4 August}", [[2019, 8, 4]]),
        ("{1st of May}", [[2019, 5, 1]]),
        ("{June 2019}", [[2019, 6]]),
        ("{sierpie{\\'n}}", [[2019, 8]]),
        ("{август}", [[2019, 8]]),
        ("{Dez.}", [[2019, 12]]),
    ],
)
def test_a_month_may_hold_days(tmp_path: Path, month: str, parts: list[list[int]]) -> None:
    loaded = load_content(tmp_path, f"@misc{{m, title={{T}}, year=2019, month={month}}}")
    assert loaded.values()[0]["issued"] == {"date-parts": parts}


@pytest.mark.parametrize(
    "month", ["Dec. 28 - Jan. 3", "4, 8 and 12 August", "Q1", "4 & 8 May", "listopad"]
)
def test_what_could_be_two_dates_stays_as_it_is_next_to_its_year(
    tmp_path: Path, month: str
) -> None:
    loaded = load_content(tmp_path, f"@misc{{m, title={{T}}, year=2019, month={{{month}}}}}")
    assert loaded.values()[0]["issued"] == {"date-parts": [[2019]]}
    assert loaded.values()[0]["x.bibtex.month"] == (month,)


WORDS = [
    ("12 May 2012", [[2012, 5, 12]]),
    ("May 12, 2012", [[2012, 5, 12]]),
    ("12-May-2012", [[2012, 5, 12]]),
    ("20120512", [[2012, 5, 12]]),
    ("Apr 2019", [[2019, 4]]),
    ("2019 Apr", [[2019, 4]]),
    ("Apr-Jun 2019", [[2019, 4], [2019, 6]]),
    ("2012-05-12", [[2012, 5, 12]]),
    ("2012/May/12", [[2012, 5, 12]]),
    ("13/05/2012", [[2012, 5, 13]]),
    ("05/13/2012", [[2012, 5, 13]]),
    ("2012 05 12", [[2012, 5, 12]]),
    ("(2012)", [[2012]]),
    ("2012-05-00", [[2012, 5]]),
    ("Mon, 12 May 2012", [[2012, 5, 12]]),
    ("12. Mai 2012", [[2012, 5, 12]]),
    ("1 de mayo de 2012", [[2012, 5, 1]]),
    ("2012年5月12日", [[2012, 5, 12]]),
    ("Dec 2019 - Jan 2020", [[2019, 12], [2020, 1]]),
    ("May 2012 to May 2013", [[2012, 5], [2013, 5]]),
]


@pytest.mark.parametrize(("text", "parts"), WORDS)
@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("a.ris", "TY  - JOUR\nTI  - T\nPY  - {}\nER  - \n"),
        ("a.ris", "TY  - JOUR\nTI  - T\nY1  - {}\nER  - \n"),
        ("a.ris", "TY  - JOUR\nTI  - T\nPY  - {0}\nDA  - {0}\nER  - \n"),
        ("a.nbib", "PMID- 1\nTI  - T\nDP  - {}\n"),
        ("a.enw", "%0 Book\n%T T\n%D {}\n"),
        ("a.bib", "@misc{{m, title={{T}}, year={{{}}}}}"),
        ("a.bib", "@misc{{m, title={{T}}, date={{{}}}}}"),
    ],
)
def test_a_date_in_words_is_that_date_in_every_format(
    tmp_path: Path, name: str, record: str, text: str, parts: list[list[int]]
) -> None:
    values = load_content(tmp_path, record.format(text), name).values()[0]
    assert values["issued"] == {"date-parts": parts}


@pytest.mark.parametrize(
    "text", ["in press", "n.d.", "32 May 2012", "12/05/2012", "May 2012 or May 2013", "soon"]
)
def test_what_is_no_date_stays_as_it_is(tmp_path: Path, text: str) -> None:
    values = load_content(
        tmp_path, f"TY  - JOUR\nTI  - T\nPY  - {text}\nER  - \n", "a.ris"
    ).values()[0]
    assert values["issued"] == {"literal": text}


@pytest.mark.parametrize("text", ["2019/", "2019/..", "2019--", "2019-", "2019–present"])
def test_an_open_range_keeps_its_year_and_what_was_written(tmp_path: Path, text: str) -> None:
    loaded = load_content(tmp_path, f"@book{{m, title={{T}}, date={{{text}}}}}")
    values = loaded.values()[0]
    assert values["issued"] == {"date-parts": [[2019]]}
    assert values["x.bibtex.date"] == (text.replace("--", "–"),)
    assert f"date = {{{text}}}" in export(exported(loaded), "biblatex")[0]
    ris = load_content(tmp_path, f"TY  - BOOK\nTI  - T\nPY  - {text}\nER  - \n", "a.ris").values()[
        0
    ]
    assert ris["issued"] == {"date-parts": [[2019]]}


@pytest.mark.parametrize("written", ["2019~", "{2019~}", "2019?", "2019%"])
def test_a_date_that_is_not_certain_is_about_that_date(tmp_path: Path, written: str) -> None:
    (values,) = load_content(tmp_path, f"@book{{a, title={{T}}, date={{{written}}}}}").values()
    assert values["issued"] == {"date-parts": [[2019]], "circa": True}
