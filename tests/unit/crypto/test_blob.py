"""Blobs: a chunk opens in its place only, and one content has one form."""

from __future__ import annotations

import os

import pytest
from tests.support.cases import each

from bifolio import limits
from bifolio.crypto.blob import (
    SEAL_BYTES,
    BlobKey,
    blob_id,
    chunk_count,
    generation_of,
    sealed_chunk_count,
    sealed_chunk_length,
    sealed_chunk_place,
    sealed_size,
)
from bifolio.errors import EnvelopeError

LIBRARY, KEY, CONTENT = b"l" * 16, b"k" * 32, b"c" * 32
BLOB = blob_id(library=LIBRARY, first_key=KEY, content=CONTENT)
CHUNK = limits.CHUNK_BYTES


def key_of(
    *, content: bytes = CONTENT, size: int = 2 * CHUNK + 5, generation: int = 0, key: bytes = KEY
) -> BlobKey:
    return BlobKey.make(
        library=LIBRARY,
        blob=blob_id(library=LIBRARY, first_key=KEY, content=content),
        content=content,
        sealed_size=sealed_size(size),
        generation=generation,
        key=key,
    )


def test_a_chunk_comes_back_as_it_went() -> None:
    plaintext = os.urandom(CHUNK)
    sealed = key_of().seal(1, plaintext)
    assert len(sealed) == CHUNK + SEAL_BYTES
    assert key_of().open(1, sealed) == plaintext
    assert generation_of(sealed) == 0
    assert generation_of(key_of(generation=7).seal(0, plaintext)) == 7
    assert key_of(size=0).open(0, key_of(size=0).seal(0, b"")) == b""


def test_two_computers_seal_one_content_to_the_same_bytes() -> None:
    assert key_of().seal(0, bytes(CHUNK)) == key_of().seal(0, bytes(CHUNK))


def test_no_key_and_nonce_meet_two_plaintexts() -> None:
    nonce = slice(5, 29)
    sealed = [key_of().seal(number, bytes([byte]) * CHUNK) for number in (0, 1) for byte in (1, 2)]
    assert len({one[nonce] for one in sealed}) == 4


@each(
    "other",
    [
        key_of(content=b"d" * 32),
        key_of(size=2 * CHUNK + 6),
        key_of(generation=1),
        key_of(key=b"K" * 32),
    ],
)
def test_a_chunk_opens_in_no_other_blob_size_or_generation(other: BlobKey) -> None:
    sealed = key_of().seal(0, bytes(CHUNK))
    with pytest.raises(EnvelopeError):
        other.open(0, sealed)


def test_a_chunk_opens_in_no_other_place_and_not_cut_or_changed() -> None:
    sealed = key_of().seal(0, bytes(CHUNK))
    with pytest.raises(EnvelopeError):
        key_of().open(1, sealed)
    with pytest.raises(EnvelopeError):
        key_of().open(0, sealed[:-1])
    for place in (4, 5, 29, CHUNK, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[place] ^= 1
        if place == 4:
            assert generation_of(bytes(changed)) == 1
            continue
        with pytest.raises(EnvelopeError):
            key_of().open(0, bytes(changed))


@pytest.mark.parametrize("sealed", [b"", b"short", b"\x02" + bytes(100)])
def test_what_names_no_generation_is_refused(sealed: bytes) -> None:
    with pytest.raises(EnvelopeError):
        generation_of(sealed)


def test_the_relays_name_of_a_content_says_nothing_without_the_key() -> None:
    assert BLOB != CONTENT
    assert blob_id(library=LIBRARY, first_key=b"K" * 32, content=CONTENT) != BLOB
    assert blob_id(library=b"L" * 16, first_key=KEY, content=CONTENT) != BLOB


@each("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_the_relay_counts_chunks_by_the_sealed_size_alone(size: int) -> None:
    sealed = sealed_size(size)
    count = chunk_count(size)
    assert sealed_chunk_count(sealed) == count
    lengths = [sealed_chunk_length(sealed, number) for number in range(count)]
    assert sum(lengths) == sealed
    assert [sum(lengths[:number]) for number in range(count)] == [
        sealed_chunk_place(number) for number in range(count)
    ]


@each("sealed", [0, SEAL_BYTES - 1, CHUNK + SEAL_BYTES + 1, CHUNK + 2 * SEAL_BYTES])
def test_a_size_that_no_content_has_is_none(sealed: int) -> None:
    assert sealed_chunk_count(sealed) is None
