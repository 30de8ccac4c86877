"""The parts of a bundle: a file of envelopes and the membership log (docs/bundles.md).

A bundle is ``MAGIC`` and then parts, each a length (4 bytes, big-endian) and the MessagePack array
``[name, content]``:

============= ===================================================================================
``Head``      a map: ``version``, ``library`` (16 bytes), ``replica`` (16 bytes), ``made_ms``
``Members``   records of the membership log, in order
``have``      ``[[chain, seq, hash], ...]``: where the chains end that its maker has
``Envelopes`` envelopes, each whole and as it was signed, in causal order
``Chunk``     ``[blob, sealed size, number, sealed]``: a piece of a file, as a relay would get it
``End``       ``[parts, hash]``: how many came before it, and the BLAKE2b-256 of all those bytes
============= ===================================================================================

``Head`` is the first part and ``End`` the last. A part, or a value of ``Head``, whose name begins
with a capital letter must be understood; any other that is unknown is passed over. Without any I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw

from bifolio import limits
from bifolio.errors import EnvelopeError, NewerFormatError

MAGIC = b"bifolio bundle\n"

#: The version of a bundle that is written here, and the newest that can be read.
VERSION = 1

HEAD = "Head"
MEMBERS = "Members"
HAVE = "have"
ENVELOPES = "Envelopes"
CHUNK = "Chunk"
END = "End"

LENGTH_BYTES = 4

_KNOWN = frozenset({HEAD, MEMBERS, HAVE, ENVELOPES, CHUNK, END})
_KNOWN_IN_HEAD = frozenset({"version", "library", "replica", "made_ms"})
#: The year 9999: a later time is no time.
_MILLISECONDS_MAX = 253_402_300_799_999

T = TypeVar("T")

_Name = Annotated[str, Meta(min_length=1, max_length=32, pattern="^[A-Za-z][A-Za-z0-9_]*$")]
_Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
_Count = Annotated[int, Meta(ge=0, le=2**53)]


class Part(NamedTuple):
    """A part: its name, and its content as it is in the file."""

    name: _Name
    content: Raw


class Head(msgspec.Struct, frozen=True):
    """What a bundle is: of which library, who made it, and when (milliseconds since 1970)."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    library: _Id
    replica: _Id
    made_ms: Annotated[int, Meta(ge=0, le=_MILLISECONDS_MAX)]


class ChainHead(NamedTuple):
    """How far its maker has a chain: the number and the hash of the last envelope."""

    chain: Annotated[bytes, Meta(min_length=1, max_length=64)]
    seq: Annotated[int, Meta(ge=1, le=2**53)]
    hash: _Hash


class Chunk(NamedTuple):
    """A sealed piece of a content, and its place in that."""

    blob: _Hash
    sealed_size: Annotated[int, Meta(ge=1, le=limits.BLOB_BYTES_MAX)]
    number: _Count
    sealed: Annotated[bytes, Meta(max_length=limits.SEALED_CHUNK_BYTES_MAX)]


class End(NamedTuple):
    """The end of a bundle: how many parts came before, and the hash of all their bytes."""

    parts: _Count
    hash: _Hash


#: What msgspec raises for bytes that are not what they should be; text that is no UTF-8 is a
#: ``ValueError``.
_UNREADABLE = (msgspec.MsgspecError, RecursionError, ValueError)

_ENCODER = msgspec.msgpack.Encoder()
_PART = msgspec.msgpack.Decoder(Part)
_HEAD = msgspec.msgpack.Decoder(Head)
_NAMES = msgspec.msgpack.Decoder(Annotated[dict[_Name, Raw], Meta(max_length=64)])
_MEMBERS: msgspec.msgpack.Decoder[list[bytes]] = msgspec.msgpack.Decoder(
    Annotated[
        list[Annotated[bytes, Meta(max_length=limits.MEMBERSHIP_RECORD_BYTES_MAX)]],
        Meta(max_length=limits.BUNDLE_MEMBERS_PER_PART),
    ]
)
_HEADS = msgspec.msgpack.Decoder(
    Annotated[list[ChainHead], Meta(max_length=limits.BUNDLE_HEADS_MAX)]
)
_ENVELOPES: msgspec.msgpack.Decoder[list[bytes]] = msgspec.msgpack.Decoder(
    Annotated[
        list[Annotated[bytes, Meta(max_length=limits.ENVELOPE_BYTES_MAX)]],
        Meta(max_length=limits.BATCH_ENVELOPES_MAX),
    ]
)
_CHUNK = msgspec.msgpack.Decoder(Chunk)
_END = msgspec.msgpack.Decoder(End)


def encode_part(name: str, content: object) -> bytes:
    """A part as it is in the file, its length before it."""
    raw = _ENCODER.encode([name, content])
    return len(raw).to_bytes(LENGTH_BYTES, "big") + raw


def encode_head(head: Head) -> bytes:
    """The first part."""
    return encode_part(HEAD, head)


def read_part(raw: bytes) -> tuple[str, bytes] | None:
    """The name and the content of a part (without its length); None for one to be passed over.

    Raises:
        EnvelopeError: it is no part.
        NewerFormatError: it must be understood, and is not known.
    """
    try:
        part = _PART.decode(raw)
    except _UNREADABLE as error:
        raise EnvelopeError("a part of it cannot be read") from error
    if part.name in _KNOWN:
        return part.name, bytes(part.content)
    if part.name[0].isupper():
        raise NewerFormatError(f"bundle part '{part.name}'")
    return None


def read_head(content: bytes) -> Head:
    """What a bundle is.

    Raises:
        EnvelopeError: it is no head.
        NewerFormatError: only a newer program can read the bundle.
    """
    try:
        names = _NAMES.decode(content)
        version = msgspec.msgpack.decode(names["version"], type=int)
    except (KeyError, *_UNREADABLE) as error:
        raise EnvelopeError("its first part cannot be read") from error
    if version > VERSION:
        raise NewerFormatError(f"bundle version {version}")
    unknown = sorted(one for one in names.keys() - _KNOWN_IN_HEAD if one[0].isupper())
    if unknown:
        raise NewerFormatError(f"bundle value '{unknown[0]}'")
    head: Head = _decoded(_HEAD, content)
    return head


def read_members(content: bytes) -> Sequence[bytes]:
    """Records of the membership log. EnvelopeError where it is none."""
    return _decoded(_MEMBERS, content)


def read_heads(content: bytes) -> Sequence[ChainHead]:
    """Where the chains end that a bundle's maker has. EnvelopeError where it is none."""
    return _decoded(_HEADS, content)


def read_envelopes(content: bytes) -> Sequence[bytes]:
    """Envelopes in causal order. EnvelopeError where it is none."""
    return _decoded(_ENVELOPES, content)


def read_chunk(content: bytes) -> Chunk:
    """A piece of a file. EnvelopeError where it is none."""
    return _decoded(_CHUNK, content)


def read_end(content: bytes) -> End:
    """The end. EnvelopeError where it is none."""
    return _decoded(_END, content)


def _decoded(decoder: msgspec.msgpack.Decoder[T], content: bytes) -> T:
    try:
        return decoder.decode(content)
    except _UNREADABLE as error:
        raise EnvelopeError("a part of it cannot be read") from error
