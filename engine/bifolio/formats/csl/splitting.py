"""A JSON text cut into what may be CSL items, each with its line.

An array is read element by element, so that a damaged file still gives what comes before the
damage. May know JSON, not what an item means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bifolio import limits
from bifolio.formats import bounds

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_BETWEEN: Final = re.compile(r"[ \t\n\r]*(?:,[ \t\n\r]*)?")
#: Up to the next bracket, passing over texts; and what begins a value or a member inside.
_TO_BRACKET: Final = re.compile(
    r'[^"\[\]{}]*+(?:"(?:[^"\\]++|\\.)*+"[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL
)
_PART: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|([,\[{])', re.DOTALL)
_TO_COMMA: Final = re.compile(r'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_MEMBER: Final = re.compile(r'[ \t\n\r,]*+("(?:[^"\\]++|\\.)*+")[ \t\n\r]*+:[ \t\n\r]*+', re.DOTALL)

#: Shorter texts hold too little to be looked at before they are read.
_SMALL_CHARACTERS: Final = 256 * 1024

#: The text of an item as JSON: its characters may be written with six each.
_ITEM_CHARACTERS_MAX: Final = 2 * limits.IMPORT_RECORD_CHARACTERS_MAX

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


@dataclass(frozen=True, slots=True)
class JsonRefusal:
    """An element that holds more than a record may: it was passed over."""

    line: int
    reason: str


def split(text: str) -> Iterator[JsonItem | JsonDamage | JsonRefusal]:
    """Every element of the array, or what a top-level object holds."""
    start = _end(_SPACE, text, 0)
    try:
        if text[start : start + 1] == "[":
            yield from _elements(text, start + 1)
        elif text[start : start + 1] == "{" and _measure(text, start)[1]:
            yield from _large_members(text, start + 1)
        else:
            for value in _members(_DECODER.decode(text)):
                yield JsonItem(1, value)
    except RecursionError:
        yield JsonDamage(1, bounds.TOO_DEEP)
    except ValueError as error:
        yield JsonDamage(getattr(error, "lineno", 1), f"the JSON is damaged ({error})")


def _whole_number(digits: str) -> int | str:
    """The number; digits that are too many for one stay as they are."""
    return int(digits) if len(digits) <= _DIGITS_MAX else digits


_DECODER: Final = json.JSONDecoder(parse_int=_whole_number)


def _elements(text: str, at: int, line: int = 1) -> Iterator[JsonItem | JsonRefusal]:
    """The elements of an array from its first one on."""
    counted = at if line > 1 else 0
    at = _end(_SPACE, text, at)
    while text[at : at + 1] != "]":
        line += text.count("\n", counted, at)
        counted = at
        end, reason = _measure(text, at)
        if reason:
            yield JsonRefusal(line, reason)
        else:
            value, end = _DECODER.raw_decode(text, at)
            yield JsonItem(line, value)
        at = _end(_BETWEEN, text, end)


def _large_members(text: str, at: int) -> Iterator[JsonItem | JsonRefusal]:
    """What an object holds that is no item itself, because it is too large for one."""
    line, counted = 1, 0
    while (found := _MEMBER.match(text, at)) is not None:
        at = found.end()
        line += text.count("\n", counted, at)
        counted = at
        if text[at : at + 1] == "[":
            yield from _elements(text, at + 1, line)
            at = _skip(text, at)
            continue
        end, reason = _measure(text, at)
        if reason:
            yield JsonRefusal(line, reason)
            at = end
            continue
        value, at = _DECODER.raw_decode(text, at)
        name = _DECODER.decode(found.group(1))
        for one in _members({name: value}) if isinstance(value, dict) else ():
            yield JsonItem(line, one)


def _measure(text: str, at: int) -> tuple[int, str]:
    """(where the value that begins here ends, why it is not read), before an object is made of
    it; the reason is empty, and the end of no meaning, for what is to be read."""
    if len(text) - at <= _SMALL_CHARACTERS and text[at : at + 1] not in "[{":
        return at, ""
    end, depth = _extent(text, at)
    if depth > limits.IMPORT_JSON_DEPTH_MAX:
        return end, bounds.TOO_DEEP
    if end - at <= _SMALL_CHARACTERS:
        return end, ""
    if end - at > _ITEM_CHARACTERS_MAX:
        return end, bounds.TOO_LONG
    parts = 0
    for found in _PART.finditer(text, at, end):
        parts += found.group(1) is not None
        if parts > limits.IMPORT_RECORD_PARTS_MAX:
            return end, bounds.TOO_MANY
    return end, ""


def _extent(text: str, at: int) -> tuple[int, int]:
    """(end, depth) of the value that begins here.

    Raises:
        ValueError, RecursionError: it is not closed, and what there is of it is no use.
    """
    start = at
    depth = deepest = 0
    if text[at : at + 1] not in "[{":
        return _end(_TO_COMMA, text, at), 0
    while (found := _TO_BRACKET.match(text, at)) is not None:
        at = found.end()
        if found.group(1) in "[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
            if depth == 0:
                return at, deepest
    if deepest > limits.IMPORT_JSON_DEPTH_MAX:
        raise RecursionError
    if len(text) - start > _SMALL_CHARACTERS:
        raise ValueError("a list or an object is not closed")
    return len(text), deepest


def _skip(text: str, at: int) -> int:
    return _extent(text, at)[0]


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
