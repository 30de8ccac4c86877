"""Canonical JSON: one text for one value, on every computer (DESIGN §6).

UTF-8, keys sorted by code point, no spaces, no floats. May not know what the values mean.
"""

from __future__ import annotations

import json
import unicodedata

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical_json(value: object) -> str:
    """The canonical text of a JSON value; a float without a fraction is written as an integer.

    Raises:
        ValueError: a float with a fraction, or a key that is no string.
    """
    return _ENCODER.encode(_plain(value))


def stored_json(text: str | None) -> object:
    """The value of a JSON text that another replica wrote; None where it cannot be read.

    It may be of a newer version, nested deeper than we can go, or hold half a character.
    """
    if text is None:
        return None
    try:
        value: object = json.loads(text)
        _ENCODER.encode(value).encode()
    except (ValueError, RecursionError):
        return None
    return value


def nfc(text: str) -> str:
    """The text in Unicode's composed form, in which all comparisons are made."""
    return unicodedata.normalize("NFC", text)


def _plain(value: object) -> object:
    """The value with whole floats as integers; exact types first, because every write asks."""
    kind = type(value)
    if kind is str or value is None or kind is int or kind is bool:
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ValueError(f"a key must be a string: {key!r}")
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError(f"no fraction may enter canonical JSON: {value!r}")
        return int(value)
    return value
