"""The one byte form of everything that is signed: flat msgpack arrays, canonical only.

What is signed has one encoding, so that it has one hash: after unpacking, the values are packed
again and must give the same bytes. Knows nothing of what the values mean. May import nothing of
Bifolio.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgpack

HASH_BYTES = 32

#: No signed array has more values; without the bound, a few bytes could claim a huge array.
_VALUES_MAX = 16


def content_hash(raw: bytes) -> bytes:
    """BLAKE2b-256 of all bytes: the name of an envelope or of a membership record."""
    return hashlib.blake2b(raw, digest_size=HASH_BYTES).digest()


def pack(values: Sequence[bytes | int | str]) -> bytes:
    """The canonical bytes of the values."""
    packed: bytes = msgpack.packb(list(values), use_bin_type=True)
    return packed


def unpack(raw: bytes, kinds: Sequence[type]) -> list[Any]:
    """The values of canonical bytes.

    Arguments:
        raw: what came, of a length that the caller has checked.
        kinds: the exact type of each value that must be there.

    Raises:
        ValueError: with what is wrong, for every other input.
    """
    values = _unpack_array(raw)
    if len(values) != len(kinds):
        raise ValueError(f"it holds {len(values)} values where {len(kinds)} belong")
    for value, kind in zip(values, kinds, strict=True):
        if type(value) is not kind:
            raise ValueError("a value in it has the wrong type")
    if pack(values) != raw:
        raise ValueError("it is not in the canonical encoding")
    return values


def unpack_leading(raw: bytes, kinds: Sequence[type]) -> tuple[list[Any], tuple[Any, ...]]:
    """The first values of canonical bytes, and what a later version put behind them.

    Arguments:
        raw: what came, of a length that the caller has checked.
        kinds: the exact type of each value that must be there; what follows is bytes, whole
            numbers and text.

    Raises:
        ValueError: with what is wrong, for every other input.
    """
    values = _unpack_array(raw)
    known, more = values[: len(kinds)], values[len(kinds) :]
    if len(known) < len(kinds):
        raise ValueError(f"it holds {len(known)} values where {len(kinds)} belong")
    right = all(type(value) is kind for value, kind in zip(known, kinds, strict=True))
    if not right or any(type(value) not in (bytes, int, str) for value in more):
        raise ValueError("a value in it has the wrong type")
    if pack(values) != raw:
        raise ValueError("it is not in the canonical encoding")
    return known, tuple(more)


def leading_values(raw: bytes, count: int) -> list[Any]:
    """The first values (version, kind), by which a newer record is told from a damaged one.

    Raises:
        ValueError: these are not the bytes of an array with so many values in it.
    """
    values = _unpack_array(raw)
    if len(values) < count:
        raise ValueError("it is cut short")
    return values[:count]


def count_values(raw: bytes) -> int:
    """How many values an array has.

    Raises:
        ValueError: these are not the bytes of an array.
    """
    return len(_unpack_array(raw))


def _unpack_array(raw: bytes) -> list[Any]:
    try:
        values = msgpack.unpackb(
            raw,
            raw=False,
            strict_map_key=True,
            max_array_len=_VALUES_MAX,
            max_map_len=0,
            max_ext_len=0,
        )
    except ValueError as error:
        raise ValueError("its bytes are damaged or cut short") from error
    if not isinstance(values, list):
        raise ValueError("it is no array")
    return values
