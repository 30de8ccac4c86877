"""A lock on a file that lasts as long as its process: no process number can be stale."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

_RETRY_S = 0.05


class ProcessLock:
    """Held by one process at most; given back when that ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, *, wait_s: float = 0.0) -> bool:
        """Take the lock; False where another process holds it all that time."""
        deadline = time.monotonic() + wait_s
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return False
            time.sleep(_RETRY_S)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give it back; a second time is no error."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> ProcessLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock. It is taken for a moment to find out: who starts
    meanwhile tries again."""
    if not path.exists():
        return False
    lock = ProcessLock(path)
    if not lock.acquire():
        return True
    lock.release()
    return False


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
