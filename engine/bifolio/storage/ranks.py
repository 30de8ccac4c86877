"""An order of all live references as two compact arrays, so that a part of them is sorted without
reading a row.

Where a search finds ten thousand references and twenty-five are shown, each look-up of what it is
sorted by would take longer than the search. With its rank known, sorting takes a tenth of a
microsecond of each. Good for one moment of the library only: who keeps it forgets it with any
write.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

#: The rank of a number that no reference has.
_NONE: Final = 0xFFFF_FFFF

#: Numbers are given in turn; with one beyond so many times their count the arrays would not be
#: compact any more.
_SPREAD_MAX: Final = 8
_SMALL: Final = 10_000


class Ranks:
    """The rank of each live reference in one order, by its number; four bytes each, twice."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = array("I", order)
        self._ranks = array("I", [_NONE]) * (max(order, default=-1) + 1)
        for rank, number in enumerate(self._order):
            self._ranks[number] = rank

    @classmethod
    def of(cls, order: Sequence[int]) -> Ranks | None:
        """The ranks of an order; None where its numbers are too far apart."""
        if max(order, default=0) > max(_SPREAD_MAX * len(order), _SMALL):
            return None
        return cls(order)

    def first(self, numbers: Sequence[int], most: int | None) -> list[int] | None:
        """The first so many (None: all) of these references, in order; None where one of them has
        no rank."""
        try:
            ranks = sorted(map(self._ranks.__getitem__, numbers))
        except IndexError:
            return None
        if ranks and ranks[-1] == _NONE:
            return None
        return [self._order[rank] for rank in ranks[:most]]
