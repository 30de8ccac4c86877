"""Every attack and guarantee of the security page names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"

#: `tests/unit/crypto/test_blob.py::test_name`, in the table of attacks.
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_FILE = re.compile(r"`((?:tests/)?(?:[\w]+/)*test_\w+\.py)`")


def test_every_attack_of_the_table_names_a_test_that_exists() -> None:
    rows = [line for line in _table().splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith("| attack |")]
    assert len(rows) > 30
    missing = [row for row in rows if not _TEST.search(row)]
    assert missing == []


def test_every_named_test_exists() -> None:
    named = _TEST.findall(PAGE.read_text())
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert missing == []


def test_every_guarantee_names_a_file_of_tests_that_exists() -> None:
    text = PAGE.read_text()
    guarantees = re.split(r"\n(?=\d+\. )", _section(text, "## Guarantees"))[1:]
    assert [int(one.split(".")[0]) for one in guarantees] == list(range(1, len(guarantees) + 1))
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    for one in guarantees:
        named = [Path(name).name for name in _FILE.findall(one)]
        named += [Path(path).name for path, _ in _TEST.findall(one)]
        assert named, one[:60]
        assert set(named) <= files, one[:60]


def _table() -> str:
    return _section(PAGE.read_text(), "## Attacks")


def _section(text: str, heading: str) -> str:
    begin = text.index(heading + "\n")
    end = text.find("\n## ", begin + 1)
    return text[begin : end if end > 0 else None]
