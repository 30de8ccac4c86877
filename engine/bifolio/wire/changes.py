"""The plaintext of an envelope: a frontier and changes in commit order (DESIGN §6).

What a replica writes before it seals and reads after it has opened; the relay never sees one. The
plaintext of every kind of envelope begins with its version; a body of version 2 is
``[2, frontier, changes, parts]``, where ``parts`` is a map of named parts, names ascending:

================ ===============================================================================
``attested``     ``[epoch, n, chain hash]``: where its author stood in the relay's log
``carried``      envelopes of others, each whole
``incarnations`` ``[[slot, nonce], ...]``: under which the author wrote the changes here
``replaces``     hashes of the author's own envelopes whose changes these are
================ ===============================================================================

A part whose name begins with a capital letter must be understood: who does not know it keeps the
envelope for a newer program. Any other is passed over, and ``more`` carries it on as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from bifolio import limits
from bifolio.clock import is_stamp
from bifolio.errors import EnvelopeError, NewerFormatError
from bifolio.ids import NONCE_BYTES, SLOT_LENGTH, digest
from bifolio.wire.position import LogPosition

#: The version of a body that ``Body`` writes and reads.
BODY_VERSION = 2

#: The version before it, which a replica still finds in its own past, and takes from nobody.
OLD_BODY_VERSION = 1

#: The length of a change's id: a library of a million changes has two of one id once in 30
#: million times.
ID_BYTES = 8

#: What an attested position holds of the epoch and of the chain's hash.
ATTESTED_EPOCH_BYTES = 8
ATTESTED_HASH_BYTES = 16

_BODY_PARTS = 4
_OLD_BODY_PARTS = 3
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
_Records = Annotated[
    tuple[tuple[Annotated[bytes, Meta(min_length=16, max_length=16)], bytes], ...],
    Meta(max_length=limits.RECORDS_PER_ENVELOPE_MAX),
]


class Incarnation(NamedTuple):
    """One opening of the author's for writing: its slot, and the nonce that gives its client id."""

    slot: Annotated[str, Meta(min_length=SLOT_LENGTH, max_length=SLOT_LENGTH)]
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]


class Attested(NamedTuple):
    """Where the author stood when it sealed: the relay's epoch, and the position in its log with
    the hash of the log's chain there.

    Of the epoch 8 bytes and of the hash 16, because every envelope carries them: whoever tells two
    replicas different stories would have to make hashes that begin alike.
    """

    epoch: Annotated[bytes, Meta(min_length=ATTESTED_EPOCH_BYTES, max_length=ATTESTED_EPOCH_BYTES)]
    n: Annotated[int, Meta(ge=1, le=2**53)]
    chain_hash: Annotated[
        bytes, Meta(min_length=ATTESTED_HASH_BYTES, max_length=ATTESTED_HASH_BYTES)
    ]

    @classmethod
    def at(cls, position: LogPosition) -> Attested:
        """A place in a relay's log as an envelope names it."""
        return cls(
            position.epoch[:ATTESTED_EPOCH_BYTES],
            position.position,
            position.chain_hash[:ATTESTED_HASH_BYTES],
        )


_Incarnations = Annotated[
    tuple[Incarnation, ...], Meta(max_length=limits.INCARNATIONS_PER_ENVELOPE_MAX)
]
_Carried = Annotated[
    tuple[Annotated[bytes, Meta(max_length=limits.ENVELOPE_BYTES_MAX)], ...],
    Meta(max_length=limits.CARRIED_PER_ENVELOPE_MAX),
]
_Name = Annotated[
    str, Meta(min_length=1, max_length=limits.BODY_PART_NAME_CHARACTERS_MAX, pattern="^[A-Za-z]")
]
_Named = Annotated[dict[_Name, Raw], Meta(max_length=limits.BODY_PARTS_MAX)]

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
_NAMED: msgspec.msgpack.Decoder[dict[str, Raw]] = msgspec.msgpack.Decoder(_Named)
_INCARNATIONS: msgspec.msgpack.Decoder[tuple[Incarnation, ...]] = msgspec.msgpack.Decoder(
    _Incarnations
)
_CARRIED: msgspec.msgpack.Decoder[tuple[bytes, ...]] = msgspec.msgpack.Decoder(_Carried)
_ATTESTED = msgspec.msgpack.Decoder(Attested)

#: The names of the parts that this program knows.
_KNOWN = ("attested", "carried", "incarnations", "replaces")


class Change(Struct, frozen=True):
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


