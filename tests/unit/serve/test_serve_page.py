"""docs/serve.md lists every endpoint, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from bifolio.serve.application import ENDPOINTS

PAGE = Path(__file__).parents[3] / "docs" / "serve.md"


def row(methods: str, path: str, says: str) -> str:
    """An endpoint as the page has it."""
    return f"| {methods} | `{re.sub(':int', '', path)}` | {says} |"


def test_the_page_lists_every_endpoint_and_no_other() -> None:
    listed = re.findall(r"(?m)^\| (?:GET|POST|PUT|PATCH|DELETE).*$", PAGE.read_text())
    assert listed == [row(one.methods, one.path, one.says) for one in ENDPOINTS]


def test_no_endpoint_is_named_twice() -> None:
    named = [(method, one.path) for one in ENDPOINTS for method in one.methods.split()]
    assert len(set(named)) == len(named)
