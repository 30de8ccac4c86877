"""Turning automatic sync on and off, and asking how it goes: what a command does of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bifolio import limits
from bifolio.autosync import state as states
from bifolio.autosync.lock import is_held
from bifolio.autosync.registry import LOCK, LOG, PROCESS, Registry, read_json
from bifolio.autosync.state import LibraryState
from bifolio.errors import BifolioError, Next, NotAttachedError, next_step
from bifolio.home import Home
from bifolio.library.library import Library
from bifolio.results import AutosyncStatus, BackgroundServing, Link, SyncedLibrary

_LOOK_S = 0.05


class NotStartedError(BifolioError):
    """The process of automatic sync did not begin."""

    code = "autosync-not-started"

    def __init__(self, log: Path) -> None:
        self.log = log
        super().__init__(
            "The process of automatic sync did not start in time. The library stays turned on.",
            next_step=next_step(Next.SEE_AUTOSYNC_FAULT, log=str(log)),
        )


def is_running(home: Home) -> bool:
    """Whether the home's process runs."""
    return is_held(Registry(home).folder / LOCK)


def turn_on(home: Home, library: Path, start: Callable[[], None]) -> None:
    """Keep a library in sync from now on, and wait until the process has it.

    Args:
        home: whose process.
        library: the library's folder.
        start: starts the process; where one runs, a second ends at once.

    Raises:
        NotAttachedError: it has no relay.
        LibraryError: it cannot be opened.
        NotStartedError: the process did not come up.
    """
    with Library.open(library, home=home) as opened:
        if opened.status().relay is None:
            raise NotAttachedError
    registry = Registry(home)
    if not (is_running(home) and registry.has(library)):
        states.forget(registry, library)
    registry.add(library)
    _begin(registry, start, lambda: states.read(registry, library) is not None)


def _begin(registry: Registry, start: Callable[[], None], is_seen: Callable[[], bool]) -> None:
    """Start the process, and wait until it runs and has what it was started for."""
    home = registry.home
    deadline = time.monotonic() + limits.AUTOSYNC_START_S
    start()
    again_at = time.monotonic() + limits.AUTOSYNC_START_S / 3
    while not (is_seen() and is_running(home)):
        if time.monotonic() > deadline:
            raise NotStartedError(registry.folder / LOG)
        if time.monotonic() > again_at and not is_running(home):
            # It was just ending for want of libraries when this one was turned on.
            start()
            again_at = deadline
        time.sleep(_LOOK_S)


def turn_off(home: Home, library: Path) -> bool:
    """Keep a library in sync no longer, and wait until the process has let go of it.

    Returns:
        whether it was on, or served.
    """
    registry = Registry(home)
    was_on = registry.remove(library)
    was_on = registry.stop_serving(library) or was_on
    deadline = time.monotonic() + limits.AUTOSYNC_STOP_S + limits.AUTOSYNC_START_S
    while states.read(registry, library) and is_running(home) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    states.forget(registry, library)
    return was_on


def await_end(home: Home) -> bool:
    """Wait until the process has ended, once nothing is on; whether it did in time."""
    deadline = time.monotonic() + limits.AUTOSYNC_STOP_S
    while is_running(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_S)
    return True


def status(home: Home) -> AutosyncStatus:
    """How automatic sync goes; no connection is opened for it."""
    registry = Registry(home)
    running = is_running(home)
    process = (read_json(registry.folder / PROCESS) if running else None) or {}
    pid, since, restarts = (process.get(name) for name in ("pid", "since", "restarts"))
    ended_by, ended_at = process.get("ended_by"), process.get("ended_at")
    return AutosyncStatus(
        running=running,
        pid=pid if isinstance(pid, int) else None,
        since=since if isinstance(since, str) else None,
        restarts=restarts if isinstance(restarts, int) else 0,
        ended_by=f"{ended_by} at {ended_at}" if ended_by else "",
        log=registry.folder / LOG,
        libraries=tuple(
            _synced_library(registry, path, running=running) for path in registry.paths()
        ),
        serving=_serving(registry, running=running),
    )


def has_relay(home: Home, library: Path) -> bool:
    """Whether a library has a relay, with which it could be kept in sync.

    Raises:
        LibraryError: it cannot be opened.
    """
    with Library.open(library, home=home, reading=True) as opened:
        return opened.status().relay is not None


def serve(home: Home, library: Path, port: int) -> None:
    """Have the home's process serve a library, which is on, to other programs of this computer."""
    Registry(home).serve(library, port)


def serve_alone(home: Home, library: Path, port: int, start: Callable[[], None]) -> None:
    """Have the home's process serve a library that is not kept in sync, and wait until it runs.

    Raises:
        NotStartedError: the process did not come up.
    """
    registry = Registry(home)
    registry.serve(library, port)
    _begin(registry, start, lambda: True)


def stop_serving(home: Home, library: Path | None = None) -> bool:
    """Have it serve no library any more, or not this one; whether it did."""
    return Registry(home).stop_serving(library)


def _serving(registry: Registry, *, running: bool) -> BackgroundServing | None:
    wanted = registry.served()
    if wanted is None:
        return None
    problem = "The process of automatic sync is not running."
    if running:
        said = states.read_serving(registry)
        problem = "It begins in a moment." if said is None else said
    return BackgroundServing(wanted.path, wanted.port, problem)


def _synced_library(registry: Registry, path: Path, *, running: bool) -> SyncedLibrary:
    state = states.read(registry, path) or LibraryState(path, Link.STARTING)
    if not running:
        state = replace(
            state,
            link=Link.STOPPED,
            connected_since=None,
            reason="The process of automatic sync is not running.",
            next=next_step(Next.START_AUTOSYNC, path=str(path)),
        )
    try:
        with Library.open(path, home=registry.home) as opened:
            found = opened.status()
            return _described(replace(state, library=opened.id), found.name, found.unsent)
    except BifolioError:
        return _described(state, path.stem, None)


def _described(state: LibraryState, name: str, unsent: int | None) -> SyncedLibrary:
    return SyncedLibrary(
        path=state.path,
        library=state.library,
        name=name,
        link=state.link,
        connected_since=state.connected_since,
        last_sync=state.last_sync,
        unsent=unsent,
        reason=state.reason,
        next=state.next,
    )
