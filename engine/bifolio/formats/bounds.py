"""How much one record of a file may hold, and what is said of one that holds more.

A record is looked at while it is cut out of the text, before an object is made of each line, field
or element: a file of 48 MB that is one record would otherwise become gigabytes. What is too large
for a library anyway is skipped by name, and the rest of the file goes on. May not know any format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bifolio import limits

TOO_LONG: Final = (
    f"the record has more than {limits.IMPORT_RECORD_CHARACTERS_MAX:,} characters; one change may "
    f"have {limits.RECORD_UPDATE_BYTES_MAX:,} bytes"
)
TOO_MANY: Final = (
    f"the record has more than {limits.IMPORT_RECORD_VALUES_MAX:,} fields, names and other values"
)
TOO_DEEP: Final = "the record is nested too deeply"

#: Texts between records, and blocks, that are more than a library keeps.
OUTSIDE_LEFT_OUT: Final = (
    "the text outside of the records, or the blocks that are no records, are too long or too many; "
    "the rest of them was left out"
)


def reason_against(tags: Iterable[tuple[str, str]]) -> str:
    """Why a record of these tags is not taken; empty where nothing is against it."""
    values = characters = 0
    for tag, raw in tags:
        values += 1
        characters += len(tag) + len(raw)
    if values > limits.IMPORT_RECORD_VALUES_MAX:
        return TOO_MANY
    return TOO_LONG if characters > limits.IMPORT_RECORD_CHARACTERS_MAX else ""


def split_list(pattern: re.Pattern[str], text: str) -> list[str]:
    """The parts of a list; of one that is too long not all are parted, which its reader sees."""
    return pattern.split(text, maxsplit=limits.IMPORT_RECORD_VALUES_MAX + 1)


class OutsideTexts:
    """The texts of a file that are in no record, as far as a library keeps them."""

    def __init__(self, *, most: int = limits.IMPORT_BLOCKS_MAX) -> None:
        """Args: most: how many are kept."""
        self.texts: list[str] = []
        self.is_cut = False
        self._most = most
        self._characters = 0

    def add(self, text: str) -> bool:
        """Keep a text; whether there was room for it."""
        self._characters += len(text)
        if len(self.texts) >= self._most or self._characters > limits.IMPORT_RECORD_CHARACTERS_MAX:
            self.is_cut = True
            self._characters -= len(text)
            return False
        self.texts.append(text)
        return True
