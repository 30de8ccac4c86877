"""What each of several processes does that load one home's keys at once.

A module of its own: each process imports it, and nothing else of the tests.
"""

from __future__ import annotations

import multiprocessing.queues
import multiprocessing.synchronize
import os
from pathlib import Path

from bifolio.crypto.keys import load_or_create


def load_at_the_barrier(
    home: str, barrier: multiprocessing.synchronize.Barrier, found: multiprocessing.Queue[bytes]
) -> None:
    """Load the keys as soon as all the others are ready; tell the public one."""
    barrier.wait(30)
    loaded = load_or_create(Path(home), name="desk", use_keyring=False, random_bytes=os.urandom)
    found.put(loaded.keys.sign_public)
