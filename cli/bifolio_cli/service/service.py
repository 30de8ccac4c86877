"""What every kind of service is asked for, and the command that each of them runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bifolio.errors import BifolioError

#: How long systemctl or launchctl may take to answer; a session without them fails at once.
_ANSWER_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Program:
    """The process to be run: the interpreter of this installation, and the home it works for."""

    arguments: tuple[str, ...]
    home: Path
    environment: Mapping[str, str]
    #: Of homes that were named by hand, to tell their services apart; empty for the default one.
    mark: str

    @classmethod
    def of(cls, home: Path, environment: Mapping[str, str], *, is_default: bool) -> Program:
        """Automatic sync for a home, run as this very command is.

        Args:
            home: the home's folder.
            environment: variables of Bifolio's own that the process needs.
            is_default: whether this is the user's ordinary home.
        """
        digest = hashlib.blake2b(os.fsencode(home), digest_size=4).hexdigest()
        return cls(
            # Not the folder that the process is started in: -P keeps its modules out.
            arguments=(sys.executable, "-P", "-m", "bifolio_cli.main", "autosync", "run"),
            home=home,
            environment=environment,
            mark="" if is_default else f"-{digest}",
        )


class Service(Protocol):
    """One way to have a program started at login and kept running."""

    @property
    def kind(self) -> str:
        """``systemd``, ``launchd`` or ``process``."""

    @property
    def starts_at_login(self) -> bool:
        """Whether it does, as it is set up now."""

    def is_available(self) -> bool:
        """Whether this computer and session have it."""

    def is_installed(self) -> bool:
        """Whether it was set up here."""

    def start(self) -> None:
        """Set it up and start the program; where it runs already, nothing is started twice.

        Raises:
            ServiceError: the system refused.
        """

    def remove(self) -> None:
        """Take it out again, as far as this session can reach it; the program may go on until
        it ends by itself."""


class ServiceError(BifolioError):
    """The system's service manager refused."""

    code = "service-refused"

    def __init__(self, command: Sequence[str], *, said: str) -> None:
        super().__init__(
            f"'{' '.join(command)}' failed: {said or 'it gave no reason'}.",
            next_step="Run 'bifolio autosync on --process' to use a plain process instead.",
        )


def answers(command: Sequence[str]) -> bool:
    """Whether a command of the system is there and succeeds."""
    try:
        return _run(command).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def carry_out(command: Sequence[str]) -> None:
    """Run a command of the system that has to succeed.

    Raises:
        ServiceError: it did not.
    """
    try:
        ended = _run(command)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceError(command, said=str(error)) from error
    if ended.returncode != 0:
        raise ServiceError(command, said=" ".join(ended.stderr.split()))


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    found = shutil.which(command[0])
    if found is None:
        raise FileNotFoundError(f"{command[0]} is not here")
    return subprocess.run(
        [found, *command[1:]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_ANSWER_TIMEOUT_S,
        check=False,
    )
