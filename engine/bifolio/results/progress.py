"""What is under way, as it is told while it happens."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Stage(StrEnum):
    """What is being done."""

    RECEIVING = "receiving"
    SENDING = "sending"
    RECEIVING_FILES = "receiving-files"
    SENDING_FILES = "sending-files"
    READING = "reading"
    IMPORTING = "importing"
    WRITING = "writing"
    COPYING = "copying"
    PACKING = "packing"
    CHECKING = "checking"
    RESTORING = "restoring"
    CHECKING_RECORDS = "checking-records"
    CHECKING_FILES = "checking-files"
    READING_FILES = "reading-files"


#: Called with the stage, what is done, and of how much.
Progress = Callable[[Stage, int, int], None]

#: The same, of one of several files, which is named last.
FileProgress = Callable[[Stage, int, int, str], None]

#: The stages whose amounts are bytes.
IN_BYTES = frozenset(
    {
        Stage.COPYING,
        Stage.PACKING,
        Stage.CHECKING,
        Stage.RESTORING,
        Stage.SENDING_FILES,
        Stage.RECEIVING_FILES,
        Stage.CHECKING_FILES,
    }
)
