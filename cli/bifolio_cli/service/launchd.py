"""A launch agent of macOS: started at login, and again after a crash."""

from __future__ import annotations

import os
import plistlib
from dataclasses import dataclass
from pathlib import Path

from bifolio_cli.service.service import Program, answers, carry_out


@dataclass(frozen=True, slots=True)
class Launchd:
    """``~/Library/LaunchAgents/bifolio.autosync.plist``."""

    program: Program
    user_folder: Path

    kind = "launchd"
    starts_at_login = True

    @property
    def label(self) -> str:
        """The agent's name."""
        return f"bifolio.autosync{self.program.mark}"

    @property
    def file(self) -> Path:
        """Where the agent's file is."""
        return self.user_folder / "Library" / "LaunchAgents" / f"{self.label}.plist"

    def content(self) -> bytes:
        """The property list."""
        return plistlib.dumps(
            {
                "Label": self.label,
                "ProgramArguments": list(self.program.arguments),
                "EnvironmentVariables": dict(self.program.environment),
                "RunAtLoad": True,
                # With no library left to sync it ends well, and is not started again.
                "KeepAlive": {"SuccessfulExit": False},
                "ThrottleInterval": 10,
                "ProcessType": "Background",
                "ExitTimeOut": 45,
            }
        )

    def is_available(self) -> bool:
        """Whether the user's launchd answers in this session."""
        return answers(["launchctl", "print", self._domain])

    def is_installed(self) -> bool:
        """Whether the agent is there."""
        return self.file.exists()

    def start(self) -> None:
        """Write the agent, load it, and start it where it had ended well."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        content = self.content()
        if self.is_installed() and self.file.read_bytes() != content:
            answers(["launchctl", "bootout", f"{self._domain}/{self.label}"])
        self.file.write_bytes(content)
        if not answers(["launchctl", "print", f"{self._domain}/{self.label}"]):
            carry_out(["launchctl", "bootstrap", self._domain, str(self.file)])
        carry_out(["launchctl", "kickstart", f"{self._domain}/{self.label}"])

    def remove(self) -> None:
        """Stop the agent and remove it."""
        if self.is_installed():
            answers(["launchctl", "bootout", f"{self._domain}/{self.label}"])
            self.file.unlink(missing_ok=True)

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"
