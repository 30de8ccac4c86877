"""The lock of a process: one at a time, and given back however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.deadlines import until

from bifolio.autosync.lock import is_held, process_lock

HOLDER = """
import sys, time
from pathlib import Path
from bifolio.autosync.lock import process_lock
with process_lock(Path(sys.argv[1])) as mine:
    assert mine
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_holds_it_and_the_next_only_after(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    assert not is_held(path)
    with process_lock(path) as first:
        assert first
        assert is_held(path)
        with process_lock(path) as second:
            assert not second
        assert is_held(path), "who did not get it gives nothing back"
    assert not is_held(path)
    with process_lock(path, wait_s=1) as second:
        assert second
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
