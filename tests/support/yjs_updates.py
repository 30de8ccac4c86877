"""Yjs updates made by hand, byte for byte: what no program of ours would write."""

from __future__ import annotations

from collections.abc import Sequence

ROOT = b"\x01\x01r"
NULL = b"\x7e"
LEFT, RIGHT, ENTRY = 0x80, 0x40, 0x20


def number(value: int) -> bytes:
    """A number in lib0's variable length."""
    written = b""
    while value > 0x7F:
        written += bytes([value & 0x7F | 0x80])
        value >>= 7
    return written + bytes([value])


def string(text: str | bytes) -> bytes:
    """A string with its length in bytes."""
    raw = text.encode() if isinstance(text, str) else text
    return number(len(raw)) + raw


def any_string(text: str | bytes) -> bytes:
    """A plain value that is a string."""
    return b"\x77" + string(text)


def pair(stamp: str, value: str) -> bytes:
    """``[stamp, value]`` as a plain value."""
    return b"\x75\x02" + any_string(stamp) + any_string(value)


def nested(depth: int, *, maps: bool = False) -> bytes:
    """Null in so many lists or maps."""
    return (b"\x76\x01\x01a" if maps else b"\x75\x01") * depth + NULL


def identifier(client: int, clock: int) -> bytes:
    """An id that a struct names."""
    return number(client) + number(clock)


def entry(key: str | bytes, content: bytes, kind: int = 8) -> bytes:
    """An entry of the record's map: of a plain value, ``content`` is the value alone."""
    body = b"\x01" + content if kind == 8 else content
    return bytes([ENTRY | kind]) + ROOT + string(key) + body


def following(left: tuple[int, int], content: bytes, kind: int = 8) -> bytes:
    """An entry that follows another one."""
    body = b"\x01" + content if kind == 8 else content
    return bytes([LEFT | ENTRY | kind]) + identifier(*left) + body


def piece(
    text: str,
    *,
    left: tuple[int, int] | None = None,
    right: tuple[int, int] | None = None,
    parent: tuple[int, int] | None = None,
) -> bytes:
    """A piece of a text."""
    info = 4 | (LEFT if left else 0) | (RIGHT if right else 0)
    named = b"".join(identifier(*one) for one in (left, right) if one)
    if parent is not None:
        named += b"\x00" + identifier(*parent)
    return bytes([info]) + named + string(text)


def new_text(key: str) -> bytes:
    """An empty text under a key."""
    return entry(key, b"\x02", kind=7)


def update(
    *structs: bytes,
    client: int = 7,
    clock: int = 0,
    deletes: Sequence[tuple[int, int, int]] = (),
) -> bytes:
    """An update of one client, and what it deletes: (client, clock, length)."""
    return of_clients((client, clock, structs) if structs else None, deletes=deletes)


def of_clients(
    *written: tuple[int, int, Sequence[bytes]] | None,
    deletes: Sequence[tuple[int, int, int]] = (),
) -> bytes:
    """An update of several clients: of each its id, its first clock and its structs."""
    clients = [one for one in written if one is not None]
    raw = number(len(clients))
    for client, clock, structs in clients:
        raw += number(len(structs)) + number(client) + number(clock) + b"".join(structs)
    ranges: dict[int, list[tuple[int, int]]] = {}
    for client, clock, length in deletes:
        ranges.setdefault(client, []).append((clock, length))
    raw += number(len(ranges))
    for client, of_client in ranges.items():
        raw += number(client) + number(len(of_client))
        raw += b"".join(number(clock) + number(length) for clock, length in of_client)
    return raw
