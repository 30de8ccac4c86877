"""The libraries of one computer at a glance, and all of them in sync."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from bifolio.errors import NextStep
from bifolio.results.base import Result
from bifolio.results.reports import SyncReport


class LibraryState(StrEnum):
    """How a library is, as its last sync left it."""

    #: On no relay.
    HERE_ONLY = "here-only"
    SYNCED = "synced"
    UNSENT = "unsent"
    NOT_REACHED = "not-reached"
    NO_MEMBER = "no-member"
    #: It cannot be opened, or its disk is away.
    FAULT = "fault"


class LibraryView(Result, frozen=True):
    """A library of this computer; ``role`` is null where that is not known or this computer is no
    member, ``fault`` says why one cannot be opened, ``known_relay`` is where the library is by its
    members' list, if this computer is not there."""

    library_id: str
    name: str
    path: Path
    role: str | None
    relay: str | None
    state: LibraryState
    unsent: int
    fault: str | None
    known_relay: str | None = None


class SyncedView(Result, frozen=True):
    """A library that was synced, or why it was not."""

    name: str
    path: Path
    report: SyncReport | None
    reason: str | None
    next: NextStep | None


class DetachedLibrary(Result, frozen=True):
    """The library that is on no relay any more, and the address that it had."""

    library: str
    path: Path
    relay: str
