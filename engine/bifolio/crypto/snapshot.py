"""Snapshots: the state of a whole library at a position of its log, sealed in chunks (DESIGN §6).

``[header, signature]``: the header is in the clear, so that a relay that lost its log can take the
ends of the chains from it; the signature is its maker's and covers, through ``root``, every chunk.
A chunk is compressed and sealed with XChaCha20-Poly1305 under a key of this snapshot alone, its
number authenticated with it. Knows nothing of what a chunk holds, nor who may make a snapshot. May
import only ``errors``, ``ids`` and ``limits``.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import zstandard
from nacl import bindings
from nacl.exceptions import CryptoError

from bifolio import limits
from bifolio.crypto.encoding import HASH_BYTES, content_hash, pack, unpack, unpack_leading
from bifolio.crypto.envelope import CHAIN_ID_BYTES, GENERATION_MAX, SEQ_MAX, author_chain
from bifolio.crypto.keys import PUBLIC_KEY_BYTES, DeviceKeys, signed_message, verify
from bifolio.errors import EnvelopeError
from bifolio.ids import RandomBytes, digest

VERSION = 1
NONCE_BYTES = 16

_ID_BYTES = 16
_SEAL_NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_ZSTD_LEVEL = 3
_SIGNED_TYPES = (bytes, bytes)
_HEADER_TYPES = (
    int,
    bytes,
    bytes,
    int,
    bytes,
    int,
    bytes,
    bytes,
    int,
    int,
    int,
    bytes,
    bytes,
    bytes,
)
_HEAD = struct.Struct(f">{PUBLIC_KEY_BYTES}s{CHAIN_ID_BYTES}sQ{HASH_BYTES}s")


@dataclass(frozen=True, slots=True)
class CoveredChain:
    """Where one device's chain of envelopes ends in a snapshot."""

    device: bytes
    chain: bytes
    seq: int
    hash: bytes

    @property
    def author_chain(self) -> bytes:
        """The chain as that of its device alone, 16 bytes."""
        return author_chain(self.device, self.chain)


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What everybody who carries a snapshot may read of it.

    Arguments:
        library: its id, 16 bytes.
        device: the maker's signing key.
        generation: of the content key under which the chunks are sealed.
        epoch, n, chain_hash: the place in a relay's log that it is the state at.
        membership_head: that its maker knew.
        made_ms: when, by the maker's clock.
        chunks: how many; ``size_bytes`` of all of them, sealed.
        root: the hash over the hashes of the sealed chunks.
        nonce: makes its key its own.
        chains: where each chain ends that it covers.
    """

    library: bytes
    device: bytes
    generation: int
    epoch: bytes
    n: int
    chain_hash: bytes
    membership_head: bytes
    made_ms: int
    chunks: int
    size_bytes: int
    root: bytes
    nonce: bytes
    chains: tuple[CoveredChain, ...] = field(repr=False)

    def encode(self) -> bytes:
        """The canonical bytes, which are signed."""
        chains = b"".join(
            _HEAD.pack(one.device, one.chain, one.seq, one.hash) for one in self.chains
        )
        return pack(
            (
                VERSION,
                self.library,
                self.device,
                self.generation,
                self.epoch,
                self.n,
                self.chain_hash,
                self.membership_head,
                self.made_ms,
                self.chunks,
                self.size_bytes,
                self.root,
                self.nonce,
                chains,
            )
        )

    def sign(self, keys: DeviceKeys) -> bytes:
        """The header as it travels."""
        body = self.encode()
        return pack((body, keys.sign(signed_message("snapshot 1", body))))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A header whose signature is good; ``id`` is the hash of ``raw``."""

    header: SnapshotHeader
    raw: bytes = field(repr=False)
    id: bytes


def parse_snapshot(raw: bytes) -> Snapshot:
    """The snapshot that signed bytes announce.

    Raises:
        EnvelopeError: damaged, out of range, or not signed by the device that it names.
    """
    if len(raw) > limits.SNAPSHOT_HEADER_BYTES_MAX:
        raise EnvelopeError(f"a snapshot's header of {len(raw):,} bytes")
    try:
        body, signature = unpack(raw, _SIGNED_TYPES)
        values, _ = unpack_leading(body, _HEADER_TYPES)
    except ValueError as error:
        raise EnvelopeError(str(error)) from error
    if values[0] != VERSION:
        raise EnvelopeError(f"a snapshot of version {values[0]}")
    values[-1] = _read_chains(values[-1])
    header = SnapshotHeader(*values[1:])
    _check(header)
    if not verify(header.device, signed_message("snapshot 1", body), signature):
        raise EnvelopeError("a snapshot is not signed by the device that it names")
    return Snapshot(header, raw, content_hash(raw))


