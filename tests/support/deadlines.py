"""Waiting for what another process does: a condition polled until it holds, or a failed test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

#: Between two looks: short compared with what is measured, long compared with what a look costs.
_POLL_S = 0.01

T = TypeVar("T")


def until(look: Callable[[], T], *, what: str, within_s: float = 20.0) -> T:
    """The first true answer of ``look``.

    Args:
        look: called again and again; cheap, and without effect.
        what: what is waited for, for the message of a test that fails.
        within_s: how long it may take.
    """
    deadline = time.monotonic() + within_s
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within_s:g} seconds")
        time.sleep(_POLL_S)
