"""docs/serve.md lists every endpoint, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from bifolio.serve.application import ENDPOINTS

PAGE = Path(__file__).parents[3] / "docs" / "serve.md"


LISTED = re.findall(
    r"(?m)^\| ([A-Z ]+) \| `(\S+)` \| (.*) \| (.*) \| (.*) \|$", PAGE.read_text(encoding="utf-8")
)


def test_the_page_lists_every_endpoint_and_no_other() -> None:
    assert [tuple(one[:4]) for one in LISTED] == [
        (one.methods, re.sub(":(int|str)", "", one.path), one.says, one.state.value)
        for one in ENDPOINTS
    ]


def test_the_page_says_which_program_needs_each() -> None:
    assert all(program.strip() for *_, program in LISTED)


def test_every_case_of_zotero_s_own_tests_is_held_or_said_not_to_be_ours() -> None:
    """The names of our tests that hold a case are those of tests that there are."""
    text = PAGE.read_text(encoding="utf-8").partition("## Zotero's own tests")[2]
    named = set(re.findall(r"`(test_\w+)`", text))
    there = {
        name
        for path in (Path(__file__).parent).glob("test_*.py")
        for name in re.findall(r"(?m)^def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= there


def test_no_endpoint_is_named_twice() -> None:
    named = [(method, one.path) for one in ENDPOINTS for method in one.methods.split()]
    assert len(set(named)) == len(named)
