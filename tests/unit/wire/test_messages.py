"""Messages: every one comes back as it went, and no bytes end in anything but an answer."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio import limits
from bifolio.errors import ProtocolError
from bifolio.wire import snapshot_messages
from bifolio.wire.messages import (
    MESSAGE_TYPES,
    NO_HASH,
    Ack,
    Append,
    AskBlobs,
    AttestedPosition,
    Blobs,
    BlobState,
    BlobTally,
    Bye,
    ChainPlace,
    Challenge,
    Chunk,
    Code,
    Create,
    Delete,
    DropBlobs,
    Envelopes,
    Flow,
    Fragment,
    Hello,
    Locate,
    Located,
    Members,
    Message,
    Nack,
    Partial,
    Pull,
    PullChunk,
    PullMembers,
    Push,
    Receipt,
    Retry,
    Unknown,
    Welcome,
    parse_message,
)

EXAMPLES: tuple[Message, ...] = (
    Challenge((1, 2), b"n" * 32),
    Hello(2, (2,), b"l" * 16, b"d" * 32, b"s" * 64, "relay:443"),
    Hello(
        2,
        (2,),
        b"l" * 16,
        b"d" * 32,
        b"s" * 64,
        "relay:443",
        True,
        7,
        AttestedPosition(b"e" * 16, 9),
        5,
    ),
    Welcome.nothing({"envelope_bytes": 1}),
    Welcome(
        True, b"e" * 16, 3, b"c" * 32, b"x" * 32, None, 0, "owner", 2, b"h" * 32, {"a": 1, "b": 2}
    ),
    Pull(0),
    Envelopes(4, (b"one", b"two"), 6),
    Envelopes(6, (), 6),
    Push((b"one",)),
    Ack((Receipt(b"h" * 32, 1), Receipt(b"i" * 32, 2))),
    Nack(Code.GAP, b"s" * 32, "the relay has 3", 3, b"h" * 32),
    Nack(Code.FORBIDDEN, b"", "only members"),
    Create(b"genesis"),
    PullMembers(0),
    Members(1, (b"record",), 2, b"h" * 32),
    Append(NO_HASH, b"record"),
    Bye(Retry.BACKOFF, "closing"),
    AskBlobs((b"b" * 32, b"c" * 32)),
    Blobs((BlobState(b"b" * 32, 1000, 1, True), BlobState(b"c" * 32, 0, 0, False)), 4),
    Blobs((), 0),
    Blobs((), 1, BlobTally(3, b"t" * 32)),
    Chunk(b"b" * 32, 1000, 0, b"sealed"),
    PullChunk(b"b" * 32, 3),
    DropBlobs((b"b" * 32,)),
    snapshot_messages.Statement(b"statement"),
    snapshot_messages.Statements((b"statement",)),
    snapshot_messages.AskSnapshots(),
    snapshot_messages.Snapshots((snapshot_messages.SnapshotState(b"header", 3, (b"verdict",)),)),
    snapshot_messages.OfferSnapshot(b"header"),
    snapshot_messages.SnapshotChunk(b"s" * 32, 2, b"sealed"),
    snapshot_messages.PullSnapshotChunk(b"s" * 32, 2),
    snapshot_messages.SnapshotHeld(b"s" * 32, 3),
    snapshot_messages.VerifySnapshot(b"verdict"),
    Fragment(b"h" * 32, 10, 4, b"part"),
    Locate((ChainPlace(b"c" * 16, 7),)),
    Delete(b"s" * 64),
    Located((Receipt(b"h" * 32, 7),)),
    Flow(32_768, Partial(b"h" * 32, 5)),
)


@each("message", EXAMPLES, ids=lambda message: message.NAME)
def test_a_message_comes_back_as_it_went(message: Message) -> None:
    assert parse_message(message.serialize()) == message


def test_every_message_type_has_an_example() -> None:
    assert {type(message) for message in EXAMPLES} == set(MESSAGE_TYPES)


@given(st.binary(max_size=300))
def test_random_bytes_are_a_message_or_a_protocol_error(raw: bytes) -> None:
    try:
        message = parse_message(raw)
    except ProtocolError:
        return
    assert parse_message(message.serialize()) == message


MSGPACK_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.binary(max_size=70)
    | st.text(max_size=5)
    | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.integers(0, 19), st.lists(MSGPACK_VALUES, max_size=12))
def test_any_msgpack_is_a_message_or_a_protocol_error(number: int, values: list[object]) -> None:
    try:
        message = parse_message(msgpack.packb([number, *values]))
    except ProtocolError:
        return
    message.check()


@given(
    st.sampled_from(EXAMPLES),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 40),
)
def test_a_mutated_message_is_a_message_or_a_protocol_error(
    message: Message, changes: list[tuple[int, int]], cut: int
) -> None:
    raw = bytearray(message.serialize())
    for place, value in changes:
        raw[place % len(raw)] = value
    try:
        parse_message(bytes(raw[: max(len(raw) - cut, 0)])).check()
    except ProtocolError:
        return


@each("message", EXAMPLES, ids=lambda message: message.NAME)
def test_a_field_of_a_later_version_at_the_end_is_ignored(message: Message) -> None:
    values = msgpack.unpackb(message.serialize(), strict_map_key=False)
    assert parse_message(msgpack.packb([*values, {"later": [1, 2]}])) == message


def test_a_field_that_an_earlier_version_did_not_send_has_its_default() -> None:
    values = msgpack.unpackb(Blobs((), 4, BlobTally(3, b"t" * 32)).serialize())
    assert parse_message(msgpack.packb(values[:-1])) == Blobs((), 4)
    with pytest.raises(ProtocolError, match=r"BLOBS: .* at least length 3, got 2"):
        parse_message(msgpack.packb(values[:-2]))


@each("message", EXAMPLES, ids=lambda message: message.NAME)
def test_a_message_cut_anywhere_is_refused(message: Message) -> None:
    raw = message.serialize()
    for length in range(len(raw)):
        with pytest.raises(ProtocolError):
            parse_message(raw[:length])


def test_a_type_of_a_later_version_is_told_from_a_damaged_message() -> None:
    assert parse_message(msgpack.packb([99, {"a": [1]}])) == Unknown(99)
    for raw in (msgpack.packb([-1]), msgpack.packb([]), b"\x92\x63"):
        with pytest.raises(ProtocolError):
            parse_message(raw)


def test_a_refusal_in_a_word_of_a_later_version_is_a_refusal() -> None:
    message = parse_message(msgpack.packb([8, "too-old", b"s" * 32, "sign with another key"]))
    assert isinstance(message, Nack)
    assert message.code == "too-old"
    assert message.code not in set(Code)
    assert message.detail == "sign with another key"
    assert parse_message(message.serialize()) == message
    with pytest.raises(ProtocolError, match="NACK: code"):
        parse_message(msgpack.packb([8, "x" * 1000, b"", ""]))


def test_a_goodbye_in_a_word_of_a_later_version_is_one_to_come_back_after() -> None:
    assert parse_message(msgpack.packb([13, "in-winter", ""])) == Bye(Retry.BACKOFF, "")


def test_a_value_of_a_later_version_at_the_end_of_a_row_is_ignored() -> None:
    raw = msgpack.packb([7, [[b"h" * 32, 1, "later"]]])
    assert parse_message(raw) == Ack((Receipt(b"h" * 32, 1),))


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(ProtocolError, match="trailing"):
        parse_message(Pull(1).serialize() + b"\x00")


def test_a_wrong_length_names_the_field() -> None:
    with pytest.raises(ProtocolError, match=r"HELLO: library: .*`bytes` of length >= 16"):
        parse_message(msgpack.packb([2, 2, [2], b"short", b"d" * 32, b"s" * 64, "r:1", False, 0]))


def test_entries_beyond_the_end_of_the_log_are_refused() -> None:
    with pytest.raises(ProtocolError, match="ENVELOPES: n"):
        parse_message(msgpack.packb([5, 4, [b"one", b"two"], 5]))


def test_more_envelopes_than_a_batch_are_refused() -> None:
    with pytest.raises(ProtocolError, match=r"PUSH: envelopes: .*length <= 512"):
        parse_message(msgpack.packb([6, [b""] * (limits.BATCH_ENVELOPES_MAX + 1)]))


EMPTY_LISTS = b"\xdd" + (5_000_000).to_bytes(4, "big") + b"\x90" * 5_000_000
BOMBS = {
    "a list that claims billions": b"\x92\x06\xdd\xff\xff\xff\xff",
    "a message that claims billions of fields": b"\xdd\xff\xff\xff\xff\x06",
    "a map that claims billions": b"\x9c\x03\xc3" + b"\xc0" * 9 + b"\xdf\xff\xff\xff\xff",
    "bytes that claim billions": b"\x92\x09\xc6\xff\xff\xff\xff",
    "lists in lists": b"\x92\x04" + b"\x91" * 100_000 + b"\x01",
    "lists in lists after the known fields": b"\x93\x04\x00" + b"\x91" * 100_000 + b"\x01",
    "millions of empty lists": b"\x92\x06" + EMPTY_LISTS,
    "millions of empty lists in a list": b"\x92\x06\x91" + EMPTY_LISTS,
    "millions of empty lists of another type": b"\x92\x63" + EMPTY_LISTS,
}


@each("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_memory_is_taken(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with suppress(ProtocolError):
            assert isinstance(parse_message(bomb), Unknown)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024


def test_fields_of_a_later_version_are_passed_over_without_being_built() -> None:
    raw = b"\x94\x04\x07\x00" + EMPTY_LISTS
    tracemalloc.start()
    try:
        assert parse_message(raw) == Pull(7)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024


def test_a_message_over_the_limit_is_refused() -> None:
    with pytest.raises(ProtocolError, match="bytes"):
        parse_message(bytes(limits.MESSAGE_BYTES_MAX + 1))


def test_a_message_made_wrong_is_our_fault_and_names_the_field() -> None:
    with pytest.raises(ValueError, match=r"nonce: .*length >= 32"):
        Challenge((1,), b"short").serialize()
