"""Other inputs made of seeds. Each mutation draws from a ``Random``, so that a seed repeats it."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import msgpack

#: ``(draw, input, seeds)`` to another input.
Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]

_NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1)
_BYTES = (
    b"",
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff" * 9 + b"\x01",
    b"\xff\xff\xff\xff\x0f",
    b"\xdd\xff\xff\xff\xff",
    b"\xc6\x7f\xff\xff\xff",
    b"\x91" * 3000,
    b"\x81\xa0" * 3000,
    b"\x75\x01" * 3000,
    b"A" * 70,
)
_TEXTS = (
    "",
    "\0",
    "\x1f",
    "\u2028",
    "\x85",
    "\r",
    "\ufeff",
    "\u202e",
    "\U0001f469\u200d\U0001f52c",
    "e\u0301",
    "0" * 400,
    "9" * 5000,
    "-1",
    "1e999",
    "NaN",
    "[" * 2000,
    "{" * 2000,
    "}" * 50,
    "\\" * 500,
    "$" * 99,
    "(" * 999,
    ", " * 500,
    " and " * 200,
    "../../etc/passwd",
    "%s%n{0}",
    "x" * 20_000,
)
_CELLS = (None, -1, 0, 2**62, 1.5, "text", b"\xff\x00")
_EMBEDDED_DEPTH = 6


def mutate_bytes(draw: Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """Some changes of bytes wherever they are."""
    changed = bytearray(raw)
    for _ in range(draw.choice((1, 1, 2, 3, 8))):
        at = draw.randint(0, len(changed))
        match draw.randint(0, 7):
            case 0:
                changed[at : at + 1] = bytes([draw.randint(0, 255)])
            case 1 if at < len(changed):
                changed[at] ^= 1 << draw.randint(0, 7)
            case 2:
                del changed[at : at + draw.choice((1, 2, 4, 16, 1000))]
            case 3:
                changed[at:at] = draw.choice(_BYTES)
            case 4:
                size = draw.choice((1, 4, 16, 64, 256))
                changed[at:at] = changed[at : at + size] * draw.choice((1, 2, 50))
            case 5:
                other = draw.choice(seeds)
                start = draw.randint(0, len(other))
                changed[at : at + draw.choice((0, 8))] = other[start : start + 64]
            case 6:
                number = draw.choice(_NUMBERS)
                size = draw.choice((1, 2, 4, 8))
                packed = (number & ((1 << 8 * size) - 1)).to_bytes(size, "big")
                changed[at : at + size] = draw.choice((packed, packed[::-1]))
            case _:
                del changed[at:]
    return bytes(changed)


def mutate_lines(draw: Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """Some changes of lines, of words in them, and of single characters."""
    if draw.randint(0, 5) == 0:
        return mutate_bytes(draw, raw, seeds)
    lines = raw.decode("utf-8", "replace").splitlines(keepends=True) or [""]
    for _ in range(draw.choice((1, 2, 3, 6))):
        at = draw.randint(0, len(lines) - 1)
        match draw.randint(0, 7):
            case 0:
                del lines[at]
            case 1:
                lines[at:at] = [lines[at]] * draw.choice((1, 1, 2, 2, 2, 2, 300))
            case 2:
                other = draw.randint(0, len(lines) - 1)
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                others = draw.choice(seeds).decode("utf-8", "replace").splitlines(keepends=True)
                if others:
                    start = draw.randint(0, len(others) - 1)
                    lines[at:at] = others[start : start + draw.choice((1, 3, 20))]
            case 4:
                lines[at] = lines[at][: draw.randint(0, len(lines[at]))]
            case 5:
                words = re.findall(r"\w+|\W", draw.choice(lines)) or [""]
                lines[at] = _insert(draw, lines[at], draw.choice(words))
            case 6:
                lines[at] = _replace_word(draw, lines[at])
            case _:
                lines[at] = _insert(draw, lines[at], draw.choice(_TEXTS))
        lines = lines or [""]
    return "".join(lines).encode("utf-8", "replace")


def _insert(draw: Random, line: str, text: str) -> str:
    at = draw.randint(0, len(line))
    return line[:at] + text + line[at:]


def _replace_word(draw: Random, line: str) -> str:
    words = list(re.finditer(r"\w+", line))
    if not words:
        return line
    word = draw.choice(words)
    return line[: word.start()] + draw.choice(_TEXTS) + line[word.end() :]


@dataclass
class _Embedded:
    """Bytes that are msgpack themselves."""

    value: Any


def mutate_msgpack(draw: Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """Some changes of the values, also of those inside of byte strings."""
    if draw.randint(0, 3) == 0:
        return mutate_bytes(draw, raw, seeds)
    tree = _unpack(raw, 0)
    if tree is None:
        return mutate_bytes(draw, raw, seeds)
    other = _unpack(draw.choice(seeds), 0)
    for _ in range(draw.choice((1, 1, 2, 4))):
        tree.value = _change_tree(draw, tree.value, other)
    try:
        return _pack(tree.value)
    except (ValueError, OverflowError, TypeError, RecursionError):
        return mutate_bytes(draw, raw, seeds)


def mutate_json(draw: Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """Some changes of the values of a JSON text."""
    if draw.randint(0, 3) == 0:
        return mutate_lines(draw, raw, seeds)
    try:
        tree, other = json.loads(raw), json.loads(draw.choice(seeds))
    except (ValueError, RecursionError):
        return mutate_lines(draw, raw, seeds)
    for _ in range(draw.choice((1, 1, 2, 4))):
        tree = _change_tree(draw, tree, _Embedded(other))
    try:
        return json.dumps(tree, default=repr).encode()
    except (TypeError, ValueError, RecursionError):
        return mutate_lines(draw, raw, seeds)


def _unpack(raw: bytes, depth: int) -> _Embedded | None:
    try:
        value = msgpack.unpackb(raw, strict_map_key=False)
    except (ValueError, msgpack.UnpackException, TypeError, RecursionError):
        return None
    return _Embedded(_open(value, depth)) if isinstance(value, list | dict) else None


def _open(value: Any, depth: int) -> Any:
    if isinstance(value, list):
        return [_open(one, depth) for one in value]
    if isinstance(value, dict):
        return {key: _open(one, depth) for key, one in value.items()}
    if isinstance(value, bytes) and len(value) > 1 and depth < _EMBEDDED_DEPTH:
        return _unpack(value, depth + 1) or value
    return value


def _pack(tree: Any) -> bytes:
    def write(value: Any) -> Any:
        if isinstance(value, _Embedded):
            return _pack(value.value)
        if isinstance(value, list):
            return [write(one) for one in value]
        if isinstance(value, dict):
            return {key: write(one) for key, one in value.items()}
        return value

    packed: bytes = msgpack.packb(write(tree))
    return packed


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Where values are: what holds each, and its key, index or attribute there."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting and len(found) < 3000:
        held = waiting.pop()
        if isinstance(held, _Embedded):
            keys: list[Any] = ["value"]
        elif isinstance(held, list):
            keys = list(range(len(held)))
        elif isinstance(held, dict):
            keys = list(held)
        else:
            continue
        for key in keys:
            found.append((held, key))
            waiting.append(_get(held, key))
    return found


def _get(held: Any, key: Any) -> Any:
    return held.value if isinstance(held, _Embedded) else held[key]


def _set(held: Any, key: Any, value: Any) -> None:
    if isinstance(held, _Embedded):
        held.value = value
    else:
        held[key] = value


def _change_tree(draw: Random, tree: Any, other: _Embedded | None) -> Any:
    root = _Embedded(tree)
    held, key = draw.choice(_places(root))
    value = _get(held, key)
    match draw.randint(0, 8):
        case 0:
            _set(held, key, _plain_value(draw))
        case 1 if isinstance(held, list | dict):
            del held[key]
        case 2 if isinstance(held, list):
            held[key:key] = [value] * draw.choice((1, 2, 70))
        case 3:
            donor = _Embedded(other.value) if other is not None else root
            _set(held, key, _get(*draw.choice(_places(donor))))
        case 4:
            for _ in range(draw.choice((1, 2, 60, 300))):
                value = [value]
            _set(held, key, value)
        case 5 if isinstance(held, dict):
            name = draw.choice((*_TEXTS, str(key).upper(), str(key).capitalize(), *map(str, held)))
            held[name] = value
        case 6 if isinstance(value, list):
            draw.shuffle(value)
        case 7 if isinstance(value, list | dict) and value:
            _set(held, key, type(value)())
        case _:
            _set(held, key, _like(draw, value))
    # A value that was put inside of itself cannot be written: the caller mutates the bytes then.
    return root.value


def _plain_value(draw: Random) -> Any:
    match draw.randint(0, 6):
        case 0:
            return draw.choice((None, True, False))
        case 1:
            return draw.choice(_NUMBERS) * draw.choice((1, 1, -1))
        case 2:
            return draw.choice(_BYTES)
        case 3:
            return draw.choice((0.0, -1.5, 1e308, float("nan"), float("inf")))
        case 4:
            return draw.choice(([], {}, [[]], [None] * 70, {"": None}))
        case _:
            return draw.choice(_TEXTS)


def _like(draw: Random, value: Any) -> Any:
    """A value of the same type."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return draw.choice((value + 1, value - 1, *_NUMBERS))
    if isinstance(value, float):
        return draw.choice((-value, 1e300, 0.5))
    if isinstance(value, str):
        return draw.choice((_insert(draw, value, draw.choice(_TEXTS)), value.upper(), value * 3))
    if isinstance(value, bytes):
        return mutate_bytes(draw, value, (value,))
    return _plain_value(draw)


