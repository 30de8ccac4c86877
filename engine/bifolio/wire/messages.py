"""The messages of the protocol, declared: each is a Struct whose annotations are its rules.

On the wire a message is a msgpack array ``[number of its type, field, field, ...]`` in one
websocket message. msgspec reads it against the annotations: a length that is claimed is compared
with its bound before anything is made, and what is not declared is passed over without being
built, so that no peer can make it build a tree. **Fields that follow the known ones are
ignored**, so that a later version can add some at the end without a new version number; one that
an earlier version did not send has its default. A type that is unknown is ``Unknown``, and
``connection`` says who may send one.

May not know when a message may be sent (``connection``), nor what an envelope, a membership
record or a signature holds.
"""

from __future__ import annotations

from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Annotated, Final, Self

import msgspec
from msgspec import Meta, Struct

from bifolio import limits
from bifolio.errors import ProtocolError
from bifolio.wire.message_base import (
    COUNT_MAX,
    ENCODER,
    NO_EPOCH,
    NO_HASH,
    Detail,
    Hash,
    Id,
    Ignorable,
    Key,
    Message,
    Number,
    Signature,
    Unknown,
    Versions,
    with_field_name,
)
from bifolio.wire.snapshot_messages import SNAPSHOT_MESSAGES

__all__ = ["COUNT_MAX", "NO_EPOCH", "NO_HASH", "Ignorable", "Message", "Unknown"]

PROTOCOL_VERSION = 2

#: The versions that this program speaks, the best one last.
PROTOCOL_VERSIONS = (PROTOCOL_VERSION,)

#: Messages whose types have these numbers may be passed over by who does not know them: their
#: sender lives without an answer.
IGNORABLE_FROM: Final = 128

Record = Annotated[bytes, Meta(max_length=limits.MEMBERSHIP_RECORD_BYTES_MAX)]
RecordBatch = Annotated[tuple[Record, ...], Meta(max_length=limits.MEMBERSHIP_REPLACED_RECORDS_MAX)]
# One byte string may fill a message: a too large envelope is refused by name (TOO_BIG), not as
# bytes that are no message.
Sealed = Annotated[bytes, Meta(max_length=limits.MESSAGE_BYTES_MAX)]
SealedBatch = Annotated[tuple[Sealed, ...], Meta(max_length=limits.BATCH_ENVELOPES_MAX)]
BlobBatch = Annotated[tuple[Hash, ...], Meta(max_length=limits.BLOBS_BATCH_MAX)]

#: A word of a later version is no longer than this.
_WORD_LENGTH_MAX = 32


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
    EXPIRED = "expired"  #: the time of a ticket is over
    TOKEN = "token"  #: a new library takes a token of this relay, or another one
    DELETED = "deleted"  #: an owner deleted the library here: nobody gives it back unasked
    TAKEN = "taken"  #: another computer is sending that file: ask again later

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """A later version's word stays what it is: it is a refusal, and ``detail`` says why."""
        if not isinstance(value, str) or len(value) > _WORD_LENGTH_MAX:
            return None
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        return word


class Retry(StrEnum):
    """What a client does after BYE."""

    NEVER = "never"
    ONCE = "once"
    BACKOFF = "backoff"

    @classmethod
    def _missing_(cls, value: object) -> Retry | None:
        """A later version's word: to come back after a while is never wrong."""
        return cls.BACKOFF if isinstance(value, str) else None


class AttestedPosition(Struct, frozen=True, array_like=True):
    """A position of a log that a member's replica has checked the chain up to."""

    epoch: Id
    n: Number


class BlobState(Struct, frozen=True, array_like=True):
    """How much of a blob the relay holds: its sealed size, and chunks from the first on.

    Nothing is held where both are zero; ``whole`` if all chunks are.
    """

    blob: Hash
    size_bytes: Number
    held: Number
    whole: bool


class BlobTally(Struct, frozen=True, array_like=True):
    """How many times a blob of the library was completed or dropped, and the chain over that."""

    n: Number
    hash: Hash


def nothing_of(blob: bytes) -> BlobState:
    """The state of a blob of which nothing is held."""
    return BlobState(blob, 0, 0, False)


class Receipt(Struct, frozen=True, array_like=True):
    """An envelope's hash and its position in the log."""

    hash: Hash
    position: Number


class Partial(Struct, frozen=True, array_like=True):
    """How many bytes of a message are held from its beginning on; by the hash of all its bytes."""

    message: Hash
    held: Number


