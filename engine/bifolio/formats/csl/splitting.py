"""A JSON text cut into what may be CSL items, each with its line.

An array is read element by element, so that a damaged file still gives what comes before the
damage. May know JSON, not what an item means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
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

#: Members of an item; an object with none of them holds items.
_ITEM_MEMBERS: Final = frozenset({"type", "title", "itemType", "data"})
#: What Crossref's service calls its answer.
_ANSWER: Final = "message"
#: What Better BibTeX's export has next to its items: collections, and how it was made.
_COLLECTIONS: Final = "collections"
_OF_THE_EXPORT: Final = frozenset({"config", "version"})
_CLOSING: Final = re.compile(r"[ \t\n\r,]*\}?")
_NO_ITEM: Final = (
    "the JSON is no reference of CSL, Crossref or Zotero; export as BibTeX or RIS there"
)
#: So much of what is no JSON is shown.
_SHOWN_CHARACTERS: Final = 40

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


@dataclass(frozen=True, slots=True)
class JsonCollections:
    """In the place of an item: the collections of an export of Zotero's, as the text has them."""

    value: Any


def split(text: str) -> Iterator[JsonItem | JsonDamage | JsonRefusal]:
    """Every element of the array, or what a top-level object holds; then of the next one, as files
    that were joined have it, or those with one object on each line."""
    at, line, counted = _end(_SPACE, text, 0), 1, 0
    found_any = False
    try:
        while at < len(text) or not found_any:
            line += text.count("\n", counted, at)
            counted = at
            begins = text[at : at + 1]
            if found_any and begins not in "[{":
                what = " ".join(text[at : at + 2 * _SHOWN_CHARACTERS].split())[:_SHOWN_CHARACTERS]
                yield JsonDamage(line, f"after the end of the JSON comes '{what}'")
                return
            found_any = True
            if begins == "[":
                at = yield from _elements(text, at + 1, line)
            elif begins == "{" and _measure(text, at)[1]:
                at = yield from _large_members(text, at + 1, line)
            else:
                value, at = _DECODER.raw_decode(text, at)
                yield from _items_of(value, line)
            at = _end(_BETWEEN, text, at)
    except RecursionError:
        yield JsonDamage(line, bounds.TOO_DEEP)
    except ValueError as error:
        yield JsonDamage(getattr(error, "lineno", line), f"the JSON is damaged ({error})")


def _whole_number(digits: str) -> int | str:
    """The number; digits that are too many for one stay as they are."""
    return int(digits) if len(digits) <= _DIGITS_MAX else digits


_DECODER: Final = json.JSONDecoder(parse_int=_whole_number)


def _elements(text: str, at: int, line: int = 1) -> Generator[JsonItem | JsonRefusal, None, int]:
    """The elements of an array from its first one on; returns where the array ends."""
    counted = at
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
    return at + 1


def _large_members(
    text: str, at: int, line: int = 1
) -> Generator[JsonItem | JsonRefusal, None, int]:
    """What an object holds that is no item itself, because it is too large for one; returns where
    it ends."""
    counted = at
    while (found := _MEMBER.match(text, at)) is not None:
        at = found.end()
        line += text.count("\n", counted, at)
        counted = at
        if text[at : at + 1] == "[":
            at = yield from _elements(text, at + 1, line)
            continue
        end, reason = _measure(text, at)
        if reason and _decoded(found.group(1)) == _ANSWER and text[at : at + 1] == "{":
            at = yield from _large_members(text, at + 1, line)
            continue
        if reason:
            yield JsonRefusal(line, reason)
            at = end
            continue
        value, at = _DECODER.raw_decode(text, at)
        name = _decoded(found.group(1))
        if name == _COLLECTIONS:
            yield JsonItem(line, JsonCollections(value))
        elif isinstance(value, dict) and name not in _OF_THE_EXPORT:
            for one in _members({name: value}):
                yield JsonItem(line, one)
    return _end(_CLOSING, text, at)


def _decoded(name: str) -> str:
    return str(_DECODER.decode(name))


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


def _items_of(value: Any, line: int) -> Iterator[JsonItem | JsonRefusal]:
    """What a whole value of the text holds; an object that holds none of it is named."""
    holds = False
    for one in _members(value):
        holds = True
        yield JsonItem(line, one)
    if value and not holds and not any(map(_is_container, value.values())):
        yield JsonRefusal(line, _NO_ITEM)


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)


def _members(stored: Any) -> Iterator[Any]:
    """The items of an object: itself, those of its lists, or its members keyed by their ids.

    What a service answers (``message``, ``message.items``) is in an envelope of its own.
    """
    if not isinstance(stored, dict) or not _ITEM_MEMBERS.isdisjoint(stored):
        yield stored
        return
    answer = stored.get(_ANSWER)
    if isinstance(answer, dict):
        yield from answer["items"] if isinstance(answer.get("items"), list) else [answer]
        return
    if isinstance(answer, list):
        yield from answer
        return
    if isinstance(items := stored.get("items"), list):
        yield from items
        if collections := stored.get(_COLLECTIONS):
            yield JsonCollections(collections)
        return
    for name, member in stored.items():
        if isinstance(member, list):
            yield from member
        elif isinstance(member, dict) and member:
            yield member if "id" in member else {"id": name, **member}


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found is not None else at
