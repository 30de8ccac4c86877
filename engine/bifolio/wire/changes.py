"""The plaintext of an envelope: a frontier and changes in commit order (DESIGN §6).

What a replica writes before it seals and reads after it has opened; the relay never sees one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgpack

from bifolio import limits
from bifolio.clock import is_stamp
from bifolio.errors import EnvelopeError
from bifolio.ids import digest

#: The length of a change's id: a library of a million changes has two of one id once in 30
#: million times.
ID_BYTES = 8

_VERSION = 1
_HASH_BYTES = 32
_RECORD_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit of one replica did: its stamp, and an update for each record."""

    stamp: str
    records: tuple[tuple[str, bytes], ...]

    def serialize(self) -> bytes:
        """As msgpack."""
        packed: bytes = msgpack.packb(_packable(self))
        return packed

    @property
    def id(self) -> bytes:
        """What the change is called everywhere, sealed or not: a hash of its content, 8 bytes."""
        return digest(self.serialize(), size=ID_BYTES)

    @classmethod
    def parse(cls, raw: bytes) -> Change:
        """Read what ``serialize`` wrote.

        Raises:
            EnvelopeError: the bytes are no change.
        """
        return _change(_unpack(raw))


@dataclass(frozen=True, slots=True)
class Body:
    """What one envelope carries: what its author had merged, and the changes.

    ``replaces`` are the hashes of envelopes whose changes these are: the relay refused them, so
    whoever builds on one of them may take this one for it.
    """

    frontier: tuple[bytes, ...]
    changes: tuple[Change, ...]
    replaces: tuple[bytes, ...] = ()

    def serialize(self) -> bytes:
        """As msgpack."""
        parts = [_VERSION, list(self.frontier), [_packable(change) for change in self.changes]]
        if self.replaces:
            parts.append(list(self.replaces))
        packed: bytes = msgpack.packb(parts)
        return packed

    @classmethod
    def parse(cls, raw: bytes) -> Body:
        """Read what ``serialize`` wrote.

        Raises:
            EnvelopeError: the bytes are no body, or one of a newer version.
        """
        parts = _unpack(raw)
        if not isinstance(parts, list) or len(parts) < 3 or parts[0] != _VERSION:
            raise EnvelopeError("its content is not of a version that this Bifolio knows")
        frontier, changes = parts[1], parts[2]
        if not isinstance(frontier, list) or not isinstance(changes, list):
            raise EnvelopeError("its content is no frontier and changes")
        replaces = parts[3] if len(parts) > 3 else []
        if not isinstance(replaces, list):
            raise EnvelopeError("what it replaces is no list")
        for names in (frontier, replaces):
            _check_hashes(names)
        return cls(tuple(frontier), tuple(_change(change) for change in changes), tuple(replaces))


def _check_hashes(names: Sequence[object]) -> None:
    if len(names) > limits.FRONTIER_MAX:
        raise EnvelopeError(f"it names {len(names)} envelopes in its frontier")
    for one in names:
        if not isinstance(one, bytes) or len(one) != _HASH_BYTES:
            raise EnvelopeError("its frontier holds something that is no hash")


def _packable(change: Change) -> list[object]:
    records = [[bytes.fromhex(record_id), update] for record_id, update in change.records]
    return [bytes.fromhex(change.stamp), records]


def _unpack(raw: bytes) -> object:
    try:
        unpacked: object = msgpack.unpackb(raw)
    except (ValueError, msgpack.UnpackException) as error:
        raise EnvelopeError(f"its content is no msgpack ({type(error).__name__})") from None
    return unpacked


def _change(parts: object) -> Change:
    if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], bytes):
        raise EnvelopeError("it holds something that is no change")
    stamp = parts[0].hex()
    if not is_stamp(stamp) or not isinstance(parts[1], list):
        raise EnvelopeError("it holds a change without a stamp or records")
    return Change(stamp, tuple(_update(pair) for pair in parts[1]))


def _update(pair: Sequence[object]) -> tuple[str, bytes]:
    if not isinstance(pair, list) or len(pair) < 2:
        raise EnvelopeError("it holds an update without a record")
    record_id, update = pair[0], pair[1]
    if not isinstance(record_id, bytes) or len(record_id) != _RECORD_ID_BYTES:
        raise EnvelopeError("it holds an update of something that is no record id")
    if not isinstance(update, bytes):
        raise EnvelopeError("it holds an update that is no bytes")
    return record_id.hex(), update
