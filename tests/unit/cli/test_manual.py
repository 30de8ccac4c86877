"""docs/cli.md says what ``--help`` says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bifolio_cli.main import VERBS
from bifolio_cli.manual import calls, help_text, manual

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_page_is_what_the_command_says_of_itself() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == manual(), "run: python -m bifolio_cli.manual > docs/cli.md"


@pytest.mark.parametrize("verb", ["", "edit", "import", "group", "group move"])
def test_the_page_holds_what_help_prints(verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bifolio_cli.main", *verb.split(), "--help"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == help_text(verb).strip()
    assert done.stdout.strip() in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_the_library_and_json(verb: str) -> None:
    for call in calls(verb):
        text = help_text(call)
        assert "--library" in text
        assert "--json" in text
