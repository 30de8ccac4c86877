"""A unit of the user's own systemd: started with the session, and again after a crash.

With ``loginctl enable-linger`` the user's services run without a session too; that is the
user's choice, not ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bifolio_cli.service.service import Program, answers, carry_out

_SYSTEMCTL = ("systemctl", "--user")


@dataclass(frozen=True, slots=True)
class Systemd:
    """``~/.config/systemd/user/bifolio-autosync.service``."""

    program: Program
    configuration: Path

    kind = "systemd"
    starts_at_login = True

    @property
    def unit(self) -> str:
        """The unit's name."""
        return f"bifolio-autosync{self.program.mark}.service"

    @property
    def file(self) -> Path:
        """Where the unit's file is."""
        return self.configuration / "systemd" / "user" / self.unit

    def text(self) -> str:
        """The unit."""
        lines = [
            "[Unit]",
            f"Description=Bifolio: automatic sync of {_escaped(str(self.program.home))}",
            "Documentation=man:systemd.service(5)",
            "",
            "[Service]",
            "Type=simple",
            f"ExecStart={' '.join(map(_argument, self.program.arguments))}",
            *(
                f"Environment={_quoted(f'{name}={value}')}"
                for name, value in sorted(self.program.environment.items())
            ),
            # With no library left to sync it ends well, and is not started again.
            "Restart=on-failure",
            "RestartSec=10",
            "TimeoutStopSec=45",
            "Nice=5",
            "",
            "[Install]",
            "WantedBy=default.target",
        ]
        return "\n".join(lines) + "\n"

    def is_available(self) -> bool:
        """Whether the user's systemd answers in this session."""
        return answers([*_SYSTEMCTL, "show-environment"])

    def is_installed(self) -> bool:
        """Whether the unit is there."""
        return self.file.exists()

    def start(self) -> None:
        """Write, enable and start the unit."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(self.text(), encoding="utf-8", errors="surrogateescape")
        carry_out([*_SYSTEMCTL, "daemon-reload"])
        carry_out([*_SYSTEMCTL, "enable", self.unit])
        carry_out([*_SYSTEMCTL, "start", self.unit])

    def remove(self) -> None:
        """Stop, disable and remove the unit."""
        if self.is_installed():
            answers([*_SYSTEMCTL, "disable", "--now", self.unit])
            self.file.unlink(missing_ok=True)
            answers([*_SYSTEMCTL, "daemon-reload"])


def _escaped(text: str) -> str:
    """Without specifiers: ``%`` begins one in every setting."""
    return text.replace("%", "%%").replace("\n", " ")


def _quoted(text: str) -> str:
    """One word, whatever is in it (systemd.syntax(7))."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{_escaped(plain)}"'


def _argument(text: str) -> str:
    """One word of a command line, where ``$`` begins a variable."""
    return _quoted(text).replace("$", "$$")