class ChainPlace(Struct, frozen=True, array_like=True):
    """A place in a chain: the chain as its author's (``Header.author_chain``), and the seq."""

    chain: Id
    seq: Number


class Challenge(Message, frozen=True, tag=1):
    """The relay speaks first: the versions it speaks and a nonce to sign."""

    NAME = "CHALLENGE"
    versions: Versions
    nonce: Hash


class Hello(Message, frozen=True, tag=2):
    """Who asks for which library, and how far that replica is; all of it is signed (``said``).

    ``version`` is the one chosen of those that CHALLENGE offers, ``versions`` all that the client
    speaks; ``relay`` the host and port that it called. With ``join``, ``device`` is the signing
    key of the ticket's invite. ``blob_tally`` is the number of the last tally of blobs by which it
    noted that something is on the relay. In every version the first two fields are these.
    """

    NAME = "HELLO"
    version: Number
    versions: Versions
    library: Id
    device: Key
    signature: Signature
    relay: Annotated[str, Meta(max_length=limits.RELAY_NAME_CHARACTERS_MAX)]
    join: bool = False
    cursor: Number = 0
    attested: AttestedPosition | None = None
    blob_tally: Number = 0

    def said(self) -> bytes:
        """All that it says but for the signature: what the signature is over."""
        fields = (getattr(self, name) for name in self.__struct_fields__ if name != "signature")
        return ENCODER.encode(tuple(fields))

    def with_signature(self, signature: bytes) -> Hello:
        """The same greeting, signed."""
        return msgspec.structs.replace(self, signature=signature)


class Welcome(Message, frozen=True, tag=3):
    """What the relay holds of the library.

    ``cursor_hash`` and ``attested_hash`` are the log's chain hash at HELLO's cursor and attested
    position, ``blob_tally_hash`` that of the blobs at HELLO's tally; null where what is held here
    does not reach so far. Without ``exists`` all is zero and empty. ``limits`` with
    ``fragment_bytes`` says that the relay takes FRAGMENT and LOCATE; ``partials`` is what it holds
    of messages whose fragments did not all come, from earlier connections of this device.
    """

    NAME = "WELCOME"
    exists: bool
    epoch: Id
    n: Number
    chain_hash: Hash
    cursor_hash: Hash | None
    attested_hash: Hash | None
    floor: Number
    role: Annotated[str, Meta(max_length=32)] | None
    members: Number
    members_head: Hash
    limits: Annotated[dict[Annotated[str, Meta(max_length=64)], Number], Meta(max_length=32)]
    blob_drops: Number = 0
    blob_tally_hash: Hash | None = None
    partials: Annotated[tuple[Partial, ...], Meta(max_length=limits.PARTIALS_OF_DEVICE_MAX)] = ()

    @staticmethod
    def nothing(limits_: dict[str, int]) -> Welcome:
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


class Pull(Message, frozen=True, tag=4):
    """Ask for the log's entries after a position; answered by one ENVELOPES.

    Of no more entries than ``count``, where that is not 0: what follows is here already.
    """

    NAME = "PULL"
    after: Number
    count: Number = 0


class Envelopes(Message, frozen=True, tag=5):
    """The log's entries after+1 to after+their number; ``n`` is the log's length now.

    With no entries and ``after`` = ``n`` it is a notice: the log is that long, pull.
    """

    NAME = "ENVELOPES"
    after: Number
    envelopes: SealedBatch
    n: Number

    def __post_init__(self) -> None:
        if self.after + len(self.envelopes) > self.n:
            raise ValueError("n: entries beyond the end of the log")


class Push(Message, frozen=True, tag=6):
    """Envelopes for the log, in chain order; each one is answered in an ACK or by a NACK."""

    NAME = "PUSH"
    envelopes: SealedBatch

    def __post_init__(self) -> None:
        if not self.envelopes:
            raise ValueError("envelopes: there is none")


class Ack(Message, frozen=True, tag=7):
    """These envelopes are in the log for good, at these positions, in ascending order."""

    NAME = "ACK"
    positions: Annotated[tuple[Receipt, ...], Meta(max_length=limits.BATCH_ENVELOPES_MAX)]

    def __post_init__(self) -> None:
        if not self.positions:
            raise ValueError("positions: there is none")


