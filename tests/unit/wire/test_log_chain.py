"""The log's chain of hashes: both ends compute it alone and come to the same."""

from __future__ import annotations

from tests.support.stored_changes import log_hash

from bifolio.wire.log_chain import blobs_next, blobs_start, log_next, log_start


def test_the_chain_depends_on_library_epoch_and_every_entry() -> None:
    library, epoch = b"l" * 16, b"e" * 16
    start = log_start(library, epoch)
    hashes = [bytes([number]) * 32 for number in range(4)]
    found = {
        start,
        log_start(epoch, library),
        log_start(library, b"f" * 16),
        log_next(start, hashes[0]),
        log_next(hashes[0], start),
        log_hash(start, hashes),
        log_hash(start, reversed(hashes)),
        log_hash(start, hashes[:3]),
    }
    assert len(found) == 8
    assert all(len(value) == 32 for value in found)


def test_following_in_parts_is_following_at_once() -> None:
    start = log_start(b"l" * 16, b"e" * 16)
    hashes = [bytes([number]) * 32 for number in range(9)]
    assert log_hash(log_hash(start, hashes[:4]), hashes[4:]) == log_hash(start, hashes)
    assert log_hash(start, []) == start


def test_the_chain_of_blobs_depends_on_library_epoch_blob_and_what_became_of_it() -> None:
    start = blobs_start(b"l" * 16, b"e" * 16)
    found = {
        log_start(b"l" * 16, b"e" * 16),
        start,
        blobs_start(b"m" * 16, b"e" * 16),
        blobs_start(b"l" * 16, b"f" * 16),
        blobs_next(start, b"b" * 32, held=True),
        blobs_next(start, b"b" * 32, held=False),
        blobs_next(start, b"c" * 32, held=True),
        blobs_next(b"s" * 32, b"b" * 32, held=True),
    }
    assert len(found) == 8