def _read_chains(raw: bytes) -> tuple[CoveredChain, ...]:
    if len(raw) % _HEAD.size:
        raise EnvelopeError("a snapshot's list of chains is cut short")
    chains = tuple(CoveredChain(*values) for values in _HEAD.iter_unpack(raw))
    keys = [(one.device, one.chain) for one in chains]
    if keys != sorted(set(keys)) or any(not 1 <= one.seq <= SEQ_MAX for one in chains):
        raise EnvelopeError("a snapshot's list of chains is out of order")
    return chains


def _check(header: SnapshotHeader) -> None:
    lengths_right = (
        len(header.library) == _ID_BYTES
        and len(header.device) == PUBLIC_KEY_BYTES
        and len(header.epoch) == _ID_BYTES
        and len(header.chain_hash) == HASH_BYTES
        and len(header.membership_head) == HASH_BYTES
        and len(header.root) == HASH_BYTES
        and len(header.nonce) == NONCE_BYTES
    )
    in_range = (
        0 <= header.generation <= GENERATION_MAX
        and 0 <= header.n <= SEQ_MAX
        and 0 <= header.made_ms <= SEQ_MAX
        and 1 <= header.chunks <= limits.SNAPSHOT_CHUNKS_MAX
        and 0 < header.size_bytes <= header.chunks * limits.SNAPSHOT_CHUNK_BYTES_MAX
    )
    if not lengths_right or not in_range:
        raise EnvelopeError("a value in a snapshot's header is out of its range")


def root_of(chunk_hashes: Sequence[bytes]) -> bytes:
    """The hash over the hashes of all sealed chunks, in order."""
    return digest(*chunk_hashes)


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """Seals and opens the chunks of one snapshot."""

    nonce: bytes
    key: bytes = field(repr=False)

    @classmethod
    def of(
        cls, *, library: bytes, device: bytes, generation: int, nonce: bytes, content_key: bytes
    ) -> SnapshotKey:
        """The key of a snapshot under the content key (32 bytes) of its generation."""
        derived = hashlib.blake2b(
            digest(library, generation.to_bytes(8, "big"), device, nonce),
            key=content_key,
            person=b"bifolio.snapsh.1",
            digest_size=32,
        ).digest()
        return cls(nonce, derived)

    @classmethod
    def for_header(cls, header: SnapshotHeader, content_key: bytes) -> SnapshotKey:
        """The key of the snapshot with this header."""
        return cls.of(
            library=header.library,
            device=header.device,
            generation=header.generation,
            nonce=header.nonce,
            content_key=content_key,
        )

    def seal(self, number: int, plaintext: bytes, random_bytes: RandomBytes) -> bytes:
        """A chunk, compressed and sealed."""
        nonce = random_bytes(_SEAL_NONCE_BYTES)
        compressed = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(plaintext)
        sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
            compressed, self._place(number), nonce, self.key
        )
        return nonce + bytes(sealed)

    def open(self, number: int, sealed: bytes) -> bytes:
        """The plaintext of a chunk.

        Raises:
            EnvelopeError: damaged, from another place, or larger than one may be.
        """
        nonce, ciphertext = sealed[:_SEAL_NONCE_BYTES], sealed[_SEAL_NONCE_BYTES:]
        try:
            compressed = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                ciphertext, self._place(number), nonce, self.key
            )
        except (CryptoError, ValueError, TypeError) as error:
            raise EnvelopeError("a snapshot's chunk does not open in its place") from error
        return _decompress(bytes(compressed))

    def _place(self, number: int) -> bytes:
        return digest(self.nonce, number.to_bytes(8, "big"))


def _decompress(compressed: bytes) -> bytes:
    try:
        declared = zstandard.frame_content_size(compressed)
        if not 0 <= declared <= limits.SNAPSHOT_PART_BYTES_MAX:
            raise EnvelopeError("a snapshot's chunk claims more than one may hold")
        plaintext = zstandard.ZstdDecompressor().decompress(compressed, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise EnvelopeError("a snapshot's chunk cannot be decompressed") from error
    if len(plaintext) != declared:
        raise EnvelopeError("a snapshot's chunk is not of the size that it declares")
    return plaintext
