"""Envelopes: what opens, what is refused, and that damage never goes unnoticed."""

from __future__ import annotations

from dataclasses import replace

import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings
from tests.support.cases import each
from tests.unit.crypto.builders import (
    CONTENT_KEY,
    counting_bytes,
    device,
    envelope_of,
    header_of,
    new_library,
)

from bifolio import limits
from bifolio.crypto.encoding import content_hash, pack
from bifolio.crypto.envelope import (
    Envelope,
    Header,
    envelope_chain_key,
    open_envelope,
    parse_envelope,
    seal,
    verify_signature,
)
from bifolio.crypto.keys import DeviceKeys, signed_message
from bifolio.errors import EnvelopeError

ALICE, BOB = device("alice"), device("bob")
LIBRARY = new_library(ALICE)
PLAINTEXT = b"a change to one reference " * 10
ENVELOPE = envelope_of(ALICE, LIBRARY, PLAINTEXT)


def read(raw: bytes, content_key: bytes = CONTENT_KEY) -> bytes:
    """What a replica does with bytes from outside."""
    envelope = parse_envelope(raw)
    verify_signature(envelope)
    return open_envelope(envelope, content_key)


def sealed_frame(frame: bytes) -> Envelope:
    """An envelope by a member whose compressed content is exactly these bytes."""
    header = header_of(ALICE, LIBRARY)
    nonce = counting_bytes("nonce")(24)
    ciphertext = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        frame, header.encode(), nonce, envelope_chain_key(header, CONTENT_KEY)
    )
    return replace(ENVELOPE, header=header, sealed=nonce + ciphertext)


def test_what_was_sealed_comes_back_with_its_header() -> None:
    parsed = parse_envelope(ENVELOPE.raw)
    assert parsed == ENVELOPE
    assert parsed.hash == ENVELOPE.hash
    verify_signature(parsed)
    assert open_envelope(parsed, CONTENT_KEY) == PLAINTEXT


@each("plaintext", [b"", b"x", bytes(1_000_000), b"\xff" * 300])
def test_a_plaintext_of_any_size_comes_back(plaintext: bytes) -> None:
    assert read(envelope_of(ALICE, LIBRARY, plaintext).raw) == plaintext


def test_the_plaintext_is_nowhere_in_the_envelope() -> None:
    assert b"reference" not in ENVELOPE.raw


def test_every_flipped_bit_is_noticed() -> None:
    for position in range(len(ENVELOPE.raw)):
        for bit in (0, 3, 7):
            damaged = bytearray(ENVELOPE.raw)
            damaged[position] ^= 1 << bit
            with pytest.raises(EnvelopeError):
                read(bytes(damaged))


def test_every_cut_and_every_addition_is_noticed() -> None:
    for length in range(len(ENVELOPE.raw)):
        with pytest.raises(EnvelopeError):
            parse_envelope(ENVELOPE.raw[:length])
    with pytest.raises(EnvelopeError):
        parse_envelope(ENVELOPE.raw + b"\x00")


@given(st.binary(max_size=300))
def test_random_bytes_are_an_envelope_error(raw: bytes) -> None:
    with pytest.raises(EnvelopeError):
        parse_envelope(raw)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.binary()
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(values, max_size=10), st.lists(values, max_size=4))
def test_arrays_of_anything_are_an_envelope_error(header: list[object], rest: list[object]) -> None:
    for raw in (msgpack.packb([msgpack.packb(header), *rest]), msgpack.packb(header)):
        with pytest.raises(EnvelopeError):
            parse_envelope(raw)


@each(
    "raw",
    [
        b"\xdd\xff\xff\xff\xff",  # an array that claims four billion values
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc7\x0c\xff" + b"\xff" * 12,  # a timestamp out of range
        b"\x91" * 100_000,
        b"\x93\xc4\x00\xc4\x00\xc4\x00",
    ],
)
def test_claims_of_size_cost_nothing_and_are_refused(raw: bytes) -> None:
    with pytest.raises(EnvelopeError):
        parse_envelope(raw)


def test_one_byte_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(EnvelopeError, match="the most"):
        parse_envelope(bytes(limits.ENVELOPE_BYTES_MAX + 1))


def test_the_same_content_in_a_longer_encoding_is_refused() -> None:
    header_bytes = ENVELOPE.header.encode()
    longer = (
        b"\x93"
        + b"\xc5" + len(header_bytes).to_bytes(2, "big") + header_bytes
        + b"\xc5" + len(ENVELOPE.sealed).to_bytes(2, "big") + ENVELOPE.sealed
        + b"\xc4\x40" + ENVELOPE.signature
    )  # fmt: skip
    assert msgpack.unpackb(longer) == msgpack.unpackb(ENVELOPE.raw)
    with pytest.raises(EnvelopeError, match="canonical"):
        parse_envelope(longer)


