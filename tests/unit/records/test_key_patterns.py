"""Patterns of citation keys: what each word gives, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each

from bifolio.errors import InvalidValueError
from bifolio.records.key_patterns import (
    DEFAULT_PATTERN,
    MODIFIERS,
    TOKENS,
    check_pattern,
    make_by,
)
from bifolio.records.names import Name
from bifolio.records.reference import Values

PAGE = Path(__file__).parents[3] / "docs" / "keys.md"

WORK: Values = {
    "type": "article-journal",
    "author": tuple(Name(family=one) for one in ("Müller", "Roe", "Doe", "Poe")),
    "title": "The Folding of Long-Lived Paper",
    "container-title": "Journal of Paper and Ink",
    "issued": {"date-parts": [[2024]]},
    "volume": "12",
    "page": "101-115",
}


@each(
    ("pattern", "made"),
    [
        (DEFAULT_PATTERN, "muller2024folding"),
        ("[auth]", "Muller"),
        ("[auths]", "MullerRoeDoeEtAl"),
        ("[auth:upper:3]-[shortyear]", "MUL-24"),
        ("[shorttitle]", "FoldingLongLived"),
        ("[journal:lower]_[volume]:[page]", "jpi_12:101"),
        ("[type]/[auth:lower:capital]", "articlejournal/Muller"),
    ],
)
def test_a_pattern_is_made_of_words_modifiers_and_text(pattern: str, made: str) -> None:
    assert make_by(pattern, WORK) == made


@each(
    "pattern",
    [
        "",
        "plain",
        "[nobody]",
        "[auth",
        "auth]",
        "[auth:small]",
        "[auth:0]",
        "a b[auth]",
        "[[auth]]",
        "[auth]" + "x" * 200,
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidValueError):
        check_pattern(pattern)


def test_a_reference_that_says_nothing_for_a_pattern_makes_nothing() -> None:
    assert make_by("[auth]-[year]", {"title": "Anonymous"}) == ""


def test_no_key_begins_like_an_option() -> None:
    assert make_by("[auth]-[year]", {"issued": {"date-parts": [[1999]]}}) == "1999"


def test_the_page_lists_all_words_and_modifiers() -> None:
    page = PAGE.read_text("utf-8")
    rows = [f"| `{name}` | {meaning} |" for name, (meaning, _) in {**TOKENS, **MODIFIERS}.items()]
    assert [row for row in rows if row not in page] == []
    assert f"`{DEFAULT_PATTERN}`" in page
