"""A plain process, where there is neither systemd nor launchd.

Desktops that keep to the XDG autostart specification start it at login. Elsewhere it runs until
the computer is shut down, and 'bifolio autosync on' starts it again.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bifolio.disk import make_private_folder
from bifolio_cli.service.service import Program


@dataclass(frozen=True, slots=True)
class PlainProcess:
    """A process in a session of its own, and ``~/.config/autostart/bifolio-autosync.desktop``."""

    program: Program
    configuration: Path
    process_environment: dict[str, str]
    #: Whether desktops here start what is in the autostart folder.
    has_autostart: bool

    kind = "process"

    @property
    def starts_at_login(self) -> bool:
        """Whether a desktop would start it."""
        return self.has_autostart and self.file.exists()

    @property
    def file(self) -> Path:
        """The desktop's autostart entry."""
        return self.configuration / "autostart" / f"bifolio-autosync{self.program.mark}.desktop"

    def text(self) -> str:
        """The autostart entry. A desktop passes no environment on, so ``env`` sets it."""
        variables = [f"{name}={value}" for name, value in sorted(self.program.environment.items())]
        command = ["/usr/bin/env", *variables, *self.program.arguments]
        lines = [
            "[Desktop Entry]",
            "Type=Application",
            "Name=Bifolio automatic sync",
            "Comment=Keeps libraries of references in sync",
            f"Exec={' '.join(map(_quoted, command))}",
            "Terminal=false",
            "NoDisplay=true",
        ]
        return "\n".join(lines) + "\n"

    def is_available(self) -> bool:
        """A process can be started anywhere."""
        return True

    def is_installed(self) -> bool:
        """Whether the autostart entry is there."""
        return self.file.exists()

    def start(self) -> None:
        """Start the process, which ends at once where one runs already."""
        if self.has_autostart:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(self.text(), encoding="utf-8", errors="surrogateescape")
        make_private_folder(self.program.home)
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        subprocess.Popen(
            self.program.arguments,
            cwd=self.program.home,
            env=self.process_environment | dict(self.program.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=flags,
        )

    def remove(self) -> None:
        """Remove the autostart entry; the process ends by itself with the last library."""
        self.file.unlink(missing_ok=True)


def _quoted(text: str) -> str:
    """One argument of an Exec key (Desktop Entry Specification, "The Exec key")."""
    escaped = text
    for sign in ("\\", '"', "`", "$"):
        escaped = escaped.replace(sign, "\\" + sign)
    # The value of a key is unescaped once more before that.
    return f'"{escaped}"'.replace("\\", "\\\\").replace("\n", "\\n").replace("%", "%%")
