"""A small file system for a folder, filled to any number of bytes: a real full disk.

Mounted where that is permitted (for root on Linux); elsewhere nobody's disk is full in a run, and
the run says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SIZE_BYTES = 48_000_000


class SmallDisk:
    """A folder that is a file system of its own, or a plain folder where none can be mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.is_mounted = _mount(folder)
        self._filler = folder / ".filler"

    def fill(self, *, leave_bytes: int) -> None:
        """Leave only so many bytes."""
        free = shutil.disk_usage(self.folder).free
        if self.is_mounted and free > leave_bytes:
            descriptor = os.open(self._filler, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, free - leave_bytes)
            finally:
                os.close(descriptor)

    def make_room(self) -> None:
        """Have all of it free again."""
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Take it away."""
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)
            self.is_mounted = False


def _mount(folder: Path) -> bool:
    if sys.platform != "linux" or shutil.which("mount") is None or os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "none", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
