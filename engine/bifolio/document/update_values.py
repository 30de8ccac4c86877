"""The bytes of an update: numbers, strings and plain values in lib0's encoding.

Everything is bounded by the bytes that are there; plain values are walked through with a list of
what is open, never by recursion. Only strings are kept, because only they are asked for.
"""

from __future__ import annotations

import struct
from typing import Final

from bifolio import limits
from bifolio.errors import DocumentError

_UNDEFINED: Final = 127
_NULL: Final = 126
_INTEGER: Final = 125
_FLOAT32: Final = 124
_FLOAT64: Final = 123
_BIGINT: Final = 122
_FALSE: Final = 121
_TRUE: Final = 120
_STRING: Final = 119
_MAP: Final = 118
_ARRAY: Final = 117

_FLOATS = {_FLOAT32: struct.Struct(">f"), _FLOAT64: struct.Struct(">d")}
_BIGINT_BYTES = 8
#: One value in the list of one struct, and that one a list of two strings or a string and null.
_PAIR = b"\x01\x75\x02\x77"
_SHORT = 0x80

STRING_ALONE: Final = "a value in an update is a string alone, as only texts are"


class UpdateBytes:
    """Bytes that are read from the front. What is wrong is a ``DocumentError``."""

    __slots__ = ("at", "is_own", "members", "raw")

    def __init__(self, raw: bytes, *, is_own: bool = False) -> None:
        self.raw = raw
        #: Whether this computer wrote them: many updates together hold more than one may.
        self.is_own = is_own
        self.at = 0
        #: Members of lists and maps that were read so far, without those of ``[stamp, value]``.
        self.members = 0

    def byte(self) -> int:
        """The next byte."""
        at = self.at
        if at >= len(self.raw):
            raise DocumentError("an update ends too early")
        self.at = at + 1
        return self.raw[at]

    def number(self, end: int) -> int:
        """A number below ``end``, in the shortest form that it has."""
        raw, at = self.raw, self.at
        number = shift = 0
        while at < len(raw):
            byte = raw[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < _SHORT:
                if number >= end or (not byte and shift):
                    raise DocumentError("a number in an update is too large, or written too long")
                self.at = at
                return number
            shift += 7
            if shift > 63:
                raise DocumentError("a number in an update is too large")
        raise DocumentError("an update ends too early")

    def count(self, size: int) -> int:
        """How many things of at least ``size`` bytes follow; so many bytes are there."""
        number = self.number(1 << 53)
        if number * size > len(self.raw) - self.at:
            raise DocumentError("an update ends too early")
        return number

    def string(self) -> str:
        """A string in UTF-8."""
        raw, at = self.raw, self.at
        if at < len(raw) and (length := raw[at]) < _SHORT:
            at += 1
        else:
            length = self.number(1 << 53)
            at = self.at
        end = at + length
        if end > len(raw):
            raise DocumentError("an update ends too early")
        self.at = end
        try:
            return raw[at:end].decode()
        except UnicodeDecodeError:
            raise DocumentError("a text in an update is not in UTF-8") from None

    def string_and_pair(self) -> str:
        """A string, and the value after it: ``string`` and ``value``, of short ones in one go."""
        raw, at = self.raw, self.at
        try:
            key_end = at + 1 + raw[at]
            if raw.startswith(_PAIR, key_end):
                stamp_end = key_end + 5 + raw[key_end + 4]
                end = stamp_end + 1
                if raw[stamp_end] == _STRING:
                    end += 1 + raw[end]
                # No byte of a longer character is below 0x80, as each length in between has to
                # be: all of it is UTF-8 if each part is.
                if (
                    raw[at] < _SHORT
                    and raw[key_end + 4] < _SHORT
                    and (raw[stamp_end] == _NULL or raw[stamp_end + 1] < _SHORT)
                    and raw[stamp_end] in (_STRING, _NULL)
                    and end <= len(raw)
                ):
                    raw[key_end:end].decode()
                    self.at = end
                    return raw[at + 1 : key_end].decode()
        except (IndexError, UnicodeDecodeError):
            pass  # read again, part by part, which says what is wrong
        key = self.string()
        if self.value():
            raise DocumentError(STRING_ALONE)
        return key

    def value(self) -> bool:
        """The one plain value of a struct; whether it is a string alone."""
        raw = self.raw
        if raw.startswith(_PAIR, self.at):
            begin = self.at
            self.at = begin + len(_PAIR)
            self.string()
            kind = self.byte()
            if kind == _STRING:
                self.string()
                return False
            if kind == _NULL:
                return False
            self.at = begin
        if self.byte() != 1:
            raise DocumentError("a part of an update has several values")
        is_string = self.at < len(raw) and raw[self.at] == _STRING
        self._walk()
        return is_string

    def values(self) -> int:
        """The plain values of a piece of a list; how many they are."""
        number = self.count(1)
        if not number:
            raise DocumentError("an update has an empty part")
        self._count_members(number)
        for _ in range(number):
            self._walk()
        return number

    def _count_members(self, number: int) -> None:
        self.members += number
        if self.members > limits.VALUE_MEMBERS_MAX and not self.is_own:
            raise DocumentError("the values in an update have more members than any needs")

    def _walk(self) -> None:
        """Walk through one plain value."""
        #: For each open list or map, how many members are left; of a map, its keys so far.
        left: list[int] = [1]
        keys: list[set[str] | None] = [None]
        while left:
            if not left[-1]:
                left.pop()
                keys.pop()
                continue
            left[-1] -= 1
            held = keys[-1]
            if held is not None:
                key = self.string()
                if key in held:
                    raise DocumentError("a value in an update has one key twice")
                held.add(key)
            kind = self.byte()
            if kind in (_ARRAY, _MAP):
                count = self.count(1 if kind == _ARRAY else 2)
                self._count_members(count)
                if len(left) > limits.VALUE_DEPTH_MAX:
                    raise DocumentError("a value in an update is nested too deep")
                left.append(count)
                keys.append(set() if kind == _MAP else None)
            else:
                self._read_scalar(kind)

    def _read_scalar(self, kind: int) -> None:
        if kind in (_NULL, _TRUE, _FALSE):
            return
        if kind == _STRING:
            self.string()
        elif kind in _FLOATS:
            layout = _FLOATS[kind]
            (number,) = layout.unpack(self._take(layout.size))
            # False for what is no number, too.
            if not -limits.VALUE_NUMBER_MAX < number < limits.VALUE_NUMBER_MAX:
                raise DocumentError("a number in a value of an update is too large, or none")
        elif kind == _BIGINT:
            self._take(_BIGINT_BYTES)
        elif kind == _INTEGER:
            self._read_integer()
        else:
            raise DocumentError(f"an update has a value of the kind {kind}, which no record has")

    def _read_integer(self) -> None:
        """A number with a sign in the first byte, of at most 53 bits."""
        byte = self.byte()
        number, shift = byte & 0x3F, 6
        while byte >= _SHORT:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if number >= 1 << 53 or shift > 63:
                raise DocumentError("a number in a value of an update is too large")

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.raw):
            raise DocumentError("an update ends too early")
        taken = self.raw[self.at : end]
        self.at = end
        return taken
