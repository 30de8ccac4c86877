"""The plaintext of a snapshot's chunks: the state of a library, cut into parts.

What a replica writes before it seals and reads after it has opened; the relay never sees one. A
part is ``[1, parts by name]``, and each name may come in any part:

================ ===============================================================================
``authors``      ``[[device, [[slot, nonce], ...]], ...]``: the incarnations of every device
``covered``      hashes of the envelopes whose changes these states hold
``passed``       hashes of those that do not count and are not in them: nothing waits for one
``frontier``     those of them that no other one names
``records``      ``[[id, bytes, more], ...]``: the state of each record, in pieces where ``more``
``replaced``     ``[[hash, by, device], ...]``: what some envelope carries instead of another
================ ===============================================================================

A name that begins with a capital letter must be understood; any other is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw

from bifolio import limits
from bifolio.errors import EnvelopeError, NewerFormatError
from bifolio.wire.changes import Incarnation

_VERSION = 1
_ITEMS = limits.SNAPSHOT_PART_ITEMS_MAX

#: What an item takes in a part besides its bytes: enough for any of them.
_ITEM_BYTES = 24

_Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Device = Annotated[bytes, Meta(max_length=32)]


class Piece(NamedTuple):
    """A record's state, or the first or a further piece of it; ``more`` where it goes on."""

    record: Annotated[bytes, Meta(min_length=16, max_length=16)]
    state: bytes
    more: bool


class Author(NamedTuple):
    """A device and some of its incarnations."""

    device: _Hash
    incarnations: Annotated[tuple[Incarnation, ...], Meta(max_length=_ITEMS)]


class Replaced(NamedTuple):
    """An envelope whose changes another one carries, and the device that says so."""

    hash: _Hash
    by: _Hash
    device: _Device


@dataclass(frozen=True, slots=True)
class Part:
    """One chunk's content."""

    records: tuple[Piece, ...] = ()
    covered: tuple[bytes, ...] = ()
    passed: tuple[bytes, ...] = ()
    frontier: tuple[bytes, ...] = ()
    authors: tuple[Author, ...] = ()
    replaced: tuple[Replaced, ...] = ()

    def serialize(self) -> bytes:
        """As msgpack."""
        named = {name: value for name in _NAMES if (value := getattr(self, name))}
        return _ENCODER.encode([_VERSION, named])

    @classmethod
    def parse(cls, raw: bytes) -> Part:
        """Read what ``serialize`` wrote.

        Raises:
            NewerFormatError: only a newer program understands it.
            EnvelopeError: the bytes are no part.
        """
        version, named = _decode(_PART, raw)
        if version != _VERSION:
            raise NewerFormatError(f"snapshot version {version}")
        for name in named:
            if name[:1].isupper():
                raise NewerFormatError(f"snapshot part '{name}'")
        return cls(
            _named(_RECORDS, named, "records"),
            _named(_HASHES, named, "covered"),
            _named(_HASHES, named, "passed"),
            _named(_HASHES, named, "frontier"),
            _named(_AUTHORS, named, "authors"),
            _named(_REPLACED, named, "replaced"),
        )


T = TypeVar("T")

_NAMES = ("authors", "covered", "frontier", "passed", "records", "replaced")
_ENCODER = msgspec.msgpack.Encoder()
_PART: msgspec.msgpack.Decoder[tuple[int, dict[str, Raw]]] = msgspec.msgpack.Decoder(
    tuple[
        Annotated[int, Meta(ge=1, le=2**16)],
        Annotated[
            dict[Annotated[str, Meta(max_length=limits.BODY_PART_NAME_CHARACTERS_MAX)], Raw],
            Meta(max_length=limits.BODY_PARTS_MAX),
        ],
    ]
)
_RECORDS: msgspec.msgpack.Decoder[tuple[Piece, ...]] = msgspec.msgpack.Decoder(
    Annotated[tuple[Piece, ...], Meta(max_length=_ITEMS)]
)
_HASHES: msgspec.msgpack.Decoder[tuple[bytes, ...]] = msgspec.msgpack.Decoder(
    Annotated[tuple[_Hash, ...], Meta(max_length=_ITEMS)]
)
_AUTHORS: msgspec.msgpack.Decoder[tuple[Author, ...]] = msgspec.msgpack.Decoder(
    Annotated[tuple[Author, ...], Meta(max_length=_ITEMS)]
)
_REPLACED: msgspec.msgpack.Decoder[tuple[Replaced, ...]] = msgspec.msgpack.Decoder(
    Annotated[tuple[Replaced, ...], Meta(max_length=_ITEMS)]
)


