"""Envelopes: a change sealed and signed for the log (DESIGN §6).

An envelope is the msgpack array ``[header, sealed, signature]`` of three byte strings. The header
is readable by the relay and authenticated twice, by the author's signature and as associated data
of the sealing. ``sealed`` is a nonce and the compressed plaintext under XChaCha20-Poly1305, with a
key of this chain alone. Knows nothing of what the plaintext holds, nor who may write. May import
only ``errors``, ``ids`` and ``limits``.

**A later version's envelope is an envelope too.** The first nine values of a header, the signature
and the hash are the same in every version, so that every carrier can check whose it is and
where it belongs. What a later version puts behind them is authenticated, carried and otherwise
ignored; what a reader must understand to open or to merge it raises ``version``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import zstandard
from nacl import bindings
from nacl.exceptions import CryptoError

from bifolio import limits
from bifolio.crypto.encoding import HASH_BYTES, content_hash, pack, unpack, unpack_leading
from bifolio.crypto.keys import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    DeviceKeys,
    signed_message,
    verify,
)
from bifolio.errors import EnvelopeError
from bifolio.ids import RandomBytes, digest

VERSION = 1
KIND_CHANGES = 1

LIBRARY_ID_BYTES = 16
CHAIN_ID_BYTES = 16
CONTENT_KEY_BYTES = 32
NO_PREVIOUS = bytes(HASH_BYTES)

#: A chain of one envelope per microsecond would last three centuries; SQLite holds it.
SEQ_MAX = 2**53 - 1
GENERATION_MAX = 2**32 - 1
KIND_MAX = 2**16 - 1

_NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_TAG_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
_ZSTD_LEVEL = 3

VERSION_MAX = 2**16 - 1

_ENVELOPE_TYPES = (bytes, bytes, bytes)
_HEADER_TYPES = (int, bytes, int, bytes, bytes, int, bytes, int, bytes)


@lru_cache(maxsize=4096)
def author_chain(device: bytes, chain: bytes) -> bytes:
    """A chain id (16 bytes) as that of one device, 16 bytes: nobody else can continue it."""
    return digest(device, chain, size=CHAIN_ID_BYTES)


@dataclass(frozen=True, slots=True)
class Header:
    """What everybody who carries an envelope may read of it, whatever its version.

    ``more`` are the values that a later version put behind the known ones.

    Raises:
        EnvelopeError: when a value has the wrong length or is out of its range.
    """

    library: bytes
    generation: int
    device: bytes
    chain: bytes
    seq: int
    previous: bytes
    kind: int
    membership_head: bytes
    version: int = VERSION
    more: tuple[bytes | int | str, ...] = ()

    def __post_init__(self) -> None:
        lengths_right = (
            len(self.library) == LIBRARY_ID_BYTES
            and len(self.device) == PUBLIC_KEY_BYTES
            and len(self.chain) == CHAIN_ID_BYTES
            and len(self.previous) == HASH_BYTES
            and len(self.membership_head) == HASH_BYTES
        )
        if not lengths_right:
            raise EnvelopeError("a value in its header has the wrong length")
        if not 1 <= self.version <= VERSION_MAX:
            raise EnvelopeError(f"its header is of version {self.version}")
        if not 0 <= self.generation <= GENERATION_MAX:
            raise EnvelopeError(f"its header names key generation {self.generation}")
        if not 1 <= self.kind <= KIND_MAX:
            raise EnvelopeError(f"its header names kind {self.kind}")
        if not 1 <= self.seq <= SEQ_MAX:
            raise EnvelopeError(f"its header names place {self.seq} in its chain")
        if (self.seq == 1) != (self.previous == NO_PREVIOUS):
            raise EnvelopeError(
                "its header must name the one before it, and the first of a chain none"
            )

    @property
    def author_chain(self) -> bytes:
        """The chain as nobody but its author can continue it: device and chain id, 16 bytes.

        A chain id is in the clear, so another member could begin a chain of its own with it.
        """
        return author_chain(self.device, self.chain)

    def encode(self) -> bytes:
        """The canonical bytes, which are signed and authenticated."""
        return pack(
            (
                self.version,
                self.library,
                self.generation,
                self.device,
                self.chain,
                self.seq,
                self.previous,
                self.kind,
                self.membership_head,
                *self.more,
            )
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope; that it parsed says nothing yet of who wrote it."""

    header: Header
    sealed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    raw: bytes = field(repr=False)
    hash: bytes


