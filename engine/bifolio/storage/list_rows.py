"""Rows of lists as they are stored: what SQL asks for in columns, everything else in one body.

A body is compressed, as most of a row is its abstract, with a dictionary of what the fields of
references have in common. It is derived, and so is made again where it is damaged.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from bifolio import lazy, limits

#: The columns in front of the body, and those behind it, as in ``derived.STORED``.
_FRONT: Final = 4
_BACK: Final = 3

#: Title, creators, container, abstract, note, tags and fields of a row, as in ``derived.STORED``.
Body = tuple[str | None, str, str, str | None, str | None, str, str]

#: The columns of ``refs``; ``body`` holds title, creators, container, abstract, note, tags and
#: fields.
COLUMNS: Final = "id key key_rank type body year trashed conflicts".split()

#: Where the body is among them.
BODY_AT: Final = _FRONT

#: Frozen: what was compressed with it needs it. With another one, ``DERIVED_VERSION`` rises.
_DICTIONARY: Final = (
    b'"PMCID":"PMID":"ISSN":"ISBN":"number-of-pages":"genre":"accessed":"language":"en"'
    b'"publisher-place":"publisher":"edition":"collection-title":"event-title":"annotation:'
    b'"note:"citation-key-aliases":["editor":[{"family":"literal":"non-dropping-particle":"of'
    b'""von","suffix":" the of and in for with a to is"groups":["DOI":"10.","URL":["'
    b'https://doi.org/10.https://www.example.org/"],"author":[{"family":"","given":"M."},'
    b'{"family":"","given":"J."}],"container-title":"Journal of ","container-title-short":"J. '
    b'","issue":"1","issued":{"date-parts":[[2020,1,1]]},"page":"1-","tags":["","volume":"3"}'
)

#: The fastest level: 10 µs for 1.5 kB; the next ones gain a hundredth.
_LEVEL: Final = 1

_zstandard = lazy.module("zstandard")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Body).decode


class _Coders(threading.local):
    """What compresses and opens; neither is for two threads at once."""

    def __init__(self) -> None:
        self.compress: Any = None
        self.decompress: Any = None

    def make(self) -> None:
        """Both of them, with the dictionary."""
        dictionary = _zstandard.ZstdCompressionDict(
            _DICTIONARY, dict_type=_zstandard.DICT_TYPE_RAWCONTENT
        )
        self.compress = _zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=dictionary, write_checksum=False, write_dict_id=False
        ).compress
        self.decompress = _zstandard.ZstdDecompressor(dict_data=dictionary).decompress


_coders = _Coders()


def pack_row(row: Sequence[Any]) -> tuple[Any, ...]:
    """The values of ``COLUMNS``, of a row in the order of ``derived.STORED``."""
    return (*row[:_FRONT], pack_body(row[_FRONT:-_BACK]), *row[-_BACK:])


def unpack_row(stored: Sequence[Any], body: Body) -> tuple[Any, ...]:
    """The row in the order of ``derived.STORED`` that these values of ``COLUMNS`` are, of which the
    body is unpacked."""
    return (*stored[:_FRONT], *body, *stored[BODY_AT + 1 : BODY_AT + 1 + _BACK])


def pack_body(body: Sequence[Any]) -> bytes:
    """A body as it is stored."""
    if _coders.compress is None:
        _coders.make()
    packed: bytes = _coders.compress(_encode(tuple(body)))
    return packed


def unpack_body(stored: Any) -> Body:
    """A body that was stored.

    Raises:
        ValueError: it is damaged.
    """
    if _coders.decompress is None:
        _coders.make()
    try:
        # Asked first: all that a frame claims is allocated at once.
        if not 0 <= _zstandard.frame_content_size(stored) <= limits.PACKED_BYTES_MAX:
            raise ValueError("a row of a list claims to be larger than any is")
        body: Body = _decode(_coders.decompress(stored))
    except (_zstandard.ZstdError, TypeError, msgspec.MsgspecError) as error:
        raise ValueError("a row of a list is damaged") from error
    return body


def body_size(stored: bytes) -> int:
    """How many bytes are in a body; 0 in a damaged one."""
    try:
        return int(max(_zstandard.frame_content_size(stored), 0))
    except _zstandard.ZstdError:
        return 0
