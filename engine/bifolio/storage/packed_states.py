"""States as they are stored: small ones as they are, others compressed.

A state that many sessions wrote names each of them several times: it is kept compressed, behind
two bytes by which no document's state begins.
"""

from __future__ import annotations

import zlib

#: Begins a compressed state: to pycrdt a number written too long, which it never writes.
COMPRESSED = b"\x80\x00"

#: Smaller states stay as they are: nine of ten references have three kilobytes and gain little.
COMPRESSED_FROM_BYTES = 4096

#: The fastest level takes 1 ms for 70 kB, a tenth of what pycrdt takes to load them, and makes a
#: third of them; the next ones gain a thirtieth.
_LEVEL = 1


def pack_state(state: bytes) -> bytes:
    """A state as it is stored."""
    if len(state) < COMPRESSED_FROM_BYTES:
        return state
    packed = COMPRESSED + zlib.compress(state, _LEVEL)
    return packed if len(packed) < len(state) else state


def unpack_state(stored: bytes) -> bytes:
    """The state that was stored; of damaged bytes what there is, which no document takes."""
    if not stored.startswith(COMPRESSED):
        return stored
    try:
        return zlib.decompress(memoryview(stored)[len(COMPRESSED) :])
    except zlib.error:
        return stored
