"""The update of a record that holds one plan and nothing else, written here and not by pycrdt.

An import makes one for each new reference, and its bytes name it (``content_names``), so that
these are the bytes that pycrdt gives for the same plan: a test says so. A document with a
transaction, and a call for each key, takes three times as long.
"""

from __future__ import annotations

from typing import Final

from bifolio.document.plan import Plan
from bifolio.document.update_structure import ANY, STRING, TEXT, TYPE, encode_number

#: The flag of an entry that says its key, and the record's map as its parent.
_HAS_KEY: Final = 0x20
_ROOT: Final = b"\x01\x01r"
_PLAIN: Final = bytes([_HAS_KEY | ANY]) + _ROOT
_TEXT: Final = bytes([_HAS_KEY | TYPE]) + _ROOT
_OF_TEXT: Final = bytes([TEXT])
#: A piece of a text, whose parent is named by its id.
_PIECE: Final = bytes([STRING, 0])

#: One plain value: a list of two, of which the first one is a string; and what the other one is.
_PAIR: Final = b"\x01\x75\x02\x77"
_STRING: Final = b"\x77"
_NULL: Final = b"\x7e"

#: A client id, how many structs, and their first clock; and that nothing is deleted.
_ONE_CLIENT: Final = b"\x01"
_FROM_THE_FIRST: Final = b"\x00"
_NOTHING_DELETED: Final = b"\x00"

_SHORT: Final = 0x80
_LENGTHS: Final = [bytes([length]) for length in range(_SHORT)]


def encode_new(plan: Plan, *, client_id: int) -> bytes:
    """The state of a new record to which this plan was carried out, under this client id."""
    parts: list[bytes] = []
    append, puts, stamps = parts.append, plan.puts, plan.stamps
    clock = 0
    stamp = _PAIR + _string(plan.writer.stamp)
    for key in sorted((*puts, *plan.new_texts)):
        named = key.encode()
        size = len(named)
        named = (_LENGTHS[size] if size < _SHORT else encode_number(size)) + named
        if key in puts:
            at = stamp if key not in stamps else _PAIR + _string(stamps[key])
            value = puts[key]
            append(_PLAIN + named + at + (_NULL if value is None else _STRING + _string(value)))
        else:
            text = plan.new_texts[key]
            append(_TEXT + named + _OF_TEXT)
            if text:
                append(_PIECE + encode_number(client_id) + encode_number(clock) + _string(text))
                clock += _units(text)
        clock += 1
    if not parts:
        return b"\x00" + _NOTHING_DELETED
    begin = _ONE_CLIENT + encode_number(len(parts)) + encode_number(client_id) + _FROM_THE_FIRST
    return begin + b"".join(parts) + _NOTHING_DELETED


def _string(text: str) -> bytes:
    raw = text.encode()
    length = len(raw)
    return (_LENGTHS[length] if length < _SHORT else encode_number(length)) + raw


def _units(text: str) -> int:
    """How many UTF-16 units a text has: by these clocks are counted."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
