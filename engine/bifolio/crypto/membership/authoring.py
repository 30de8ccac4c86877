"""Membership records of our own, and the content keys that they bring.

What is made here passes what everybody else will check.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bifolio.crypto.encoding import pack
from bifolio.crypto.keys import (
    SEED_BYTES,
    DeviceKeys,
    KeyPair,
    seal_to,
    signed_message,
)
from bifolio.crypto.membership.record_kinds import CONTENT_KEY_BYTES, NONCE_BYTES
from bifolio.crypto.membership.records import (
    NO_LIBRARY,
    NO_PREVIOUS,
    VERSION,
    RecordHeader,
    sign_record,
)
from bifolio.crypto.membership.rights import Role
from bifolio.crypto.membership.rules import Membership
from bifolio.errors import EnvelopeError, MembershipError, NewerMembershipError
from bifolio.ids import RandomBytes


@dataclass(frozen=True)
class InviteKeys(KeyPair):
    """The keys of an invite, which every holder of its ticket can derive."""


def invite_keys(secret: bytes) -> InviteKeys:
    """The keys of the invite whose ticket has this secret (32 bytes)."""
    if len(secret) != SEED_BYTES:
        raise ValueError(f"a ticket's secret has {SEED_BYTES} bytes")
    sign_seed, box_seed = (
        hashlib.blake2b(b"", key=secret, person=purpose, digest_size=SEED_BYTES).digest()
        for purpose in (b"bifolio.inv.sign", b"bifolio.inv.box")
    )
    return InviteKeys(sign_seed, box_seed)


def make_genesis(keys: DeviceKeys, random_bytes: RandomBytes) -> bytes:
    """The first record of a new library, whose owner is this device."""
    header = RecordHeader(VERSION, NO_LIBRARY, NO_PREVIOUS, keys.sign_public, "genesis", 1)
    return sign_record(header, pack((keys.box_public, random_bytes(NONCE_BYTES))), keys)


def make_invite(
    membership: Membership,
    keys: DeviceKeys,
    *,
    ticket_secret: bytes,
    role: Role,
    generation: int,
    content_key: bytes,
) -> bytes:
    """The record that lets the holder of a ticket join, to be appended by the relay.

    Args:
        membership: whose head the record follows.
        keys: an owner's.
        ticket_secret: fresh random 32 bytes, which go into the ticket alone.
        role: what who joins with the ticket becomes.
        generation: of the content key.
        content_key: the library's key (32 bytes), here sealed to the ticket's holder.

    Raises:
        MembershipError: this device is no owner, or the secret was used before.
        NewerMembershipError: the log holds what this program does not know.
    """
    if len(content_key) != CONTENT_KEY_BYTES:
        raise ValueError(f"a content key has {CONTENT_KEY_BYTES} bytes")
    invite = invite_keys(ticket_secret)
    sealed_key = seal_to(invite.box_public, content_key)
    body = pack((invite.sign_public, invite.box_public, role.value, generation, sealed_key))
    header = _next_header(membership, keys.sign_public, "invite")
    return _check_own(membership, sign_record(header, body, keys))


def make_join(membership: Membership, keys: DeviceKeys, *, ticket_secret: bytes) -> bytes:
    """The record by which this device joins with a ticket; no owner need be online.

    Raises:
        MembershipError: the library has no invite for the ticket, or its key does not open.
        NewerMembershipError: the log holds what this program does not know.
    """
    pair = invite_keys(ticket_secret)
    header = _next_header(membership, pair.sign_public, "join")
    invite = membership.invite(pair.sign_public)
    if invite is None:
        raise MembershipError("this library has no invite for this ticket")
    sealed_key = seal_to(keys.box_public, _open_key(pair, invite.sealed_key))
    body = pack((keys.sign_public, keys.box_public, invite.generation, sealed_key))
    return _check_own(membership, sign_record(header, body, pair, keys))


def content_keys(membership: Membership, keys: DeviceKeys) -> dict[int, bytes]:
    """The content keys, by generation, that this device's joins have brought it.

    The key that the owner made is in no record: the owner's replica keeps it.

    Raises:
        MembershipError: one of them does not open with this device's key.
    """
    return {
        join.generation: _open_key(keys, join.sealed_key)
        for join in membership.joins(keys.sign_public)
        if join.box_public == keys.box_public
    }


def hello_message(*, version: int, library: bytes, nonce: bytes) -> bytes:
    """What a device, or a newcomer with a ticket's key, signs to show a relay who it is.

    Args:
        version: of the protocol that both ends chose.
        library: the id of the library asked for.
        nonce: the relay's, fresh for this connection.
    """
    return signed_message("hello 1", version.to_bytes(8, "big"), library, nonce)


def _next_header(membership: Membership, author: bytes, kind: str) -> RecordHeader:
    if membership.needs_newer:
        raise NewerMembershipError(membership.needs_newer)
    return RecordHeader(VERSION, membership.library_id, membership.head, author, kind, 1)


def _check_own(membership: Membership, raw: bytes) -> bytes:
    membership.append(raw, strict=True)
    return raw


def _open_key(pair: KeyPair, sealed: bytes) -> bytes:
    try:
        content_key = pair.unseal(sealed)
    except EnvelopeError as error:
        raise MembershipError("the content key in it does not open") from error
    if len(content_key) != CONTENT_KEY_BYTES:
        raise MembershipError("the content key in it has the wrong length")
    return content_key
