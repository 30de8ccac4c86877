"""A small parent of the process of automatic sync, which begins it again where it was ended.

What a hostile change does to one library may end the whole process (a fault inside pycrdt, or the
system taking its memory): the others must not wait for the next login. The parent only waits. It
begins a child again at once, then more and more rarely, and notes what ended the one before for
``status``. Where the system cannot fork, the process runs without one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime

from bifolio import limits
from bifolio.autosync import log as logs
from bifolio.autosync import supervisor
from bifolio.autosync.registry import LOG, Registry
from bifolio.autosync.supervisor import Companion, Ending
from bifolio.errors import BifolioError
from bifolio.home import Home

_LOOK_S = 0.25
_ALREADY_RUNS = 3


def run(home: Home, stopping: threading.Event, companion: Companion | None = None) -> bool:
    """Keep the home's libraries in sync until ``stopping``, or until none is on, whatever ends
    the process that does it.

    To be called from a process's only thread.

    Args:
        companion: what goes on next to it in the same process.

    Returns:
        whether it ran: not where another process does already.
    """
    if not hasattr(os, "fork"):
        return supervisor.run(home, stopping, companion=companion)
    before: Ending | None = None
    wait_s = limits.AUTOSYNC_RESTART_FIRST_S
    while True:
        began_s = time.monotonic()
        code = _wait(_begin(home, stopping, before, companion), stopping)
        if code in (0, _ALREADY_RUNS):
            return code == 0 or before is not None
        if code > 0:
            raise SystemExit(code)
        if stopping.is_set():
            return True
        if time.monotonic() - began_s > limits.AUTOSYNC_RETRY_MAX_S:
            wait_s = limits.AUTOSYNC_RESTART_FIRST_S
        before = _note(home, -code, before)
        if stopping.wait(wait_s):
            return True
        wait_s = min(2 * wait_s, limits.AUTOSYNC_RETRY_MAX_S)


def _begin(
    home: Home, stopping: threading.Event, before: Ending | None, companion: Companion | None
) -> int:
    """Fork the child that does the work; its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = 0 if supervisor.run(home, stopping, before, companion) else _ALREADY_RUNS
    except BifolioError as error:
        print(error.message, file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, stopping: threading.Event) -> int:
    """Wait for the child, which is told to stop when we are; its exit code, below zero for a
    signal."""
    told = False
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if stopping.is_set() and not told:
            os.kill(child, signal.SIGTERM)
            told = True
        if told:
            time.sleep(_LOOK_S)
        else:
            stopping.wait(_LOOK_S)


def _note(home: Home, number: int, before: Ending | None) -> Ending:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    log = logs.open_log(Registry(home).folder / LOG)
    log.info("ended by %s; begins again", name)
    for handler in log.handlers:
        handler.close()
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Ending(name, at, (before.times if before else 0) + 1)
