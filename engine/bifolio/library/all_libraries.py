"""All libraries of one home: at a glance, and in sync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bifolio.errors import BifolioError
from bifolio.home import Home
from bifolio.library import known_libraries
from bifolio.library.library import Library
from bifolio.results import LibraryState, LibraryView, Progress, SyncedView


def list_libraries(home: Home) -> Iterator[LibraryView]:
    """The libraries that this home knows, the default one first; no connection is opened."""
    for path in known_libraries.find(home):
        yield _view(home, path)


def sync_all(home: Home, progress: Progress | None = None) -> Iterator[SyncedView]:
    """Sync each library that is on a relay; what one cannot do stops no other."""
    for path in known_libraries.find(home):
        name = path.stem
        try:
            with Library.open(path, home=home) as library:
                name = library.name
                if library.status().relay is None:
                    continue
                yield SyncedView(name, path, library.sync(progress), None, None)
        except BifolioError as error:
            yield SyncedView(name, path, None, error.message, error.next_step)


def _view(home: Home, path: Path) -> LibraryView:
    try:
        with Library.open(path, home=home, reading=True) as library:
            status = library.status()
    except BifolioError as error:
        return LibraryView("", path.stem, path, None, None, LibraryState.FAULT, 0, error.message)
    state = LibraryState.SYNCED if not status.unsent else LibraryState.UNSENT
    if status.relay is None:
        state = LibraryState.HERE_ONLY
    elif not status.relay.reachable:
        state = LibraryState.NOT_REACHED
    if status.sharing is not None and status.sharing.role is None:
        state = LibraryState.NO_MEMBER
    return LibraryView(
        library_id=status.library_id,
        name=status.name,
        path=path,
        role=status.sharing.role if status.sharing else None,
        relay=status.relay.url if status.relay else None,
        state=state,
        unsent=status.unsent,
        fault=None,
        known_relay=status.known_relay.url if status.known_relay else None,
    )
