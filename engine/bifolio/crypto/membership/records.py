"""The form of a membership record: what any version can check of it, and its signatures.

A record is the msgpack array ``[header, body, signatures]`` of three byte strings. The header is
``[version, library, previous, author, kind, needs, ...]``: these six are there in every version,
so that a program which does not know the kind can still tell whose the record is, where it belongs,
and whether it may go on without knowing what the record says. What a body holds is its kind's; in
header and body further values may follow, carried and ignored by a program that does not know them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bifolio import limits
from bifolio.crypto.encoding import (
    HASH_BYTES,
    content_hash,
    count_values,
    pack,
    unpack,
    unpack_leading,
)
from bifolio.crypto.keys import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    KeyPair,
    signed_message,
    verify,
)
from bifolio.crypto.membership import version_1
from bifolio.errors import MembershipError

VERSION = 2
LIBRARY_ID_BYTES = 16

GENESIS = "genesis"

#: What the genesis names, because its library's id is its own hash and nothing comes before it.
NO_LIBRARY = bytes(LIBRARY_ID_BYTES)
NO_PREVIOUS = bytes(HASH_BYTES)

_NEEDS_MAX = 2**16 - 1

_FORM = (bytes, bytes, bytes)
_HEADER_TYPES = (int, bytes, bytes, bytes, str, int)

#: A kind's name is shown to people, also by programs that do not know it.
_KIND = re.compile("[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """What any version can check of a record.

    ``author`` is the key on whose right it rests: a member's, or in a join the invite's.
    ``needs`` is the version of its kind that one must know to go on behind it; 0 where a program
    that does not know the kind goes on without it.

    Raises:
        MembershipError: a value has the wrong length or is out of its range.
    """

    version: int
    library: bytes
    previous: bytes
    author: bytes
    kind: str
    needs: int

    def __post_init__(self) -> None:
        lengths_right = (
            len(self.library) == LIBRARY_ID_BYTES
            and len(self.previous) == HASH_BYTES
            and len(self.author) == PUBLIC_KEY_BYTES
        )
        if not lengths_right:
            raise MembershipError("a value in its header has the wrong length")
        if self.version < VERSION:
            raise MembershipError(f"its header is of version {self.version}")
        if not _KIND.fullmatch(self.kind):
            raise MembershipError("its kind has no name that a kind can have")
        if not 0 <= self.needs <= _NEEDS_MAX:
            raise MembershipError(f"it needs version {self.needs} of its kind")

    @property
    def is_critical(self) -> bool:
        """Whether nobody may go on behind the record who does not know what it says."""
        return self.needs > 0


@dataclass(frozen=True, slots=True)
class Record:
    """A parsed record; that it parsed says nothing yet of who wrote it.

    ``signatures`` begin with the author's; ``message`` is what they sign.
    """

    header: RecordHeader
    body: bytes = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)
    message: bytes = field(repr=False)
    hash: bytes

    def check_author(self) -> None:
        """Check the first signature.

        Raises:
            MembershipError: it is not the author's.
        """
        _check_signature(self.header.author, self.message, self.signatures[0])

    def check_others(self, *signers: bytes) -> None:
        """Check that besides the author these have signed, and nobody else.

        Raises:
            MembershipError: a signature is missing, one too many, or not that of its key.
        """
        if len(self.signatures) != 1 + len(signers):
            raise MembershipError(f"it needs {1 + len(signers)} signatures")
        for signer, signature in zip(signers, self.signatures[1:], strict=True):
            _check_signature(signer, self.message, signature)


def parse_record(raw: bytes) -> Record:
    """The record in these bytes; one record has one form, so one hash.

    Raises:
        MembershipError: too large, damaged, or in another encoding.
    """
    if len(raw) > limits.MEMBERSHIP_RECORD_BYTES_MAX:
        raise MembershipError(
            f"it has {len(raw):,} bytes where {limits.MEMBERSHIP_RECORD_BYTES_MAX:,} are the most"
        )
    try:
        if count_values(raw) == version_1.VALUES:
            return _translate(raw)
        header_bytes, body, joined = unpack(raw, _FORM)
        values, _ = unpack_leading(header_bytes, _HEADER_TYPES)
    except ValueError as error:
        raise MembershipError(str(error)) from error
    header = RecordHeader(*values)
    if (header.library == NO_LIBRARY) != (header.kind == GENESIS):
        raise MembershipError("a genesis names no library, and every other record its own")
    message = _message_to_sign(header_bytes, body)
    return Record(header, body, _split(joined), message, content_hash(raw))


def sign_record(header: RecordHeader, body: bytes, *signers: KeyPair) -> bytes:
    """The bytes of a record, signed by its author and by who else has to."""
    header_bytes = pack(
        (
            header.version,
            header.library,
            header.previous,
            header.author,
            header.kind,
            header.needs,
        )
    )
    message = _message_to_sign(header_bytes, body)
    return pack((header_bytes, body, b"".join(signer.sign(message) for signer in signers)))


def read_body(record: Record, types: Sequence[type]) -> list[Any]:
    """The values of a record's body that this version knows, of these types.

    Raises:
        MembershipError: one is missing or of another type.
    """
    try:
        values, _ = unpack_leading(record.body, types)
    except ValueError as error:
        raise MembershipError(str(error)) from error
    return values


def library_id_of(genesis: bytes) -> bytes:
    """The id (16 bytes) of the library that this record begins."""
    return content_hash(genesis)[:LIBRARY_ID_BYTES]


def _translate(raw: bytes) -> Record:
    """A record of the first form as one of this form; its hash and what is signed stay its own."""
    old = version_1.read(raw)
    header = RecordHeader(VERSION, NO_LIBRARY, old.previous, old.author, old.kind, 1)
    signatures = _split(old.signatures)
    if old.author_signs_last:
        signatures = signatures[::-1]
    return Record(header, old.body, signatures, old.message, content_hash(raw))


def _message_to_sign(header_bytes: bytes, body: bytes) -> bytes:
    return signed_message("membership 2", header_bytes, body)


def _split(joined: bytes) -> tuple[bytes, ...]:
    if not joined or len(joined) % SIGNATURE_BYTES:
        raise MembershipError("its signatures have the wrong length")
    starts = range(0, len(joined), SIGNATURE_BYTES)
    return tuple(joined[start : start + SIGNATURE_BYTES] for start in starts)


def _check_signature(signer: bytes, message: bytes, signature: bytes) -> None:
    if not verify(signer, message, signature):
        raise MembershipError("a signature is not that of the key it names")
