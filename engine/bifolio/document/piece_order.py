"""In which order the pieces of texts and lists are, as every replica puts them (YATA).

Asked for one thing: that what a piece names as its right comes after what it names as its left.
Of a piece for which it does not, pycrdt's replicas make different texts, each by the order in
which it came. It counts the pieces that it passes, as pycrdt will: few where people wrote at the
same time, the square of the update's where it was made to cost that. Knows nothing of pycrdt.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from bifolio import limits
from bifolio.document.update_structure import Id, Struct
from bifolio.errors import DocumentError

#: A text or list, by the id of the struct that made it; or a key, whose entries have an order too.
Holder = str | tuple[int, int, str | None]


class _Run:
    """A run of one client's clocks that are next to each other."""

    __slots__ = ("client", "end", "left", "next", "right", "start")

    def __init__(self, client: int, start: int, end: int, left: Id | None, right: Id | None):
        self.client = client
        self.start = start
        self.end = end
        #: What it named when it was written.
        self.left = left
        self.right = right
        self.next: _Run | None = None


class PieceOrder:
    """The pieces of a record's texts and lists, linked in their order."""

    def __init__(self) -> None:
        self._first: dict[Holder, _Run] = {}
        self._by_client: dict[int, tuple[list[int], list[_Run]]] = {}
        self._passed = 0
        self._pieces = 0

    def begin(self) -> None:
        """Count from here what pieces pass."""
        self._passed = self._pieces = 0

    def put(
        self,
        client: int,
        struct: Struct,
        holder: Holder,
        have: int = 0,
        *,
        is_checked: bool = False,
    ) -> None:
        """Put a piece in its place; of one that is held up to ``have``, the rest. One of a
        document's own state was checked when it came.

        Raises:
            DocumentError: its right comes before its left, or it passes too many pieces.
        """
        start = max(struct.start, have)
        left_id = struct.left if start == struct.start else (client, start - 1)
        run = _Run(client, start, struct.end, left_id, struct.right)
        # The right one first: the cut before it may go through the run that ends the left one.
        right = self._starting(struct.right) if struct.right is not None else None
        left = self._ending(left_id) if left_id is not None else None
        self._pieces += 1
        if not is_checked:
            self._check_after(left, right)
        place = self._find_place(run, left, right, holder)
        if place is None:
            run.next = self._first.get(holder)
            self._first[holder] = run
        else:
            run.next = place.next
            place.next = run
        self._insert(run)

    def runs(self, holder: Holder) -> Iterator[tuple[int, int, int]]:
        """The clocks of a text's pieces in their order: client id, first one, the one after."""
        at = self._first.get(holder)
        while at is not None:
            yield at.client, at.start, at.end
            at = at.next

    def are_neighbours(self, left: Id | None, right: Id | None, holder: Holder) -> bool:
        """Whether two ids are next to each other; None is the text's beginning, or its end."""
        after = self._starting(right) if right is not None else None
        before = self._ending(left) if left is not None else None
        if (right is not None and after is None) or (left is not None and before is None):
            return False
        return (self._first.get(holder) if before is None else before.next) is after

    def _check_after(self, left: _Run | None, right: _Run | None) -> None:
        if left is None or right is None:
            return
        at = left.next
        while at is not right:
            if at is None:
                raise DocumentError("a part of an update is put before what it follows")
            self._pass_one()
            at = at.next

    def _find_place(
        self, run: _Run, left: _Run | None, right: _Run | None, holder: Holder
    ) -> _Run | None:
        """The run after which a new one belongs, among those written at the same time."""
        at = left.next if left is not None else self._first.get(holder)
        place = left
        passed: set[int] = set()
        conflicting: set[int] = set()
        while at is not None and at is not right:
            self._pass_one()
            passed.add(id(at))
            conflicting.add(id(at))
            if at.left == run.left:
                if at.client < run.client:
                    place = at
                    conflicting.clear()
                elif at.right == run.right:
                    break
            else:
                origin = self._holding(at.left) if at.left is not None else None
                if origin is None or id(origin) not in passed:
                    break
                if id(origin) not in conflicting:
                    place = at
                    conflicting.clear()
            at = at.next
        return place

    def _pass_one(self) -> None:
        self._passed += 1
        if self._passed > limits.PIECES_PASSED_FREE + self._pieces * limits.PIECES_PASSED_EACH:
            raise DocumentError("an update's parts are in each other's way more than people write")

    def _holding(self, named: Id) -> _Run | None:
        starts, runs = self._by_client.get(named[0], ([], []))
        at = bisect_right(starts, named[1]) - 1
        return runs[at] if at >= 0 and named[1] < runs[at].end else None

    def _ending(self, named: Id) -> _Run | None:
        """The run that ends with an id; None where that is gone with its text."""
        run = self._holding(named)
        if run is not None and named[1] + 1 < run.end:
            self._split(run, named[1] + 1)
        return run

    def _starting(self, named: Id) -> _Run | None:
        run = self._holding(named)
        if run is not None and named[1] > run.start:
            run = self._split(run, named[1])
        return run

    def _split(self, run: _Run, clock: int) -> _Run:
        rest = _Run(run.client, clock, run.end, (run.client, clock - 1), run.right)
        rest.next = run.next
        run.next = rest
        run.end = clock
        self._insert(rest)
        return rest

    def _insert(self, run: _Run) -> None:
        starts, runs = self._by_client.setdefault(run.client, ([], []))
        at = bisect_right(starts, run.start)
        starts.insert(at, run.start)
        runs.insert(at, run)