def mutate_zip(draw: Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """An archive's bytes, or what an entry of it holds, with the archive whole."""
    if draw.randint(0, 1) == 0:
        # The table of contents is at the end.
        at = draw.choice((0, len(raw) // 2, max(0, len(raw) - 500)))
        return raw[:at] + mutate_bytes(draw, raw[at:], seeds)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = [(one, archive.read(one)) for one in archive.infolist()]
    except Exception:  # noqa: BLE001 - a mutated archive
        return mutate_bytes(draw, raw, seeds)
    if not entries:
        return mutate_bytes(draw, raw, seeds)
    at = draw.randint(0, len(entries) - 1)
    header, content = entries[at]
    match draw.randint(0, 4):
        case 0:
            del entries[at]
        case 1:
            entries.append((zipfile.ZipInfo(draw.choice(_TEXTS)[:300] or "x"), content))
        case 2:
            entries[at] = (header, mutate_bytes(draw, content, (content,)))
        case _:
            entries[at] = (header, mutate_json(draw, content, (content,)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for one, inside in entries:
            name = zipfile.ZipInfo(one.filename)
            archive.writestr(name, inside, compress_type=one.compress_type)
    return out.getvalue()


def mutate_sqlite(draw: Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """A database's bytes, or a cell, column, table, trigger or view of it."""
    if draw.randint(0, 2) == 0:
        return mutate_bytes(draw, raw, seeds)
    connection = sqlite3.connect(":memory:")
    connection.create_function("EN_MAKE_SORT_KEY", 3, lambda *_: "")
    for name in ("ENCI_Base", "ENCIN_nl_NL"):
        connection.create_collation(name, lambda one, other: (one > other) - (one < other))
    try:
        connection.deserialize(raw)
        for _ in range(draw.choice((1, 1, 3))):
            _change_database(draw, connection)
        connection.commit()
        return connection.serialize()
    except sqlite3.Error:
        return mutate_bytes(draw, raw, seeds)
    finally:
        connection.close()


def _change_database(draw: Random, connection: sqlite3.Connection) -> None:
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "AND sql NOT LIKE '%VIRTUAL%' ORDER BY name"
        )
    ]
    table = draw.choice(tables)
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    column = draw.choice(columns or ["x"])
    value = draw.choice((*_CELLS, draw.choice(_TEXTS), draw.choice(_BYTES)))
    match draw.randint(0, 9):
        case 0:
            statement = f'DROP TABLE "{table}"'
        case 1:
            statement = f'ALTER TABLE "{table}" DROP COLUMN "{column}"'
        case 2:
            statement = f'ALTER TABLE "{table}" RENAME TO "other table"'
        case 3:
            statement = f'INSERT INTO "{table}" SELECT * FROM "{table}"'
        case 4:
            statement = f'DELETE FROM "{table}"'
        case _:
            chosen = draw.choice(("", " WHERE rowid = (SELECT max(rowid) FROM " + table + ")"))
            statement = f'UPDATE OR REPLACE "{table}" SET "{column}" = :value{chosen}'
    with suppress(sqlite3.Error):  # what SQLite itself does not let in
        connection.execute(statement, {"value": value})
