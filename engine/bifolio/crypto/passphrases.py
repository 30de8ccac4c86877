"""Secrets sealed under a passphrase that two people tell each other: Argon2id, of libsodium.

One guess costs a computer most of a second and 64 MiB, so that who has the sealed secret cannot try
a dictionary in a day.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from nacl.exceptions import CryptoError

from bifolio import lazy
from bifolio.errors import LockedTicketError
from bifolio.ids import RandomBytes, digest

if TYPE_CHECKING:
    from nacl import bindings
    from nacl.pwhash import argon2id
else:
    argon2id = lazy.module("nacl.pwhash.argon2id")
    bindings = lazy.module("nacl.bindings")

#: Passes and memory of one guess: fixed, because they are in no ticket.
_PASSES = 3
_MEMORY_BYTES = 64 * 1024 * 1024

_SALT_BYTES = 16
_NONCE_BYTES = 24
_KEY_BYTES = 32


def seal(secret: bytes, passphrase: str, *, bound_to: bytes, random_bytes: RandomBytes) -> bytes:
    """A secret that only the passphrase opens, at the place that it is bound to."""
    salt, nonce = random_bytes(_SALT_BYTES), random_bytes(_NONCE_BYTES)
    key = _key(passphrase, salt)
    purpose = digest(b"passphrase", bound_to)
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(secret, purpose, nonce, key)
    return salt + nonce + sealed


def open_sealed(sealed: bytes, passphrase: str, *, bound_to: bytes) -> bytes:
    """The secret.

    Raises:
        LockedTicketError: this is not the passphrase.
    """
    salt, rest = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:]
    nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    if len(nonce) != _NONCE_BYTES:
        raise LockedTicketError(is_wrong=True)
    purpose = digest(b"passphrase", bound_to)
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            ciphertext, purpose, nonce, _key(passphrase, salt)
        )
    except CryptoError:
        raise LockedTicketError(is_wrong=True) from None


def _key(passphrase: str, salt: bytes) -> bytes:
    """The key of a passphrase, which may be typed with other spaces around it, and in another form
    of its letters."""
    text = unicodedata.normalize("NFKC", passphrase.strip()).encode("utf-8", "surrogatepass")
    return argon2id.kdf(_KEY_BYTES, text, salt, opslimit=_PASSES, memlimit=_MEMORY_BYTES)
