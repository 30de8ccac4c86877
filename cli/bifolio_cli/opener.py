"""The computer's own way to open a file by its kind; never waits for what it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bifolio.errors import NoOpenerError


def open_with_own_program(path: Path) -> subprocess.Popen[bytes] | None:
    """Start the operating system's opener on a file.

    Returns:
        the opener as it runs, where it is a process of ours.

    Raises:
        NoOpenerError: it has none.
    """
    if sys.platform == "win32":
        os.startfile(path)
        return None
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None:
        raise NoOpenerError(path)
    return subprocess.Popen(
        [opener, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # The program lives on when the command, or its terminal, has ended.
        start_new_session=True,
    )
