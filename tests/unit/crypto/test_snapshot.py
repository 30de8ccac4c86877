"""Snapshots as they travel: signed headers, sealed chunks, and the statements about both."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import zstandard
from nacl import bindings
from tests.support.cases import each

from bifolio import limits
from bifolio.crypto.encoding import pack, unpack
from bifolio.crypto.keys import new_device_keys
from bifolio.crypto.snapshot import (
    CoveredChain,
    SnapshotHeader,
    SnapshotKey,
    parse_snapshot,
    root_of,
)
from bifolio.crypto.statement import Statement, Verdict
from bifolio.errors import EnvelopeError
from bifolio.ids import digest

KEYS = new_device_keys("office", os.urandom)
HEADER = SnapshotHeader(
    library=b"l" * 16,
    device=KEYS.sign_public,
    generation=2,
    epoch=b"e" * 16,
    n=7,
    chain_hash=b"h" * 32,
    membership_head=b"m" * 32,
    made_ms=1_700_000_000_000,
    chunks=2,
    size_bytes=200,
    root=root_of([b"a" * 32, b"b" * 32]),
    nonce=b"n" * 16,
    chains=(CoveredChain(b"d" * 32, b"c" * 16, 3, b"x" * 32),),
)
STATEMENT = Statement(b"l" * 16, KEYS.sign_public, b"r" * 16, b"e" * 16, 7, b"h" * 32, 12)
VERDICT = Verdict(b"l" * 16, KEYS.sign_public, b"s" * 32, False, 12)


def key() -> SnapshotKey:
    return SnapshotKey.for_header(HEADER, b"k" * 32)


def test_a_header_comes_back_as_it_was_signed() -> None:
    raw = HEADER.sign(KEYS)
    snapshot = parse_snapshot(raw)
    assert snapshot.header == HEADER
    assert snapshot.raw == raw
    assert Statement.parse(STATEMENT.sign(KEYS)) == STATEMENT
    assert Verdict.parse(VERDICT.sign(KEYS)) == VERDICT


@pytest.mark.parametrize(
    ("raw", "parse"),
    [
        (HEADER.sign(KEYS), parse_snapshot),
        (STATEMENT.sign(KEYS), Statement.parse),
        (VERDICT.sign(KEYS), Verdict.parse),
    ],
    ids=["snapshot", "statement", "verdict"],
)
def test_no_bit_of_what_is_signed_can_be_turned(
    raw: bytes, parse: Callable[[bytes], object]
) -> None:
    for at in range(len(raw)):
        for bit in (1, 128):
            turned = raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :]
            with pytest.raises(EnvelopeError):
                parse(turned)
    for length in range(len(raw)):
        with pytest.raises(EnvelopeError):
            parse(raw[:length])


@each(
    "wrong",
    [
        replace(HEADER, chunks=0),
        replace(HEADER, chunks=limits.SNAPSHOT_CHUNKS_MAX + 1),
        replace(HEADER, size_bytes=3 * limits.SNAPSHOT_CHUNK_BYTES_MAX),
        replace(HEADER, n=2**60),
        replace(HEADER, epoch=b"short"),
        replace(HEADER, chains=HEADER.chains * 2),
        replace(HEADER, device=b"d" * 32),
    ],
)
def test_a_header_out_of_its_range_is_refused(wrong: SnapshotHeader) -> None:
    with pytest.raises(EnvelopeError):
        parse_snapshot(wrong.sign(KEYS))


def test_a_header_of_a_later_version_is_not_guessed_at() -> None:
    body, _ = unpack(HEADER.sign(KEYS), (bytes, bytes))
    later = pack([2, *unpack_all(body)[1:]])
    with pytest.raises(EnvelopeError, match="version 2"):
        parse_snapshot(pack((later, bytes(64))))


def unpack_all(body: bytes) -> list[Any]:
    kinds = (int, *(bytes,) * 2, int, bytes, int, bytes, bytes, int, int, int, *(bytes,) * 3)
    return unpack(body, kinds)


def test_a_chunk_opens_in_its_place_only() -> None:
    sealed = key().seal(3, b"part" * 100, os.urandom)
    assert key().open(3, sealed) == b"part" * 100
    other = SnapshotKey.for_header(replace(HEADER, nonce=b"o" * 16), b"k" * 32)
    for opener, number, raw in (
        (key(), 4, sealed),
        (other, 3, sealed),
        (key(), 3, sealed[:-1]),
        (key(), 3, b""),
    ):
        with pytest.raises(EnvelopeError):
            opener.open(number, raw)


def test_a_chunk_that_claims_more_than_one_may_hold_is_refused_before_memory_is_taken() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(limits.SNAPSHOT_PART_BYTES_MAX + 1))
    nonce = bytes(24)
    place = digest(HEADER.nonce, (0).to_bytes(8, "big"))
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(bomb, place, nonce, key().key)
    with pytest.raises(EnvelopeError, match="more than one may hold"):
        key().open(0, nonce + sealed)
