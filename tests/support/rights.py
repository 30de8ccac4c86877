"""Taking the right to write from a command, whoever runs the tests.

File modes do not stop root, so for root the command starts without the capability to pass over
them (Linux's CAP_DAC_OVERRIDE); other users are stopped by the modes alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_WITHOUT_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")
_WRITE_BITS = 0o222


def under_file_modes() -> Sequence[str]:
    """The command that runs another one for which file modes count."""
    return _WITHOUT_OVERRIDE if os.geteuid() == 0 else ()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody for whom modes count can write in the folder or to what is in it."""
    before = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")]}
    for path, mode in before.items():
        path.chmod(mode & ~_WRITE_BITS)
    try:
        yield
    finally:
        for path, mode in before.items():
            path.chmod(mode)
