"""docs/search.md names every operator as the parser has it, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from bifolio.search.operators import OPERATORS
from bifolio.search.query import PREFIX_LETTERS_MIN, parse_query

PAGE = (Path(__file__).parents[3] / "docs" / "search.md").read_text(encoding="utf-8")


def test_the_page_lists_the_operators() -> None:
    listed = re.findall(r"(?m)^\| `([\w-]+):` \| (.*?) \| (.*?) \| `(.*)` \|$", PAGE)
    assert [(name, also, finds, example) for name, also, finds, example in listed] == [
        (one.name, ", ".join(f"`{name}:`" for name in one.synonyms), one.finds, one.example)
        for one in OPERATORS
    ]


def test_the_queries_of_the_page_are_understood() -> None:
    queries = re.findall(r"--query '(.*?)'|search '(.*?)'|^bifolio search ([^'\n]+)$", PAGE, re.M)
    assert len(queries) >= 4
    for query in queries:
        parse_query("".join(query))
    assert "A word of four letters" in PAGE
    assert PREFIX_LETTERS_MIN == 4
