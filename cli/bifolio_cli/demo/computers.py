"""The relay and the two computers of the demo, each played by real processes of ``bifolio``.

A computer is a home of its own with a device of its own; a call of its user is one process of the
command. Knows exit codes and JSON, and nothing of what the story makes of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from bifolio.errors import BifolioError
from bifolio_cli.demo.narration import Narrator, command_line
from bifolio_cli.demo.processes import Processes
from bifolio_cli.environment import Environment

#: The slowest command takes six seconds on two cores; one that takes so long hangs.
_COMMAND_TIMEOUT_S = 180.0

#: A relay listens after half a second.
_RELAY_TIMEOUT_S = 30.0

_READY = "listening on "
_BIFOLIO = (sys.executable, "-m", "bifolio_cli.main")


@dataclass(frozen=True, slots=True)
class Ended:
    """How one command ended."""

    exit_code: int
    printed: str
    seconds: float

    def line_that_begins(self, start: str) -> str:
        """The first printed line that begins so, or empty text."""
        lines = (line for line in self.printed.splitlines() if line.startswith(start))
        return next(lines, "")


@dataclass(frozen=True, slots=True)
class Computer:
    """One user's computer: ``home`` is its BIFOLIO_HOME and the folder in which it works."""

    name: str
    home: Path
    processes: Processes
    narrator: Narrator

    @property
    def library(self) -> Path:
        """Its library, the default one."""
        return self.home / "Library.bifolio"

    def run(
        self, *arguments: str, shows: int | None = None, exits: int = 0, label: str = ""
    ) -> Ended:
        """Type a command: it is shown, run, and what it prints is shown.

        Args:
            arguments: what is typed after ``bifolio``.
            shows: so many lines of what it prints, all by default.
            exits: the exit code that it must end with.
            label: what is said while it runs.

        Raises:
            BifolioError: it ended otherwise.
        """
        self.narrator.command(self.name, arguments)
        with self.narrator.working(label or f"{arguments[0]} ..."):
            ended = self._call(arguments, exits=exits, with_stderr=True)
        lines = ended.printed.splitlines()
        shown = lines if shows is None or len(lines) <= shows else [*lines[:shows], "..."]
        if shows != 0:
            self.narrator.printed("\n".join(shown))
        return ended

    def ask(self, *arguments: str) -> Any:
        """The JSON document of a command that is not part of what is told."""
        return json.loads(self._call((*arguments, "--json"), exits=0, with_stderr=False).printed)

    def _call(self, arguments: Sequence[str], *, exits: int, with_stderr: bool) -> Ended:
        begin = monotonic()
        process = self.processes.start(
            [*_BIFOLIO, *arguments],
            folder=self.home,
            variables=Environment.variables_for(home=self.home, device=self.name),
            stderr=subprocess.STDOUT if with_stderr else subprocess.PIPE,
        )
        try:
            printed, remarked = process.communicate(timeout=_COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise BifolioError(
                f"On the {self.name} '{command_line(arguments)}' did not end in "
                f"{_COMMAND_TIMEOUT_S:.0f} seconds.",
                next_step="Try again when the computer has less to do.",
            ) from None
        self.processes.end(process)
        if process.returncode != exits:
            said = (remarked or printed).strip() or "nothing"
            raise BifolioError(
                f"On the {self.name} '{command_line(arguments)}' ended with code "
                f"{process.returncode} instead of {exits}; it said: {said}",
                next_step="Run 'bifolio demo --keep' to keep what it worked on, and report it.",
            )
        return Ended(process.returncode, printed, monotonic() - begin)


class RelayProcess:
    """A relay on a free port of this computer, which keeps its port when it comes back."""

    def __init__(self, folder: Path, processes: Processes, narrator: Narrator) -> None:
        self.data = folder / "relay"
        self.log = folder / "relay.log"
        self.url = ""
        self._folder = folder
        self._processes = processes
        self._narrator = narrator
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process, and wait until it listens.

        Raises:
            BifolioError: it does not.
        """
        port = self.url.rpartition(":")[2] or "0"
        arguments = ("relay", "--port", port, "--data", self.data.name)
        self._narrator.command("relay", arguments)
        with self.log.open("ab") as log:
            process = self._process = self._processes.start(
                [*_BIFOLIO, *arguments],
                folder=self._folder,
                variables=Environment.variables_for(home=self._folder, device="relay"),
                stderr=log,
            )
        ready = _first_line(process)
        if not ready.startswith(_READY):
            raise BifolioError(
                "The relay of the demo did not start.",
                next_step="Run 'bifolio demo --keep' and read relay.log in the folder it names.",
            )
        self.url = ready.removeprefix(_READY).strip()
        self._narrator.printed(ready)

    def stop(self) -> None:
        """End the process as a service is ended; without one nothing happens."""
        process, self._process = self._process, None
        if process is not None:
            self._processes.end(process)

    def stored_bytes(self) -> int:
        """The size of everything that it stores; exact while it does not run."""
        return folder_bytes(self.data)


def folder_bytes(folder: Path) -> int:
    """The size of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _first_line(process: subprocess.Popen[str]) -> str:
    """What the process prints first; empty if it ends or says nothing in time."""
    if process.stdout is None:
        return ""
    watchdog = threading.Timer(_RELAY_TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        return process.stdout.readline()
    finally:
        watchdog.cancel()