def parse_envelope(raw: bytes) -> Envelope:
    """The envelope in these bytes; one envelope has one form, so one hash.

    Raises:
        EnvelopeError: too large, damaged, or in another encoding.
    """
    if len(raw) > limits.ENVELOPE_BYTES_MAX:
        raise EnvelopeError(
            f"it has {len(raw):,} bytes where {limits.ENVELOPE_BYTES_MAX:,} are the most"
        )
    try:
        header_bytes, sealed, signature = unpack(raw, _ENVELOPE_TYPES)
    except ValueError as error:
        raise EnvelopeError(str(error)) from error
    header = _parse_header(header_bytes)
    # What a later version seals, and how, is only for a program that knows it.
    shortest = _NONCE_BYTES + _TAG_BYTES if header.version == VERSION else 0
    if len(sealed) < shortest or len(signature) != SIGNATURE_BYTES:
        raise EnvelopeError("its sealed part or its signature has the wrong length")
    return Envelope(header, sealed, signature, raw, content_hash(raw))


def _parse_header(header_bytes: bytes) -> Header:
    if len(header_bytes) > limits.ENVELOPE_HEADER_BYTES_MAX:
        raise EnvelopeError(f"its header has {len(header_bytes):,} bytes")
    try:
        (version, *known), more = unpack_leading(header_bytes, _HEADER_TYPES)
    except ValueError as error:
        raise EnvelopeError(str(error)) from error
    return Header(*(*known, version, more))


def read_header(beginning: bytes) -> Header:
    """The header of an envelope that was parsed before, from its first bytes.

    Arguments:
        beginning: ``limits.ENVELOPE_HEADER_BYTES_MAX`` and a few bytes, or the whole envelope.

    Raises:
        EnvelopeError: it is no envelope.
    """
    # An array of three, then the header as bytes of a length in one or two bytes.
    mark, start = beginning[1:2], 3 if beginning[1:2] == b"\xc4" else 4
    if beginning[:1] != b"\x93" or mark not in (b"\xc4", b"\xc5"):
        raise EnvelopeError("it does not begin as an envelope does")
    length = int.from_bytes(beginning[2:start], "big")
    try:
        (version, *known), more = unpack_leading(beginning[start : start + length], _HEADER_TYPES)
        return Header(*(*known, version, more))
    except ValueError as error:
        raise EnvelopeError(str(error)) from error


def verify_signature(envelope: Envelope) -> None:
    """Check that the device in the header made this envelope, all of it.

    Raises:
        EnvelopeError: it did not.
    """
    message = _message_to_sign(envelope.header.encode(), envelope.sealed)
    if not verify(envelope.header.device, message, envelope.signature):
        raise EnvelopeError("its signature is not that of the device it names")


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """What its author signed of an envelope, without the content: proof that it made it.

    ``header_bytes`` are the canonical ones, ``sealed_hash`` is BLAKE2b-256 of the sealed part.
    """

    header: Header
    header_bytes: bytes
    sealed_hash: bytes
    signature: bytes = field(repr=False)

    @classmethod
    def of(cls, envelope: Envelope) -> SignedHeader:
        """Of a whole envelope."""
        return cls(
            envelope.header,
            envelope.header.encode(),
            content_hash(envelope.sealed),
            envelope.signature,
        )

    @classmethod
    def parse(cls, raw: bytes) -> SignedHeader:
        """What ``serialize`` wrote, with a good signature.

        Raises:
            EnvelopeError: damaged, or not signed by the device that it names.
        """
        if len(raw) > limits.SIGNED_HEADER_BYTES_MAX:
            raise EnvelopeError(f"its signed header has {len(raw):,} bytes")
        try:
            header_bytes, sealed_hash, signature = unpack(raw, _ENVELOPE_TYPES)
        except ValueError as error:
            raise EnvelopeError(str(error)) from error
        if len(sealed_hash) != HASH_BYTES or len(signature) != SIGNATURE_BYTES:
            raise EnvelopeError("a value in its signed header has the wrong length")
        header = _parse_header(header_bytes)
        if not verify(header.device, _message_of(header_bytes, sealed_hash), signature):
            raise EnvelopeError("its signature is not that of the device it names")
        return cls(header, header_bytes, sealed_hash, signature)

    def serialize(self) -> bytes:
        """As bytes to be shown to somebody."""
        return pack((self.header_bytes, self.sealed_hash, self.signature))

    def competes_with(self, other: SignedHeader) -> bool:
        """Whether one author signed two different envelopes for one place of its chain."""
        return (
            self.header.author_chain == other.header.author_chain
            and self.header.library == other.header.library
            and self.header.seq == other.header.seq
            and (self.header_bytes, self.sealed_hash) != (other.header_bytes, other.sealed_hash)
        )


