"""What searches found, kept for the next page of each as long as nobody writes; and the orders in
which it is shown, of which a write leaves all that it did not touch."""

from __future__ import annotations

import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Sequence

from bifolio import limits
from bifolio.errors import BifolioError
from bifolio.library.windows import MadeRanks, PlacesMark, Ranks, Windows


class Found:
    """What one search found: the numbers of all references, and the beginnings of their orders."""

    def __init__(self, numbers: Iterable[int]) -> None:
        #: As they came, until they are sorted for the first time: faster than out of the array.
        self._as_given: Sequence[int] | None = [*numbers]
        self.numbers = array("q", self._as_given)
        self._orders: dict[str, tuple[int | None, list[int]]] = {}

    def in_order(
        self, sort: str, most: int | None, make: Callable[[Sequence[int]], list[int]]
    ) -> list[int]:
        """The first so many in an order (None: all), made unless as many were made before."""
        known, made = self._orders.get(sort, (0, []))
        if known is not None and (most is None or most > known):
            known, made = most, make(self._as_given or self.numbers)
            self._as_given = None
            self._orders[sort] = (known, made)
        return made


class FoundLists:
    """What the last searches found, as much as the bound allows."""

    def __init__(self) -> None:
        self._found: OrderedDict[object, Found] = OrderedDict()
        self._size = 0

    def of(self, search: object, make: Callable[[], Iterable[int]]) -> Found:
        """What a search found, found once."""
        found = self._found.pop(search, None)
        if found is None:
            found = Found(make())
            self._size += len(found.numbers)
        self._found[search] = found
        while self._size > limits.SERVE_FOUND_MAX or len(self._found) > limits.SERVE_SEARCHES_MAX:
            if len(self._found) == 1:
                break
            self._size -= len(self._found.popitem(last=False)[1].numbers)
        return found

    def clear(self) -> None:
        """Forget everything: somebody wrote."""
        self._found.clear()
        self._size = 0


class KeptRanks:
    """The ranks of all references in the orders that were asked for.

    Making them reads all references once: that is done in pieces, between requests. Until then the
    database sorts what is found. A write takes the ranks of what it touched, and no others.
    """

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._kept: OrderedDict[str, Ranks | None] = OrderedDict()
        #: The moment of which all that are kept are.
        self._mark: PlacesMark | None = None
        #: Orders that were asked for and are not there, or too little of them.
        self._wanted: list[str] = []
        self._making: tuple[str, Generator[MadeRanks | None, None, None]] | None = None

    def in_order(self, numbers: Sequence[int], *, sort: str, most: int | None) -> list[int]:
        """These live references in an order; the first so many only."""
        ranks = self._kept.get(sort)
        if ranks is not None:
            self._kept.move_to_end(sort)
            first, unranked = ranks.first(numbers, most)
            if not unranked:
                return first
            if len(unranked) <= limits.SERVE_UNRANKED_MAX:
                return self._windows.in_order([*first, *unranked], sort=sort, most=most)
        if ranks is not None or (sort not in self._kept and len(numbers) > limits.SERVE_SORTED_MAX):
            self._want(sort)
        return self._windows.in_order(numbers, sort=sort, most=most)

    def _want(self, sort: str) -> None:
        if sort not in self._wanted and (self._making is None or self._making[0] != sort):
            self._wanted.append(sort)

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything that ``make_more`` would do."""
        return bool(self._wanted) or self._making is not None

    def make_more(self) -> None:
        """Make a piece of what was asked for."""
        if self._making is None:
            sort = self._wanted.pop(0)
            self._making = sort, self._windows.make_ranks(sort)
        sort, pieces = self._making
        until = time.monotonic() + limits.SERVE_PIECE_S
        try:
            for made in pieces:
                if made is not None:
                    self._keep(sort, made)
                elif time.monotonic() < until:
                    continue
                else:
                    return
        except BifolioError:  # such as of a file that cannot be opened a second time
            self._kept.setdefault(sort, None)
        self._making = None

    def _keep(self, sort: str, made: MadeRanks) -> None:
        moved = self._windows.moved_since(made.mark)
        if moved is None or (made.ranks is None and sort in self._kept):
            return  # the next search asks for it again
        if made.ranks is not None:
            made.ranks.forget(moved)
        self._kept[sort] = made.ranks
        self._mark = self._mark or made.mark
        while len(self._kept) > limits.SERVE_RANKS_MAX:
            self._kept.popitem(last=False)

    def catch_up(self) -> None:
        """Somebody wrote: forget the ranks of what may have moved."""
        if self._mark is None:
            return
        # Before what moved is read: what comes in between is read once more the next time.
        now = self._windows.places_mark()
        moved = self._windows.moved_since(self._mark)
        if moved is None:
            self._kept.clear()
            self._mark = None
            return
        for ranks in self._kept.values():
            if ranks is not None:
                ranks.forget(moved)
        self._mark = now or self._mark

    def close(self) -> None:
        """Make no more of what is begun."""
        if self._making is not None:
            self._making[1].close()
            self._making = None
