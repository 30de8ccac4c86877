"""What commands that were killed left behind: unfinished folders and files, named and swept.

An unfinished replica lies next to its place, an unfinished backup in the folder of backups, what
was copied of a file in the library's own folder. Only what is older than any command takes is
looked at, so that nothing that is being made is taken for a leftover.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bifolio import limits
from bifolio.home import Home

_UNFINISHED_FILE = re.compile(r"\.[0-9a-f]{16}(?:\.sqlite)?(?:-wal|-shm|-journal)?")
_MENDING = re.compile(r"\.mending-[0-9a-f]{8}")


def find(path: Path, home: Home, *, now_s: float | None = None) -> list[Path]:
    """What is left behind in the library's folder, next to it, and among the backups.

    Args:
        path: the library's folder.
        home: this device's home.
        now_s: the time.
    """
    before_s = (time.time() if now_s is None else now_s) - limits.LEFTOVER_AGE_S
    return sorted(one for one in _candidates(path, home) if _is_older(one, before_s))


def sweep(path: Path, home: Home) -> list[Path]:
    """Remove what is left behind; returns what was."""
    found = find(path, home)
    for one in found:
        if one.is_dir():
            shutil.rmtree(one, ignore_errors=True)
        else:
            with suppress(OSError):
                one.unlink()
    return found


def _candidates(path: Path, home: Home) -> Iterator[Path]:
    beside = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}")
    for folder, patterns in (
        (path.parent, (beside,)),
        (path, (_MENDING, _UNFINISHED_FILE)),
        (home.backups, (_UNFINISHED_FILE,)),
    ):
        with suppress(OSError):
            for one in folder.iterdir():
                if any(pattern.fullmatch(one.name) for pattern in patterns):
                    yield one
    with suppress(OSError):
        for one in (path / "files" / "incoming").iterdir():
            if len(one.name) != 64:  # a content that arrives in pieces goes on there
                yield one


def _is_older(path: Path, before_s: float) -> bool:
    try:
        newest = max((one.stat().st_mtime for one in (path, *path.rglob("*"))), default=0.0)
    except OSError:
        return False
    return newest < before_s
