"""Builders for keys, logs and envelopes whose randomness comes from a counter."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bifolio.crypto.envelope import Envelope, Header, seal
from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import Membership, Role, make_genesis, make_invite, make_join
from bifolio.ids import RandomBytes

CONTENT_KEY = bytes(range(32))


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
    membership: Membership, owner: DeviceKeys, ticket: str, role: Role = Role.EDITOR
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
