"""Every record stored as one that was edited for years: a base, what came since, and a core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from bifolio import limits

#: As of records of a megabyte, for those of a few hundred bytes.
SMALL = {
    "HOT_STATE_BYTES_MIN": 0,
    "HOT_SAVES_BEFORE_CORE": 1,
    "HOT_TAIL_BYTES_MIN": 300,
    "HOT_TAIL_BYTES_MAX": 900,
    "LOADED_AHEAD_BYTES_EACH": 0,
}


@contextmanager
def every_record_is_hot() -> Iterator[None]:
    """In this process, for the time of the block."""
    with ExitStack() as stack:
        for name, value in SMALL.items():
            stack.enter_context(patch.object(limits, name, value))
        yield
