"""A record's state in parts: what it held once, and the updates that came since, in their order.

Between where states are stored and where documents are made of them. The parts are behind three
bytes by which no document's state begins: to pycrdt a number written too long.
"""

from __future__ import annotations

from collections.abc import Sequence

_MARK = b"\x80\x80\x80\x00"
_LENGTH = 4


def join_parts(base: bytes, updates: Sequence[bytes]) -> bytes:
    """A base and the updates after it, as one state."""
    if not updates:
        return base
    parts = (base, *updates)
    return _MARK + b"".join(len(one).to_bytes(_LENGTH, "big") + one for one in parts)


def split_parts(state: bytes) -> list[bytes]:
    """The base, then the updates; of a state that is one update, that alone."""
    if not state.startswith(_MARK):
        return [state]
    found, at = [], len(_MARK)
    while at < len(state):
        length = int.from_bytes(state[at : at + _LENGTH], "big")
        at += _LENGTH
        found.append(state[at : at + length])
        at += length
    return found
