"""References that are committed and wait to be derived, and what is remembered of them meanwhile.

What is remembered only saves work: the file says what waits, and the records what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bifolio import limits
from bifolio.storage.database import Database
from bifolio.storage.underived import Underived

#: A record as it was committed: its id, and its content as JSON.
Noted = tuple[str, str]


class Backlog:
    """What one process knows of the table ``underived``."""

    def __init__(self, database: Database) -> None:
        self.table = Underived(database)
        #: The content of records as JSON, by id and the check of the state that it is of.
        self._remembered: dict[tuple[str, bytes], str] = {}
        self._size = 0

    def is_empty(self) -> bool:
        """Whether all is derived that is committed."""
        return self.table.is_empty()

    def note(self, committed: Sequence[Noted], checks: Mapping[str, bytes]) -> None:
        """Note records of this transaction; ``checks`` tells their states from later ones."""
        self.table.add([record_id for record_id, _ in committed])
        for record_id, content in committed:
            if self._size + len(content) <= limits.DERIVED_LATER_REMEMBERED:
                self._remembered[record_id, checks[record_id]] = content
                self._size += len(content)

    def take(self, record_id: str, check: bytes) -> str | None:
        """What is remembered of a record whose state has this check, forgotten with it."""
        found = self._remembered.pop((record_id, check), None)
        if found is not None:
            self._size -= len(found)
        return found

    def forget(self) -> None:
        """Nothing waits any more."""
        self._remembered.clear()
        self._size = 0
