"""A computer of a test: a home of its own, and the real command ``bifolio`` run in it.

Every call is a process with nobody at the keyboard, so a command that asked anything would fail.
A traceback, or a fault that Bifolio calls its own, fails the test whatever the exit code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import command_server
from tests.support.documents import check_document

from bifolio import Library
from bifolio.home import Home

#: The command as it is installed next to the interpreter that runs the tests.
BIFOLIO = str(Path(sys.executable).with_name("bifolio"))

_COMMAND_TIMEOUT_S = 60.0
_CHECKOUT = Path(__file__).parents[2]
_FAULTS = ("Traceback", "Bifolio has a fault")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; text after it would fail."""
        return json.loads(self.stdout)


@dataclass(frozen=True, slots=True)
class Computer:
    """One user's computer: a ``BIFOLIO_HOME`` and the library that its commands work on."""

    home: Path
    name: str
    library: Path

    @classmethod
    def make(cls, folder: Path, name: str) -> Computer:
        """A computer with an empty home; its default library does not exist yet."""
        home = folder / name
        home.mkdir()
        return cls(home, name, home / "Library.bifolio")

    def with_library(self, library: Path) -> Computer:
        """The same computer and device, working on another library."""
        return Computer(self.home, self.name, library)

    @property
    def environment(self) -> dict[str, str]:
        """What its commands see: nothing of the developer's own Bifolio."""
        own = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return own | {
            "HOME": str(self.home),
            "BIFOLIO_HOME": str(self.home),
            "BIFOLIO_LIBRARY": str(self.library),
            "BIFOLIO_DEVICE": self.name,
            "PYTHONUTF8": "1",
        }

    def run(self, *arguments: str | Path, exits: int = 0, typed_in: str = "") -> Any:
        """The JSON document of one command, which must end with this exit code."""
        document = self.call("--json", *arguments, exits=exits, typed_in=typed_in).document
        check_document([str(one) for one in arguments], document)
        return document

    def fails(self, *arguments: str | Path, exits: int = 1) -> str:
        """The sentence and the next step of a command that cannot do what it was told."""
        failure = self.run(*arguments, exits=exits)
        assert set(failure) == {"error"}, failure
        error = failure["error"]
        assert set(error) == {"code", "message", "next"}, failure
        assert error["message"].strip().endswith((".", "?", "!")), failure
        assert error["next"]["text"].strip(), failure
        return f"{error['message']} {error['next']['text']}"

    def call(
        self,
        *arguments: str | Path,
        exits: int | None = None,
        wrapped_in: Sequence[str] = (),
        typed_in: str = "",
    ) -> Outcome:
        """One command as a process.

        Args:
            arguments: as typed after ``bifolio``.
            exits: the exit code that it must have; None for any.
            wrapped_in: a command that runs the command, such as one that takes rights away.
            typed_in: what it reads on stdin.
        """
        typed = [str(argument) for argument in arguments]
        if command_server.is_available() and not wrapped_in:
            ended = command_server.run(
                typed,
                environment=self.environment,
                folder=self.home,
                timeout_s=_COMMAND_TIMEOUT_S,
                typed=typed_in,
            )
            outcome = Outcome(ended.exit_code, ended.stdout, ended.stderr)
        else:
            outcome = self._executed([*wrapped_in, BIFOLIO, *typed], typed=typed_in)
        check_for_faults(outcome)
        if exits is not None:
            assert outcome.exit_code == exits, outcome
        return outcome

    def _executed(
        self, command: Sequence[str], *, folder: Path | None = None, typed: str = ""
    ) -> Outcome:
        ended = subprocess.run(
            command,
            env=self.environment,
            cwd=folder or self.home,
            input=typed,
            capture_output=True,
            timeout=_COMMAND_TIMEOUT_S,
            encoding="utf-8",
            check=False,
        )
        return Outcome(ended.returncode, ended.stdout, ended.stderr)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """One command as a process that goes on; the caller ends it and reads it to its end."""
        return subprocess.Popen(
            [BIFOLIO, *map(str, arguments)],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run_all(self, commands: Sequence[Sequence[str]]) -> list[Any]:
        """Many commands, one after the other, in one process; the document of each.

        The same entry point as the command's, without the start of an interpreter for each.
        """
        listed = [list(command) for command in commands]
        ended: command_server.Ended | Outcome
        if command_server.is_available():
            ended = command_server.run_all(
                listed, environment=self.environment, folder=_CHECKOUT, timeout_s=_COMMAND_TIMEOUT_S
            )
        else:
            ended = self._executed(
                [sys.executable, "-m", "tests.support.command_stream"],
                folder=_CHECKOUT,
                typed=json.dumps(listed),
            )
        assert ended.exit_code == 0, ended.stderr
        outcomes = [Outcome(*one) for one in json.loads(ended.stdout)]
        for command, outcome in zip(commands, outcomes, strict=True):
            check_for_faults(outcome)
            assert outcome.exit_code == 0, (command, outcome)
        return [outcome.document for outcome in outcomes]

    def opened(self) -> Library:
        """The library opened by the test itself, for what no command shows."""
        return Library.open(self.library, home=Home(self.home, device_name=self.name))


def check_for_faults(outcome: Outcome) -> None:
    """No traceback reaches a user, and no fault of Bifolio's own."""
    for fault in _FAULTS:
        assert fault not in outcome.stdout, outcome
        assert fault not in outcome.stderr, outcome
