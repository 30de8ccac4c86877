"""Hybrid logical time: stamps rise, carry over, and never let a wrong clock drag ours along."""

from __future__ import annotations

from bifolio import limits
from bifolio.clock import (
    COUNTER_MAX,
    MILLISECONDS_MAX,
    HybridClock,
    import_stamp,
    is_stamp,
    make_stamp,
    stamp_counter,
    stamp_milliseconds,
)

NOW_MS = 1_700_000_000_000


def test_a_stamp_gives_back_its_time_and_counter() -> None:
    stamp = make_stamp(milliseconds=NOW_MS, counter=0xABCDE)
    assert is_stamp(stamp)
    assert (stamp_milliseconds(stamp), stamp_counter(stamp)) == (NOW_MS, 0xABCDE)


def test_what_is_no_stamp_is_told() -> None:
    for other in ("", "0" * 17, "0" * 19, "G" * 18, "A" * 18, 18, None, b"0" * 18):
        assert not is_stamp(other)


def test_a_hundred_thousand_stamps_of_one_millisecond_keep_their_order() -> None:
    clock = HybridClock()
    stamps = [clock.next(NOW_MS) for _ in range(100_000)]
    assert stamps == sorted(set(stamps))
    assert stamp_milliseconds(stamps[-1]) == NOW_MS


def test_a_full_counter_carries_into_the_milliseconds() -> None:
    clock = HybridClock(make_stamp(milliseconds=NOW_MS, counter=COUNTER_MAX))
    assert clock.next(NOW_MS) == make_stamp(milliseconds=NOW_MS + 1, counter=0)


def test_a_clock_set_back_still_gives_rising_stamps() -> None:
    clock = HybridClock()
    first = clock.next(NOW_MS)
    assert clock.next(NOW_MS - 3_600_000) > first


def test_a_computer_that_lives_in_1970_never_gives_the_millisecond_of_imports() -> None:
    for now_ms in (0, -5):
        assert stamp_milliseconds(HybridClock().next(now_ms)) == 1
    assert stamp_milliseconds(import_stamp(3)) == 0


def test_a_time_beyond_all_digits_is_bounded() -> None:
    assert stamp_milliseconds(HybridClock().next(1 << 60)) == MILLISECONDS_MAX


def test_a_remote_stamp_within_the_bound_is_followed() -> None:
    clock = HybridClock()
    remote = make_stamp(milliseconds=NOW_MS + limits.CLOCK_AHEAD_MS_MAX, counter=7)
    assert clock.follow(remote, NOW_MS)
    assert clock.next(NOW_MS) > remote


def test_a_remote_stamp_too_far_ahead_is_kept_but_not_followed() -> None:
    clock = HybridClock()
    remote = make_stamp(milliseconds=NOW_MS + limits.CLOCK_AHEAD_MS_MAX + 1, counter=0)
    assert not clock.follow(remote, NOW_MS)
    assert clock.next(NOW_MS) < remote


def test_a_new_incarnation_leaves_a_stored_stamp_that_is_too_far_ahead() -> None:
    ahead = make_stamp(milliseconds=NOW_MS + 10 * limits.CLOCK_AHEAD_MS_MAX, counter=0)
    clock = HybridClock(ahead)
    clock.start(NOW_MS)
    assert stamp_milliseconds(clock.next(NOW_MS)) == NOW_MS


def test_a_new_incarnation_goes_on_after_a_stored_stamp_that_is_near() -> None:
    near = make_stamp(milliseconds=NOW_MS + 1000, counter=4)
    clock = HybridClock(near)
    clock.start(NOW_MS)
    assert clock.next(NOW_MS) > near
