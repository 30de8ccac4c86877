"""Keys sealed to somebody, drawn from the seed: libsodium draws its own, and no run would recur.

The hashes of membership records decide between two lists of members, and each holds a sealed key.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from nacl import bindings

#: Where the engine seals: each has its own name for it.
_PLACES = (
    "bifolio.crypto.membership.authoring",
    "bifolio.crypto.membership.announcing",
    "bifolio.replica.membership",
)


@contextmanager
def seeded_seals(seed: int) -> Iterator[None]:
    """Seal with keys drawn from a seed; what comes out is opened like any other."""
    draw = random.Random(seed)

    def seal_to(box_public: bytes, message: bytes) -> bytes:
        public, private = bindings.crypto_box_seed_keypair(draw.randbytes(32))
        nonce = hashlib.blake2b(public + box_public, digest_size=24).digest()
        sealed: bytes = bindings.crypto_box(message, nonce, box_public, private)
        return bytes(public) + sealed

    with ExitStack() as patched:
        for place in _PLACES:
            patched.enter_context(patch(f"{place}.seal_to", seal_to))
        yield
