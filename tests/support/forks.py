"""Proof that an author signed two envelopes for one place of its chain."""

from __future__ import annotations

from bifolio.crypto.envelope import Envelope, SignedHeader, seal
from bifolio.crypto.keys import DeviceKeys


def competing_envelope(envelope: Envelope, keys: DeviceKeys) -> Envelope:
    """Another envelope of the same author in the same place."""
    return seal(
        envelope.header,
        b"something else",
        content_key=b"k" * 32,
        keys=keys,
        random_bytes=lambda size: b"\7" * size,
    )


def proof_of_fork(envelope: Envelope, keys: DeviceKeys) -> bytes:
    """What a relay shows that has another envelope in the place of this one."""
    return SignedHeader.of(competing_envelope(envelope, keys)).serialize()
