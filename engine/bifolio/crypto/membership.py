"""Membership: the signed linear log of who may read and write a library (DESIGN §7).

The relay and every replica check a library's membership with this module alone, so that both come
to one answer. A log is a list of records, each naming the hash of the one before: a genesis, then
invites and joins. A record is the msgpack array ``[body, signatures]``. Other kinds are refused.
Knows nothing of expiry, of relays or of envelopes. May import only ``errors``, ``ids``, ``limits``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bifolio import limits
from bifolio.crypto.encoding import HASH_BYTES, content_hash, leading_values, pack, unpack
from bifolio.crypto.keys import (
    PUBLIC_KEY_BYTES,
    SEAL_BYTES,
    SEED_BYTES,
    SIGNATURE_BYTES,
    DeviceKeys,
    KeyPair,
    is_usable_box_key,
    seal_to,
    signed_message,
    verify,
)
from bifolio.errors import EnvelopeError, MembershipError
from bifolio.ids import RandomBytes

VERSION = 1
LIBRARY_ID_BYTES = 16
CONTENT_KEY_BYTES = 32
GENERATION_MAX = 2**32 - 1

_GENESIS, _INVITE, _JOIN = "genesis", "invite", "join"
_NONCE_BYTES = 32
_SEALED_KEY_BYTES = CONTENT_KEY_BYTES + SEAL_BYTES

#: Version and kind, then the values of each kind of body.
_TYPES: dict[str, tuple[type, ...]] = {
    _GENESIS: (int, str, bytes, bytes, bytes),
    _INVITE: (int, str, bytes, bytes, bytes, bytes, str, int, bytes),
    _JOIN: (int, str, bytes, bytes, bytes, bytes, int, bytes),
}


class Role(StrEnum):
    """What a member may do: an owner also invites, a reader only reads."""

    OWNER = "owner"
    EDITOR = "editor"
    READER = "reader"


_ROLES = tuple(role.value for role in Role)
_RANK = {Role.READER: 0, Role.EDITOR: 1, Role.OWNER: 2}


@dataclass(frozen=True, slots=True)
class Member:
    """A device allowed in a library, with the role it has at the head of the log."""

    device: bytes
    box_public: bytes
    role: Role


@dataclass(frozen=True)
class InviteKeys(KeyPair):
    """The keys of an invite, which every holder of its ticket can derive."""


@dataclass(frozen=True, slots=True)
class _Genesis:
    owner: bytes
    box_public: bytes
    nonce: bytes

    def body(self) -> bytes:
        return pack((VERSION, _GENESIS, self.owner, self.box_public, self.nonce))


@dataclass(frozen=True, slots=True)
class _Invite:
    previous: bytes
    author: bytes
    sign_public: bytes
    box_public: bytes
    role: Role
    generation: int
    sealed_key: bytes

    def body(self) -> bytes:
        keys = (self.author, self.sign_public, self.box_public)
        grant = (self.role.value, self.generation, self.sealed_key)
        return pack((VERSION, _INVITE, self.previous, *keys, *grant))


@dataclass(frozen=True, slots=True)
class _Join:
    previous: bytes
    invite: bytes
    device: bytes
    box_public: bytes
    generation: int
    sealed_key: bytes

    def body(self) -> bytes:
        keys = (self.invite, self.device, self.box_public)
        return pack((VERSION, _JOIN, self.previous, *keys, self.generation, self.sealed_key))


class _Log:
    """What a log's records say so far; grows by ``add``, which changes nothing if it raises."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.positions: dict[bytes, int] = {}
        self.roles: dict[bytes, tuple[tuple[int, Role], ...]] = {}
        self.box_keys: dict[bytes, bytes] = {}
        self.invites: dict[bytes, _Invite] = {}
        self.joins: dict[bytes, tuple[_Join, ...]] = {}
        self.head = bytes(HASH_BYTES)

    def copy(self) -> _Log:
        twin = _Log()
        twin.records = list(self.records)
        twin.positions = dict(self.positions)
        twin.roles = dict(self.roles)
        twin.box_keys = dict(self.box_keys)
        twin.invites = dict(self.invites)
        twin.joins = dict(self.joins)
        twin.head = self.head
        return twin

    def add(self, raw: bytes) -> None:
        record, body, signatures = _parse(raw)
        if isinstance(record, _Genesis):
            self._check_genesis(record, body, signatures)
        elif record.previous != self.head or not self.records:
            raise MembershipError("it does not follow the last record of this library")
        elif isinstance(record, _Invite):
            self._check_invite(record, body, signatures)
        else:
            self._check_join(record, body, signatures)
        self._enter(record)
        self.head = content_hash(raw)
        self.positions[self.head] = len(self.records)
        self.records.append(raw)

    def role_at(self, device: bytes, position: int) -> Role | None:
        role = None
        for since, granted in self.roles.get(device, ()):
            if since <= position:
                role = granted
        return role

    def _check_genesis(self, record: _Genesis, body: bytes, signatures: bytes) -> None:
        if self.records:
            raise MembershipError("a library has one genesis, the first of its records")
        if len(record.nonce) != _NONCE_BYTES:
            raise MembershipError("its nonce has the wrong length")
        _check_box_key(record.box_public)
        _check_signatures(body, signatures, record.owner)

    def _check_invite(self, record: _Invite, body: bytes, signatures: bytes) -> None:
        if self.role_at(record.author, len(self.records)) is not Role.OWNER:
            raise MembershipError("its author is no owner of the library, and only owners invite")
        if record.sign_public in self.invites:
            raise MembershipError("there is an invite with this key already")
        _check_box_key(record.box_public)
        _check_grant(record.generation, record.sealed_key)
        if len(record.sign_public) != PUBLIC_KEY_BYTES:
            raise MembershipError("a key in it has the wrong length")
        _check_signatures(body, signatures, record.author)

    def _check_join(self, record: _Join, body: bytes, signatures: bytes) -> None:
        invite = self.invites.get(record.invite)
        if invite is None:
            raise MembershipError("it names an invite that this library does not have")
        if record.generation != invite.generation:
            raise MembershipError("it carries another generation of the key than its invite")
        _check_box_key(record.box_public)
        _check_grant(record.generation, record.sealed_key)
        _check_signatures(body, signatures, record.device, record.invite)

    def _enter(self, record: _Genesis | _Invite | _Join) -> None:
        if isinstance(record, _Invite):
            self.invites[record.sign_public] = record
        elif isinstance(record, _Genesis):
            self._grant(record.owner, record.box_public, Role.OWNER)
        else:
            self._grant(record.device, record.box_public, self.invites[record.invite].role)
            self.joins[record.device] = (*self.joins.get(record.device, ()), record)

    def _grant(self, device: bytes, box_public: bytes, role: Role) -> None:
        """A join never takes a right away: a member who joins again keeps the higher role."""
        position = len(self.records)
        held = self.role_at(device, position)
        if held is None or _RANK[role] > _RANK[held]:
            self.roles[device] = (*self.roles.get(device, ()), (position, role))
        self.box_keys[device] = box_public


