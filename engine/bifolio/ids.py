"""Identifiers: how each is made and what it looks like.

============  =======================================================================
record id     32 hex digits (BLAKE2b-128); random for a new one, a hash for an import
library id    32 hex digits: the first 16 bytes of the hash of the genesis
slot          7 base64url characters: 3 of the device, 4 random (DESIGN §4)
tag           the 3 characters of a slot that name the device
client id     53 bits, pycrdt's name for one incarnation's writes
chain id      16 random bytes
============  =======================================================================

Randomness is an argument. May not import anything else of Bifolio.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

RandomBytes = Callable[[int], bytes]

#: Separates the parts of a key in a record's map.
SEPARATOR = "\x1f"

SLOT_LENGTH = 7
TAG_LENGTH = 3
CLIENT_ID_BITS = 53

#: The id of the one settings record of a library.
SETTINGS_ID = "0" * 32


def digest(*parts: bytes, size: int = 32) -> bytes:
    """BLAKE2b of the parts, each preceded by its length so that no two splits collide."""
    state = hashlib.blake2b(digest_size=size)
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.digest()


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


def random_record_id(random_bytes: RandomBytes) -> str:
    """A fresh record id."""
    return random_bytes(16).hex()


def device_tag(signing_key: bytes) -> str:
    """The three characters by which a device's slots begin, from its 32-byte public key."""
    return base64url(content_hash(signing_key))[:TAG_LENGTH]


def random_slot(tag: str, random_bytes: RandomBytes) -> str:
    """A slot of the device with this tag; the caller checks that the replica has not used it."""
    return tag + base64url(random_bytes(3))


def random_client_id(random_bytes: RandomBytes) -> int:
    """A pycrdt client id that is neither zero nor shared but by a chance of 2^-53."""
    return (int.from_bytes(random_bytes(8), "big") >> (64 - CLIENT_ID_BITS)) or 1


def hashed_client_id(*parts: bytes) -> int:
    """The client id of a deterministic update."""
    return (int.from_bytes(digest(*parts, size=8), "big") >> (64 - CLIENT_ID_BITS)) or 1
