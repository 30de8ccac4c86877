"""The messages of the protocol: frozen dataclasses with parse, serialize and check.

On the wire a message is a msgpack array ``[number of its type, field, field, ...]`` in one
websocket message. A field's form stands in its annotation. **Fields that follow the known ones
are ignored**, so that a later version can add some at the end without a new version number; one
that an earlier version did not send has its default. A type that is unknown is refused, because
the sender waits for an answer to it.

May not know when a message may be sent (``connection``), nor what an envelope, a membership
record or a signature holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NamedTuple, cast, get_type_hints

import msgpack

from bifolio import limits
from bifolio.errors import ProtocolError
from bifolio.wire.codec import (
    Bounded,
    Choice,
    Codec,
    Count,
    Counts,
    Fixed,
    Flag,
    Many,
    Optional,
    Reader,
    Row,
    Text,
)

PROTOCOL_VERSION = 1

#: A hash, where there is none.
NO_HASH = bytes(32)
NO_EPOCH = bytes(16)

Id = Annotated[bytes, Fixed(16)]
Hash = Annotated[bytes, Fixed(32)]
MaybeHash = Annotated[bytes | None, Optional(Fixed(32))]
Key = Annotated[bytes, Fixed(32)]
Signature = Annotated[bytes, Fixed(64)]
Number = Annotated[int, Count()]
Detail = Annotated[str, Text(1000)]
# One byte string may fill a message: a too large envelope is refused by name (TOO_BIG), not as
# bytes that are no message.
Sealed = Bounded(limits.MESSAGE_BYTES_MAX)


class Code(StrEnum):
    """Why the relay refuses one thing; the connection goes on."""

    FORK = "fork"  #: another envelope of that chain has this seq
    GAP = "gap"  #: an earlier envelope of that chain is missing
    STALE_KEY = "stale-key"  #: a newer content key is in use: advice to an honest sender
    FORBIDDEN = "forbidden"  #: no right to it
    TOO_BIG = "too-big"  #: larger than WELCOME's limits
    QUOTA = "quota"  #: the relay's room for this library, or for libraries, is used up
    RATE = "rate"  #: too much at once; later
    NEED_SNAPSHOT = "need-snapshot"  #: below the floor of the log
    UNKNOWN_HEAD = "unknown-head"  #: a membership head not known here: append members first
    HEAD_MOVED = "head-moved"  #: the membership log has grown: pull it, sign again
    INVALID = "invalid"  #: breaks a rule; sending it again is useless
    UNKNOWN_LIBRARY = "unknown-library"  #: not held here (any more)
    TAKEN = "taken"  #: another computer is sending that file: ask again later


class Retry(StrEnum):
    """What a client does after BYE."""

    NEVER = "never"
    ONCE = "once"
    BACKOFF = "backoff"


class AttestedPosition(NamedTuple):
    """A position of a log that a member's replica has checked the chain up to."""

    epoch: bytes
    n: int


class BlobState(NamedTuple):
    """How much of a blob the relay holds: its sealed size, and chunks from the first on.

    Nothing is held where both are zero; ``whole`` if all chunks are.
    """

    blob: bytes
    size_bytes: int
    held: int
    whole: bool


class BlobTally(NamedTuple):
    """How many times a blob of the library was completed or dropped, and the chain over that."""

    n: int
    hash: bytes


def nothing_of(blob: bytes) -> BlobState:
    """The state of a blob of which nothing is held."""
    return BlobState(blob, 0, 0, False)


class Receipt(NamedTuple):
    """An envelope's hash and its position in the log."""

    hash: bytes
    position: int


