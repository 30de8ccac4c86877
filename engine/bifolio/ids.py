"""Identifiers: how each is made and what it looks like.

============  =======================================================================
record id     32 hex digits (BLAKE2b-128); random for a new one, a hash for an import
library id    32 hex digits: the first 16 bytes of the hash of the genesis
tag           8 base64url characters that name a device: a hash of its signing key
slot          12 base64url characters: a device's tag and 4 random ones, or ``i`` (an
              import) or ``j`` (of a library that joined) and 11 of a content's hash
nonce         8 random bytes: with the key and the slot they give the client id
client id     53 bits, pycrdt's name for one incarnation's writes, or for one content;
              the first bit tells which
chain id      16 random bytes
============  =======================================================================

What somebody would have to find by trial, to write under another's name, is hashed so many times
over that trying costs more than it is worth (``limits``). Randomness is an argument. May import
nothing of Bifolio but ``limits``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache

from bifolio import limits

RandomBytes = Callable[[int], bytes]

#: Separates the parts of a key in a record's map.
SEPARATOR = "\x1f"

SLOT_LENGTH = 12
TAG_LENGTH = 8
CLIENT_ID_BITS = 53
NONCE_BYTES = 8

#: The lengths of a slot and of its tag before tags were long enough not to be found by trial:
#: still read in the libraries of then, and never written.
OLD_SLOT_LENGTH = 7

SLOT_LENGTHS = (SLOT_LENGTH, OLD_SLOT_LENGTH)
OLD_TAG_LENGTH = 3

#: By which the slots of contents begin, and no device's.
IMPORT_MARK = "i"
JOIN_MARK = "j"
CONTENT_MARKS = IMPORT_MARK + JOIN_MARK

#: The client ids from here on are of contents, those below of incarnations.
CONTENT_CLIENTS = 1 << (CLIENT_ID_BITS - 1)

#: The id of the one settings record of a library.
SETTINGS_ID = "0" * 32


def digest(*parts: bytes, size: int = 32) -> bytes:
    """BLAKE2b of the parts, each preceded by its length so that no two splits collide."""
    preceded = [len(part).to_bytes(8, "big") + part for part in parts]
    return hashlib.blake2b(b"".join(preceded), digest_size=size).digest()


def content_hash(raw: bytes) -> bytes:
    """BLAKE2b-256 of all bytes: the name of an envelope, of a membership record, of a file's
    content."""
    return hashlib.blake2b(raw, digest_size=32).digest()


def content_hasher() -> hashlib.blake2b:
    """The state of a ``content_hash`` of what comes in pieces."""
    return hashlib.blake2b(digest_size=32)


def base64url(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unbase64url(text: str) -> bytes:
    """What ``base64url`` wrote.

    Raises:
        ValueError: it is nothing of the kind.
    """
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def random_record_id(random_bytes: RandomBytes) -> str:
    """A fresh record id."""
    return random_bytes(16).hex()


@lru_cache(maxsize=4096)
def device_tag(signing_key: bytes) -> str:
    """The characters by which a device's slots begin, from its 32-byte public key."""
    hashed = _stretch(signing_key, b"bifolio device tag", limits.DEVICE_TAG_ROUNDS, size=12)
    return base64url(hashed).lstrip(CONTENT_MARKS)[:TAG_LENGTH]


def slot_tag(slot: str) -> str:
    """The tag of the device that writes under a slot; of a content's slot, what names no device."""
    return slot[: TAG_LENGTH if len(slot) == SLOT_LENGTH else OLD_TAG_LENGTH]


def is_slot(text: str) -> bool:
    """Whether something can be a slot, by its length."""
    return len(text) in SLOT_LENGTHS


def random_slot(tag: str, random_bytes: RandomBytes) -> str:
    """A slot of the device with this tag; the caller checks that the replica has not used it."""
    return tag + base64url(random_bytes(3))


@lru_cache(maxsize=4096)
def incarnation_client_id(signing_key: bytes, slot: str, nonce: bytes) -> int:
    """The pycrdt client id of an incarnation: nobody has it but the device with that key.

    Args:
        signing_key: the device's public one, 32 bytes.
        slot: the incarnation's, which begins with the device's tag.
        nonce: ``NONCE_BYTES`` random ones of the incarnation's.
    """
    written = digest(signing_key, slot.encode(), nonce)
    hashed = _stretch(written, b"bifolio incarnation", limits.INCARNATION_ROUNDS, size=8)
    return _client_number(hashed)


def content_names(hashed: bytes) -> tuple[int, str]:
    """The client id of a content, and ten base64url characters for its slots, by its hash."""
    stretched = _stretch(hashed, b"bifolio content", limits.CONTENT_ROUNDS, size=16)
    return CONTENT_CLIENTS | _client_number(stretched[:8]), base64url(stretched[8:])[:10]


def _client_number(hashed: bytes) -> int:
    return (int.from_bytes(hashed, "big") >> (64 - CLIENT_ID_BITS + 1)) or 1


def _stretch(secret: bytes, what: bytes, rounds: int, *, size: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", secret, what, rounds, size)
