"""A TCP proxy between computers and a relay that keeps every byte, in both directions.

WebSocket clients mask what they send (RFC 6455, 5.3); a search for words must look at what was
under the mask, so the recording is unmasked before it is handed out.
"""

from __future__ import annotations

from tests.support.proxy import Direction, Proxy


class RecordingProxy(Proxy):
    """Passes everything on, and keeps it by connection and direction."""

    def note(self, direction: Direction, piece: bytes) -> None:
        """The piece is recorded before it is passed on."""
        direction.recorded += piece

    def connection_count(self) -> int:
        """How many connections went through it."""
        return len(self._streams(to_relay=True))

    def sent_to_relay(self) -> bytes:
        """All that clients sent, unmasked."""
        return b"\0".join(map(unmasked, self._streams(to_relay=True)))

    def sent_by_relay(self) -> bytes:
        """All that the relay sent."""
        return b"\0".join(self._streams(to_relay=False))

    def _streams(self, *, to_relay: bool) -> list[bytes]:
        with self.lock:
            return [bytes(one.recorded) for one in self.directions if one.to_relay == to_relay]


def unmasked(stream: bytes) -> bytes:
    """One client's bytes: the HTTP greeting, then each frame's payload without its mask."""
    greeting, separator, frames = stream.partition(b"\r\n\r\n")
    parts = [greeting + separator]
    at = 0
    while at + 6 <= len(frames):
        assert frames[at + 1] & 0x80, "a client's frame is always masked"
        size, at = _payload_size(frames, at)
        mask, payload = frames[at : at + 4], frames[at + 4 : at + 4 + size]
        at += 4 + size
        repeated = mask * (len(payload) // 4 + 1)
        number = int.from_bytes(payload) ^ int.from_bytes(repeated[: len(payload)])
        parts.append(number.to_bytes(len(payload)))
    return b"".join(parts)


def _payload_size(frames: bytes, at: int) -> tuple[int, int]:
    """The payload's size and where the mask begins."""
    size = frames[at + 1] & 0x7F
    if size == 126:
        return int.from_bytes(frames[at + 2 : at + 4]), at + 4
    if size == 127:
        return int.from_bytes(frames[at + 2 : at + 10]), at + 10
    return size, at + 2
