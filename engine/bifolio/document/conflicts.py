"""Conflicts: a field with more than one live value, as it is listed.

Plain values. Who finds them are the kinds of fields (``kinds``) and the trash (``view``); who
settles them are the kinds again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

#: Separates a role from an element's id in the name of a conflict about one creator's name.
ELEMENT_MARK = ":"

#: The name of the conflict about a reference that an unseen edit brought back.
DELETED = "deleted"


class ConflictKind(StrEnum):
    """What a conflict is about."""

    VALUE = "value"
    TEXT = "text"
    LIST = "list"
    REVIVED = "revived"


class ConflictValue(Struct, frozen=True):
    """One of the values: as JSON, and who wrote it when."""

    value: Any
    stamp: str
    slot: str


class FieldConflict(Struct, frozen=True):
    """A field with more than one live value; the first is shown."""

    field: str
    kind: ConflictKind
    values: tuple[ConflictValue, ...]
