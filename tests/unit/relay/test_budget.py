"""One budget of bytes: shares, turns, and what is given back."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifolio_relay.budget import ByteBudget, Claim

A, B, C = b"a", b"b", b"c"


def test_who_finds_no_room_waits_until_it_is_given_back() -> None:
    async def scenario() -> None:
        budget = ByteBudget(10, 10)
        assert budget.try_take(A, 8)
        assert not budget.try_take(B, 3)
        waiting = asyncio.create_task(budget.take(B, 3))
        await asyncio.sleep(0)
        assert budget.is_pressed
        assert not waiting.done()
        budget.give(A, 8)
        await waiting
        assert (budget.held_bytes, budget.is_pressed) == (3, False)

    asyncio.run(scenario())


def test_a_crowd_of_one_owner_waits_for_itself() -> None:
    budget = ByteBudget(120, 40)
    granted: list[str] = []
    assert budget.try_take(A, 40)
    for number in range(50):
        budget.take_later(A, 10, partial(granted.append, f"a{number}"))
    assert budget.try_take(B, 40)
    assert budget.held_bytes == 80
    budget.give(A, 40)
    assert granted == ["a0", "a1", "a2", "a3"]


def test_a_part_is_kept_for_who_holds_nothing() -> None:
    budget = ByteBudget(100, 100)
    assert budget.try_take(A, 70)
    assert not budget.try_take(A, 10)
    assert budget.try_take(B, 30)


def test_owners_that_wait_take_turns() -> None:
    budget = ByteBudget(10, 10)
    granted: list[bytes] = []
    assert budget.try_take(C, 10)
    for owner in (A, A, A, B):
        budget.take_later(owner, 5, partial(granted.append, owner))
    budget.give(C, 10)
    assert granted == [A, B]


def test_whoever_waits_no_longer_holds_nobody_up() -> None:
    budget = ByteBudget(10, 10)
    granted: list[bytes] = []
    assert budget.try_take(C, 6)
    large = budget.take_later(A, 10, lambda: granted.append(A))
    budget.take_later(B, 4, lambda: granted.append(B))
    assert granted == []  # a small one does not go before a large one for ever
    budget.cancel(large)
    assert granted == [B]


def test_what_is_larger_than_all_is_taken_alone() -> None:
    budget = ByteBudget(10, 10)
    assert budget.try_take(A, 50)
    assert not budget.try_take(B, 1)


def test_a_wait_that_is_cancelled_leaves_nothing() -> None:
    async def scenario() -> None:
        budget = ByteBudget(10, 10)
        budget.add(A, 10)
        waiting = asyncio.create_task(budget.take(B, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not budget.is_pressed
        # Granted and cancelled at the same moment: it is given back.
        waiting = asyncio.create_task(budget.take(B, 1))
        await asyncio.sleep(0)
        budget.give(A, 10)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert budget.held_bytes == 0

    asyncio.run(scenario())


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(1, 60), st.booleans()), max_size=60)
)
def test_no_more_is_held_than_may_be_and_all_are_served(
    steps: list[tuple[bytes, int, bool]],
) -> None:
    budget = ByteBudget(100, 60)
    held: list[tuple[bytes, int]] = []
    waiting: list[Claim] = []
    for owner, size_bytes, gives in steps:
        if gives and held:
            budget.give(*held.pop(0))
        if budget.try_take(owner, size_bytes):
            held.append((owner, size_bytes))
        else:
            claim = budget.take_later(owner, size_bytes, partial(held.append, (owner, size_bytes)))
            waiting.append(claim)
        assert budget.held_bytes == sum(size for _, size in held) <= 100
        for name in (A, B, C):
            assert sum(size for owner, size in held if owner == name) <= 60
    while held:
        budget.give(*held.pop(0))
    assert all(claim.is_over for claim in waiting)
    assert (budget.held_bytes, budget.is_pressed) == (0, False)
