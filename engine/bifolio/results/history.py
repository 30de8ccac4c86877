"""What happened to references, what commands did, and what an undo did."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from bifolio.results.base import Result


class EventKind(StrEnum):
    """What one change did to a reference."""

    ADDED = "added"
    IMPORTED = "imported"
    EDITED = "edited"
    DELETED = "deleted"
    PURGED = "purged"
    UNPURGED = "unpurged"
    RESTORED = "restored"
    REVIVED = "revived"
    #: The replica does not know what was before.
    BEGINS = "begins"


class Event(Result, frozen=True):
    """One field that one change wrote, or what it did to the reference as a whole.

    ``shown`` is False for a value that lost against one written at the same time. ``source`` is
    the file's format where an import wrote it.
    """

    change: str
    at: str | None
    by: str
    what: EventKind
    field: str | None = None
    before: Any = None
    after: Any = None
    shown: bool = True
    source: str | None = None


class ActionKind(StrEnum):
    """What a command or a change did."""

    ADDED = "added"
    IMPORTED = "imported"
    UPDATED = "updated"
    EDITED = "edited"
    CHANGED = "changed"
    DELETED = "deleted"
    RESTORED = "restored"
    REVIVED = "revived"
    PURGED = "purged"
    UNPURGED = "unpurged"
    CREATED = "created"
    RENAMED = "renamed"
    MOVED = "moved"
    NAMED_LIBRARY = "named-library"
    FIRST_CHANGE = "first-change"
    CHANGED_SETTINGS = "changed-settings"
    #: A library of one's own became part of this one.
    JOINED = "joined"
    #: All that a device did in some time.
    DEVICE_CHANGES = "device-changes"
    UNDID = "undid"
    REDID = "redid"
    #: In words: a program's own, or those of an earlier version.
    TEXT = "text"


class Subject(StrEnum):
    """What an action is about."""

    REFERENCE = "reference"
    GROUP = "group"
    LIBRARY = "library"


class Action(Result, frozen=True):
    """Something that was done, as a code and its facts.

    ``count`` is of references or groups (of changes, for DEVICE_CHANGES); ``name`` what the one is
    called, where it is one, and ``new_name`` after a renaming. ``fields`` are those edited,
    ``source`` the format and ``files`` the number of files that an import read, ``actions`` what
    was undone or done again, ``text`` words of a program.
    """

    kind: ActionKind
    subject: Subject = Subject.LIBRARY
    count: int = 0
    name: str = ""
    new_name: str = ""
    fields: tuple[str, ...] = ()
    source: str | None = None
    files: int = 0
    actions: tuple[Action, ...] = ()
    text: str = ""


def in_words(text: str) -> tuple[Action, ...]:
    """What was done, in a program's own words; nothing where there are none."""
    return (Action(ActionKind.TEXT, text=text),) if text else ()


def write_actions(actions: tuple[Action, ...]) -> str:
    """Actions as text, to be stored."""
    return msgspec.json.encode(actions).decode()


def read_actions(text: str) -> tuple[Action, ...]:
    """Stored actions; words of an earlier version or of a newer one are read as they are."""
    try:
        return _decoder().decode(text)
    except msgspec.DecodeError:
        return in_words(text)


@cache
def _decoder() -> msgspec.json.Decoder[tuple[Action, ...]]:
    return msgspec.json.Decoder(tuple[Action, ...])


class LogEntry(Result, frozen=True):
    """A command of this computer (all of its ``changes`` together), or one received change."""

    id: str
    at: str | None
    by: str
    what: tuple[Action, ...]
    changes: int
    command: bool
    undone: bool


class KeptReason(StrEnum):
    """Why an undo left something as it is."""

    EDITED_SINCE = "edited-since"
    IN_CONFLICT = "in-conflict"
    IN_TRASH = "in-trash"
    OTHER_VALUE_WAS_SHOWN = "other-value-was-shown"
    DELETED_BY_OTHERS_TOO = "deleted-by-others-too"
    UNKNOWN_BEFORE = "unknown-before"


class KeptField(Result, frozen=True):
    """Something that an undo left as it is, and why; ``field`` is None for the whole record."""

    ref: str
    key: str
    field: str | None
    reason: KeptReason


class UndoneJoin(Result, frozen=True):
    """A join of which what it shared was taken back: the role that this computer still has, and the
    backup from before it (None: none was made, or it is not there any more)."""

    role: str
    backup: Path | None


class UndoReport(Result, frozen=True):
    """What an undo took back, how many references and groups it changed, and what stays as it is.
    ``id`` is the change to be undone to have it all again; ``joined`` is there where it took back
    what a join shared, which does not end the membership."""

    what: tuple[Action, ...]
    references: int
    groups: int
    kept: tuple[KeptField, ...]
    id: str | None = None
    joined: UndoneJoin | None = None


class RestoreReport(Result, frozen=True):
    """What bringing the library back to a moment did, or would do: how many references came back,
    went to the trash because they were made later, and got earlier values; how many groups changed.

    ``unknown`` counts what stays as it is because its past is not known here; ``id`` is the change
    to be undone to have it all again.
    """

    restored: int
    trashed: int
    changed: int
    groups: int
    unknown: int
    id: str | None = None
