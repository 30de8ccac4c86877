"""A JSON text cut into what may be CSL items, each with its line.

An array is read element by element, so that a damaged file still gives what stands before the
damage. May know JSON, not what an item means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_BETWEEN: Final = re.compile(r"[ \t\n\r]*(?:,[ \t\n\r]*)?")
#: A whole number of more digits is none, and costs time by their square to read.
_DIGITS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class JsonItem:
    """One element; its value is of any JSON type."""

    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class JsonDamage:
    """Where the text stops being JSON: nothing after it was read."""

    line: int
    reason: str


def split(text: str) -> Iterator[JsonItem | JsonDamage]:
    """Every element of the array, or what a top-level object holds."""
    start = _end(_SPACE, text, 0)
    try:
        if text[start : start + 1] == "[":
            yield from _elements(text, start + 1)
        else:
            for value in _members(_DECODER.decode(text)):
                yield JsonItem(1, value)
    except RecursionError:
        yield JsonDamage(1, "the JSON is nested too deeply")
    except ValueError as error:
        yield JsonDamage(getattr(error, "lineno", 1), f"the JSON is damaged ({error})")


def _whole_number(digits: str) -> int | str:
    """The number; digits that are too many for one stay as they are."""
    return int(digits) if len(digits) <= _DIGITS_MAX else digits


_DECODER: Final = json.JSONDecoder(parse_int=_whole_number)


def _elements(text: str, at: int) -> Iterator[JsonItem]:
    line, counted = 1, 0
    at = _end(_SPACE, text, at)
    while text[at : at + 1] != "]":
        line += text.count("\n", counted, at)
        counted = at
        value, end = _DECODER.raw_decode(text, at)
        yield JsonItem(line, value)
        at = _end(_BETWEEN, text, end)


def _members(stored: Any) -> Iterator[Any]:
    """The items of an object: itself, those of its lists, or its members keyed by their ids."""
    if not isinstance(stored, dict) or "type" in stored or "title" in stored:
        yield stored
        return
    for name, member in stored.items():
        if isinstance(member, list):
            yield from member
        elif isinstance(member, dict) and member:
            yield member if "id" in member else {"id": name, **member}


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found is not None else at
