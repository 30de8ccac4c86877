"""A lock on a file that lasts as long as its process: no process number can be stale."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bifolio.disk import make_private_folder


@contextmanager
def process_lock(path: Path, *, wait_s: float = 0.0) -> Iterator[bool]:
    """The lock of one process at a time; given back at the end, or when the process ends.

    Yields:
        whether this process has it: not where another one holds it all the time it may wait.
    """
    make_private_folder(path.parent)
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock. It is taken for a moment to find out: who starts
    meanwhile tries again."""
    if not path.exists():
        return False
    with process_lock(path) as mine:
        return not mine
