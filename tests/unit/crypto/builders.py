"""Builders for keys, logs and envelopes whose randomness comes from a counter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from bifolio.crypto.envelope import Envelope, Header, seal
from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import (
    ChainEnd,
    Cut,
    Membership,
    Role,
    make_genesis,
    make_invite,
    make_join,
    make_remove,
    make_role,
)
from bifolio.ids import RandomBytes

CONTENT_KEY = bytes(range(32))
NEXT_KEY = bytes(range(1, 33))


def counting_bytes(seed: str) -> RandomBytes:
    """Bytes that differ at every call and are the same for the same seed."""
    calls = 0

    def draw(count: int) -> bytes:
        nonlocal calls
        calls += 1
        return hashlib.shake_256(f"{seed} {calls}".encode()).digest(count)

    return draw


def device(name: str) -> DeviceKeys:
    """The keys of the device with this name."""
    return new_device_keys(name, counting_bytes(name))


def secret(name: str) -> bytes:
    """The secret of the ticket with this name."""
    return counting_bytes(f"ticket {name}")(32)


def new_library(owner: DeviceKeys, name: str = "library") -> Membership:
    """A membership of one genesis."""
    return Membership.from_records(
        [make_genesis(owner, counting_bytes(name), content_key=CONTENT_KEY)]
    )


def invited(
    membership: Membership,
    owner: DeviceKeys,
    ticket: str,
    role: Role = Role.EDITOR,
    *,
    uses: int | None = None,
    expires_ms: int | None = None,
) -> Membership:
    """The membership with an invite for the ticket of this name."""
    return membership.append(
        make_invite(
            membership,
            owner,
            ticket_secret=secret(ticket),
            role=role,
            generation=0,
            content_key=CONTENT_KEY,
            uses=uses,
            expires_ms=expires_ms,
        )
    )


def joined(membership: Membership, newcomer: DeviceKeys, ticket: str) -> Membership:
    """The membership with this device, come with the ticket of this name."""
    return membership.append(make_join(membership, newcomer, ticket_secret=secret(ticket)))


def header_of(author: DeviceKeys, membership: Membership) -> Header:
    """The header of the first envelope of a chain."""
    return Header(
        library=membership.library_id,
        generation=0,
        device=author.sign_public,
        chain=counting_bytes(f"chain of {author.name}")(16),
        seq=1,
        previous=bytes(32),
        kind=1,
        membership_head=membership.head,
    )


def envelope_of(
    author: DeviceKeys, membership: Membership, plaintext: bytes, **header_values: object
) -> Envelope:
    """A sealed envelope, with some values of its header as given."""
    return seal(
        replace(header_of(author, membership), **header_values),  # type: ignore[arg-type]
        plaintext,
        content_key=CONTENT_KEY,
        keys=author,
        random_bytes=counting_bytes("nonce"),
    )


def cut_of(*ends: Envelope) -> Cut:
    """The cut at the last envelopes of some chains."""
    return {one.header.chain: ChainEnd(one.header.seq, one.hash) for one in ends}


def removed(
    membership: Membership,
    owner: DeviceKeys,
    *devices: DeviceKeys,
    cut: Cut | None = None,
    keys: Mapping[int, bytes] | None = None,
    next_key: bytes = NEXT_KEY,
) -> Membership:
    """The membership without these devices, all with the same cut."""
    for raw in make_remove(
        membership,
        owner,
        cuts={one.sign_public: cut or {} for one in devices},
        content_key=next_key,
        earlier={0: CONTENT_KEY} if keys is None else keys,
        random_bytes=counting_bytes("removal"),
    ):
        membership = membership.append(raw)
    return membership


def with_role(
    membership: Membership,
    owner: DeviceKeys,
    device: DeviceKeys,
    role: Role,
    cut: Cut | None = None,
) -> Membership:
    """The membership in which the device has this role."""
    return membership.append(
        make_role(membership, owner, device=device.sign_public, role=role, cut=cut)
    )
