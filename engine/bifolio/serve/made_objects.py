"""Objects of items that were made before, so that a window is not made again each time.

What was made of a reference is used again only where everything that is stored of it is the same,
whoever wrote meanwhile; what else it was made of (``begin``) is the same for all of them. As long
as nobody wrote at all, what is stored is not even read.
"""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct

from bifolio import limits
from bifolio.library.windows import StoredWindowRow


class Made(Struct):
    """The JSON of a reference, what is stored of it, and the moment when that was last read."""

    stored: StoredWindowRow
    text: bytes
    moment: int

    @property
    def size(self) -> int:
        """About how many characters are kept."""
        return self.stored.size + len(self.text)


class MadeObjects:
    """The JSON of references by their numbers, as much as the bound allows; the last used stay."""

    def __init__(self) -> None:
        self._of: object = None
        self._made: OrderedDict[int, Made] = OrderedDict()
        self._size = 0
        self._moment = 0

    def begin(self, made_of: object) -> None:
        """What follows is made of this too: where it is different, nothing from before is used."""
        if made_of != self._of:
            self._of = made_of
            self._made.clear()
            self._size = 0

    def note_write(self) -> None:
        """Somebody may have written: what is stored is read again from now on."""
        self._moment += 1

    def of_now(self, number: int) -> Made | None:
        """What was made of a reference, if nobody wrote since it was last read."""
        found = self._made.get(number)
        if found is None or found.moment != self._moment:
            return None
        self._made.move_to_end(number)
        return found

    def find(self, stored: StoredWindowRow) -> bytes | None:
        """What was made of a reference, if it is still stored like that."""
        number = stored.number
        found = self._made.get(number)
        if found is None or found.stored != stored:
            return None
        found.moment = self._moment
        self._made.move_to_end(number)
        return found.text

    def keep(self, stored: StoredWindowRow, text: bytes) -> None:
        """Keep what was made of a reference."""
        made = Made(stored, text, self._moment)
        if made.size > limits.SERVE_MADE_BYTES_MAX // 100:
            return
        self._forget(self._made.pop(stored.number, None))
        self._made[stored.number] = made
        self._size += made.size
        while self._size > limits.SERVE_MADE_BYTES_MAX:
            self._forget(self._made.popitem(last=False)[1])

    def _forget(self, made: Made | None) -> None:
        if made is not None:
            self._size -= made.size
