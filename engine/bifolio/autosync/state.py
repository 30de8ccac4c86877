"""What is known of one library that is kept in sync, in a file that ``status`` reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bifolio.autosync.registry import SERVING, Registry, read_json, write_json
from bifolio.errors import NextStep, from_plain, to_plain
from bifolio.results import Link


@dataclass(frozen=True, slots=True)
class LibraryState:
    """One library; times as ``2026-11-26T08:00:00Z``, or None."""

    path: Path
    link: Link
    library: str = ""
    connected_since: str | None = None
    last_sync: str | None = None
    reason: str = ""
    next: NextStep | None = None


def write(registry: Registry, state: LibraryState) -> None:
    """Keep a state for ``status``."""
    write_json(
        registry.state_file(state.path),
        {
            "path": str(state.path),
            "link": str(state.link),
            "library": state.library,
            "connected_since": state.connected_since,
            "last_sync": state.last_sync,
            "reason": state.reason,
            "next": to_plain(state.next),
        },
    )


def read(registry: Registry, library: Path) -> LibraryState | None:
    """What the process last said of a library; None where it said nothing."""
    found = read_json(registry.state_file(library))
    if found is None or found.get("link") not in list(Link):
        return None

    def text(key: str) -> str:
        value = found.get(key)
        return value if isinstance(value, str) else ""

    return LibraryState(
        path=library,
        link=Link(text("link")),
        library=text("library"),
        connected_since=text("connected_since") or None,
        last_sync=text("last_sync") or None,
        reason=text("reason"),
        next=from_plain(found.get("next")),
    )


def forget(registry: Registry, library: Path) -> None:
    """A library is no longer kept in sync."""
    registry.state_file(library).unlink(missing_ok=True)


def note_serving(registry: Registry, problem: str | None) -> None:
    """Keep for ``status`` whether the process serves a library: empty while it does, what stands
    in the way, or None where none is to be served."""
    file = registry.folder / SERVING
    if problem is None:
        file.unlink(missing_ok=True)
    elif read_json(file) != {"problem": problem}:
        write_json(file, {"problem": problem})


def read_serving(registry: Registry) -> str | None:
    """What ``note_serving`` kept."""
    found = (read_json(registry.folder / SERVING) or {}).get("problem")
    return found if isinstance(found, str) else None
