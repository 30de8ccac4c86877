"""Files of references, as they are listed, and what was done with them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from bifolio.results.base import Result


class Policy(StrEnum):
    """Which contents a replica fetches by itself; its own files go up under each."""

    ALL = "all"
    ON_DEMAND = "on-demand"
    NONE = "none"


class FileState(StrEnum):
    """Where a file's content is, as far as this replica knows."""

    HERE = "here"
    #: Here, and the relay does not have it yet.
    NOT_SENT = "not-sent"
    #: Here, and the relay did not take it: its room is used up, or for another reason.
    NO_ROOM = "no-room"
    REFUSED = "refused"
    #: The relay has it; it was not fetched yet.
    ON_RELAY = "on-relay"
    #: It came damaged from the relay, and is asked for again later.
    DAMAGED = "damaged"
    #: The computer that attached it has not sent it yet.
    ON_OTHER_DEVICE = "on-other-device"
    #: It was imported, on a computer that nothing names any more.
    ON_IMPORTING_DEVICE = "on-importing-device"
    #: This computer attached it, and does not have it any more.
    MISSING = "missing"


class FileView(Result, frozen=True):
    """A file of a reference: who attached it when, and where its content is.

    ``ref`` is the reference's id, ``key`` its citation key as shown; ``label`` the name that
    tells it from the reference's other files. ``device`` names the computer that has it, where
    the state is ON_OTHER_DEVICE; ``refusal`` is the relay's reason, where it is REFUSED.
    """

    ref: str
    key: str
    name: str
    label: str
    size: int
    hash: str
    state: FileState
    device: str | None
    refusal: str | None
    added_by: str
    added_at: str | None


class FileText(Result, frozen=True):
    """What an attached file says. Of its ``pages`` (0 where it has none) ``pages_read`` are in the
    text: reading a PDF has bounds of time and memory."""

    text: str
    pages: int
    pages_read: int


class FilePolicy(Result, frozen=True):
    """Which contents this replica fetches by itself."""

    policy: Policy


class WrittenFile(Result, frozen=True):
    """A file that was written for another program to read."""

    file: Path


class FreedSpace(Result, frozen=True):
    """Contents that no reference names any more and that were removed, and their bytes."""

    removed: int
    bytes: int
