"""What must hold of updates whatever is in them: those of our own programs are accepted as what
they are, damaged ones are refused or merged whole, and the order of merging changes nothing."""

from __future__ import annotations

import json
import random

import pycrdt
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.differential.histories import history
from tests.support.examples import examples

from bifolio.document import canonical, view
from bifolio.document.record import RecordDocument
from bifolio.document.update_rules import index_of
from bifolio.document.update_structure import read_state_vector, read_update
from bifolio.errors import DocumentError

#: Bytes that begin something: info bytes, kinds of values.
_TELLING = (
    0,
    1,
    2,
    4,
    7,
    8,
    10,
    0x21,
    0x24,
    0x27,
    0x28,
    0x44,
    0x84,
    0x88,
    0xA8,
    0xC4,
    *range(116, 128),
)
_SEEDS = st.integers(0, 996)


@given(seed=_SEEDS)
@settings(max_examples=examples(60))
def test_an_update_of_ours_is_read_as_what_pycrdt_holds(seed: int) -> None:
    document = RecordDocument()
    bare: pycrdt.Doc[pycrdt.Map[object]] = pycrdt.Doc()
    for one in history(seed, length=12):
        before = read_state_vector(bare.get_state())
        structure = read_update(one.raw)
        checked = document.check(one.raw, structure)
        for client, (start, _) in structure.ranges.items():
            assert start == before.get(client, 0)
        bare.apply_update(one.raw)
        document.merge(one.raw, checked)
        after = read_state_vector(bare.get_state())
        assert checked.reached == {
            client: clock for client, clock in after.items() if clock != before.get(client)
        }
    state = read_update(bare.get_update())
    assert {client: sum(both) for client, both in state.ranges.items()} == after
    assert all(start == 0 for start, _ in state.ranges.values())
    root = bare.get("r", type=pycrdt.Map)
    written = RecordDocument().check(bare.get_update(), state).keys
    assert set(root.keys()) <= set().union(*written.values())
    assert json.loads(str(root)) == _content(document)
    deleted = {
        (client, clock)
        for client, ranges in state.deletes.items()
        for first, length in ranges
        for clock in range(first, first + length)
    }
    gone = {
        (client, clock)
        for client, structs in state.structs.items()
        for struct in structs
        if struct.kind < 2
        for clock in range(struct.start, struct.end)
    }
    assert gone == deleted
    index_of(state)


@given(seed=_SEEDS, randomness=st.randoms(use_true_random=False))
@settings(max_examples=examples(300))
def test_a_damaged_update_is_refused_or_merged_whole(seed: int, randomness: random.Random) -> None:
    updates = history(seed % 97, length=8)
    at = randomness.randrange(len(updates))
    document = RecordDocument()
    for one in updates[:at]:
        document.merge(one.raw)
    state = document.state()
    donor = updates[randomness.randrange(len(updates))].raw
    damaged = _damage(updates[at].raw, donor, randomness)
    try:
        checked = document.check(damaged)
    except DocumentError:
        assert document.state() == state
        return
    document.merge(damaged, checked)
    # Of what is merged: a state leaves out what waits.
    again: pycrdt.Doc[pycrdt.Map[object]] = pycrdt.Doc()
    again.apply_update(document.state())
    held = read_state_vector(again.get_state())
    for client, (start, length) in checked.structure.ranges.items():
        assert held[client] >= start + length
    entries = document.entries()
    canonical.record_json("00", view.kind_of(entries), entries)
    # Nothing waits and nothing hangs on the order in which it came.
    assert _content(RecordDocument(document.state())) == _content(document)
    others = [
        one.raw
        for one in updates[at + 1 :]
        if not read_update(one.raw).structs.keys() & checked.structure.structs.keys()
    ]
    if others:
        other = randomness.choice(others)
        orders = [_merge(state, order) for order in ((damaged, other), (other, damaged))]
        if orders[0][0] == orders[1][0]:
            assert orders[0][1] == orders[1][1]


def _merge(state: bytes, updates: tuple[bytes, bytes]) -> tuple[set[bytes], object]:
    document = RecordDocument(state)
    merged = set()
    for one in updates:
        try:
            document.merge(one)
        except DocumentError:
            continue
        merged.add(one)
    return merged, _content(document)


def _content(document: RecordDocument) -> object:
    return json.loads(document.json())


def _damage(raw: bytes, donor: bytes, randomness: random.Random) -> bytes:
    damaged = bytearray(raw)
    for _ in range(randomness.randrange(1, 4)):
        if not damaged:
            break
        at = randomness.randrange(len(damaged))
        match randomness.randrange(6):
            case 0:
                damaged[at] = randomness.randrange(256)
            case 1:
                damaged[at] = randomness.choice(_TELLING)
            case 2:
                del damaged[at : at + randomness.randrange(1, 6)]
            case 3:
                damaged[at] = (damaged[at] + randomness.choice((-1, 1))) % 256
            case 4:
                damaged = damaged[: at + 1]
            case _:
                start = randomness.randrange(len(donor))
                part = donor[start : start + randomness.randrange(1, 30)]
                damaged[at : at + randomness.randrange(8)] = part
    return bytes(damaged)
