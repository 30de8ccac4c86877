"""The page on testing: each fault that others met names the tests that keep it, or is open."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "testing.md"
FAULTS = 55

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_OPEN = "**open**"


def test_every_fault_names_a_test_or_is_open() -> None:
    rows = _ROW.findall(_section())
    assert [int(number) for number, _, _ in rows] == list(range(1, FAULTS + 1))
    for number, what, kept_by in rows:
        assert what.endswith("."), number
        assert _TEST.search(kept_by) or kept_by == _OPEN, number


def test_every_named_test_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in _TEST.findall(PAGE.read_text(encoding="utf-8"))
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text("utf-8")
    ]
    assert missing == []


def test_what_is_open_is_said_at_the_end_too() -> None:
    section = _section()
    listed = re.search(r"^Open, [^:]+: ([\d, ]+)\.$", section, re.MULTILINE)
    opened = [number for number, _, kept_by in _ROW.findall(section) if _OPEN in kept_by]
    assert (listed[1].split(", ") if listed else []) == opened


def test_a_run_keeps_compiled_files() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "export PYTHONDONTWRITEBYTECODE :=\n" in makefile


def _section() -> str:
    text = PAGE.read_text(encoding="utf-8")
    begin = text.index("## What went wrong elsewhere")
    return text[begin : text.index("\n## ", begin + 1)]


def test_every_promise_about_formats_names_a_test() -> None:
    text = PAGE.read_text(encoding="utf-8")
    begin = text.index("## What comes in right")
    rows = [line for line in text[begin:].split("\n## ")[0].split("\n") if line.startswith("| ")]
    assert len(rows) > 40
    assert [row for row in rows[1:] if not _TEST.search(row)] == []