class Membership:
    """The checked membership log of one library; immutable."""

    __slots__ = ("_log", "library_id", "records")

    #: The library's id: 16 bytes of the hash of its genesis.
    library_id: bytes
    #: The records as they came, the genesis first.
    records: tuple[bytes, ...]

    def __init__(self, log: _Log) -> None:
        """Internal: made by ``from_records`` and ``append``."""
        self._log = log
        self.records = tuple(log.records)
        self.library_id = library_id_of(self.records[0])

    @classmethod
    def from_records(cls, records: Sequence[bytes]) -> Membership:
        """The membership that these records make, every one checked.

        Raises:
            MembershipError: a record is damaged, forged, out of place or not permitted.
        """
        if not records:
            raise MembershipError("a library begins with a genesis, and there is none")
        log = _Log()
        for raw in records:
            log.add(raw)
        return cls(log)

    def append(self, raw: bytes) -> Membership:
        """The membership with one more record.

        Raises:
            MembershipError: the record is damaged, forged, out of place or not permitted.
        """
        log = self._log.copy()
        log.add(raw)
        return Membership(log)

    @property
    def head(self) -> bytes:
        """The hash (BLAKE2b-256) of the last record."""
        return self._log.head

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody with a role now, in the order in which they came."""
        last = len(self.records) - 1
        found = ((device, self._log.role_at(device, last)) for device in self._log.roles)
        return tuple(
            Member(device, self._log.box_keys[device], role) for device, role in found if role
        )

    def knows(self, head: bytes) -> bool:
        """Whether this is, or was, the head of the log."""
        return head in self._log.positions

    def role_of(self, device: bytes, *, head: bytes | None = None) -> Role | None:
        """The device's role when ``head`` was the log's head, by default now.

        None for a stranger, and for a head that the log does not know.
        """
        position = self._log.positions.get(self.head if head is None else head)
        return None if position is None else self._log.role_at(device, position)

    def may_write(self, device: bytes, *, head: bytes) -> bool:
        """Whether an envelope of this device, sealed under ``head``, is permitted."""
        return self.role_of(device, head=head) in (Role.OWNER, Role.EDITOR)

    def is_open_invite(self, sign_public: bytes) -> bool:
        """Whether a ticket with this key lets its holder join."""
        return sign_public in self._log.invites

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Membership) and self.head == other.head

    def __hash__(self) -> int:
        return hash(self.head)

    def __repr__(self) -> str:
        return f"Membership({self.library_id.hex()[:8]}, {len(self.records)} records)"


def library_id_of(genesis: bytes) -> bytes:
    """The id (16 bytes) of the library that this record begins."""
    return content_hash(genesis)[:LIBRARY_ID_BYTES]


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
    record = _Genesis(keys.sign_public, keys.box_public, random_bytes(_NONCE_BYTES))
    return _signed(record.body(), keys)


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

    Arguments:
        membership: whose head the record follows.
        keys: an owner's.
        ticket_secret: fresh random 32 bytes, which go into the ticket alone.
        role: what who joins with the ticket becomes.
        generation: of the content key.
        content_key: the library's key (32 bytes), here sealed to the ticket's holder.

    Raises:
        MembershipError: this device is no owner, or the secret was used before.
    """
    if len(content_key) != CONTENT_KEY_BYTES:
        raise ValueError(f"a content key has {CONTENT_KEY_BYTES} bytes")
    invite = invite_keys(ticket_secret)
    record = _Invite(
        previous=membership.head,
        author=keys.sign_public,
        sign_public=invite.sign_public,
        box_public=invite.box_public,
        role=role,
        generation=generation,
        sealed_key=seal_to(invite.box_public, content_key),
    )
    return _checked(membership, _signed(record.body(), keys))


