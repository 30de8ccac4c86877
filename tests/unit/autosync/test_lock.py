"""The lock of a process: one at a time, and given back however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.deadlines import until

from bifolio.autosync.lock import ProcessLock, is_held

HOLDER = """
import sys, time
from pathlib import Path
from bifolio.autosync.lock import ProcessLock
assert ProcessLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_one_holds_it_and_the_next_only_after(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    assert not is_held(path)
    first, second = ProcessLock(path), ProcessLock(path)
    assert first.acquire()
    assert is_held(path)
    assert not second.acquire()
    first.release()
    first.release()
    assert not is_held(path)
    with second:
        assert second.acquire(wait_s=1)
        assert is_held(path)
    assert not is_held(path)


def test_it_is_given_back_by_a_process_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_held(path)
        process.kill()
    until(lambda: not is_held(path), what="the lock is given back")
