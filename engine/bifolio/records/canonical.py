"""Canonical JSON: one text for one value, on every computer (DESIGN §6).

UTF-8, keys sorted by code point, no spaces, no floats. May not know what the values mean.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

_Read = TypeVar("_Read")

_FAST = msgspec.json.Encoder(order="deterministic")

#: Reads what ``json.loads`` reads to the same value, in a third of the time, or refuses it.
_READ_FAST = msgspec.json.Decoder().decode
#: Reads a map of texts and of lists of texts, as a record's is; what else ``json.loads`` reads is
#: refused.
_READ_TEXTS = msgspec.json.Decoder(dict[str, str | list[str | None]]).decode

#: Writes the same text in seven times the time, and what the other one refuses too: halves of
#: characters.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


#: The JSON object of a Struct, without the members that have their default.
to_object: Callable[[msgspec.Struct], dict[str, Any]] = msgspec.to_builtins

#: So many brackets can be nested one in another that Python's recursion is far from its end.
_BRACKETS_SHALLOW = 100


def canonical_json(value: object) -> str:
    """The canonical text of a JSON value; a float without a fraction is written as an integer.

    Raises:
        ValueError: a float with a fraction, or a key that is no string.
    """
    return exact_json(plain(value))


def exact_json(value: object) -> str:
    """``canonical_json`` of what its types show to hold neither floats nor other keys than
    strings: not walked through in search of them, which takes four times as long."""
    try:
        return _FAST.encode(value).decode()
    except (UnicodeEncodeError, TypeError):
        return _ENCODER.encode(value)


def stored_json(text: str | None) -> object:
    """The value of a JSON text that another replica wrote; None where it cannot be read.

    It may be of a newer version, nested deeper than we can go, or hold half a character.
    """
    if text is None:
        return None
    if is_shallow := _is_shallow(text):
        try:
            return _READ_FAST(text)
        except (msgspec.MsgspecError, ValueError):
            pass  # nearly always what the other one refuses too; it also reads NaN and 1e400
    try:
        value: object = json.loads(text)
        if not is_shallow:
            _ENCODER.encode(value).encode()
    except (ValueError, RecursionError):
        return None
    return value


def read_json(text: str) -> Any:
    """The value of a JSON text, as ``json.loads`` reads it, in a third of the time.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return _READ_FAST(text)
    except (msgspec.MsgspecError, ValueError):
        return json.loads(text)


def reader_of(form: type[_Read]) -> Callable[[str], _Read]:
    """What reads a JSON text of just this form, and refuses every other with a ValueError."""
    return msgspec.json.Decoder(form).decode


def read_stored(text: str | None, read: Callable[[str], _Read]) -> _Read | None:
    """``stored_json`` of a text that nearly always has one form, read into that at once.

    Args:
        read: what ``reader_of`` gave.

    Returns:
        None where it is of another form: ``stored_json`` tells what it says then.
    """
    if text is None or not _is_shallow(text):
        return None
    try:
        return read(text)
    except (msgspec.MsgspecError, ValueError):
        return None


def read_map(text: str) -> Mapping[str, object]:
    """The JSON object in a text, as ``json.loads`` reads it; one of texts in a third of the time.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return _READ_TEXTS(text)
    except (msgspec.MsgspecError, ValueError):
        content: dict[str, object] = json.loads(text)
        return content


def nfc(text: str) -> str:
    """The text in Unicode's composed form, in which all comparisons are made."""
    return unicodedata.normalize("NFC", text)


def plain(value: object) -> object:
    """The value with whole floats as integers; exact types first, because every write asks.

    Raises:
        ValueError: a float with a fraction, or a key that is no string.
    """
    kind = type(value)
    if kind is str or value is None or kind is int or kind is bool:
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ValueError(f"a key must be a string: {key!r}")
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError(f"no fraction may enter canonical JSON: {value!r}")
        return int(value)
    return value


def _is_shallow(text: str) -> bool:
    """Whether a JSON text is surely shallow and without half characters, so that its value can
    be written again: no escape that could make one, and few brackets."""
    if "\\ud" in text or "\\uD" in text:
        return False
    # A text that is shorter has fewer of them.
    if len(text) >= _BRACKETS_SHALLOW and text.count("[") + text.count("{") >= _BRACKETS_SHALLOW:
        return False
    return _is_encodable(text)


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
