"""The form of a membership record: what any version can check of it, and its signatures.

A record is the msgpack array ``[header, body, signatures]`` of three byte strings. The header is
``[version, library, previous, author, kind, needs, ...]``: these six are there in every version,
so that a program which does not know the kind can still tell whose the record is, where it belongs,
and whether it may go on without knowing what the record says. Further values may follow, carried
and ignored by a program that does not know them. The body is a map of named values, each kind's
own: a field that is not known is carried, and where its name begins with an uppercase letter,
nobody goes on behind the record who does not know it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bifolio import limits
from bifolio.crypto.encoding import (
    HASH_BYTES,
    FieldValue,
    content_hash,
    leading_values,
    pack,
    pack_fields,
    unpack,
    unpack_fields,
    unpack_leading,
)
from bifolio.crypto.keys import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    KeyPair,
    signed_message,
    verify,
)
from bifolio.errors import MembershipError, OldMembershipError
from bifolio.lazy import pattern

VERSION = 3
LIBRARY_ID_BYTES = 16

GENESIS = "genesis"

#: What the genesis names, because its library's id is its own hash and nothing comes before it.
NO_LIBRARY = bytes(LIBRARY_ID_BYTES)
NO_PREVIOUS = bytes(HASH_BYTES)

_NEEDS_MAX = 2**16 - 1

_FORM = (bytes, bytes, bytes)
_HEADER_TYPES = (int, bytes, bytes, bytes, str, int)

#: A kind's name is shown to people, also by programs that do not know it.
_KIND = pattern("[a-z][a-z0-9-]{0,31}")


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
            raise OldMembershipError
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

    ``signatures`` begin with the author's; ``message`` is what they sign. ``fields`` is empty where
    a later version's body may have another form.
    """

    header: RecordHeader
    fields: Mapping[str, FieldValue] = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)
    message: bytes = field(repr=False)
    hash: bytes

    @property
    def critical_fields(self) -> frozenset[str]:
        """The fields that one must know to go on behind the record."""
        return frozenset(name for name in self.fields if name[0].isupper())

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
        OldMembershipError: in a form that only an earlier program reads.
    """
    if len(raw) > limits.MEMBERSHIP_RECORD_BYTES_MAX:
        raise MembershipError(
            f"it has {len(raw):,} bytes where {limits.MEMBERSHIP_RECORD_BYTES_MAX:,} are the most"
        )
    _check_form(raw)
    try:
        header_bytes, body, joined = unpack(raw, _FORM)
        values, _ = unpack_leading(header_bytes, _HEADER_TYPES)
        header = RecordHeader(*values)
        fields = unpack_fields(body) if header.version == VERSION else {}
    except ValueError as error:
        raise MembershipError(str(error)) from error
    if (header.library == NO_LIBRARY) != (header.kind == GENESIS):
        raise MembershipError("a genesis names no library, and every other record its own")
    if header.kind == GENESIS and len(raw) > limits.GENESIS_BYTES_MAX:
        raise MembershipError(f"a genesis has at most {limits.GENESIS_BYTES_MAX:,} bytes")
    message = _message_to_sign(header_bytes, body)
    return Record(header, fields, _split(joined), message, content_hash(raw))


def sign_record(header: RecordHeader, fields: Mapping[str, FieldValue], *signers: KeyPair) -> bytes:
    """The bytes of a record, signed by its author and by who else has to."""
    return sign_body(header, pack_fields(fields), *signers)


def sign_body(header: RecordHeader, body: bytes, *signers: KeyPair) -> bytes:
    """The bytes of a record with this body, whatever it is."""
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


def library_id_of(genesis: bytes) -> bytes:
    """The id (16 bytes) of the library that this record begins."""
    return content_hash(genesis)[:LIBRARY_ID_BYTES]


def _check_form(raw: bytes) -> None:
    """Tell the first form of all, ``[body, signatures]``, from what is damaged."""
    try:
        body, _ = unpack(raw, (bytes, bytes))
        version, kind = leading_values(body, 2)
    except ValueError:
        return
    if version == 1 and kind in ("genesis", "invite", "join"):
        raise OldMembershipError


def _message_to_sign(header_bytes: bytes, body: bytes) -> bytes:
    return signed_message("membership 3", header_bytes, body)


def _split(joined: bytes) -> tuple[bytes, ...]:
    if not joined or len(joined) % SIGNATURE_BYTES:
        raise MembershipError("its signatures have the wrong length")
    starts = range(0, len(joined), SIGNATURE_BYTES)
    return tuple(joined[start : start + SIGNATURE_BYTES] for start in starts)


def _check_signature(signer: bytes, message: bytes, signature: bytes) -> None:
    if not verify(signer, message, signature):
        raise MembershipError("a signature is not that of the key it names")
