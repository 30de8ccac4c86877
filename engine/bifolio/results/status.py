"""A replica at a glance."""

from __future__ import annotations

from pathlib import Path

from bifolio.errors import NextStep
from bifolio.results.base import Result
from bifolio.results.bundles import BundleState, KnownRelay


class Notice(Result, frozen=True):
    """Something that the user should know, and what to do about it."""

    message: str
    next: NextStep | None = None


class Refusal(Result, frozen=True):
    """Something that was refused or quarantined: a plain reason and the next step."""

    reason: str
    next: NextStep | None


class RelayMoved(Result, frozen=True):
    """From which relay the library moved, whose computer said so, and when this one followed."""

    url: str
    by: str
    at: str | None


class RelayStatus(Result, frozen=True):
    """The relay as the last attempt found it; ``moved`` if the library was on another one.
    It was not asked yet (``was_asked``) where the library came by a bundle."""

    url: str
    reachable: bool
    last_sync: str | None
    moved: RelayMoved | None = None
    was_asked: bool = True


class HeardDevice(Result, frozen=True):
    """When the newest change of another computer was made that has arrived here."""

    device: str
    at: str | None


class SharingState(Result, frozen=True):
    """What this computer is in the library: its role (null: no member), how many members and
    owners there are, and whether a recovery code is good."""

    role: str | None
    members: int
    owners: int
    has_recovery: bool


class Status(Result, frozen=True):
    """A replica at a glance; no connection is opened for it.

    ``shown_on`` counts the references that others deleted, most of the library, and that are shown
    here, among ``references``, until that is confirmed; ``bundles`` is null where none was written
    or taken in. ``known_relay`` is where the library is by the members' list, if this computer is
    not there. ``sharing`` is null where the members are not known yet; ``advice`` says what would
    be wise to do, and that nothing is wrong.
    """

    library_id: str
    name: str
    replica_id: str
    path: Path
    references: int
    trashed: int
    shown_on: int
    unsent: int
    unsent_files: int
    waiting: int
    relay: RelayStatus | None
    bundles: BundleState | None
    heard: tuple[HeardDevice, ...]
    refusals: tuple[Refusal, ...]
    sharing: SharingState | None
    advice: tuple[Notice, ...]
    conflicts: int
    shared_keys: int
    state: str
    known_relay: KnownRelay | None = None
