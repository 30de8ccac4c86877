"""Commands called in this process: what one says, to whom, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bifolio_cli.main import run


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class Shell:
    """One computer with a home of its own and a default library in it."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.home = folder / "home"
        self._capsys = capsys
        monkeypatch.setenv("BIFOLIO_HOME", str(self.home))
        monkeypatch.setenv("BIFOLIO_DEVICE", "desk")
        monkeypatch.delenv("BIFOLIO_LIBRARY", raising=False)
        monkeypatch.setenv("BIFOLIO_TRACEBACK", "1")
        self.does("init")

    def calls(self, *arguments: str) -> Said:
        """One command, however it ends."""
        self._capsys.readouterr()
        code = run([*arguments])
        written = self._capsys.readouterr()
        return Said(code, written.out, written.err)

    def does(self, *arguments: str) -> Said:
        """One command that succeeds."""
        said = self.calls(*arguments)
        assert said.code == 0, said
        return said
