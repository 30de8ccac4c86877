"""Edits: what a user asks to be done to the fields of one reference.

Plain values between the command line (or a program) and the library. An edit carries the text as
it was given; what it becomes (a name, a date, an element of a set) is the library's to read by
the field's merge rule. May not know documents, storage or how an edit was written.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

#: Between two paragraphs of one text.
PARAGRAPH_BREAK = "\n\n"


class Act(Enum):
    """What one edit does to its field."""

    SET = "these values and no others"
    ADD = "these too: elements of a list or set, or a paragraph of a text"
    REMOVE = "without these: elements of a list or set"
    CLEAR = "nothing at all"


class Edit(Struct, frozen=True):
    """One act on one field, by the field's own name (``fields.canonical_field``).

    ``values`` are in the order given; CLEAR has none, and SET of a scalar, a date or a text has
    exactly one.
    """

    field: str
    act: Act
    values: tuple[str, ...] = ()
