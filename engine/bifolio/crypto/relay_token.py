"""Tokens of a relay: one string that allows new libraries on it.

A token has an id, by which the relay finds it, and a secret from which a key is derived. The relay
keeps the public half alone, and its holder signs the relay's nonce: so neither what is said on the
way nor what the relay stores is of any use to others. Its repr shows none of it, and no error
quotes it. May import only ``errors``, ``ids`` and the keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from bifolio.crypto.keys import SEED_BYTES, KeyPair, signed_message, verify
from bifolio.errors import RelayTokenError
from bifolio.ids import RandomBytes, base64url

PREFIX = "bifolio-relay-"
ID_BYTES = 8
SECRET_BYTES = 32
_CHECK_BYTES = 4


@dataclass(frozen=True, slots=True)
class RelayToken:
    """A token as its holder has it."""

    id: bytes
    secret: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        """What the relay keeps of the secret (32 bytes)."""
        return self._keys().sign_public

    def encode(self) -> str:
        """The token as one string, for the eyes of whoever may use it."""
        content = self.id + self.secret
        return PREFIX + base64url(content + _check(content))

    def prove(self, nonce: bytes, genesis: bytes) -> bytes:
        """The signature (64 bytes) that lets the holder create the library of this genesis."""
        return self._keys().sign(_creation(nonce, genesis))

    def _keys(self) -> KeyPair:
        seeds = [
            hashlib.blake2b(
                self.id, key=self.secret, person=purpose, digest_size=SEED_BYTES
            ).digest()
            for purpose in (b"bifolio.tok.sign", b"bifolio.tok.box")
        ]
        return KeyPair(*seeds)


def new_relay_token(random_bytes: RandomBytes) -> RelayToken:
    """A token that nobody has yet."""
    return RelayToken(random_bytes(ID_BYTES), random_bytes(SECRET_BYTES))


def parse_relay_token(text: str) -> RelayToken:
    """The token in a string.

    Raises:
        RelayTokenError: it is none, or not whole.
    """
    text = "".join(text.split())
    if not text.startswith(PREFIX):
        raise RelayTokenError(f"a token begins with '{PREFIX}'")
    encoded = text.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise RelayTokenError("it is damaged or not whole") from None
    content, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
    if len(content) != ID_BYTES + SECRET_BYTES or check != _check(content):
        raise RelayTokenError("it is damaged or not whole")
    return RelayToken(content[:ID_BYTES], content[ID_BYTES:])


def proves_token(public: bytes, *, nonce: bytes, genesis: bytes, signature: bytes) -> bool:
    """Whether the holder of a token said it of this genesis, to whoever chose the nonce."""
    return verify(public, _creation(nonce, genesis), signature)


def _creation(nonce: bytes, genesis: bytes) -> bytes:
    return signed_message("relay token 1", nonce, genesis)


def _check(content: bytes) -> bytes:
    return hashlib.blake2b(content, person=b"bifolio.tok.chk", digest_size=_CHECK_BYTES).digest()
