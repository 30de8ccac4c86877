"""What searches found, kept for the next page of each as long as nobody writes; and the orders in
which it is shown."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from bifolio import limits
from bifolio.library.windows import Ranks, Windows


class Found:
    """What one search found: the numbers of all references, and the beginnings of their orders."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = array("q", numbers)
        self._orders: dict[str, tuple[int | None, list[int]]] = {}

    def in_order(
        self, sort: str, most: int | None, make: Callable[[Sequence[int]], list[int]]
    ) -> list[int]:
        """The first so many in an order (None: all), made unless as many were made before."""
        known, made = self._orders.get(sort, (0, []))
        if known is not None and (most is None or most > known):
            known, made = most, make(self.numbers)
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

    Making them reads all references once: that is done when nobody has asked for a while. Until
    then the database sorts what is found.
    """

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._kept: OrderedDict[str, Ranks | None] = OrderedDict()
        #: Orders that were asked for and are not there.
        self._wanted: list[str] = []

    def in_order(self, numbers: Sequence[int], *, sort: str, most: int | None) -> list[int]:
        """These live references in an order; the first so many only."""
        ranks = self._kept.get(sort)
        found = ranks.first(numbers, most) if ranks is not None else None
        if found is not None:
            self._kept.move_to_end(sort)
            return found
        many = len(numbers) > limits.SERVE_SORTED_MAX
        if many and sort not in self._kept and sort not in self._wanted:
            self._wanted.append(sort)
        return self._windows.in_order(numbers, sort=sort, most=most)

    @property
    def is_wanted(self) -> bool:
        """Whether an order was asked for that ``make_next`` would make."""
        return bool(self._wanted)

    def make_next(self) -> None:
        """Make one of those that were asked for."""
        sort = self._wanted.pop()
        self._kept[sort] = self._windows.ranks(sort)
        while len(self._kept) > limits.SERVE_RANKS_MAX:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything: somebody wrote."""
        self._kept.clear()
        self._wanted.clear()
