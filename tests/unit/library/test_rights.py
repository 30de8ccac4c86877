"""Who may read what Bifolio keeps: this user alone, whatever the umask says."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.autosync.log import open_log
from bifolio.autosync.registry import Registry
from bifolio.home import Home
from bifolio.library.backups import restore
from bifolio_relay.storage.sqlite_file import SqliteFile

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids="umask {:03o}".format)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    try:
        yield request.param
    finally:
        os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_others(*roots: Path) -> dict[str, str]:
    """What anybody but the owner has a right to, with the right."""
    found = [path for root in roots for path in (root, *root.rglob("*"))]
    assert len(found) > len(roots)
    return {str(path): oct(rights(path)) for path in found if rights(path) & 0o077}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", device_name="office")


@pytest.fixture
def library(tmp_path: Path, home: Home, umask: int) -> Iterator[Library]:
    del umask  # it holds from here on
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7 a paper")
    made = Library.create(tmp_path / "refs" / "Thesis.bifolio", home=home)
    made.add({"type": "book", "title": "On Sync", "citation-key": "sync"})
    made.files.add("sync", [paper])
    yield made
    made.close()


def test_a_library_its_files_and_copies_are_its_users_alone(library: Library, home: Home) -> None:
    library.files.open_copy("sync", "paper.pdf")
    library.backups.create()
    names = {path.name for path in library.path.iterdir()}
    assert {"library.sqlite", "library.sqlite-wal", "library.sqlite-shm", "files"} <= names
    assert open_to_others(library.path, home.path) == {}
    assert rights(library.path) == 0o700
    assert rights(library.path / "library.sqlite") == 0o600


def test_a_restored_library_is_its_users_alone(library: Library, tmp_path: Path) -> None:
    made = library.backups.create(tmp_path / "a.bifolio-backup")
    assert rights(made.path) == 0o600
    restored = restore(made.path, tmp_path / "Restored.bifolio").path
    assert open_to_others(restored) == {}


def test_what_automatic_sync_keeps_is_its_users_alone(home: Home, umask: int) -> None:
    del umask
    registry = Registry(home)
    registry.add(home.path / "Thesis.bifolio")
    logger = open_log(registry.folder / "log.txt")
    logger.info("a line")
    handler = logger.handlers[0]
    handler.doRollover()  # type: ignore[attr-defined]
    handler.close()
    assert {path.name for path in registry.folder.iterdir()} >= {"log.txt", "log.txt.1"}
    assert open_to_others(home.path) == {}


def test_an_export_follows_the_umask(library: Library, tmp_path: Path, umask: int) -> None:
    copy = library.files.export("sync", "paper.pdf", tmp_path / "copy.pdf")
    assert rights(copy) == 0o666 & ~umask


def test_a_library_that_was_open_to_others_is_closed_by_its_next_opening(
    library: Library, home: Home
) -> None:
    library.close()
    for path in (library.path, library.path / "files"):
        path.chmod(0o755)
    (library.path / "library.sqlite").chmod(0o644)
    with Library.open(library.path, home=home) as opened:
        assert opened.status().references == 1
        assert open_to_others(library.path) == {}


def test_a_library_of_another_owner_still_opens(
    library: Library, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.close()
    library.path.chmod(0o755)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    with Library.open(library.path, home=home) as opened:
        assert opened.status().references == 1


def test_a_relays_folder_is_its_users_alone(tmp_path: Path, umask: int) -> None:
    del umask
    SqliteFile(tmp_path / "relay").close()
    assert open_to_others(tmp_path / "relay") == {}


def test_a_relays_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "relay"
    SqliteFile(folder).close()
    folder.chmod(0o755)
    (folder / "relay.sqlite").chmod(0o644)
    SqliteFile(folder).close()
    assert open_to_others(folder) == {}


def test_a_folder_with_other_things_keeps_its_rights_when_a_relay_uses_it(tmp_path: Path) -> None:
    folder = tmp_path / "srv"
    folder.mkdir(0o755)
    folder.chmod(0o755)
    (folder / "other.txt").write_text("of somebody")
    SqliteFile(folder).close()
    assert rights(folder) == 0o755
    assert rights(folder / "relay.sqlite") == 0o600
