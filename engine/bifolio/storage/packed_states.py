"""States, and own changes that are not sealed yet, as they are stored: compressed.

A state says most of what it holds twice, once as fields and once as the source that it was imported
from, and names each session that wrote it several times. A dictionary of what all states have in
common (the names of fields, the forms of sources) makes small ones smaller too. What is stored
compressed is behind two bytes by which no document's state and no change begins.
"""

from __future__ import annotations

import threading
import zlib
from pathlib import Path
from typing import Any, Final

from bifolio import lazy, limits

#: Begins a state that is compressed with the dictionary, by zstd: to pycrdt a number written too
#: long, which it never writes; to msgpack a map, and a change is a list.
COMPRESSED: Final = b"\x82\x00"

#: Begins what an earlier version compressed, with the first dictionary.
FIRST: Final = b"\x81\x00"

#: Begins what an earlier version compressed, by zlib.
DEFLATED: Final = b"\x80\x00"

#: Smaller ones stay as they are.
COMPRESSED_FROM_BYTES: Final = 128

#: What states of libraries in five formats have in common, by ``zstd --train``; of the second one
#: without their long texts, so that it knows more of their forms. Frozen: what was compressed with
#: one needs it for ever. A better one gets a file, and two first bytes, of its own.
_FIRST_DICTIONARY: Final = Path(__file__).with_name("state_dictionary.bin")
_DICTIONARY: Final = Path(__file__).with_name("state_dictionary_2.bin")

#: The fastest level: 20 µs for 5 kB, of which it leaves a quarter; the next ones gain a hundredth.
_LEVEL: Final = 1

_zstandard = lazy.module("zstandard")


class _Coders(threading.local):
    """What compresses and opens; neither is for two threads at once."""

    def __init__(self) -> None:
        self.compressor: Any = None
        self.decompressor: Any = None
        self.first_decompressor: Any = None

    def make(self) -> None:
        """Both of them, with the dictionary."""
        dictionary = _zstandard.ZstdCompressionDict(_DICTIONARY.read_bytes())
        # Of a damaged state the check of its record tells, and the dictionary is known.
        self.compressor = _zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=dictionary, write_checksum=False, write_dict_id=False
        )
        dictionary.precompute_compress(level=_LEVEL)
        self.decompressor = _zstandard.ZstdDecompressor(dict_data=dictionary)

    def make_first(self) -> None:
        """What opens what an earlier version stored."""
        dictionary = _zstandard.ZstdCompressionDict(_FIRST_DICTIONARY.read_bytes())
        self.first_decompressor = _zstandard.ZstdDecompressor(dict_data=dictionary)


_coders = _Coders()


def pack_state(state: bytes) -> bytes:
    """A state, or a change, as it is stored."""
    if len(state) < COMPRESSED_FROM_BYTES:
        return state
    if _coders.compressor is None:
        _coders.make()
    packed: bytes = COMPRESSED + _coders.compressor.compress(state)
    return packed if len(packed) < len(state) else state


def unpack_state(stored: bytes) -> bytes:
    """The state that was stored; of damaged bytes what there is, which no document takes."""
    if stored.startswith((COMPRESSED, FIRST)):
        return _decompress(stored)
    if not stored.startswith(DEFLATED):
        return stored
    try:
        return zlib.decompress(memoryview(stored)[len(DEFLATED) :])
    except zlib.error:
        return stored


def _decompress(stored: bytes) -> bytes:
    if stored.startswith(FIRST):
        if _coders.first_decompressor is None:
            _coders.make_first()
        decompressor = _coders.first_decompressor
    else:
        if _coders.decompressor is None:
            _coders.make()
        decompressor = _coders.decompressor
    packed = memoryview(stored)[len(COMPRESSED) :]
    try:
        # Asked first: all that a frame claims is allocated at once.
        if not 0 <= _zstandard.frame_content_size(packed) <= limits.PACKED_BYTES_MAX:
            return stored
        state: bytes = decompressor.decompress(packed)
    except _zstandard.ZstdError:
        return stored
    return state
