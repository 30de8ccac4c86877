"""Recovery codes: letters and digits that a user keeps on paper against the loss of all computers.

A code holds the library's id and a secret, from which the recovery key in the membership log is
derived, so with a relay's address it is all that a new computer needs. It is written in Crockford's
base32 (https://www.crockford.com/base32.html): no letter looks like a digit, and the case of a
letter says nothing. Knows nothing of the relay. May import only ``errors`` and ``ids``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from bifolio.errors import RecoveryCodeError

RECOVERY_SECRET_BYTES = 16
_LIBRARY_BYTES = 16
_CHECKSUM_BYTES = 3
_BYTES = RECOVERY_SECRET_BYTES + _LIBRARY_BYTES + _CHECKSUM_BYTES
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = _BYTES * 8 // 5
_GROUP = 7
#: What is easily read as something else.
_READ_AS = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A recovery code: the library's id (16 bytes), and the 32 bytes from which the recovery key is
    derived (``membership.recovery_keys``)."""

    library: bytes
    secret: bytes = field(repr=False)
    text: str = field(repr=False)


def encode_recovery(library: bytes, entropy: bytes) -> RecoveryCode:
    """The code of a library with fresh random bytes (16)."""
    if len(library) != _LIBRARY_BYTES or len(entropy) != RECOVERY_SECRET_BYTES:
        raise ValueError("a recovery code has 16 bytes of each")
    content = library + entropy
    number = int.from_bytes(content + _checksum(content), "big")
    letters = "".join(_ALPHABET[number >> 5 * at & 31] for at in reversed(range(_LENGTH)))
    groups = [letters[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP)]
    return RecoveryCode(library, _secret(content), "-".join(groups))


def decode_recovery(text: str) -> RecoveryCode:
    """The code that somebody typed, whatever is between its letters.

    Raises:
        RecoveryCodeError: it is none, or not all of one; the message repeats nothing of it.
    """
    letters = "".join(one for one in text.upper() if one.isalnum()).translate(_READ_AS)
    if not letters:
        raise RecoveryCodeError("none was given")
    if len(letters) != _LENGTH:
        raise RecoveryCodeError(f"it has {len(letters)} letters and digits where {_LENGTH} belong")
    if any(one not in _ALPHABET for one in letters):
        raise RecoveryCodeError("it contains a letter that no code contains")
    number = 0
    for one in letters:
        number = number << 5 | _ALPHABET.index(one)
    raw = number.to_bytes(_BYTES, "big")
    content, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if checksum != _checksum(content):
        raise RecoveryCodeError("a letter or digit in it is wrong")
    return encode_recovery(content[:_LIBRARY_BYTES], content[_LIBRARY_BYTES:])


def _secret(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=32, person=b"bifolio.recovery").digest()


def _checksum(content: bytes) -> bytes:
    """Against slips of the pen."""
    return hashlib.blake2b(
        content, digest_size=_CHECKSUM_BYTES, person=b"bifolio.reccheck"
    ).digest()
