"""Objects of items that were made before, so that a window is not made again each time.

What was made of a reference is used again only where everything that is stored of it is the same,
whoever wrote meanwhile; what else it was made of (``begin``) is the same for all of them.
"""

from __future__ import annotations

from collections import OrderedDict

from bifolio import limits
from bifolio.library.windows import StoredWindowRow


class MadeObjects:
    """The JSON of references by their numbers, as much as the bound allows; the last used stay."""

    def __init__(self) -> None:
        self._of: object = None
        self._made: OrderedDict[int, tuple[StoredWindowRow, bytes]] = OrderedDict()
        self._size = 0

    def begin(self, made_of: object) -> None:
        """What follows is made of this too: where it is different, nothing from before is used."""
        if made_of != self._of:
            self._of = made_of
            self._made.clear()
            self._size = 0

    def find(self, stored: StoredWindowRow) -> bytes | None:
        """What was made of a reference, if it is still stored like that."""
        number = stored.number
        found = self._made.get(number)
        if found is None or found[0] != stored:
            return None
        self._made.move_to_end(number)
        return found[1]

    def keep(self, stored: StoredWindowRow, text: bytes) -> None:
        """Keep what was made of a reference."""
        size = stored.size + len(text)
        if size > limits.SERVE_MADE_BYTES_MAX // 100:
            return
        self._forget(self._made.pop(stored.number, None))
        self._made[stored.number] = (stored, text)
        self._size += size
        while self._size > limits.SERVE_MADE_BYTES_MAX:
            self._forget(self._made.popitem(last=False)[1])

    def _forget(self, made: tuple[StoredWindowRow, bytes] | None) -> None:
        if made is not None:
            self._size -= made[0].size + len(made[1])
