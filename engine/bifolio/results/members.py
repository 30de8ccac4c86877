"""Members and invites of a library, and what becomes of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from bifolio.errors import NextStep
from bifolio.results.base import Result


class MemberView(Result, frozen=True):
    """A computer that is a member. ``id`` is the beginning of its signing key in hex, by which it
    can be named; ``joined`` is null where it did not say when, ``last_heard`` where nothing that it
    wrote has come here; ``is_own`` is this computer."""

    id: str
    name: str
    role: str
    joined: str | None
    last_heard: str | None
    is_own: bool


class DeviceLibrary(Result, frozen=True):
    """A library of this computer: the role that it has there (null: no member) and since when."""

    name: str
    path: Path
    role: str | None
    since: str | None


class DeviceView(Result, frozen=True):
    """This computer: what it calls itself, the fingerprint of its signing key, and where the key is
    kept, ``file`` or ``keyring``. ``is_rotating`` while some library does not know its next key."""

    name: str
    fingerprint: str
    kept_in: str
    path: Path
    libraries: tuple[DeviceLibrary, ...]
    is_rotating: bool


class RotatedLibrary(Result, frozen=True):
    """What became of a library when this computer took new keys: ``is_done``, or the ``reason`` why
    not and the next step; both of these are null where this computer is no member."""

    name: str
    path: Path
    is_done: bool
    reason: str | None
    next: NextStep | None


class RotatedDevice(Result, frozen=True):
    """The new keys of this computer; they take the place of the old ones once every library knows
    them (``is_done``)."""

    fingerprint: str
    is_done: bool
    libraries: tuple[RotatedLibrary, ...]


class InviteState(StrEnum):
    """What a ticket is good for."""

    OPEN = "open"
    #: As many have joined as may.
    USED = "used"
    EXPIRED = "expired"
    CLOSED = "closed"


class InviteView(Result, frozen=True):
    """A ticket that an owner made, without its secret; ``uses`` and ``expires`` are null where it
    has no such end. ``joined`` names who came with it; ``is_recovery`` is a recovery code."""

    id: str
    role: str
    label: str
    by: str
    state: InviteState
    uses: int | None
    expires: str | None
    joined: tuple[str, ...]
    is_recovery: bool


class RevokedInvite(Result, frozen=True):
    """The ticket that lets nobody in any more."""

    id: str
    label: str


class ChangedMember(Result, frozen=True):
    """A member with its name and role as they are now."""

    id: str
    name: str
    role: str


class RemovedMembers(Result, frozen=True):
    """The computers that are no members any more, and how many tickets of theirs were closed."""

    removed: tuple[ChangedMember, ...]
    closed_invites: int


class LeftLibrary(Result, frozen=True):
    """The library that this computer left, whose replica stays as a library of its own."""

    library: str
    path: Path


class RecoveryCode(Result, frozen=True):
    """A recovery code; it is shown this once, and the earlier ones are good no more."""

    code: str


class EditKind(StrEnum):
    """What a draft does to a reference or a group."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


class DraftValue(Result, frozen=True):
    """A field as it is here, and as the draft's computer left it; null where it is empty."""

    field: str
    before: Any
    after: Any


class DraftEdit(Result, frozen=True):
    """What a draft does to one reference or group (``of``); ``title`` is a group's name. ``values``
    are of another computer's draft, and of what is here already."""

    id: str
    key: str
    title: str
    kind: EditKind
    values: tuple[DraftValue, ...] = ()
    of: str = "reference"


class DraftView(Result, frozen=True):
    """Edits that a computer may not send, and what that computer is called."""

    device: str
    edits: tuple[DraftEdit, ...]


class DraftFile(Result, frozen=True):
    """The file of a draft, and how many references and groups are in it."""

    file: Path
    records: int


class AcceptedDraft(Result, frozen=True):
    """Whose draft was accepted, and how many references and groups changed by it."""

    device: str
    changed: int


class DiscardedDraft(Result, frozen=True):
    """How many changes were taken back."""

    changes: int
