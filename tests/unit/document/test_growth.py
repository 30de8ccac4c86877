"""What an edit leaves behind in the state of a record that is edited for years."""

from __future__ import annotations

import json
import random
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import zstandard

from bifolio.clock import HybridClock
from bifolio.document import snapshot_states, texts
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.ids import device_tag, digest, incarnation_client_id
from bifolio.storage import packed_states
from bifolio.storage.packed_states import pack_state, unpack_state

KEY = b"k" * 32
RECORD = "ab" * 16

#: Each dictionary's hash, and something that was compressed with it.
DICTIONARIES = {
    "state_dictionary.bin": (
        "a7f8b21509a3ce4c8830b01464127ed5c72a284698ea6e732102811453fb057b",
        "810028b52ffd604d0085000000047c000ec83dc0803c13b0ada51601",
    ),
    "state_dictionary_2.bin": (
        "f9eba6692f518a1f4e4d1cfe6ba12dc9df07d45e5ab74fb2c688da28f21a15d3",
        "820028b52ffd604d0085000000047c000ec8f41f0fad4d5ad4ac9104",
    ),
}

#: Each of them a session of its own.
EDITS = 150

#: Above the text that is shown; 96 in a state that is not compressed.
BYTES_PER_EDIT_MAX = 45


def hot_note(edits: int) -> tuple[bytes, str, dict[int, str]]:
    """The state of a record after so many sessions of one edit, its note, and their names."""
    choose, numbers = random.Random(1), count()
    clock = HybridClock("0" * 18)
    state: bytes | None = None
    text = "A first note about the book, to begin with. "
    slots: dict[int, str] = {}
    for day in range(edits):
        slot = device_tag(KEY) + f"{next(numbers):04x}"
        client = incarnation_client_id(KEY, slot, choose.randbytes(8))
        slots[client] = slot
        document = RecordDocument(state, client_id=client)
        at = choose.randrange(len(text) - 10)
        text = f"{text[:at]}word {text[at:]}" if day % 3 else text[:at] + text[at + 7 :]
        plan = Plan(Writer(slot, clock.next(1_700_000_000_000 + day * 8_640_000)))
        texts.plan_set(plan, document.entries(), "note", text)
        document.write(plan)
        state = document.state()
    assert state is not None
    return state, text, slots


def test_an_edit_in_a_session_of_its_own_leaves_few_bytes_above_the_text() -> None:
    state, text, slots = hot_note(EDITS)
    stored = pack_state(state)
    assert (len(stored) - len(text.encode())) / EDITS <= BYTES_PER_EDIT_MAX
    assert unpack_state(stored) == state
    snapshot_states.check_state(RECORD, state, slots)


def test_a_state_that_is_small_is_stored_as_it_is() -> None:
    state = RecordDocument().state()
    assert pack_state(state) is state


def test_the_state_of_one_session_is_stored_in_three_fifths() -> None:
    state, _, _ = hot_note(5)
    assert len(pack_state(state)) < len(state) * 0.6


def test_what_an_earlier_version_compressed_is_read() -> None:
    state, _, _ = hot_note(30)
    assert unpack_state(b"\x80\x00" + zlib.compress(state, 1)) == state


@pytest.mark.parametrize(
    "stored", [b"\x82\x00", b"\x82\x00damaged", b"\x81\x00damaged", b"\x80\x00damaged"]
)
def test_of_damaged_bytes_there_is_what_there_is(stored: bytes) -> None:
    assert unpack_state(stored) == stored


def test_a_damaged_size_of_a_state_allocates_nothing() -> None:
    """A frame of zstd says how much it holds: so many bytes are allocated before any is read."""
    state, _, _ = hot_note(30)
    frame = bytearray(zstandard.ZstdCompressor().compress(state * 2_000))
    assert frame[4] >> 6 == 2  # four bytes of size behind the frame's first five
    frame[5:10] = b"\xff" * 5
    stored = b"\x82\x00" + bytes(frame)
    assert unpack_state(stored) == stored


@pytest.mark.parametrize("name", DICTIONARIES)
def test_a_dictionary_is_the_one_that_states_were_stored_with(name: str) -> None:
    """What was compressed with it can be opened with nothing else."""
    hash, stored = DICTIONARIES[name]
    raw = Path(packed_states.__file__).with_name(name).read_bytes()
    assert (len(raw), digest(raw).hex()) == (4096, hash)
    assert unpack_state(bytes.fromhex(stored)) == b'{"blocks":"","format":"bibtex","id":"' * 9


def test_the_forms_of_an_imported_reference_take_little() -> None:
    """What every state repeats is in the dictionary: fields, stamps, the source's forms."""
    tags = [["title", '"X"'], ["author", '[{"family": "Doe", "given": "J."}]'], ["volume", '"3"']]
    source = json.dumps({"blocks": "", "format": "csl-json", "id": "doe", "tags": tags})
    stamped = "".join(f"{one}\x1fslotAAAAAAAA" + "0" * 17 + "1w" for one in ("issued", "volume"))
    first = zstandard.ZstdCompressionDict(
        Path(packed_states.__file__).with_name("state_dictionary.bin").read_bytes()
    )
    before = zstandard.ZstdCompressor(level=1, dict_data=first, write_dict_id=False)
    state = (source + stamped).encode()
    assert len(pack_state(state)) < len(before.compress(state))


def test_two_threads_pack_at_the_same_time() -> None:
    states = [hot_note(edits)[0] for edits in (3, 9, 27)]
    with ThreadPoolExecutor(3) as pool:
        stored = list(pool.map(pack_state, states * 50))
        assert list(pool.map(unpack_state, stored)) == states * 50


def test_no_state_begins_as_a_compressed_one_does() -> None:
    """pycrdt writes the number of clients in its shortest form."""
    for edits in (1, 3, 130):
        state, _, _ = hot_note(edits)
        assert not state.startswith((b"\x80\x00", b"\x81\x00", b"\x82\x00"))
        assert unpack_state(pack_state(state)) == state


def test_states_of_the_same_updates_are_the_same_in_whatever_order_they_came() -> None:
    state, _, _ = hot_note(30)
    other = RecordDocument(state)
    other.merge_own(hot_note(12)[0])
    assert snapshot_states.is_same_state(RECORD, state, other.state())
    assert not snapshot_states.is_same_state(RECORD, state, hot_note(29)[0])
    false = state.replace(b"word ", b"wrod ", 1)
    assert false != state
    assert not snapshot_states.is_same_state(RECORD, state, false)
