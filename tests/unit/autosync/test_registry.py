"""Which libraries are on, and what was last said of each: small files under the home."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bifolio.autosync import state as states
from bifolio.autosync.registry import Registry, read_json, write_json
from bifolio.autosync.state import LibraryState
from bifolio.errors import Next, NextStep
from bifolio.home import Home
from bifolio.results import Link


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Home(tmp_path / "home"))


def test_libraries_are_turned_on_and_off_by_path(registry: Registry, tmp_path: Path) -> None:
    work, thesis = tmp_path / "Work.bifolio", tmp_path / "Thesis.bifolio"
    assert registry.paths() == []
    registry.add(work)
    registry.add(thesis)
    registry.add(work)
    assert registry.paths() == [thesis, work]
    assert registry.remove(work)
    assert not registry.remove(work)
    assert (registry.has(work), registry.has(thesis)) == (False, True)
    assert registry.paths() == [thesis]


def test_a_path_may_hold_bytes_that_are_no_text(registry: Registry, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.bifolio")
    registry.add(odd)
    states.write(registry, LibraryState(odd, Link.CONNECTED))
    assert registry.paths() == [odd]
    found = states.read(registry, odd)
    assert found is not None
    assert found.path == odd


def test_a_file_that_was_damaged_turns_nothing_on(registry: Registry, tmp_path: Path) -> None:
    registry.add(tmp_path / "Work.bifolio")
    (registry.folder / "libraries" / "0123456789abcdef.json").write_text("{")
    (registry.folder / "libraries" / "0123456789abcdee.json").write_text("[1]")
    assert registry.paths() == [tmp_path / "Work.bifolio"]


def test_what_was_said_of_a_library_is_read_again_and_forgotten(
    registry: Registry, tmp_path: Path
) -> None:
    path = tmp_path / "Work.bifolio"
    assert states.read(registry, path) is None
    said = LibraryState(
        path,
        Link.WAITING,
        library="1f" * 16,
        last_sync="2026-11-26T08:00:00Z",
        reason="The relay cannot be reached.",
        next=NextStep(Next.WAIT),
    )
    states.write(registry, said)
    assert states.read(registry, path) == said
    states.forget(registry, path)
    states.forget(registry, path)
    assert states.read(registry, path) is None


def test_a_state_of_a_newer_version_is_none(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "Work.bifolio"
    write_json(registry.state_file(path), {"path": str(path), "link": "dreaming"})
    assert states.read(registry, path) is None


def test_a_small_file_is_written_whole_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path) == {"a": 2}
    assert list(path.parent.iterdir()) == [path]
    assert path.parent.stat().st_mode & 0o777 == 0o700
