"""The chains of hashes over a relay's log and its blobs: both ends prove by them what they saw.

A chain begins at a value of the library and the relay's epoch, so that the logs of two relays,
or of one relay before and after it was wiped, never agree by accident. May import only ``ids``.
"""

from __future__ import annotations

from bifolio.ids import digest


def log_start(library: bytes, epoch: bytes) -> bytes:
    """The chain's hash before the first entry: of 16 bytes of library and 16 of epoch."""
    return digest(b"bifolio/log/start", library, epoch)


def log_next(previous_hash: bytes, envelope_hash: bytes) -> bytes:
    """The chain's hash after an entry, from the one before it and the envelope's hash."""
    return digest(b"bifolio/log/entry", previous_hash, envelope_hash)


def blobs_start(library: bytes, epoch: bytes) -> bytes:
    """The hash of the chain of blobs before anything was completed or dropped."""
    return digest(b"bifolio/blobs/start", library, epoch)


def blobs_next(previous_hash: bytes, blob: bytes, *, held: bool) -> bytes:
    """The hash of the chain of blobs after one more was completed (``held``) or dropped."""
    return digest(b"bifolio/blobs/held" if held else b"bifolio/blobs/dropped", previous_hash, blob)
