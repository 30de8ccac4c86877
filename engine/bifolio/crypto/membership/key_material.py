"""Content keys as the membership log brings them, and the texts that are sealed under them.

The log commits each generation of the content key to one key: whoever gives a member another one is
found out by that member, and named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nacl import bindings
from nacl.exceptions import CryptoError

from bifolio.crypto.keys import KeyPair
from bifolio.crypto.membership.record_kinds.base import COMMITMENT_BYTES, CONTENT_KEY_BYTES
from bifolio.crypto.membership.rights import Grant
from bifolio.crypto.membership.rules import Membership
from bifolio.errors import EnvelopeError, MembershipError, WrongKeyError
from bifolio.ids import RandomBytes, digest

_NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES


@dataclass(frozen=True)
class FoundKeys:
    """The content keys of a device by generation; ``wrong`` those that it was given and that the
    log does not promise, where no right one came."""

    keys: Mapping[int, bytes] = field(repr=False)
    wrong: tuple[WrongKeyError, ...] = ()


def key_commitment(generation: int, content_key: bytes) -> bytes:
    """What the log says of a generation's content key (32 bytes): it tells nothing of the key, and
    no other key gives it."""
    return hashlib.blake2b(
        generation.to_bytes(8, "big"),
        key=content_key,
        person=b"bifolio.keyhash1",
        digest_size=COMMITMENT_BYTES,
    ).digest()


def find_keys(
    membership: Membership, keys: KeyPair, *, known: Mapping[int, bytes] | None = None
) -> FoundKeys:
    """The content keys that the records bring a device or the holder of a ticket.

    The key that an owner made is in no record for itself: its replica keeps it.

    Args:
        membership: the log.
        keys: the device's or the invite's.
        known: keys that are here already; those that are sealed under them are found too. One that
            the log does not promise, as it is of a list that lost, is passed over.
    """
    kept = (known or {}).items()
    found = {number: key for number, key in kept if _is_promised(membership, number, key)}
    wrong: dict[int, WrongKeyError] = {}
    for grant in membership.grants(keys.sign_public):
        if grant.generation in found or grant.box_public != keys.box_public:
            continue
        content_key = _open(keys, grant)
        if _is_promised(membership, grant.generation, content_key):
            assert content_key is not None
            found[grant.generation] = content_key
        else:
            wrong[grant.generation] = WrongKeyError(grant.generation, giver=grant.giver)
    _follow_back(membership, found)
    left = tuple(error for generation, error in wrong.items() if generation not in found)
    return FoundKeys(found, left)


def open_newest(membership: Membership, keys: KeyPair) -> tuple[int, bytes]:
    """The content key of the newest generation that an invite was given, and which it is. One of
    a list that lost is none of the library's, whatever its number: nobody seals anything under it.

    Raises:
        MembershipError: it has none, or another one than the log promises.
    """
    found = find_keys(membership, keys)
    given = {one.generation for one in membership.grants(keys.sign_public)}
    usable = given & found.keys.keys() & set(membership.generations)
    if found.wrong:
        raise found.wrong[0]
    if not usable:
        raise MembershipError("it brings no content key")
    return max(usable), found.keys[max(usable)]


def key_roots(membership: Membership, keys: Mapping[int, bytes]) -> list[tuple[int, bytes]]:
    """Of a library's content keys those from which all others are found: the newest, as a rule."""
    roots: list[tuple[int, bytes]] = []
    found: dict[int, bytes] = {}
    newest = membership.generation  # one of a list that lost may have a higher number
    for generation in sorted(keys, key=lambda one: (one == newest, one), reverse=True):
        if generation not in found:
            roots.append((generation, keys[generation]))
            found[generation] = keys[generation]
            _follow_back(membership, found)
    return roots


def seal_earlier(
    generation: int, content_key: bytes, earlier: Iterable[tuple[int, bytes]], draw: RandomBytes
) -> list[tuple[int, bytes]]:
    """Earlier generations' keys, each sealed under this one's."""
    return [
        (number, _seal(content_key, key, _earlier_purpose(generation, number), draw))
        for number, key in earlier
    ]


def seal_text(content_key: bytes, purpose: bytes, text: str, draw: RandomBytes) -> bytes:
    """A text that only members can read; ``purpose`` binds it to its place."""
    return _seal(content_key, text.encode("utf-8"), digest(b"text", purpose), draw)


def open_text(content_key: bytes, purpose: bytes, sealed: bytes) -> str | None:
    """The text sealed for this place; None where it is damaged, moved or of another key."""
    raw = _unseal(content_key, sealed, digest(b"text", purpose))
    try:
        return None if raw is None else raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _follow_back(membership: Membership, found: dict[int, bytes]) -> None:
    """Add the keys that are sealed under those found, and so on."""
    left = sorted(found)
    while left:
        generation = left.pop()
        for number, sealed in membership.earlier_keys(generation):
            if number in found:
                continue
            key = _unseal(found[generation], sealed, _earlier_purpose(generation, number))
            if key is not None and _is_promised(membership, number, key):
                found[number] = key
                left.append(number)


def _is_promised(membership: Membership, generation: int, content_key: bytes | None) -> bool:
    if content_key is None or len(content_key) != CONTENT_KEY_BYTES:
        return False
    return membership.commitment(generation) == key_commitment(generation, content_key)


def _open(keys: KeyPair, grant: Grant) -> bytes | None:
    try:
        return keys.unseal(grant.sealed_key)
    except EnvelopeError:
        return None


def _earlier_purpose(generation: int, number: int) -> bytes:
    return digest(b"earlier key", generation.to_bytes(8, "big"), number.to_bytes(8, "big"))


def _seal(content_key: bytes, plaintext: bytes, purpose: bytes, draw: RandomBytes) -> bytes:
    nonce = draw(_NONCE_BYTES)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plaintext, purpose, nonce, _members_key(content_key)
    )


def _unseal(content_key: bytes, sealed: bytes, purpose: bytes) -> bytes | None:
    nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    if len(nonce) != _NONCE_BYTES:
        return None
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            ciphertext, purpose, nonce, _members_key(content_key)
        )
    except CryptoError:
        return None


def _members_key(content_key: bytes) -> bytes:
    """The key for what is in the membership log: the content key itself seals nothing."""
    return hashlib.blake2b(key=content_key, person=b"bifolio.members1", digest_size=32).digest()
