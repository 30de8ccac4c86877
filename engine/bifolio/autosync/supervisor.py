"""The process of automatic sync: a worker for each library that is on, and one look at them all.

Turning a library on or off is a file that comes or goes under the home; with the last one the
process ends by itself. So no command ever has to find it by a number and stop it.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bifolio import limits
from bifolio.autosync import log as logs
from bifolio.autosync import state as states
from bifolio.autosync.library_worker import LibraryWorker
from bifolio.autosync.lock import process_lock
from bifolio.autosync.registry import LOCK, LOG, PROCESS, Registry, write_json
from bifolio.autosync.state import LibraryState
from bifolio.errors import Next, NextStep
from bifolio.home import Home
from bifolio.results import Link


@dataclass(frozen=True, slots=True)
class Ending:
    """What ended the process before this one (a signal's name), when, and how often one did."""

    by: str
    at: str
    times: int


#: What the process does next to syncing, in a thread of its own, until its event is set; it is told
#: how to note a line in the log.
Companion = Callable[[Home, threading.Event, Callable[[str], None]], None]


def run(
    home: Home,
    stopping: threading.Event,
    before: Ending | None = None,
    companion: Companion | None = None,
) -> bool:
    """Keep the home's libraries in sync until ``stopping``, or until none is on or served.

    Args:
        home: whose libraries.
        stopping: set when it is to end.
        before: what ended the process that this one takes the place of.
        companion: goes on next to it; one that fails is begun again later, and syncing goes on.

    Returns:
        whether it ran: not where another process does already.
    """
    registry = Registry(home)
    with process_lock(registry.folder / LOCK, wait_s=limits.AUTOSYNC_LOCK_WAIT_S) as mine:
        if not mine:
            return False
        log = logs.open_log(registry.folder / LOG)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        process: dict[str, object] = {"pid": os.getpid(), "since": now}
        if before is not None:
            process |= {"ended_by": before.by, "ended_at": before.at, "restarts": before.times}
        write_json(registry.folder / PROCESS, process)
        log.info("started")
        try:
            Supervisor(registry, log, stopping, companion=companion).run()
        finally:
            log.info("ended")
            for handler in log.handlers:
                handler.close()
    return True


class Supervisor:
    """Starts, watches and stops workers, from one thread."""

    def __init__(
        self,
        registry: Registry,
        log: logging.Logger,
        stopping: threading.Event,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
        *,
        companion: Companion | None = None,
    ) -> None:
        self._registry = registry
        self._log = log
        self._stopping = stopping
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._offset_s = wall_s() - monotonic_s()
        self._asked_at_s = float("-inf")
        self._paths: dict[str, Path] = {}
        self._workers: dict[Path, LibraryWorker] = {}
        self._again_at: dict[Path, float] = {}
        self._threads = ThreadPoolExecutor(
            limits.AUTOSYNC_LIBRARIES_MAX, thread_name_prefix="bifolio-autosync"
        )
        self._companion = companion
        #: Whether a library is to be served, be it kept in sync or not.
        self._is_serving = False
        self._companion_thread: threading.Thread | None = None
        self._companion_ends = threading.Event()
        self._companion_again_at = float("-inf")

    def run(self) -> None:
        """Until it is told to stop, or no library is on or served."""
        try:
            while not self._stopping.is_set() and self.step():
                self._stopping.wait(limits.AUTOSYNC_LOOK_S)
        finally:
            self.end()

    def end(self) -> None:
        """Stop every worker, and wait for them."""
        self._companion_ends.set()
        for worker in self._workers.values():
            worker.stop()
        self._threads.shutdown(wait=True)
        if self._companion_thread is not None:
            self._companion_thread.join()

    def step(self) -> bool:
        """One look at everything; False where no library is on or served."""
        now_s = self._monotonic_s()
        if now_s >= self._asked_at_s + limits.AUTOSYNC_ASK_S:
            self._asked_at_s = now_s
            self._follow_registry(now_s)
        self._mind_sleep()
        self._mind_companion(now_s)
        for path, worker in list(self._workers.items()):
            if worker.has_ended:
                self._mind_fault(path, worker)
            else:
                worker.look()
        return bool(self._paths) or self._is_serving

    def _follow_registry(self, now_s: float) -> None:
        """Begin with what was turned on, and let go of what was turned off."""
        wanted = self._wanted()
        self._is_serving = self._companion is not None and self._registry.served() is not None
        for path in [one for one in self._workers if one not in wanted]:
            self._drop(path)
        for path in wanted:
            if path not in self._workers and now_s >= self._again_at.get(path, 0.0):
                self._begin(path)

    def _wanted(self) -> list[Path]:
        """The libraries that are on; only what is new is read."""
        keys = self._registry.keys()[: limits.AUTOSYNC_LIBRARIES_MAX]
        found = {key: self._paths.get(key) or self._registry.path(key) for key in keys}
        self._paths = {key: path for key, path in found.items() if path is not None}
        return list(self._paths.values())

    def _begin(self, path: Path) -> None:
        worker = LibraryWorker(path, self._registry.home, self._tell)
        states.write(self._registry, worker.state)
        self._workers[path] = worker
        worker.start(self._threads)

    def _drop(self, path: Path) -> None:
        worker = self._workers.pop(path)
        worker.stop()
        try:
            worker.fault(limits.AUTOSYNC_STOP_S)
        except TimeoutError:
            self._log.info("library %s: ends later", worker.state.library[:8])
        states.forget(self._registry, path)

    def _tell(self, state: LibraryState) -> None:
        if self._registry.has(state.path):
            before = states.read(self._registry, state.path)
            states.write(self._registry, state)
            if before is None or before.link is not state.link:
                self._log.info(logs.line(state))

    def _mind_fault(self, path: Path, worker: LibraryWorker) -> None:
        """A fault of our own ended one library's thread: it begins again after a while, and the
        others go on."""
        fault = worker.fault()
        kind = type(fault).__name__
        self._log.info("library %s: fault %s", worker.state.library[:8] or "not opened", kind)
        del self._workers[path]
        wait_s = limits.AUTOSYNC_RETRY_MAX_S * (0.5 + random.random() / 2)
        self._again_at[path] = self._monotonic_s() + wait_s
        states.write(
            self._registry,
            LibraryState(
                path,
                Link.TROUBLED,
                worker.state.library,
                last_sync=worker.state.last_sync,
                reason=f"Bifolio has a fault that stopped the sync of this library ({kind}).",
                next=NextStep(Next.RUN_DOCTOR),
            ),
        )

    def _mind_companion(self, now_s: float) -> None:
        """Begin what goes on next to syncing; where it failed, again after a while."""
        thread = self._companion_thread
        if self._companion is None or (thread is not None and thread.is_alive()):
            return
        if now_s < self._companion_again_at:
            return
        self._companion_again_at = now_s + limits.AUTOSYNC_RETRY_MAX_S
        self._companion_thread = threading.Thread(
            target=self._companion,
            args=(self._registry.home, self._companion_ends, self._log.info),
            name="bifolio-companion",
        )
        self._companion_thread.start()

    def _mind_sleep(self) -> None:
        """After the computer slept, connections are made again instead of being waited for."""
        offset_s = self._wall_s() - self._monotonic_s()
        if abs(offset_s - self._offset_s) > limits.CLOCK_JUMP_S:
            self._offset_s = offset_s
            for worker in self._workers.values():
                worker.reconnect()