class Body(Struct, frozen=True):
    """What one envelope carries: what its author had merged, the changes, and named parts.

    Args:
        frontier: the hashes of the envelopes on which the changes build.
        changes: in the order in which they were made.
        replaces: the hashes of its author's own envelopes whose changes these are: the relay
            refused them, so what builds on one of them may take this one for it.
        incarnations: those of its author under which the changes were written.
        carried: others' envelopes, each whole.
        attested: where its author stood in the relay's log; None where it knows no log.
        more: parts of a later version by name, ascending, each a msgpack value.
    """

    frontier: tuple[bytes, ...]
    changes: tuple[Change, ...]
    replaces: tuple[bytes, ...] = ()
    incarnations: tuple[Incarnation, ...] = ()
    carried: tuple[bytes, ...] = ()
    attested: Attested | None = None
    more: tuple[tuple[str, bytes], ...] = ()

    def serialize(self) -> bytes:
        """As msgpack."""
        changes = [Raw(change.serialize()) for change in self.changes]
        named: dict[str, object] = {name: Raw(value) for name, value in self.more}
        for name in _KNOWN:
            if value := getattr(self, name):
                named[name] = value
        parts = {name: named[name] for name in sorted(named)}
        return _ENCODER.encode([BODY_VERSION, self.frontier, changes, parts])

    @classmethod
    def parse(cls, raw: bytes) -> Body:
        """Read what ``serialize`` wrote.

        Raises:
            NewerFormatError: it has a part that only a newer program understands.
            EnvelopeError: the bytes are no body of this version.
        """
        if body_version(raw) != BODY_VERSION:
            raise EnvelopeError("its content is of another version")
        parts = _parts(raw, at_least=_BODY_PARTS, what="a content")
        if len(parts) > _BODY_PARTS:
            raise EnvelopeError("its content has parts without a name")
        named = _decode(_NAMED, parts[3], "the parts of its content")
        if list(named) != sorted(named) or _ENCODER.encode(named) != bytes(parts[3]):
            raise EnvelopeError("the parts of its content are in no order, or one comes twice")
        for name in named:
            if name[0].isupper():
                raise NewerFormatError(f"content part '{name}'")
        attested = named.get("attested")
        return cls(
            _decode(_HASHES, parts[1], "its frontier"),
            _read_changes(parts[2]),
            _decode_part(_HASHES, named, "replaces"),
            _decode_part(_INCARNATIONS, named, "incarnations"),
            _decode_part(_CARRIED, named, "carried"),
            _decode(_ATTESTED, attested, "where its author stood") if attested else None,
            tuple((name, bytes(value)) for name, value in named.items() if name not in _KNOWN),
        )


def parse_old_body(raw: bytes) -> Body:
    """Read a body of the version before, out of a replica's own past.

    What a program of then did not know is left out: nothing of it is ever sealed again.

    Raises:
        EnvelopeError: the bytes are no body of that version.
    """
    if body_version(raw) != OLD_BODY_VERSION:
        raise EnvelopeError("its content is of another version")
    parts = _parts(raw, at_least=_OLD_BODY_PARTS, what="a content")
    replaces = parts[_OLD_BODY_PARTS] if len(parts) > _OLD_BODY_PARTS else None
    return Body(
        _decode(_HASHES, parts[1], "its frontier"),
        _read_changes(parts[2]),
        _decode(_HASHES, replaces, "what it replaces") if replaces is not None else (),
    )


def body_version(raw: bytes) -> int:
    """The version by which the plaintext of an envelope of any kind begins.

    Raises:
        EnvelopeError: the bytes are no msgpack array that begins with one.
    """
    return _decode(_VERSION_ONLY, raw, "its content's version").version


def _read_changes(raw: Raw) -> tuple[Change, ...]:
    """The changes of a body, whose records are counted over all of them."""
    changes: list[Change] = []
    records = 0
    for one in _decode(_CHANGES, raw, "the list of its changes"):
        change = Change.parse(bytes(one))
        records += len(change.records)
        if records > limits.RECORDS_PER_ENVELOPE_MAX:
            raise EnvelopeError(
                f"its changes write to more than {limits.RECORDS_PER_ENVELOPE_MAX:,} records"
            )
        changes.append(change)
    return tuple(changes)


def _decode_part(
    decoder: msgspec.msgpack.Decoder[tuple[T, ...]], named: Mapping[str, Raw], name: str
) -> tuple[T, ...]:
    """A known part of a body that is a list; an empty one where it is not there."""
    return _decode(decoder, named[name], f"its part '{name}'") if name in named else ()


def _parts(raw: bytes | Raw, *, at_least: int, what: str) -> tuple[Raw, ...]:
    parts = _decode(_PARTS, raw, what)
    if len(parts) < at_least:
        raise EnvelopeError(f"{what} in it has {len(parts)} parts where {at_least} belong")
    return parts


def _decode(decoder: msgspec.msgpack.Decoder[T], raw: bytes | Raw, what: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EnvelopeError(f"{what} cannot be read ({error})") from None


def _copy_parts(parts: Sequence[Raw]) -> tuple[bytes, ...]:
    """Values that are carried as they came; as bytes of their own, not as a view of all."""
    return tuple(map(bytes, parts))
