"""Who waits for which library's growth, inside one process.

A store reports what it wrote itself, and what it finds that others wrote; each watcher gets the
furthest that was reported since it last asked. Used by one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bifolio.errors import BifolioError
from bifolio_relay.storage import Growth


class Watcher:
    """One who waits for the growth of one library."""

    def __init__(self) -> None:
        self._reached = Growth()
        self._told: Growth | None = None
        self._in_doubt = False
        self._error: BifolioError | None = None
        self._changed = asyncio.Event()

    def report(self, growth: Growth) -> None:
        """The library has come at least so far."""
        reached = self._reached
        self._reached = Growth(
            max(reached.n, growth.n),
            max(reached.members, growth.members),
            max(reached.blobs, growth.blobs),
        )
        self._changed.set()

    def doubt(self) -> None:
        """It may have grown: nobody knows how far."""
        self._in_doubt = True
        self._changed.set()

    def fail(self, error: BifolioError) -> None:
        """Nobody can tell any more whether it grows."""
        self._error = error
        self._changed.set()

    async def wait(self) -> Growth | None:
        """How far it has come, once that is further than was told; None to look for yourself.

        Raises:
            BifolioError: what ``fail`` was given.
        """
        while True:
            if self._error is not None:
                raise self._error
            if self._in_doubt:
                self._in_doubt = False
                return None
            if self._reached != self._told:
                self._told = self._reached
                return self._reached
            self._changed.clear()
            await self._changed.wait()


class Watchers:
    """All who wait, by library."""

    def __init__(self) -> None:
        self._by_library: dict[bytes, set[Watcher]] = {}

    @property
    def libraries(self) -> tuple[bytes, ...]:
        """The libraries that anybody waits for."""
        return tuple(self._by_library)

    def add(self, library: bytes) -> Watcher:
        """Somebody begins to wait."""
        watcher = Watcher()
        self._by_library.setdefault(library, set()).add(watcher)
        return watcher

    def remove(self, library: bytes, watcher: Watcher) -> None:
        """Somebody waits no longer."""
        others = self._by_library.get(library, set())
        others.discard(watcher)
        if not others:
            self._by_library.pop(library, None)

    def report(self, growths: Mapping[bytes, Growth]) -> None:
        """These libraries have come so far."""
        for library, growth in growths.items():
            for watcher in self._by_library.get(library, ()):
                watcher.report(growth)

    def doubt(self, library: bytes) -> None:
        """A write to this library was given up by its caller, and may have happened."""
        for watcher in self._by_library.get(library, ()):
            watcher.doubt()

    def fail(self, error: BifolioError) -> None:
        """Nobody can tell any more who grows."""
        for watchers in self._by_library.values():
            for watcher in watchers:
                watcher.fail(error)
