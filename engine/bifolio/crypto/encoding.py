"""The one byte form of everything that is signed: msgpack, canonical only.

What is signed has one encoding, so that it has one hash: after unpacking, the values are packed
again and must give the same bytes. Most of it is a flat array; what has to grow is a map of named
values, whose names ascend. Knows nothing of what the values mean. May import nothing of
Bifolio.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from bifolio import lazy
from bifolio.lazy import pattern

if TYPE_CHECKING:
    import msgpack
else:
    msgpack = lazy.module("msgpack")

HASH_BYTES = 32

#: No signed array has more values; without the bound, a few bytes could claim a huge array.
_VALUES_MAX = 16

#: Names in a map, values in one array of it, and arrays inside each other.
FIELDS_MAX = 32
FIELD_VALUES_MAX = 4096
_FIELD_DEPTH_MAX = 4

#: A name begins with a letter: uppercase where who does not know the field may not go on.
_FIELD_NAME = pattern("[A-Za-z][A-Za-z0-9_]{0,31}")

#: Gives the same bytes as msgpack of bytes, whole numbers and text, in a quarter of the time.
_ENCODER = msgspec.msgpack.Encoder()

#: What a field of a map holds.
FieldValue: TypeAlias = "bytes | int | str | list[FieldValue]"


def content_hash(raw: bytes) -> bytes:
    """BLAKE2b-256 of all bytes: the name of an envelope or of a membership record."""
    return hashlib.blake2b(raw, digest_size=HASH_BYTES).digest()


def pack(values: Sequence[bytes | int | str]) -> bytes:
    """The canonical bytes of the values."""
    return _ENCODER.encode(values)


@lru_cache(maxsize=64)
def _decoder(kinds: tuple[type, ...]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(tuple[kinds])  # type: ignore[valid-type]


def _unpack_canonical(raw: bytes, kinds: Sequence[type]) -> tuple[Any, ...] | None:
    """The values of canonical bytes of exactly these types; None for all else, which takes a look
    at what is wrong. Most of what comes is right."""
    try:
        values: tuple[Any, ...] = _decoder((*kinds,)).decode(raw)
    except msgspec.DecodeError:
        return None
    return values if _ENCODER.encode(values) == raw else None


def unpack(raw: bytes, kinds: Sequence[type]) -> list[Any]:
    """The values of canonical bytes.

    Arguments:
        raw: what came, of a length that the caller has checked.
        kinds: the exact type of each value that must be there.

    Raises:
        ValueError: with what is wrong, for every other input.
    """
    right = _unpack_canonical(raw, kinds)
    if right is not None:
        return [*right]
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
    right = _unpack_canonical(raw, kinds)
    if right is not None:
        return [*right], ()
    values = _unpack_array(raw)
    known, more = values[: len(kinds)], values[len(kinds) :]
    if len(known) < len(kinds):
        raise ValueError(f"it holds {len(known)} values where {len(kinds)} belong")
    are_kinds = all(type(value) is kind for value, kind in zip(known, kinds, strict=True))
    if not are_kinds or any(type(value) not in (bytes, int, str) for value in more):
        raise ValueError("a value in it has the wrong type")
    if pack(values) != raw:
        raise ValueError("it is not in the canonical encoding")
    return known, tuple(more)


_FIELD_TYPES = frozenset((bytes, int, str, list))


def pack_fields(fields: Mapping[str, FieldValue]) -> bytes:
    """The canonical bytes of a map of named values.

    Raises:
        ValueError: it has more names, longer arrays or deeper ones than such a map may have.
    """
    for name, value in fields.items():
        _check_field(name, value)
    if len(fields) > FIELDS_MAX:
        raise ValueError(f"it has {len(fields)} fields where {FIELDS_MAX} are the most")
    return _pack_checked(fields)


def _pack_checked(fields: Mapping[str, FieldValue]) -> bytes:
    packed: bytes = msgpack.packb(dict(sorted(fields.items())), use_bin_type=True)
    return packed


def unpack_fields(raw: bytes) -> dict[str, FieldValue]:
    """The named values in canonical bytes, of a length that the caller has checked.

    Raises:
        ValueError: with what is wrong, for every other input.
    """
    try:
        fields = msgpack.unpackb(
            raw,
            raw=False,
            strict_map_key=True,
            max_array_len=FIELD_VALUES_MAX,
            max_map_len=FIELDS_MAX,
            max_ext_len=0,
        )
    except (ValueError, RecursionError) as error:
        raise ValueError("its bytes are damaged or cut short") from error
    if not isinstance(fields, dict):
        raise ValueError("it is no map of fields")
    for name, value in fields.items():
        _check_field(name, value)
    # A name that comes twice is there once now, so it gives other bytes.
    if _pack_checked(fields) != raw:
        raise ValueError("it is not in the canonical encoding")
    return fields


def _check_field(name: object, value: object) -> None:
    """Check a field's name and value, without recursion: it comes from outside."""
    if not isinstance(name, str) or not _FIELD_NAME.fullmatch(name):
        raise ValueError("a field in it has no name that a field can have")
    level = [value]
    for _ in range(_FIELD_DEPTH_MAX):
        kinds = set(map(type, level))
        if not kinds <= _FIELD_TYPES:
            raise ValueError(f"its field '{name}' has a value of the wrong type")
        if list not in kinds:
            return
        lists = level if len(kinds) == 1 else [one for one in level if type(one) is list]
        level = list(chain.from_iterable(lists))  # type: ignore[arg-type]
    raise ValueError(f"its field '{name}' has arrays inside each other")


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