def seal(
    header: Header,
    plaintext: bytes,
    *,
    content_key: bytes,
    keys: DeviceKeys,
    random_bytes: RandomBytes,
) -> Envelope:
    """Compress, seal and sign.

    Arguments:
        header: with ``device`` the public key of ``keys``.
        plaintext: what members read.
        content_key: the library's key (32 bytes) of the header's generation.

    Raises:
        EnvelopeError: the plaintext or the envelope is larger than one may be.
    """
    if header.device != keys.sign_public:
        raise ValueError("the header names another device than the one that seals")
    if len(plaintext) > limits.PLAINTEXT_BYTES_MAX:
        raise EnvelopeError(
            f"it would hold {len(plaintext):,} bytes where {limits.PLAINTEXT_BYTES_MAX:,} "
            "are the most"
        )
    header_bytes = header.encode()
    nonce = random_bytes(_NONCE_BYTES)
    compressed = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(plaintext)
    sealed = nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        compressed, header_bytes, nonce, envelope_chain_key(header, content_key)
    )
    signature = keys.sign(_message_to_sign(header_bytes, sealed))
    raw = pack((header_bytes, sealed, signature))
    if len(raw) > limits.ENVELOPE_BYTES_MAX:
        raise EnvelopeError(
            f"it would have {len(raw):,} bytes where {limits.ENVELOPE_BYTES_MAX:,} are the most"
        )
    return Envelope(header, sealed, signature, raw, content_hash(raw))


def open_envelope(envelope: Envelope, content_key: bytes) -> bytes:
    """The plaintext of an envelope of this version; the caller has verified the signature.

    Raises:
        EnvelopeError: another key, a damaged envelope, or a plaintext larger than may be.
    """
    nonce, ciphertext = envelope.sealed[:_NONCE_BYTES], envelope.sealed[_NONCE_BYTES:]
    try:
        compressed = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            ciphertext,
            envelope.header.encode(),
            nonce,
            envelope_chain_key(envelope.header, content_key),
        )
    except CryptoError as error:
        raise EnvelopeError("the library's key does not open it") from error
    return _decompress(compressed)


def envelope_chain_key(header: Header, content_key: bytes) -> bytes:
    """The key of one chain under one generation's content key.

    Random nonces then only have to differ within a chain. Not cached: it takes two microseconds.
    """
    if len(content_key) != CONTENT_KEY_BYTES:
        raise ValueError(f"a content key has {CONTENT_KEY_BYTES} bytes")
    return hashlib.blake2b(
        digest(header.library, header.generation.to_bytes(8, "big"), header.device, header.chain),
        key=content_key,
        person=b"bifolio.chain.1",
        digest_size=32,
    ).digest()


def _message_to_sign(header_bytes: bytes, sealed: bytes) -> bytes:
    return _message_of(header_bytes, content_hash(sealed))


def _message_of(header_bytes: bytes, sealed_hash: bytes) -> bytes:
    """Of the content only its hash is signed, so that a signature can be shown without it."""
    return signed_message("envelope 2", header_bytes, sealed_hash)


def _decompress(compressed: bytes) -> bytes:
    """Only a frame that declares its size is opened, so that the bound is checked first."""
    try:
        declared = zstandard.frame_content_size(compressed)
        if declared < 0:
            raise EnvelopeError("its content does not declare its size")
        if declared > limits.PLAINTEXT_BYTES_MAX:
            raise EnvelopeError(
                f"its content claims {declared:,} bytes where {limits.PLAINTEXT_BYTES_MAX:,} "
                "are the most"
            )
        decompressor = zstandard.ZstdDecompressor(max_window_size=limits.PLAINTEXT_BYTES_MAX)
        plaintext = decompressor.decompress(compressed, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise EnvelopeError("its content cannot be decompressed") from error
    if len(plaintext) != declared:
        raise EnvelopeError("its content is not of the size that it declares")
    return plaintext
