"""Large messages in parts: cut by the sender, put together by the receiver, gone on with after a
cut at the byte where the line broke.

A part names its message by the hash of all its bytes, so that what one connection brought of it
is good for the next one, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from bifolio import limits
from bifolio.errors import ProtocolError
from bifolio.ids import content_hash
from bifolio.wire.messages import Fragment, Partial


def is_too_large(raw: bytes, wanted_bytes: int) -> bool:
    """Whether a message goes in fragments to who wants them of this size."""
    return len(raw) > wanted_bytes + limits.FLOW_SLACK_BYTES


def split(
    raw: bytes, part_bytes: int, *, name: bytes = b"", held_bytes: int = 0
) -> Iterator[Fragment]:
    """The fragments of a message, from what the receiver holds of it on.

    Args:
        raw: the message's bytes.
        part_bytes: the size of each part but the last.
        name: the message's hash, where it is known.
        held_bytes: what the receiver said that it holds; the last part is always sent.
    """
    name = name or content_hash(raw)
    start = min(held_bytes, len(raw) - 1)
    for offset in range(start, len(raw), part_bytes):
        yield Fragment(name, len(raw), offset, raw[offset : offset + part_bytes])


class Unfinished:
    """One message whose fragments come."""

    __slots__ = ("_buffer", "name", "size_bytes")

    def __init__(self, name: bytes, size_bytes: int) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self._buffer = bytearray()

    @property
    def held_bytes(self) -> int:
        """How many bytes are here, from the first on."""
        return len(self._buffer)

    @property
    def partial(self) -> Partial:
        """What is said of it to who sends it."""
        return Partial(self.name, len(self._buffer))

    def add(self, fragment: Fragment) -> bytes | None:
        """Keep a part; the whole message with its last one.

        Raises:
            ProtocolError: what comes before it is missing, the sizes do not agree, or all parts
                together are not what they say they are.
        """
        if fragment.size_bytes != self.size_bytes:
            raise ProtocolError("FRAGMENT: another size than before")
        if fragment.offset > len(self._buffer):
            raise ProtocolError("FRAGMENT: the part before it is missing")
        self._buffer += fragment.part[len(self._buffer) - fragment.offset :]
        if len(self._buffer) < self.size_bytes:
            return None
        whole = bytes(self._buffer)
        if content_hash(whole) != self.name:
            raise ProtocolError("FRAGMENT: the parts are not the message that they name")
        return whole


class Assembler:
    """The messages of one sender, one after the other; kept from connection to connection."""

    def __init__(self) -> None:
        self._unfinished: Unfinished | None = None

    @property
    def partial(self) -> Partial | None:
        """What is here of a message that is not finished."""
        return self._unfinished.partial if self._unfinished is not None else None

    def add(self, fragment: Fragment) -> tuple[bytes | None, int]:
        """Keep a part.

        Returns:
            the whole message with its last part, and by how many bytes more is here of an
            unfinished one than before: fewer than none where it is finished, or was given up.

        Raises:
            ProtocolError: see ``Unfinished.add``; nothing of the message is kept.
        """
        before = self._unfinished.held_bytes if self._unfinished is not None else 0
        unfinished = self._unfinished
        if unfinished is None or unfinished.name != fragment.message:
            unfinished = Unfinished(fragment.message, fragment.size_bytes)
        self._unfinished = None
        whole = unfinished.add(fragment)
        if whole is None:
            self._unfinished = unfinished
        return whole, (unfinished.held_bytes if whole is None else 0) - before
