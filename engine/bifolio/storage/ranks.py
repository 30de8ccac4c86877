"""An order of all live references as two compact arrays, so that a part of them is sorted without
reading a row.

Where a search finds ten thousand references and twenty-five are shown, each look-up of what it is
sorted by would take longer than the search. With its rank known, sorting takes a tenth of a
microsecond of each. Of a reference that may have moved since, the rank is forgotten; between the
others nothing changes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

#: The rank of a number of which none is known: before all others, so that one is seen at once.
_NONE: Final = 0

#: Numbers are given in turn; with one beyond so many times their count the arrays would not be
#: compact any more.
_SPREAD_MAX: Final = 8
_SMALL: Final = 10_000

#: Of more than so many times what is asked for not all are sorted: so many of them show about up to
#: where the first ones reach, and some more are taken to be on the safe side.
_FEW: Final = 8
_SAMPLE: Final = 200
_SPARE: Final = 3


class Ranks:
    """The rank of each live reference in one order, by its number; four bytes each, twice."""

    def __init__(self, order: Sequence[int] = ()) -> None:
        #: The numbers by their ranks, of which the first is 1.
        self._order = array("I", [0])
        self._ranks = array("I")
        self.extend(order)

    def extend(self, order: Sequence[int]) -> None:
        """What comes next in the order."""
        ranks = self._cover(max(order, default=-1))
        for rank, number in enumerate(order, len(self._order)):
            ranks[number] = rank
        self._order.extend(order)

    @staticmethod
    def are_compact(count: int, greatest: int) -> bool:
        """Whether the ranks of so many references, with numbers up to this one, take little
        memory."""
        return greatest <= max(_SPREAD_MAX * count, _SMALL)

    def forget(self, numbers: Iterable[int]) -> None:
        """These references may be anywhere in the order now, or in it for the first time."""
        for number in numbers:
            if number < len(self._ranks):
                self._ranks[number] = _NONE

    def first(self, numbers: Sequence[int], most: int | None) -> tuple[list[int], list[int]]:
        """The first so many (None: all) of those of these references that have a rank, in order;
        and those that have none."""
        try:
            first = _first(self._of(numbers), most)
        except IndexError:
            return self._first_of_known(numbers, most)
        if first and first[0] == _NONE:
            return self._first_of_known(numbers, most)
        return [*map(self._order.__getitem__, first)], []

    def _first_of_known(
        self, numbers: Sequence[int], most: int | None
    ) -> tuple[list[int], list[int]]:
        self._cover(max(numbers))
        ranks = self._of(numbers)
        unknown = [one for one, rank in zip(numbers, ranks, strict=True) if rank == _NONE]
        known = [rank for rank in ranks if rank != _NONE]
        return [*map(self._order.__getitem__, _first(known, most))], unknown

    def _of(self, numbers: Sequence[int]) -> Sequence[int]:
        """The ranks of these references; at once, which takes half as long as one by one."""
        if len(numbers) < 2:
            return [self._ranks[one] for one in numbers]
        found: tuple[int, ...] = itemgetter(*numbers)(self._ranks)
        return found

    def _cover(self, number: int) -> array[int]:
        """The ranks, as far as this number at least."""
        missing = number + 1 - len(self._ranks)
        if missing > 0:
            self._ranks.extend(array("I", [_NONE]) * missing)
        return self._ranks


def _first(ranks: Sequence[int], most: int | None) -> list[int]:
    """The first so many of some ranks (None: all), in order."""
    if most is None or len(ranks) <= _FEW * most:
        return sorted(ranks)[:most]
    # What of some of them is a little more than the wanted part is that of nearly all of them too.
    some = sorted(ranks[:: -(-len(ranks) // _SAMPLE)])
    bound = some[min(most * len(some) // len(ranks) * 3 // 2 + _SPARE, len(some) - 1)]
    low = [rank for rank in ranks if rank <= bound]
    return sorted(low if len(low) >= most else ranks)[:most]
