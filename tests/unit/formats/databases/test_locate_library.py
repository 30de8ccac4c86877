"""Where whole libraries lie: folders, packages, archives, and what is refused."""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from pathlib import Path

import pytest
from tests.support.endnote_libraries import EndNoteLibrary
from tests.support.zotero_libraries import Item, ZoteroLibrary
from tests.unit.formats.files import load

from bifolio import limits
from bifolio.errors import FileFormatError, OldEndNoteLibraryError

BOOK = {"reference_type": 1, "author": "Doe, Jane", "title": "On Folding", "year": "1999"}
LIBRARY = EndNoteLibrary([BOOK], files={1: {"0123/a.pdf": b"%PDF-"}})
ITEM = Item("AAAA2222", "book", fields={"title": "On Folding"})
FILE = Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:a.pdf"})
ZOTERO = ZoteroLibrary([ITEM, FILE], files={"PPPP2222/a.pdf": b"%PDF-"})


def _finds_the_book_with_its_file(path: Path) -> None:
    (reference,) = load(path).references
    assert reference.values["title"] == "On Folding"
    assert [one.place is not None for one in reference.files] == [True]


def _zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent).as_posix())
    return path


@pytest.mark.parametrize("named", ["Thesis.enl", ".", "Thesis.Data", "Thesis.Data/sdb/sdb.eni"])
def test_an_endnote_library_is_found_by_any_of_its_parts(tmp_path: Path, named: str) -> None:
    LIBRARY.write(tmp_path)
    _finds_the_book_with_its_file(tmp_path / named)


@pytest.mark.parametrize("named", [".", "zotero.sqlite", ".."])
def test_a_zotero_library_is_found_by_its_folder_or_file(tmp_path: Path, named: str) -> None:
    ZOTERO.write(tmp_path / "Zotero")
    _finds_the_book_with_its_file(tmp_path / "Zotero" / named)


def test_a_compressed_library_is_read(tmp_path: Path) -> None:
    _finds_the_book_with_its_file(LIBRARY.write_enlx(tmp_path / "Thesis.enlx"))


def test_a_package_and_a_zipped_package_are_read(tmp_path: Path) -> None:
    package = tmp_path / "Thesis.enlp"
    package.mkdir()
    LIBRARY.write(package)
    _finds_the_book_with_its_file(package)
    _finds_the_book_with_its_file(_zipped(package, tmp_path / "package.zip"))


def test_a_zipped_zotero_folder_is_read(tmp_path: Path) -> None:
    ZOTERO.write(tmp_path / "Zotero")
    _finds_the_book_with_its_file(_zipped(tmp_path / "Zotero", tmp_path / "zotero.zip"))


def test_an_enl_that_is_a_database_is_read_and_not_its_older_copy(tmp_path: Path) -> None:
    EndNoteLibrary([BOOK | {"title": "The older copy"}]).write_data(tmp_path / "Thesis.Data")
    newer = tmp_path / "newer"
    newer.mkdir()
    shutil.copy(LIBRARY.write(newer), tmp_path / "Thesis.enl")
    shutil.rmtree(newer)
    for named in ("Thesis.enl", "."):
        assert load(tmp_path / named).references[0].values["title"] == "On Folding"


def test_an_enl_that_is_no_database_leads_to_its_data_folder_whatever_its_case(
    tmp_path: Path,
) -> None:
    LIBRARY.write_data(tmp_path / "Thesis.dATA")
    (tmp_path / "Thesis.enl").write_text("a pointer")
    _finds_the_book_with_its_file(tmp_path / "Thesis.enl")


def _old_folder(folder: Path) -> Path:
    rdb = folder / "Old.Data" / "rdb"
    rdb.mkdir(parents=True)
    for name in ("refs.MYD", "refs.MYI", "refs.frm"):
        (rdb / name).write_bytes(b"\xfe\xfe\x07")
    (folder / "Old.enl").write_bytes(b"\x00\x01old")
    return folder


def test_an_older_library_is_refused_with_the_way_out(tmp_path: Path) -> None:
    folder = _old_folder(tmp_path / "old")
    with zipfile.ZipFile(tmp_path / "packed.enl", "w") as archive:
        archive.writestr("refs.MYD", b"\xfe\xfe\x07")
        archive.writestr("refs.frm", b"\xfe\x01")
    for named in (folder / "Old.enl", folder, tmp_path / "packed.enl"):
        with pytest.raises(OldEndNoteLibraryError, match="version 20 or later") as failure:
            load(named)
        assert "EndNote 20 or later" in str(failure.value.next_step)
        assert "XML" in str(failure.value.next_step)


