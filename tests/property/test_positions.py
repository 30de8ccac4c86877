"""Positions: there is always one between two, and what one writer adds stays together."""

from __future__ import annotations

import random

from hypothesis import example, given
from hypothesis import strategies as st

from bifolio.document import positions
from bifolio.ids import SLOT_LENGTH

SLOTS = st.text(positions.DIGITS, min_size=SLOT_LENGTH, max_size=SLOT_LENGTH)


@given(seed=st.integers(0, 1 << 32), steps=st.integers(1, 60))
def test_there_is_a_position_between_any_two_neighbours(seed: int, steps: int) -> None:
    choose = random.Random(seed)
    placed: list[str] = []
    for _ in range(steps):
        at = choose.randint(0, len(placed))
        low = placed[at - 1] if at else ""
        high = placed[at] if at < len(placed) else None
        slot = choose.choice(("aaa0001", "bbb0001", "aaa0002"))
        run = positions.run(low, high, slot=slot, count=choose.randint(1, 4))
        assert all(low < one and (high is None or one < high) for one in run)
        placed[at:at] = run
        assert placed == sorted(placed)
        assert len(set(placed)) == len(placed)


@given(one=SLOTS, other=SLOTS, count=st.integers(1, 20), between=st.booleans())
def test_two_runs_added_at_the_same_place_at_the_same_time_do_not_interleave(
    one: str, other: str, count: int, between: bool
) -> None:
    if one == other:
        return
    low, high = ("", None)
    if between:
        low, high = positions.run("", None, slot="z" * SLOT_LENGTH, count=2)
    ours = positions.run(low, high, slot=one, count=count)
    theirs = positions.run(low, high, slot=other, count=count)
    merged = sorted(ours + theirs)
    assert merged in (ours + theirs, theirs + ours)


@given(slot=SLOTS)
@example(slot="zy" + "0" * (SLOT_LENGTH - 2))
@example(slot="z" * SLOT_LENGTH)
@example(slot="-" * SLOT_LENGTH)
def test_a_list_typed_one_by_one_keeps_short_positions(slot: str) -> None:
    last = ""
    for _ in range(200):
        (last,) = positions.run(last, None, slot=slot, count=1)
    assert len(last) < 250