def signed_by(keys: DeviceKeys, header_values: list[object], sealed: bytes) -> bytes:
    """An envelope of any values, signed as every version signs."""
    header_bytes = msgpack.packb(header_values)
    signature = keys.sign(signed_message("envelope 2", header_bytes, content_hash(sealed)))
    return pack((header_bytes, sealed, signature))


def test_a_header_of_any_version_says_whose_it_is_and_where_it_belongs() -> None:
    fields = msgpack.unpackb(ENVELOPE.header.encode())
    raw = signed_by(ALICE, [2, *fields[1:], b"more", 7, "text"], b"sealed in another way")
    envelope = parse_envelope(raw)
    verify_signature(envelope)
    assert envelope.header == replace(ENVELOPE.header, version=2, more=(b"more", 7, "text"))
    assert envelope.header.encode() == msgpack.packb([2, *fields[1:], b"more", 7, "text"])
    assert envelope.hash == content_hash(raw)


def test_what_a_later_version_put_behind_a_header_is_authenticated() -> None:
    envelope = envelope_of(ALICE, LIBRARY, PLAINTEXT, more=(b"more",))
    assert read(envelope.raw) == PLAINTEXT
    for more in ((), (b"mora",), (b"more", 1)):
        header = replace(envelope.header, more=more)
        with pytest.raises(EnvelopeError, match="signature"):
            verify_signature(replace(envelope, header=header))
        with pytest.raises(EnvelopeError, match="does not open"):
            open_envelope(replace(envelope, header=header), CONTENT_KEY)


@each("more", [[None], [True], [1.5], [[b"in a list"]], [{}], [b"x" * 5000], [1] * 9])
def test_a_header_is_flat_and_short_in_every_version(more: list[object]) -> None:
    fields = msgpack.unpackb(ENVELOPE.header.encode())
    for version in (1, 2):
        with pytest.raises(EnvelopeError):
            parse_envelope(signed_by(ALICE, [version, *fields[1:], *more], ENVELOPE.sealed))


def test_a_header_of_a_later_version_has_the_known_values_in_their_places() -> None:
    fields = msgpack.unpackb(ENVELOPE.header.encode())
    for wrong in (
        [2, *fields[1:-1]],
        [2, *fields[2:], b""],
        [0, *fields[1:]],
        [2**16, *fields[1:]],
    ):
        with pytest.raises(EnvelopeError):
            parse_envelope(signed_by(ALICE, wrong, ENVELOPE.sealed))


@each(
    "changed",
    [
        {"library": bytes(15)},
        {"device": bytes(31)},
        {"chain": b""},
        {"previous": bytes(33)},
        {"membership_head": bytes(16)},
        {"generation": -1},
        {"generation": 2**32},
        {"seq": 0},
        {"seq": 2},
        {"seq": 2**53, "previous": b"p" * 32},
        {"previous": b"p" * 32},
        {"kind": 0},
        {"kind": 2**16},
        {"version": 0},
        {"version": 2**16},
    ],
)
def test_a_header_out_of_its_bounds_cannot_be_made(changed: dict[str, object]) -> None:
    with pytest.raises(EnvelopeError):
        replace(header_of(ALICE, LIBRARY), **changed)  # type: ignore[arg-type]


def test_another_kind_is_carried_for_those_who_know_it() -> None:
    assert parse_envelope(envelope_of(ALICE, LIBRARY, b"x", kind=7).raw).header.kind == 7


def test_bob_cannot_sign_as_alice() -> None:
    header = header_of(ALICE, LIBRARY)
    with pytest.raises(ValueError):
        seal(header, b"x", content_key=CONTENT_KEY, keys=BOB, random_bytes=counting_bytes("n"))
    forged = envelope_of(BOB, LIBRARY, PLAINTEXT)
    raw = pack((header.encode(), forged.sealed, forged.signature))
    with pytest.raises(EnvelopeError, match="signature"):
        read(raw)


CHANGES_OF_HEADER = [
    {"library": bytes(16)},
    {"generation": 1},
    {"device": BOB.sign_public},
    {"chain": bytes(16)},
    {"seq": 2, "previous": b"p" * 32},
    {"kind": 2},
    {"membership_head": bytes(32)},
]


@each("changed", CHANGES_OF_HEADER)
def test_a_sealed_part_under_another_header_has_no_valid_signature(
    changed: dict[str, object],
) -> None:
    header = replace(ENVELOPE.header, **changed)  # type: ignore[arg-type]
    raw = pack((header.encode(), ENVELOPE.sealed, ENVELOPE.signature))
    with pytest.raises(EnvelopeError, match="signature"):
        read(raw)