@dataclass(frozen=True)
class Message:
    """What all messages share."""

    NUMBER: ClassVar[int] = 0
    NAME: ClassVar[str] = ""

    def check(self) -> None:
        """Check every field and what binds them.

        Raises:
            ValueError: says which field and what was expected.
        """
        for name, codec in codecs_of(type(self)):
            try:
                codec.check(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        self.check_whole()

    def check_whole(self) -> None:
        """What binds several fields; for the messages that have such rules."""

    def serialize(self) -> bytes:
        """The message's bytes; a ``ValueError`` if we ourselves made it wrong."""
        self.check()
        values = [codec.pack(getattr(self, name)) for name, codec in codecs_of(type(self))]
        raw = cast(bytes, msgpack.packb([self.NUMBER, *values], use_bin_type=True))
        if len(raw) > limits.MESSAGE_BYTES_MAX:
            raise ValueError(f"{self.NAME} of {len(raw)} bytes is larger than a message may be")
        return raw


@dataclass(frozen=True)
class Challenge(Message):
    """The relay speaks first: the versions it speaks and a nonce to sign."""

    NUMBER = 1
    NAME = "CHALLENGE"
    versions: Annotated[tuple[int, ...], Many(Count(), 16)]
    nonce: Hash


@dataclass(frozen=True)
class Hello(Message):
    """Who asks for which library, signed over the nonce, and how far that replica is.

    With ``join``, ``device`` is the signing key of the ticket's invite. ``blob_tally`` is the
    number of the last tally of blobs by which it noted that something is on the relay.
    """

    NUMBER = 2
    NAME = "HELLO"
    version: Number
    library: Id
    device: Key
    signature: Signature
    join: Annotated[bool, Flag()] = False
    cursor: Number = 0
    attested: Annotated[
        AttestedPosition | None, Optional(Row((Fixed(16), Count()), AttestedPosition))
    ] = None
    blob_tally: Number = 0


@dataclass(frozen=True)
class Welcome(Message):
    """What the relay holds of the library.

    ``cursor_hash`` and ``attested_hash`` are the log's chain hash at HELLO's cursor and attested
    position, ``blob_tally_hash`` that of the blobs at HELLO's tally; null where what is held here
    does not reach so far. Without ``exists`` all is zero and empty.
    """

    NUMBER = 3
    NAME = "WELCOME"
    exists: Annotated[bool, Flag()]
    epoch: Id
    n: Number
    chain_hash: Hash
    cursor_hash: MaybeHash
    attested_hash: MaybeHash
    floor: Number
    role: Annotated[str | None, Optional(Text(32))]
    members: Number
    members_head: Hash
    limits: Annotated[Mapping[str, int], Counts(32)]
    blob_drops: Number = 0
    blob_tally_hash: MaybeHash = None

    @staticmethod
    def nothing(limits_: Mapping[str, int]) -> Welcome:
        """The welcome to a library that this relay does not hold."""
        return Welcome(
            exists=False,
            epoch=NO_EPOCH,
            n=0,
            chain_hash=NO_HASH,
            cursor_hash=None,
            attested_hash=None,
            floor=0,
            role=None,
            members=0,
            members_head=NO_HASH,
            limits=limits_,
        )


@dataclass(frozen=True)
class Pull(Message):
    """Ask for the log's entries after a position; answered by one ENVELOPES."""

    NUMBER = 4
    NAME = "PULL"
    after: Number


@dataclass(frozen=True)
class Envelopes(Message):
    """The log's entries after+1 to after+their number; ``n`` is the log's length now.

    With no entries and ``after`` = ``n`` it is a notice: the log is that long, pull.
    """

    NUMBER = 5
    NAME = "ENVELOPES"
    after: Number
    envelopes: Annotated[tuple[bytes, ...], Many(Sealed, limits.BATCH_ENVELOPES_MAX)]
    n: Number

    def check_whole(self) -> None:
        if self.after + len(self.envelopes) > self.n:
            raise ValueError("n: entries beyond the end of the log")


@dataclass(frozen=True)
class Push(Message):
    """Envelopes for the log, in chain order; each one is answered in an ACK or by a NACK."""

    NUMBER = 6
    NAME = "PUSH"
    envelopes: Annotated[tuple[bytes, ...], Many(Sealed, limits.BATCH_ENVELOPES_MAX)]

    def check_whole(self) -> None:
        if not self.envelopes:
            raise ValueError("envelopes: there is none")


@dataclass(frozen=True)
class Ack(Message):
    """These envelopes are in the log for good, at these positions, in ascending order."""

    NUMBER = 7
    NAME = "ACK"
    positions: Annotated[
        tuple[Receipt, ...], Many(Row((Fixed(32), Count()), Receipt), limits.BATCH_ENVELOPES_MAX)
    ]

    def check_whole(self) -> None:
        if not self.positions:
            raise ValueError("positions: there is none")


@dataclass(frozen=True)
class Nack(Message):
    """One thing was refused: ``subject`` is the BLAKE2b-256 of its bytes, empty for a PULL.

    About a blob it is the blob's id. For FORK and GAP, ``seq`` and ``head`` are the last that the
    relay has of that chain.
    """

    NUMBER = 8
    NAME = "NACK"
    code: Annotated[Code, Choice(Code)]
    subject: Annotated[bytes, Bounded(32)]
    detail: Detail
    seq: Number = 0
    head: Hash = NO_HASH


@dataclass(frozen=True)
class Create(Message):
    """Hold this library; the genesis proves its id. Answered by a fresh WELCOME."""

    NUMBER = 9
    NAME = "CREATE"
    genesis: Annotated[bytes, Bounded(limits.MEMBERSHIP_RECORD_BYTES_MAX)]


@dataclass(frozen=True)
class PullMembers(Message):
    """Ask for the membership records from number ``start``, counted from 0, the genesis."""

    NUMBER = 10
    NAME = "PULL_MEMBERS"
    start: Number


@dataclass(frozen=True)
class Members(Message):
    """Membership records from number ``start``; ``total`` and ``head`` of the whole log now.

    Also sent to every connection of the library when a record is appended.
    """

    NUMBER = 11
    NAME = "MEMBERS"
    start: Number
    records: Annotated[
        tuple[bytes, ...],
        Many(Bounded(limits.MEMBERSHIP_RECORD_BYTES_MAX), limits.MEMBERS_BATCH_MAX),
    ]
    total: Number
    head: Hash

    def check_whole(self) -> None:
        if self.start + len(self.records) > self.total:
            raise ValueError("total: records beyond the end of the membership log")


@dataclass(frozen=True)
class Append(Message):
    """Append a membership record to the log with this head; answered by MEMBERS or NACK."""

    NUMBER = 12
    NAME = "APPEND"
    expected_head: Hash
    record: Annotated[bytes, Sealed]


@dataclass(frozen=True)
class Bye(Message):
    """The relay ends the connection and says whether coming back makes sense."""

    NUMBER = 13
    NAME = "BYE"
    retry: Annotated[Retry, Choice(Retry)]
    reason: Detail


@dataclass(frozen=True)
class AskBlobs(Message):
    """How much of these blobs does the relay hold? Answered by BLOBS."""

    NUMBER = 14
    NAME = "ASK_BLOBS"
    blobs: Annotated[tuple[bytes, ...], Many(Fixed(32), limits.BLOBS_BATCH_MAX)]


@dataclass(frozen=True)
class Blobs(Message):
    """How much is held of some blobs; ``drops`` counts how often blobs of the library were dropped.

    Answers ASK_BLOBS, each CHUNK, a PULL_CHUNK of what is not held,
    and DROP_BLOBS. Unasked it tells of blobs that others completed or dropped; without any, that
    news was left out: ask again. ``tally`` is the one of the moment at which it is said.
    """

    NUMBER = 15
    NAME = "BLOBS"
    states: Annotated[
        tuple[BlobState, ...],
        Many(Row((Fixed(32), Count(), Count(), Flag()), BlobState), limits.BLOBS_BATCH_MAX),
    ]
    drops: Number
    tally: Annotated[BlobTally | None, Optional(Row((Count(), Fixed(32)), BlobTally))] = None


@dataclass(frozen=True)
class Chunk(Message):
    """One sealed chunk of a blob whose sealed size is ``size_bytes``; either way."""

    NUMBER = 16
    NAME = "CHUNK"
    blob: Hash
    size_bytes: Number
    number: Number
    sealed: Annotated[bytes, Bounded(limits.SEALED_CHUNK_BYTES_MAX)]


@dataclass(frozen=True)
class PullChunk(Message):
    """Ask for one chunk; answered by CHUNK, or by BLOBS where it is not held."""

    NUMBER = 17
    NAME = "PULL_CHUNK"
    blob: Hash
    number: Number


@dataclass(frozen=True)
class DropBlobs(Message):
    """Hold these no longer: nothing names them any more, or what came of them is damaged."""

    NUMBER = 18
    NAME = "DROP_BLOBS"
    blobs: Annotated[tuple[bytes, ...], Many(Fixed(32), limits.BLOBS_BATCH_MAX)]


MESSAGE_TYPES: tuple[type[Message], ...] = (
    Challenge,
    Hello,
    Welcome,
    Pull,
    Envelopes,
    Push,
    Ack,
    Nack,
    Create,
    PullMembers,
    Members,
    Append,
    Bye,
    AskBlobs,
    Blobs,
    Chunk,
    PullChunk,
    DropBlobs,
)


def _codecs(message_type: type[Message]) -> tuple[tuple[str, Codec], ...]:
    hints = get_type_hints(message_type, include_extras=True)
    return tuple(
        (field.name, cast(Codec, hints[field.name].__metadata__[0]))
        for field in fields(message_type)
    )


_CODECS = {message_type.NUMBER: _codecs(message_type) for message_type in MESSAGE_TYPES}
#: How many fields of each message have no default: an earlier version may leave out the others.
_NEEDED = {
    message_type.NUMBER: sum(field.default is MISSING for field in fields(message_type))
    for message_type in MESSAGE_TYPES
}
_BY_NUMBER = {message_type.NUMBER: message_type for message_type in MESSAGE_TYPES}


def parse_message(raw: bytes) -> Message:
    """The message in these bytes.

    Raises:
        ProtocolError: they are no message of this protocol, or one that breaks its rules.
    """
    if len(raw) > limits.MESSAGE_BYTES_MAX:
        raise ProtocolError(f"a message of {len(raw)} bytes")
    name = "message"
    try:
        reader = Reader(raw)
        # Later versions may add fields at the end; the bound only keeps the loop short.
        length = reader.array(64)
        message_type = _type_of(reader.scalar() if length else None)
        name = message_type.NAME
        message = _read_fields(message_type, reader, length - 1)
        reader.end()
        message.check_whole()
    except ValueError as error:
        raise ProtocolError(f"{name}: {error}") from error
    return message


def codecs_of(message_type: type[Message]) -> tuple[tuple[str, Codec], ...]:
    """The fields of a message in order, each with how it is written."""
    return _CODECS[message_type.NUMBER]


def _type_of(number: object) -> type[Message]:
    message_type = _BY_NUMBER.get(number) if type(number) is int else None
    if message_type is None:
        raise ValueError("a type that this version does not know")
    return message_type


def _read_fields(message_type: type[Message], reader: Reader, given: int) -> Message:
    codecs = codecs_of(message_type)
    needed = _NEEDED[message_type.NUMBER]
    if given < needed:
        raise ValueError(f"expected {needed} fields, got {given}")
    values: dict[str, Any] = {}
    for name, codec in codecs[:given]:
        try:
            values[name] = codec.read(reader)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    for _ in range(given - len(values)):
        reader.skip()
    return message_type(**values)
