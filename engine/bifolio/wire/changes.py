"""The plaintext of an envelope: a frontier and changes in commit order (DESIGN §6).

What a replica writes before it seals and reads after it has opened; the relay never sees one. The
plaintext of every kind of envelope begins with its version. What a reader must understand raises
that version; a part that a reader may pass over goes behind the known ones of a body or of a
change, and ``more`` carries it on as it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from bifolio import limits
from bifolio.clock import is_stamp
from bifolio.errors import EnvelopeError
from bifolio.ids import digest

#: The version of a body that ``Body`` writes and reads.
BODY_VERSION = 1

#: The length of a change's id: a library of a million changes has two of one id once in 30
#: million times.
ID_BYTES = 8

_BODY_PARTS = 3
_CHANGE_PARTS = 2

#: No body and no change has more parts; a later version has room, and a hostile one has not.
_PARTS_MAX = 64

T = TypeVar("T")


class _Version(Struct, array_like=True):
    """The first value of a plaintext, whatever follows."""

    version: Annotated[int, Meta(ge=1, le=2**16 - 1)]


_Hashes = Annotated[
    tuple[Annotated[bytes, Meta(min_length=32, max_length=32)], ...],
    Meta(max_length=limits.FRONTIER_MAX),
]
_Records = tuple[tuple[Annotated[bytes, Meta(min_length=16, max_length=16)], bytes], ...]

_ENCODER = msgspec.msgpack.Encoder()
_VERSION_ONLY = msgspec.msgpack.Decoder(_Version)
_PARTS: msgspec.msgpack.Decoder[tuple[Raw, ...]] = msgspec.msgpack.Decoder(
    Annotated[tuple[Raw, ...], Meta(max_length=_PARTS_MAX)]
)
_CHANGES: msgspec.msgpack.Decoder[tuple[Raw, ...]] = msgspec.msgpack.Decoder(
    Annotated[tuple[Raw, ...], Meta(max_length=limits.CHANGES_PER_ENVELOPE_MAX)]
)
_HASHES: msgspec.msgpack.Decoder[tuple[bytes, ...]] = msgspec.msgpack.Decoder(_Hashes)
_STAMP = msgspec.msgpack.Decoder(bytes)
_RECORDS: msgspec.msgpack.Decoder[tuple[tuple[bytes, bytes], ...]] = msgspec.msgpack.Decoder(
    _Records
)


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit of one replica did: its stamp, and an update for each record.

    ``more`` is what a later version put behind these, a msgpack value each.
    """

    stamp: str
    records: tuple[tuple[str, bytes], ...]
    more: tuple[bytes, ...] = ()

    def serialize(self) -> bytes:
        """As msgpack."""
        records = [(bytes.fromhex(record_id), update) for record_id, update in self.records]
        return _ENCODER.encode([bytes.fromhex(self.stamp), records, *map(Raw, self.more)])

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
        parts = _parts(raw, at_least=_CHANGE_PARTS, what="a change")
        stamp = _decode(_STAMP, parts[0], "a change's stamp").hex()
        if not is_stamp(stamp):
            raise EnvelopeError("it holds a change without a stamp")
        records = _decode(_RECORDS, parts[1], "a change's updates")
        return cls(
            stamp,
            tuple((record_id.hex(), update) for record_id, update in records),
            _copy_parts(parts[_CHANGE_PARTS:]),
        )


@dataclass(frozen=True, slots=True)
class Body:
    """What one envelope carries: what its author had merged, and the changes.

    ``replaces`` are the hashes of envelopes whose changes these are: the relay refused them, so
    what builds on one of them may take this one for it. ``more`` is what a later version put
    behind these, a msgpack value each.
    """

    frontier: tuple[bytes, ...]
    changes: tuple[Change, ...]
    replaces: tuple[bytes, ...] = ()
    more: tuple[bytes, ...] = ()

    def serialize(self) -> bytes:
        """As msgpack."""
        changes = [Raw(change.serialize()) for change in self.changes]
        parts: list[object] = [BODY_VERSION, self.frontier, changes]
        if self.replaces or self.more:
            parts.append(self.replaces)
        return _ENCODER.encode([*parts, *map(Raw, self.more)])

    @classmethod
    def parse(cls, raw: bytes) -> Body:
        """Read what ``serialize`` wrote.

        Raises:
            EnvelopeError: the bytes are no body of this version.
        """
        if body_version(raw) != BODY_VERSION:
            raise EnvelopeError("its content is of another version")
        parts = _parts(raw, at_least=_BODY_PARTS, what="a content")
        changes = _decode(_CHANGES, parts[2], "the list of its changes")
        replaces = parts[_BODY_PARTS] if len(parts) > _BODY_PARTS else None
        return cls(
            _decode(_HASHES, parts[1], "its frontier"),
            tuple(Change.parse(bytes(change)) for change in changes),
            _decode(_HASHES, replaces, "what it replaces") if replaces is not None else (),
            _copy_parts(parts[_BODY_PARTS + 1 :]),
        )


def body_version(raw: bytes) -> int:
    """The version by which the plaintext of an envelope of any kind begins.

    Raises:
        EnvelopeError: the bytes are no msgpack array that begins with one.
    """
    return _decode(_VERSION_ONLY, raw, "its content's version").version


def _parts(raw: bytes | Raw, *, at_least: int, what: str) -> tuple[Raw, ...]:
    parts = _decode(_PARTS, raw, what)
    if len(parts) < at_least:
        raise EnvelopeError(f"{what} in it has {len(parts)} parts where {at_least} belong")
    return parts


def _decode(decoder: msgspec.msgpack.Decoder[T], raw: bytes | Raw, what: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EnvelopeError(f"{what} cannot be read ({error})") from None


def _copy_parts(parts: Sequence[Raw]) -> tuple[bytes, ...]:
    """Values that are carried as they came; as bytes of their own, not as a view of all."""
    return tuple(map(bytes, parts))