def make_join(membership: Membership, keys: DeviceKeys, *, ticket_secret: bytes) -> bytes:
    """The record by which this device joins with a ticket; no owner need be online.

    Raises:
        MembershipError: the library has no invite for the ticket, or its key does not open.
    """
    invite_pair = invite_keys(ticket_secret)
    invite = membership._log.invites.get(invite_pair.sign_public)
    if invite is None:
        raise MembershipError("this library has no invite for this ticket")
    content_key = _opened_key(invite_pair, invite.sealed_key)
    record = _Join(
        previous=membership.head,
        invite=invite_pair.sign_public,
        device=keys.sign_public,
        box_public=keys.box_public,
        generation=invite.generation,
        sealed_key=seal_to(keys.box_public, content_key),
    )
    return _checked(membership, _signed(record.body(), keys, invite_pair))


def content_keys(membership: Membership, keys: DeviceKeys) -> dict[int, bytes]:
    """The content keys, by generation, that this device's joins have brought it.

    The key that the owner made is in no record: the owner's replica keeps it.

    Raises:
        MembershipError: one of them does not open with this device's key.
    """
    return {
        join.generation: _opened_key(keys, join.sealed_key)
        for join in membership._log.joins.get(keys.sign_public, ())
        if join.box_public == keys.box_public
    }


