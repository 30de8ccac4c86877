"""Blobs: the contents of files, sealed in chunks for the relay (DESIGN §6).

A blob's id is a keyed hash of the content's hash, so the relay cannot tell whether it holds a file
that it knows. Each chunk is sealed with XChaCha20-Poly1305 under a key of this content alone; blob,
chunk number and size are authenticated with it, so that no chunk fits in another place. Sealing is
deterministic: two computers that send one content at the same time send the same bytes, and what
one began the other can finish. The nonce is a keyed hash of number and plaintext, so a key and a
nonce never meet two plaintexts, a damaged file included. May import only ``errors``, ``ids`` and
``limits``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from nacl import bindings
from nacl.exceptions import CryptoError

from bifolio import limits
from bifolio.errors import EnvelopeError
from bifolio.ids import digest

VERSION = 1

_NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_TAG_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
_GENERATION_BYTES = 4
_HEAD_BYTES = 1 + _GENERATION_BYTES

#: What sealing adds to a chunk: version, key generation, nonce and tag.
SEAL_BYTES = _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES


def chunk_count(size: int) -> int:
    """In how many chunks a content of this size is carried; an empty one in one."""
    return max(1, -(-size // limits.CHUNK_BYTES))


def sealed_size(size: int) -> int:
    """How many bytes a content of this size has on the relay."""
    return size + chunk_count(size) * SEAL_BYTES


def blob_id(*, library: bytes, first_key: bytes, content: bytes) -> bytes:
    """What the relay calls a content: 32 bytes, the same on every replica for ever.

    ``first_key`` is the content key of generation 0, which every member has, so that a new
    generation makes no second blob of a content.
    """
    return hashlib.blake2b(
        digest(library, content), key=first_key, person=b"bifolio.blobid.1", digest_size=32
    ).digest()


@dataclass(frozen=True, slots=True)
class BlobKey:
    """Seals and opens the chunks of one content under one generation's content key."""

    blob: bytes
    sealed_size: int
    generation: int
    key: bytes = field(repr=False)

    @classmethod
    def make(
        cls,
        *,
        library: bytes,
        blob: bytes,
        content: bytes,
        sealed_size: int,
        generation: int,
        key: bytes,
    ) -> BlobKey:
        """The key of a content (its hash, 32 bytes) under a content key."""
        derived = hashlib.blake2b(
            digest(library, content, generation.to_bytes(8, "big")),
            key=key,
            person=b"bifolio.blobky.1",
            digest_size=32,
        ).digest()
        return cls(blob, sealed_size, generation, derived)

    def seal(self, number: int, plaintext: bytes) -> bytes:
        """The sealed chunk."""
        nonce = hashlib.blake2b(
            digest(number.to_bytes(8, "big"), plaintext),
            key=self.key,
            person=b"bifolio.chunk.1",
            digest_size=_NONCE_BYTES,
        ).digest()
        sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
            plaintext, self._place(number), nonce, self.key
        )
        head = bytes([VERSION]) + self.generation.to_bytes(_GENERATION_BYTES, "big")
        return head + nonce + sealed

    def open(self, number: int, sealed: bytes) -> bytes:
        """The plaintext of a chunk.

        Raises:
            EnvelopeError: damaged, another blob's, or from another place of this one.
        """
        nonce = sealed[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES]
        if len(sealed) != sealed_chunk_length(self.sealed_size, number):
            raise EnvelopeError("a chunk has not the length that its place has")
        try:
            return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed[_HEAD_BYTES + _NONCE_BYTES :], self._place(number), nonce, self.key
            )
        except CryptoError as error:
            raise EnvelopeError("a chunk does not open in its place") from error

    def _place(self, number: int) -> bytes:
        return digest(
            bytes([VERSION]),
            self.generation.to_bytes(8, "big"),
            self.blob,
            self.sealed_size.to_bytes(8, "big"),
            number.to_bytes(8, "big"),
        )


def generation_of(sealed: bytes) -> int:
    """The key generation that a sealed chunk names.

    Raises:
        EnvelopeError: it is cut short, or of a newer version.
    """
    if len(sealed) < SEAL_BYTES:
        raise EnvelopeError("a chunk is cut short")
    if sealed[0] != VERSION:
        raise EnvelopeError(f"a chunk is of version {sealed[0]}, this Bifolio knows {VERSION}")
    return int.from_bytes(sealed[1:_HEAD_BYTES], "big")


def sealed_chunk_count(sealed_size: int) -> int | None:
    """In how many chunks a blob of this sealed size comes; None if no content has that size."""
    whole = limits.CHUNK_BYTES + SEAL_BYTES
    count = max(1, -(-sealed_size // whole))
    last = sealed_size - (count - 1) * whole
    if last < SEAL_BYTES or (last == SEAL_BYTES and count > 1):
        return None
    return count


def sealed_chunk_length(sealed_size: int, number: int) -> int:
    """How long the sealed chunk with this number is."""
    whole = limits.CHUNK_BYTES + SEAL_BYTES
    return min(whole, sealed_size - number * whole)


def sealed_chunk_place(number: int) -> int:
    """Where in the sealed bytes the chunk with this number begins."""
    return number * (limits.CHUNK_BYTES + SEAL_BYTES)
