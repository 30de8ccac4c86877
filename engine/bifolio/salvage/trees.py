"""The rows of tables and the entries of indexes, read page by page.

What cannot be read is counted and left out. Where an inner page is damaged, the pages below it are
found among those that nobody names, by the number of their columns.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bifolio.salvage.pages import HEADER_BYTES, Pages

Value = int | float | str | bytes | None

_INNER_TABLE, _LEAF_TABLE, _INNER_INDEX, _LEAF_INDEX = 5, 13, 2, 10
_INNER = (_INNER_TABLE, _INNER_INDEX)

#: Sizes of the serial types 0 to 9; 10 and 11 are in no file.
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
_DEPTH_MAX = 20


class Row(NamedTuple):
    """A row of a table, or an entry of an index, which has no number of its own."""

    number: int
    values: tuple[Value, ...]


class Part(NamedTuple):
    """A part of the schema: a table or an index, and the page at which its tree begins."""

    kind: str
    name: str
    table: str
    root: int


@dataclass(slots=True)
class Found:
    """What was read of one tree; ``lost`` counts pages and cells that could not be."""

    rows: list[Row] = field(default_factory=list)
    lost: int = 0


class Trees:
    """The trees of one file."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._seen: set[int] = set()

    def schema(self) -> list[Part]:
        """The parts of the schema, as far as it can be read."""
        parts = []
        for row in self.read(1).rows:
            kind, name, table, root = row.values[:4] if len(row.values) >= 4 else (None,) * 4
            if isinstance(kind, str) and isinstance(name, str) and isinstance(root, int):
                parts.append(Part(kind, name, table if isinstance(table, str) else name, root))
        return parts

    def read(self, root: int) -> Found:
        """All of the tree that begins at a page."""
        found = Found()
        found.rows.extend(self._walk(root, found, 0))
        return found

    def strays(self) -> Iterator[tuple[bool, list[Row]]]:
        """The rows of pages that no tree read so far led to: whether they are of a table with row
        numbers, and the rows."""
        free = self._pages.free()
        for number in range(2, self._pages.count + 1):
            if number in self._seen or number in free:
                continue
            page = self._pages.read(number)
            if page[:1] in (bytes([_LEAF_TABLE]), bytes([_LEAF_INDEX])):
                found = Found()
                rows = list(self._cells(number, page, found))
                if rows:
                    yield page[0] == _LEAF_TABLE, rows

    # --- pages ------------------------------------------------------------------------------

    def _walk(self, number: int, found: Found, depth: int) -> Iterator[Row]:
        page = self._pages.read(number)
        start = HEADER_BYTES if number == 1 else 0
        kind = page[start] if page else 0
        leaf_or_inner = kind in (_INNER_TABLE, _LEAF_TABLE, _INNER_INDEX, _LEAF_INDEX)
        if number in self._seen or depth > _DEPTH_MAX or not leaf_or_inner:
            found.lost += 1
            return
        self._seen.add(number)
        if kind not in _INNER:
            yield from self._cells(number, page, found)
            return
        for at in self._cell_places(page, start, found):
            child = int.from_bytes(page[at : at + 4], "big")
            yield from self._walk(child, found, depth + 1)
            if kind == _INNER_INDEX and (row := self._cell(page, at, kind)) is not None:
                yield row
        yield from self._walk(int.from_bytes(page[start + 8 : start + 12], "big"), found, depth + 1)

    def _cells(self, number: int, page: bytes, found: Found) -> Iterator[Row]:
        start = HEADER_BYTES if number == 1 else 0
        for at in self._cell_places(page, start, found):
            row = self._cell(page, at, page[start])
            if row is None:
                found.lost += 1
            else:
                yield row

    def _cell_places(self, page: bytes, start: int, found: Found) -> list[int]:
        header = 12 if page[start] in _INNER else 8
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        first = start + header
        if first + 2 * count > len(page):
            found.lost += 1
            count = 0
        places = struct.unpack(f">{count}H", page[first : first + 2 * count])
        good = [at for at in places if first + 2 * count <= at < len(page)]
        found.lost += len(places) - len(good)
        return good

    # --- cells ------------------------------------------------------------------------------

    def _cell(self, page: bytes, at: int, kind: int) -> Row | None:
        try:
            if kind == _INNER_INDEX:
                at += 4
            size, at = _varint(page, at)
            number = 0
            if kind == _LEAF_TABLE:
                number, at = _varint(page, at)
                number -= (number >> 63) << 64
            payload = self._payload(page, at, size, is_table=kind == _LEAF_TABLE)
            return Row(number, _record(payload))
        except (IndexError, ValueError, struct.error):
            return None

    def _payload(self, page: bytes, at: int, size: int, *, is_table: bool) -> bytes:
        usable = self._pages.page_bytes - self._pages.header()[20]
        if not 480 <= usable <= self._pages.page_bytes:
            usable = self._pages.page_bytes
        most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return _exactly(page[at : at + size], size)
        if size > self._pages.count * self._pages.page_bytes:
            raise ValueError("longer than the file")
        least = (usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (usable - 4)
        local = local if local <= most else least
        parts = [_exactly(page[at : at + local], local)]
        left, following = size - local, int.from_bytes(page[at + local : at + local + 4], "big")
        passed = set()
        while left:
            if following in passed or not (over := self._pages.read(following)):
                raise ValueError("its rest is not there")
            passed.add(following)
            piece = over[4 : 4 + min(left, usable - 4)]
            parts.append(piece)
            left -= len(piece)
            following = int.from_bytes(over[:4], "big")
        self._seen |= passed
        return b"".join(parts)


def _record(payload: bytes) -> tuple[Value, ...]:
    header, at = _varint(payload, 0)
    if header > len(payload):
        raise ValueError("its header is longer than it is")
    types = []
    while at < header:
        one, at = _varint(payload, at)
        types.append(one)
    values: list[Value] = []
    at = header
    for one in types:
        if one in (10, 11):
            raise ValueError("a type that there is not")
        size = _SIZES[one] if one < len(_SIZES) else (one - 12) // 2
        values.append(_value(one, _exactly(payload[at : at + size], size)))
        at += size
    if at != len(payload):
        raise ValueError("its length does not agree with its types")
    return tuple(values)


def _value(kind: int, raw: bytes) -> Value:
    if kind == 0:
        return None
    if kind == 7:
        number: float = struct.unpack(">d", raw)[0]
        return number
    if kind in (8, 9):
        return kind - 8
    if kind < 7:
        return int.from_bytes(raw, "big", signed=True)
    return raw.decode(errors="replace") if kind % 2 else raw


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(8):
        byte = raw[at + count]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    return value << 8 | raw[at + 8], at + 9


def _exactly(raw: bytes, size: int) -> bytes:
    if len(raw) != size:
        raise ValueError("cut off")
    return raw