class Nack(Message, frozen=True, tag=8):
    """One thing was refused: ``subject`` is the BLAKE2b-256 of its bytes, empty for a PULL.

    About a blob it is the blob's id. For FORK, GAP and NEED_SNAPSHOT of an envelope, ``seq`` and
    ``head`` are the last that the relay has of that chain. ``proof`` of a FORK is what the author
    signed of the envelope that has the place (``SignedHeader``): without it nobody need believe
    that there is one.
    """

    NAME = "NACK"
    code: Code
    subject: Annotated[bytes, Meta(max_length=32)]
    detail: Detail
    seq: Number = 0
    head: Hash = NO_HASH
    proof: Annotated[bytes, Meta(max_length=limits.SIGNED_HEADER_BYTES_MAX)] = b""


class Create(Message, frozen=True, tag=9):
    """Hold this library; the genesis proves its id. Answered by a fresh WELCOME.

    ``token`` is the id of the relay's token that allows it, and ``proof`` the signature of the
    token's key over the relay's nonce and the genesis; both are empty without a token. ``again``
    says that a user wants it there although an owner deleted it.
    """

    NAME = "CREATE"
    genesis: Annotated[bytes, Meta(max_length=limits.GENESIS_BYTES_MAX)]
    token: Annotated[bytes, Meta(max_length=16)] = b""
    proof: Annotated[bytes, Meta(max_length=64)] = b""
    again: bool = False


class PullMembers(Message, frozen=True, tag=10):
    """Ask for the membership records from number ``start``, counted from 0, the genesis."""

    NAME = "PULL_MEMBERS"
    start: Number


class Members(Message, frozen=True, tag=11):
    """Membership records from number ``start``; ``total`` and ``head`` of the whole log now.

    Also sent to every connection of the library when a record is appended.
    """

    NAME = "MEMBERS"
    start: Number
    records: Annotated[tuple[Record, ...], Meta(max_length=limits.MEMBERS_BATCH_MAX)]
    total: Number
    head: Hash

    def __post_init__(self) -> None:
        if self.start + len(self.records) > self.total:
            raise ValueError("total: records beyond the end of the membership log")


class Append(Message, frozen=True, tag=12):
    """Append a membership record to the log with this head; answered by MEMBERS or NACK.

    ``fresh`` if it was in no log before: where it ends a device's right to write, the relay then
    refuses it (``head-moved``) if it has more of that device's chains than the record says.

    With ``kept``, ``record`` and those ``further`` behind it take the place of all but the first
    ``kept`` records of the relay's log, which went another way than the sender's: if the sender's
    is the one that goes on by the rule, and has all that is in the relay's.
    """

    NAME = "APPEND"
    expected_head: Hash
    record: Sealed
    fresh: bool = False
    kept: Number = 0
    further: RecordBatch = ()


class Bye(Message, frozen=True, tag=13):
    """The relay ends the connection and says whether coming back makes sense."""

    NAME = "BYE"
    retry: Retry
    reason: Detail


class AskBlobs(Message, frozen=True, tag=14):
    """How much of these blobs does the relay hold? Answered by BLOBS."""

    NAME = "ASK_BLOBS"
    blobs: BlobBatch


class Blobs(Message, frozen=True, tag=15):
    """How much is held of some blobs; ``drops`` counts how often blobs of the library were dropped.

    Answers ASK_BLOBS, each CHUNK, a PULL_CHUNK of what is not held,
    and DROP_BLOBS. Unasked it tells of blobs that others completed or dropped; without any, that
    news was left out: ask again. ``tally`` is the one of the moment at which it is said.
    """

    NAME = "BLOBS"
    states: Annotated[tuple[BlobState, ...], Meta(max_length=limits.BLOBS_BATCH_MAX)]
    drops: Number
    tally: BlobTally | None = None


class Chunk(Message, frozen=True, tag=16):
    """One sealed chunk of a blob whose sealed size is ``size_bytes``; either way."""

    NAME = "CHUNK"
    blob: Hash
    size_bytes: Number
    number: Number
    sealed: Annotated[bytes, Meta(max_length=limits.SEALED_CHUNK_BYTES_MAX)]


class PullChunk(Message, frozen=True, tag=17):
    """Ask for one chunk; answered by CHUNK, or by BLOBS where it is not held."""

    NAME = "PULL_CHUNK"
    blob: Hash
    number: Number


class DropBlobs(Message, frozen=True, tag=18):
    """Hold these no longer: nothing names them any more, or what came of them is damaged."""

    NAME = "DROP_BLOBS"
    blobs: BlobBatch


