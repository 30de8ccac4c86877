"""Opening a file starts the system's opener, does not wait for it, and says where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.support.deadlines import until

from bifolio.errors import NoOpenerError
from bifolio_cli.opener import open_with_own_program

OPENER = "open" if sys.platform == "darwin" else "xdg-open"


def test_the_opener_gets_the_path_and_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    opener = tmp_path / OPENER
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {told}.part\nmv {told}.part {told}\nexec cat\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    process = open_with_own_program(tmp_path / "a b.pdf")
    assert process is not None
    said = until(lambda: told.exists() and told.read_text(), what="the opener")
    assert said == str(tmp_path / "a b.pdf")
    # Nobody types into it: a program that asks something on the terminal does not hang there.
    assert process.wait(timeout=20) == 0


def test_a_system_without_an_opener_is_told_with_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoOpenerError) as caught:
        open_with_own_program(tmp_path / "paper.pdf")
    assert "paper.pdf" in str(caught.value)
