"""What searches found, kept for the next page of each as long as nobody writes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from bifolio import limits


class Found:
    """What one search found: the numbers of all references, and the beginnings of their orders."""

    def __init__(self, numbers: set[int]) -> None:
        self.numbers = numbers
        self._orders: dict[str, tuple[int | None, list[int]]] = {}

    def in_order(
        self, sort: str, most: int | None, make: Callable[[set[int]], list[int]]
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

    def of(self, search: object, make: Callable[[], set[int]]) -> Found:
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
