"""Automatic sync at a glance."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from bifolio.errors import NextStep
from bifolio.results.base import Result


class Link(StrEnum):
    """How a library is connected to its relay."""

    #: It was turned on, and nothing has been tried yet.
    STARTING = "starting"
    #: Changes go both ways as they are made.
    CONNECTED = "connected"
    #: The relay cannot be reached; it is tried again and again.
    WAITING = "waiting"
    #: Something needs its user; it is tried again, more rarely.
    TROUBLED = "troubled"
    #: It is on, and the process does not run.
    STOPPED = "stopped"


class SyncedLibrary(Result, frozen=True):
    """A library that is kept in sync: its link to the relay, the reason where there is none, and
    how many changes are not sent yet (None where it cannot be opened)."""

    path: Path
    library: str
    name: str
    link: Link
    connected_since: str | None
    last_sync: str | None
    unsent: int | None
    reason: str
    next: NextStep | None


class BackgroundServing(Result, frozen=True):
    """A library that the process serves to other programs of this computer: on which port, and why
    not where it cannot now."""

    path: Path
    port: int
    problem: str


class AutosyncStatus(Result, frozen=True):
    """Whether the process runs, and each library that is on.

    ``restarts`` is how often it was begun again because something ended it, ``ended_by`` what did
    so last, and when.
    """

    running: bool
    pid: int | None
    since: str | None
    restarts: int
    ended_by: str
    log: Path
    libraries: tuple[SyncedLibrary, ...]
    serving: BackgroundServing | None