def test_an_enl_without_its_data_folder_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "Alone.enl").write_bytes(b"a\x00pointer")
    with pytest.raises(FileFormatError, match=r"no folder 'Alone\.Data' next to it"):
        load(tmp_path / "Alone.enl")


def test_two_libraries_in_one_folder_are_named_and_none_is_chosen(tmp_path: Path) -> None:
    LIBRARY.write(tmp_path, "One")
    LIBRARY.write(tmp_path, "Two")
    with pytest.raises(FileFormatError, match=r"'One\.enl', 'Two\.enl'") as failure:
        load(tmp_path)
    assert str(failure.value.next_step) == "Name the one that you mean."


def test_a_folder_without_a_library_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "a.bib").write_text("@book{a, title = {A}}")
    with pytest.raises(FileFormatError, match="a folder without one"):
        load(tmp_path)


def test_a_library_of_the_other_program_is_not_what_was_named(tmp_path: Path) -> None:
    path = LIBRARY.write(tmp_path)
    with pytest.raises(FileFormatError, match=r"the format zotero-library.* an EndNote library"):
        load(path, format="zotero-library")
    assert len(load(path, format="endnote-library").references) == 1


# --- archives --------------------------------------------------------------------------------


def test_no_entry_of_an_archive_leaves_the_folder_it_is_unpacked_into(tmp_path: Path) -> None:
    path = LIBRARY.write_enlx(tmp_path / "Thesis.enlx")
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("../escaped.enl", f"{tmp_path}/escaped.enl", "PDF/../../escaped.enl"):
            archive.writestr(name, b"SQLite format 3\x00")
    _finds_the_book_with_its_file(path)
    assert not (tmp_path / "escaped.enl").exists()


def test_an_archive_that_unpacks_to_far_more_than_it_is_ends_in_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_RATIO_MAX", 2)
    path = tmp_path / "bomb.enlx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("PDF/1/zeros.pdf", bytes(4 * 1024 * 1024))
    with pytest.raises(FileFormatError, match="unpacks to too many bytes"):
        load(path)


def test_a_damaged_archive_ends_in_an_error(tmp_path: Path) -> None:
    path = LIBRARY.write_enlx(tmp_path / "Thesis.enlx")
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:200] + bytes(200) + whole[400:]):
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match=r"damaged or locked|SQLite cannot read"):
            load(path)


# --- the database itself ---------------------------------------------------------------------


def test_a_library_that_is_open_elsewhere_is_read_with_its_log_and_not_touched(
    tmp_path: Path,
) -> None:
    path = ZOTERO.write(tmp_path / "Zotero")
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("PRAGMA journal_mode = WAL")
    writing.execute("UPDATE itemDataValues SET value = 'On Unfolding'")
    before = {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()}
    assert "zotero.sqlite-wal" in before

    assert load(path).references[0].values["title"] == "On Unfolding"

    after = {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()}
    assert after == before
    writing.close()


def test_a_library_in_a_folder_that_cannot_be_written_to_is_read(tmp_path: Path) -> None:
    path = ZOTERO.write(tmp_path / "Zotero")
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        _finds_the_book_with_its_file(path)
    finally:
        path.parent.chmod(0o755)


def test_a_change_that_was_not_finished_is_not_read(tmp_path: Path) -> None:
    """EndNote's journal is next to the library while it writes, and after it crashed."""
    path = ZOTERO.write(tmp_path / "Zotero")
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("PRAGMA cache_spill = 1")
    writing.execute("PRAGMA cache_size = 1")
    writing.execute("BEGIN IMMEDIATE")
    writing.execute("UPDATE itemDataValues SET value = 'Half a change'")
    writing.execute("CREATE TABLE filling (text)")
    writing.executemany("INSERT INTO filling VALUES (?)", [("x" * 3000,)] * 200)
    assert (path.parent / "zotero.sqlite-journal").exists()

    assert load(path).references[0].values["title"] == "On Folding"

    writing.execute("ROLLBACK")
    writing.close()


def test_a_database_that_goes_on_changing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ZOTERO.write(tmp_path)
    copied = shutil.copyfile

    def copy_while_it_grows(source: Path, target: Path) -> None:
        copied(source, target)
        with path.open("ab") as growing:
            growing.write(b"more")

    monkeypatch.setattr(shutil, "copyfile", copy_while_it_grows)
    with pytest.raises(FileFormatError, match="it keeps changing") as failure:
        load(path)
    assert "Close the program" in str(failure.value.next_step)