def hello_message(*, version: int, library: bytes, nonce: bytes) -> bytes:
    """What a device, or a newcomer with a ticket's key, signs to show a relay who it is.

    Arguments:
        version: of the protocol that both ends chose.
        library: the id of the library asked for.
        nonce: the relay's, fresh for this connection.
    """
    return signed_message("hello 1", version.to_bytes(8, "big"), library, nonce)


def _parse(raw: bytes) -> tuple[_Genesis | _Invite | _Join, bytes, bytes]:
    """A record with its body's bytes and its signatures: form only, no rule is checked."""
    if len(raw) > limits.MEMBERSHIP_RECORD_BYTES_MAX:
        raise MembershipError(
            f"it has {len(raw):,} bytes where {limits.MEMBERSHIP_RECORD_BYTES_MAX:,} are the most"
        )
    try:
        body, signatures = unpack(raw, (bytes, bytes))
        version, kind = leading_values(body, 2)
        if version != VERSION:
            raise MembershipError(f"it is of version {version!r:.20}; this Bifolio knows {VERSION}")
        types = _TYPES.get(kind) if isinstance(kind, str) else None
        if types is None:
            raise MembershipError(f"its kind is {kind!r:.20}, which this Bifolio does not know")
        values = unpack(body, types)[2:]
    except ValueError as error:
        raise MembershipError(str(error)) from error
    return _record(str(kind), values), body, signatures


def _record(kind: str, values: list[Any]) -> _Genesis | _Invite | _Join:
    if kind == _GENESIS:
        return _Genesis(*values)
    if kind == _JOIN:
        return _Join(*values)
    previous, author, sign_public, box_public, role, generation, sealed_key = values
    if role not in _ROLES:
        raise MembershipError(f"its role is {role!r:.20}; there are {', '.join(_ROLES)}")
    return _Invite(previous, author, sign_public, box_public, Role(role), generation, sealed_key)


def _message_to_sign(body: bytes) -> bytes:
    return signed_message("membership 1", body)


def _signed(body: bytes, *signers: KeyPair) -> bytes:
    message = _message_to_sign(body)
    return pack((body, b"".join(signer.sign(message) for signer in signers)))


def _checked(membership: Membership, raw: bytes) -> bytes:
    """What we make passes what everybody else will check."""
    membership.append(raw)
    return raw


def _check_signatures(body: bytes, signatures: bytes, *signers: bytes) -> None:
    if len(signatures) != SIGNATURE_BYTES * len(signers):
        raise MembershipError(f"it needs {len(signers)} signatures")
    message = _message_to_sign(body)
    for index, signer in enumerate(signers):
        signature = signatures[SIGNATURE_BYTES * index :][:SIGNATURE_BYTES]
        if not verify(signer, message, signature):
            raise MembershipError("a signature is not that of the key it names")


def _check_box_key(box_public: bytes) -> None:
    if not is_usable_box_key(box_public):
        raise MembershipError("there is no sealing to a public key in it")


def _check_grant(generation: int, sealed_key: bytes) -> None:
    if not 0 <= generation <= GENERATION_MAX:
        raise MembershipError(f"it names key generation {generation}")
    if len(sealed_key) != _SEALED_KEY_BYTES:
        raise MembershipError("the content key in it has the wrong length")


def _opened_key(pair: KeyPair, sealed: bytes) -> bytes:
    try:
        content_key = pair.unseal(sealed)
    except EnvelopeError as error:
        raise MembershipError("the content key in it does not open") from error
    if len(content_key) != CONTENT_KEY_BYTES:
        raise MembershipError("the content key in it has the wrong length")
    return content_key