def cut_records(states: Iterable[tuple[str, bytes]]) -> Iterator[Part]:
    """Parts of about their target size that hold these records' states.

    Args:
        states: the id of each record and its state.
    """
    room = limits.SNAPSHOT_PART_BYTES
    pieces: list[Piece] = []
    for record_id, state in states:
        record, at = bytes.fromhex(record_id), 0
        while True:
            if room <= _ITEM_BYTES or len(pieces) == _ITEMS:
                yield Part(records=tuple(pieces))
                pieces, room = [], limits.SNAPSHOT_PART_BYTES
            # A state that fits into one part is not cut: most are small.
            rest = len(state) - at
            if rest > room - _ITEM_BYTES and pieces and rest < limits.SNAPSHOT_PART_BYTES // 2:
                room = 0
                continue
            taken = min(rest, room - _ITEM_BYTES)
            piece = Piece(record, state[at : at + taken], at + taken < len(state))
            pieces.append(piece)
            room -= taken + _ITEM_BYTES
            at += taken
            if not piece.more:
                break
    if pieces:
        yield Part(records=tuple(pieces))


def cut_hashes(hashes: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """As many hashes as one part holds, again and again."""
    number = limits.SNAPSHOT_PART_BYTES // (32 + _ITEM_BYTES // 8)
    for start in range(0, len(hashes), number):
        yield tuple(hashes[start : start + number])


def cut_authors(incarnations: Iterable[tuple[bytes, str, bytes]]) -> Iterator[Part]:
    """Parts that hold these incarnations: device, slot and nonce, by device."""
    found: dict[bytes, list[Incarnation]] = {}
    count = 0
    for device, slot, nonce in incarnations:
        found.setdefault(device, []).append(Incarnation(slot, nonce))
        count += 1
        if count == limits.SNAPSHOT_PART_BYTES // (2 * _ITEM_BYTES):
            yield _authors_part(found)
            found, count = {}, 0
    if found:
        yield _authors_part(found)


def cut_replaced(replaced: Iterable[tuple[bytes, bytes, bytes]]) -> Iterator[Part]:
    """Parts that hold these: an envelope, the one that carries its changes, and who says so."""
    batch: list[Replaced] = []
    for one in replaced:
        batch.append(Replaced(*one))
        if len(batch) == limits.SNAPSHOT_PART_BYTES // 104:
            yield Part(replaced=tuple(batch))
            batch = []
    if batch:
        yield Part(replaced=tuple(batch))


def join_records(parts: Iterable[Part]) -> Iterator[tuple[str, bytes]]:
    """The records of some parts, each id once, with its whole state.

    Raises:
        EnvelopeError: a record comes twice, does not end, or is larger than one may be.
    """
    seen: set[bytes] = set()
    open_record, size = b"", 0
    pieces: list[bytes] = []
    for part in parts:
        for piece in part.records:
            if pieces and piece.record != open_record:
                raise EnvelopeError("a record of the snapshot does not end")
            if not pieces and piece.record in seen:
                raise EnvelopeError("a record of the snapshot comes twice")
            open_record = piece.record
            pieces.append(piece.state)
            size += len(piece.state)
            if size > limits.SNAPSHOT_RECORD_BYTES_MAX:
                raise EnvelopeError("a record of the snapshot is larger than one may be")
            if not piece.more:
                seen.add(open_record)
                yield open_record.hex(), b"".join(pieces)
                pieces, size = [], 0
    if pieces:
        raise EnvelopeError("a record of the snapshot does not end")


def _authors_part(found: dict[bytes, list[Incarnation]]) -> Part:
    return Part(authors=tuple(Author(device, tuple(all_)) for device, all_ in found.items()))


def _named(
    decoder: msgspec.msgpack.Decoder[tuple[T, ...]], named: dict[str, Raw], name: str
) -> tuple[T, ...]:
    return _decode(decoder, named[name]) if name in named else ()


def _decode(decoder: msgspec.msgpack.Decoder[T], raw: bytes | Raw) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EnvelopeError(f"a part of a snapshot cannot be read ({error})") from None