class Fragment(Message, frozen=True, tag=19):
    """A part of a message that is larger than one that the line carries well; either way.

    ``message`` is the BLAKE2b-256 of all the message's bytes, ``size_bytes`` how many they are,
    ``offset`` where ``part`` begins. Parts come in order. What came of a message before the
    connection was cut is kept, and told (WELCOME, FLOW): the sender goes on from there.
    """

    NAME = "FRAGMENT"
    message: Hash
    size_bytes: Annotated[int, Meta(ge=1, le=limits.MESSAGE_BYTES_MAX)]
    offset: Number
    part: Annotated[bytes, Meta(min_length=1, max_length=limits.MESSAGE_BYTES_MAX)]

    def __post_init__(self) -> None:
        if self.offset + len(self.part) > self.size_bytes:
            raise ValueError("part: beyond the end of the message")


class Locate(Message, frozen=True, tag=20):
    """Which of these does the log have? Asked after a cut, of envelopes whose ACK may be lost.

    Answered by one LOCATED.
    """

    NAME = "LOCATE"
    places: Annotated[tuple[ChainPlace, ...], Meta(max_length=limits.LOCATED_AT_ONCE_MAX)]


class Located(Message, frozen=True, tag=21):
    """The envelopes that the log has at the places of a LOCATE, by position."""

    NAME = "LOCATED"
    positions: Annotated[tuple[Receipt, ...], Meta(max_length=limits.LOCATED_AT_ONCE_MAX)]


class Delete(Message, frozen=True, tag=22):
    """Hold the library no longer, with all that is held of it: an owner's wish.

    ``signature`` is the device's over the relay's nonce and the library's id. Answered by NACK:
    ``deleted`` where it is done. A relay that takes it says so in WELCOME's limits
    (``delete_library``).
    """

    NAME = "DELETE"
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class Flow(Message, frozen=True, tag=128):
    """How large a message the client wants to be sent; a larger one comes in fragments.

    Its sender knows FRAGMENT. ``partial`` is what it holds of a message from an earlier
    connection. A relay that does not know this message passes over it.
    """

    NAME = "FLOW"
    message_bytes: Annotated[int, Meta(ge=limits.FLOW_BYTES_MIN, le=limits.MESSAGE_BYTES_MAX)]
    partial: Partial | None = None


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
    Fragment,
    Locate,
    Located,
    Delete,
    Flow,
    *SNAPSHOT_MESSAGES,
)


def number_of(message_type: type[Message]) -> int:
    """The number by which a type of message begins on the wire."""
    tag = message_type.__struct_config__.tag
    assert isinstance(tag, int)
    return tag


_BY_NUMBER = {number_of(message_type): message_type for message_type in MESSAGE_TYPES}
_DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(reduce(or_, MESSAGE_TYPES))
_NUMBER_ONLY = msgspec.msgpack.Decoder(Unknown)


def parse_message(raw: bytes) -> Message:
    """The message in these bytes.

    Raises:
        ProtocolError: they are no message of this protocol, or one that breaks its rules.
    """
    if len(raw) > limits.MESSAGE_BYTES_MAX:
        raise ProtocolError(f"a message of {len(raw)} bytes")
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _unknown_or_wrong(raw, error)


#: An array of two, and the number of the type.
_PUSH_BEGINS: Final = bytes((0x92, Push.__struct_config__.tag))  # type: ignore[arg-type]

#: The largest array of a length in its first byte: ``0x90`` and the length.
_SHORT_ARRAY_MAX: Final = 15


def is_short_push(raw: bytes, count_max: int) -> bool:
    """Whether these bytes begin as a PUSH of at most so many envelopes does, 15 at most.

    Says nothing of what follows.
    """
    return (
        len(raw) > 3
        and raw[:2] == _PUSH_BEGINS
        and 0x90 < raw[2] <= 0x90 + min(count_max, _SHORT_ARRAY_MAX)
    )


def _unknown_or_wrong(raw: bytes, error: Exception) -> Unknown:
    """A message of a type that is not known; what is wrong with any other, as an error."""
    try:
        unknown = _NUMBER_ONLY.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise ProtocolError(f"message: {error}") from error
    message_type = _BY_NUMBER.get(unknown.number)
    if message_type is None:
        return Ignorable(unknown.number) if unknown.number >= IGNORABLE_FROM else unknown
    raise ProtocolError(
        f"{message_type.NAME}: {with_field_name(str(error), message_type)}"
    ) from error
