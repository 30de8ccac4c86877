"""docs/cli.md says what ``--help`` says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import command_server
from tests.support.cases import each

from bifolio_cli.application import VERBS
from bifolio_cli.text.manual import calls, help_text, manual

PAGE = Path(__file__).parents[4] / "docs" / "cli.md"


def test_the_page_is_what_the_command_says_of_itself() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == manual(), "run: python -m bifolio_cli.text.manual > docs/cli.md"


@each("verb", ["", "edit", "import", "group", "group move"])
def test_the_page_holds_what_help_prints(verb: str) -> None:
    printed = _printed(*verb.split(), "--help").strip()
    assert printed == help_text(verb).strip()
    assert printed in PAGE.read_text(encoding="utf-8")


def _printed(*arguments: str) -> str:
    """What a process prints; it is forked where that is possible."""
    environment = {**os.environ, "COLUMNS": "80"}
    if command_server.is_available():
        ended = command_server.run(
            arguments, environment=environment, folder=Path.cwd(), timeout_s=60
        )
        assert ended.exit_code == 0
        return ended.stdout
    return subprocess.run(
        [sys.executable, "-m", "bifolio_cli.main", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


@each("verb", VERBS)
def test_every_verb_takes_the_library_and_json(verb: str) -> None:
    for call in calls(verb):
        text = help_text(call)
        assert "--library" in text
        assert "--json" in text
