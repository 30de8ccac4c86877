"""Files that a Zotero library links to: on request, and none but the user's documents."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.zotero_libraries import Item, ZoteroLibrary
from tests.unit.formats.files import Loaded, load

from bifolio.formats import LinkedFiles

ARTICLE = Item("AAAA2222", fields={"title": "On Paper"})


def _load(folder: Path, *items: Item, links: LinkedFiles | None = None) -> Loaded:
    return load(ZoteroLibrary([ARTICLE, *items]).write(folder / "Zotero"), links=links)


def _link(path: Path | str, key: str = "PPPP2222") -> Item:
    own = {"linkMode": 2, "path": str(path)}
    return Item(key, "attachment", parent="AAAA2222", own=own)


@pytest.fixture
def jane(tmp_path: Path) -> Path:
    """Somebody's home folder with a paper, a key, and what Bifolio keeps."""
    home = tmp_path / "jane"
    for name in (
        "papers/a.pdf",
        ".ssh/id",
        "papers/.hidden.pdf",
        "bifolio/device.key",
        "Library/Keychains/k",
        "Library/CloudStorage/Cloud/a.pdf",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("something")
    (tmp_path / "of-others.pdf").write_text("not jane's")
    return home


def _find(jane: Path, path: Path | str) -> tuple[Path | None, str]:
    """Where a linked file is found by an import that asks for linked files; or why it is not."""
    links = LinkedFiles(jane, (jane / "bifolio",))
    (reference,) = _load(jane.parent, _link(path), links=links).references
    (file,) = reference.files
    return file.place, file.reason


def test_linked_files_that_nobody_asked_for_are_counted_and_not_looked_at(
    jane: Path, tmp_path: Path
) -> None:
    paper = str(jane / "papers" / "a.pdf")
    paths = ("/etc/passwd", "/proc/self/environ", "/dev/zero", paper)
    items = [_link(path, f"PPPP222{place}") for place, path in enumerate(paths)]
    (reference,) = _load(tmp_path, *items).references
    assert [(one.place, one.is_unwanted_link) for one in reference.files] == [(None, True)] * 4


def test_a_linked_file_is_taken_from_the_users_documents_when_asked_for(jane: Path) -> None:
    paper = jane / "papers" / "a.pdf"
    assert _find(jane, paper)[0] == paper
    (jane / "link.pdf").symlink_to(paper)
    assert _find(jane, jane / "link.pdf")[0] == paper
    in_the_cloud = jane / "Library" / "CloudStorage" / "Cloud" / "a.pdf"
    assert _find(jane, in_the_cloud)[0] == in_the_cloud


def test_a_home_folder_behind_a_link_is_the_users_all_the_same(jane: Path) -> None:
    (jane.parent / "var-home").symlink_to(jane.parent)
    behind = LinkedFiles(jane.parent / "var-home" / "jane")
    for written in (behind.folder / "papers" / "a.pdf", jane / "papers" / "a.pdf"):
        assert behind.find(str(written)) == (jane / "papers" / "a.pdf", jane)


@pytest.mark.skipif(os.name != "posix", reason="symbolic links and pipes of POSIX")
@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "JANE/.ssh/id",
        "JANE/papers/.hidden.pdf",
        "JANE/papers/../.ssh/id",
        "JANE/../of-others.pdf",
        "JANE/bifolio/device.key",
        "JANE/link-to-bifolio/device.key",
        "JANE/Library/Keychains/k",
        "JANE/link-to-key.pdf",
        "JANE/link-out.pdf",
        "JANE/link-to-proc/self/environ",
        "JANE/loop.pdf",
        "JANE/pipe",
        "JANE/papers",
        "JANE/papers/gone.pdf",
        "JANE/nul\x00.pdf",
        "JANE/" + "a" * 5_000,
        "papers/a.pdf",
        "file:///etc/passwd",
        "attachments:a.pdf",
    ],
)
def test_no_other_file_is_ever_taken_whatever_a_library_links_to(path: str, jane: Path) -> None:
    (jane / "link-to-key.pdf").symlink_to(jane / ".ssh" / "id")
    (jane / "link-out.pdf").symlink_to(jane.parent / "of-others.pdf")
    (jane / "link-to-proc").symlink_to("/proc")
    (jane / "link-to-bifolio").symlink_to(jane / "bifolio")
    (jane / "loop.pdf").symlink_to(jane / "loop.pdf")
    os.mkfifo(jane / "pipe")
    place, reason = _find(jane, path.replace("JANE", str(jane)))
    assert place is None
    assert reason


def test_where_the_home_folder_is_the_whole_disk_no_linked_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("something")
    everything = LinkedFiles(Path(tmp_path.anchor))
    assert everything.find(str(tmp_path / "a.pdf")) == (
        "this user has no home folder, so no file is known to be the user's"
    )


@pytest.mark.parametrize("key", ["PPPP2222", "."])
def test_a_folder_of_files_that_leads_out_of_the_library_is_left_out_and_named(
    jane: Path, tmp_path: Path, key: str
) -> None:
    (jane / ".ssh" / "PPPP2222").mkdir()
    (jane / ".ssh" / "PPPP2222" / "id").write_text("a key")
    folder = tmp_path / "Zotero"
    folder.mkdir()
    (folder / "storage").symlink_to(jane / ".ssh")
    stored = Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:id"})
    for links in (None, LinkedFiles(jane)):
        loaded = _load(tmp_path, replace(stored, key=key), links=links)
        assert [one.place for one in loaded.references[0].files] == [None]
        assert [one.what for one in loaded.left_out] == ["the folder of files 'storage'"]