@each("changed", CHANGES_OF_HEADER)
def test_a_member_who_signs_anothers_sealed_part_cannot_make_it_open(
    changed: dict[str, object],
) -> None:
    """Spliced into another library, chain or place, even by somebody who may write there."""
    header = replace(ENVELOPE.header, **changed)  # type: ignore[arg-type]
    with pytest.raises(EnvelopeError, match="does not open"):
        open_envelope(replace(ENVELOPE, header=header), CONTENT_KEY)


def test_each_chain_library_device_and_generation_has_a_key_of_its_own() -> None:
    headers = (
        [ENVELOPE.header]
        + [
            replace(ENVELOPE.header, **changed)  # type: ignore[arg-type]
            for changed in CHANGES_OF_HEADER[:4]
        ]
    )
    keys = {envelope_chain_key(header, CONTENT_KEY) for header in headers}
    assert len(keys) == len(headers)
    assert CONTENT_KEY not in keys


def test_the_places_of_one_chain_share_its_key() -> None:
    later = replace(ENVELOPE.header, seq=2, previous=ENVELOPE.hash)
    assert envelope_chain_key(later, CONTENT_KEY) == envelope_chain_key(
        ENVELOPE.header, CONTENT_KEY
    )


def test_another_content_key_opens_nothing() -> None:
    with pytest.raises(EnvelopeError, match="does not open"):
        open_envelope(ENVELOPE, bytes(32))


def test_two_seals_of_one_change_differ() -> None:
    random_bytes = counting_bytes("nonces")
    header = header_of(ALICE, LIBRARY)
    first, second = (
        seal(header, b"x", content_key=CONTENT_KEY, keys=ALICE, random_bytes=random_bytes)
        for _ in range(2)
    )
    assert first.sealed != second.sealed
    assert first.hash != second.hash


def test_a_plaintext_over_the_limit_is_not_sealed() -> None:
    with pytest.raises(EnvelopeError, match="the most"):
        envelope_of(ALICE, LIBRARY, bytes(limits.PLAINTEXT_BYTES_MAX + 1))


def test_the_largest_plaintext_opens() -> None:
    largest = bytes(limits.PLAINTEXT_BYTES_MAX)
    assert len(open_envelope(envelope_of(ALICE, LIBRARY, largest), CONTENT_KEY)) == len(largest)


def test_a_decompression_bomb_that_declares_its_size_is_not_opened() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(limits.PLAINTEXT_BYTES_MAX + 1))
    assert len(bomb) < 10_000
    with pytest.raises(EnvelopeError, match="claims"):
        open_envelope(sealed_frame(bomb), CONTENT_KEY)


def test_a_decompression_bomb_that_declares_nothing_is_not_opened() -> None:
    compressor = zstandard.ZstdCompressor(write_content_size=False)
    with pytest.raises(EnvelopeError, match="declare"):
        open_envelope(sealed_frame(compressor.compress(bytes(1000))), CONTENT_KEY)


def test_a_frame_that_declares_less_than_it_holds_is_not_opened() -> None:
    frame = bytearray(zstandard.ZstdCompressor(level=3).compress(bytes(200)))
    assert frame[5] == 200  # the byte that declares the size of a short frame
    for declared in (1, 199, 201, 255):
        frame[5] = declared
        with pytest.raises(EnvelopeError):
            open_envelope(sealed_frame(bytes(frame)), CONTENT_KEY)


@pytest.mark.parametrize("extra", [b"x", zstandard.ZstdCompressor().compress(b"second frame")])
def test_a_frame_followed_by_more_is_not_opened(extra: bytes) -> None:
    frame = zstandard.ZstdCompressor().compress(b"first frame")
    with pytest.raises(EnvelopeError):
        open_envelope(sealed_frame(frame + extra), CONTENT_KEY)


@given(st.binary(max_size=60))
def test_a_member_who_seals_anything_gets_a_value_or_an_envelope_error(frame: bytes) -> None:
    for content in (frame, b"\x28\xb5\x2f\xfd" + frame):
        try:
            opened = open_envelope(sealed_frame(content), CONTENT_KEY)
        except EnvelopeError:
            continue
        assert len(opened) <= limits.PLAINTEXT_BYTES_MAX


def test_the_repr_of_an_envelope_is_short() -> None:
    assert len(repr(envelope_of(ALICE, LIBRARY, bytes(10_000)))) < 1000
    assert isinstance(ENVELOPE.header, Header)
