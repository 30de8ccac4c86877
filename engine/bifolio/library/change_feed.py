"""What changes in a library that stays open, whoever writes: ``ChangeFeed(library)``.

For programs that show a part of a library and stay open, as ``sync --watch`` does: they learn of a
commit of any process within a tenth of a second, from a number that SQLite keeps, and what is
different since from versions; nothing of the library is read for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from bifolio.library.windows import Windows
from bifolio.replication.change_watcher import ChangeWatcher
from bifolio.results import LibraryChanges

if TYPE_CHECKING:
    from bifolio.library.library import Library


class ChangeFeed:
    """The changes of one library, each told once."""

    def __init__(self, library: Library, *, since: int | None = None) -> None:
        """
        Args:
            since: the version after which changes are told; None: from now on.
        """
        self._windows = Windows(library)
        self._watcher = ChangeWatcher(library._replica, None)
        self._version = self._windows.version if since is None else since

    async def follow(self) -> AsyncGenerator[LibraryChanges, None]:
        """Each time that something was written, what changed since the last time: the records,
        and the numbers of those that lists hold. Goes on until it is closed."""
        while True:
            changed = self._windows.changes_since(self._version)
            if changed.version != self._version:
                self._version = changed.version
                yield changed
            else:
                await self._watcher.wait()
