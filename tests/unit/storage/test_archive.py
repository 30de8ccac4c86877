"""A backup's file: what is written comes out again, and nothing else ever does."""

from __future__ import annotations

import hashlib
import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.storage.test_manifest import MANIFEST

from bifolio import limits
from bifolio.errors import BackupError, DamagedBackupError, NewerBackupError, NotABackupError
from bifolio.storage.archive import Archive, write
from bifolio.storage.manifest import DATABASE, Manifest, ManifestEntry

LIBRARY = random.Random(1).randbytes(5_000) + bytes(20_000)
PAPER = random.Random(2).randbytes(3_000)
HASH = hashlib.blake2b(PAPER, digest_size=32).hexdigest()
CONTENT = f"files/{HASH[:2]}/{HASH}"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of a library with one attached file."""
    sources = []
    for name, content in ((DATABASE, LIBRARY), (CONTENT, PAPER)):
        source = tmp_path / name.replace("/", "-")
        source.write_bytes(content)
        sources.append((name, source))
    path = tmp_path / "a.bifolio-backup"
    with path.open("xb") as target:
        write(target, sources, replace(MANIFEST, entries=()), lambda _: None)
    return path


def contents_of(path: Path) -> dict[str, bytes]:
    """Everything that comes out of a backup, checked."""
    found = {}
    with Archive.open(path) as archive:
        for entry in archive.manifest.entries:
            out = io.BytesIO()
            archive.extract(entry, out, lambda _: None)
            found[entry.name] = out.getvalue()
    return found


def forged(path: Path, write_entries: Callable[[zipfile.ZipFile], None]) -> Path:
    """An archive that somebody made by hand."""
    with zipfile.ZipFile(path, "w") as archive:
        write_entries(archive)
    return path


def test_what_was_written_comes_out_again(backup: Path) -> None:
    assert contents_of(backup) == {DATABASE: LIBRARY, CONTENT: PAPER}
    with Archive.open(backup) as archive:
        assert archive.manifest.name == "Thèse"
        assert [one.size for one in archive.manifest.entries] == [len(LIBRARY), len(PAPER)]


def test_any_program_for_zip_files_takes_the_attached_files_out(backup: Path) -> None:
    with zipfile.ZipFile(backup) as archive:
        assert archive.testzip() is None
        assert archive.read(CONTENT) == PAPER


def test_the_bytes_are_told_as_they_are_read(tmp_path: Path) -> None:
    source = tmp_path / "library"
    source.write_bytes(LIBRARY)
    told: list[int] = []
    with (tmp_path / "b").open("xb") as target:
        write(target, [(DATABASE, source)], MANIFEST, told.append)
    assert sum(told) == len(LIBRARY)
    told.clear()
    with Archive.open(tmp_path / "b") as archive:
        archive.check(archive.manifest.entries[0], told.append)
    assert sum(told) == len(LIBRARY)


def test_a_file_that_vanished_meanwhile_is_left_out_but_the_library_never(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.write_bytes(LIBRARY)
    gone = tmp_path / "gone"
    with (tmp_path / "b").open("xb") as target:
        written = write(target, [(DATABASE, library), (CONTENT, gone)], MANIFEST, lambda _: None)
    assert [one.name for one in written.entries] == [DATABASE]
    with (tmp_path / "c").open("xb") as target, pytest.raises(FileNotFoundError):
        write(target, [(DATABASE, gone)], MANIFEST, lambda _: None)


def test_a_damaged_byte_anywhere_is_told_or_changes_nothing(backup: Path, tmp_path: Path) -> None:
    """Some bytes of a ZIP file mean nothing: the times, the flags of another system."""
    whole = backup.read_bytes()
    expected = contents_of(backup)
    draw = random.Random(3)
    # The first header, the middle, the table of contents, and the end of it.
    places = {*range(30), *range(len(whole) - 22, len(whole))}
    places |= {draw.randrange(len(whole)) for _ in range(60)}
    places |= {draw.randrange(len(whole) - 400, len(whole)) for _ in range(60)}
    harmless = 0
    damaged = tmp_path / "damaged.bifolio-backup"
    for place in sorted(places):
        altered = bytearray(whole)
        altered[place] ^= 1 << draw.randrange(8)
        damaged.write_bytes(altered)
        try:
            assert contents_of(damaged) == expected
            harmless += 1
        except BackupError:
            pass
    assert harmless < len(places) / 4


@pytest.mark.parametrize("kept", [0, 1, 3, 4, 30, 1000, -1, -30, -200])
def test_a_truncated_backup_is_told(backup: Path, kept: int) -> None:
    backup.write_bytes(backup.read_bytes()[:kept])
    with pytest.raises(BackupError) as told:
        contents_of(backup)
    assert told.value.next_step


@pytest.mark.parametrize(
    "name", ["../escaped", "/tmp/escaped", "files/../../escaped", "C:\\escaped", "device.key"]
)
def test_an_archive_that_would_write_elsewhere_is_refused(backup: Path, name: str) -> None:
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr(name, b"escaped")
    with pytest.raises(DamagedBackupError, match="no part of a backup"):
        Archive.open(backup)


def test_an_entry_that_stands_twice_is_refused(backup: Path) -> None:
    with zipfile.ZipFile(backup, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(CONTENT, PAPER)
    with pytest.raises(DamagedBackupError, match="twice"):
        Archive.open(backup)


def test_an_entry_that_the_manifest_does_not_name_is_refused(backup: Path) -> None:
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr("files/ab/ab" + "0" * 62, b"more")
    with pytest.raises(DamagedBackupError, match="not those"):
        Archive.open(backup)


def test_a_content_that_was_exchanged_is_told(backup: Path, tmp_path: Path) -> None:
    other = bytes(reversed(PAPER))
    with Archive.open(backup) as archive:
        raw = archive.manifest.serialize()

    def write_entries(archive: zipfile.ZipFile) -> None:
        archive.writestr(DATABASE, LIBRARY)
        archive.writestr(CONTENT, other)
        archive.writestr("manifest.json", raw)

    path = forged(tmp_path / "forged", write_entries)
    with pytest.raises(DamagedBackupError, match="not what was written"):
        contents_of(path)


def test_another_archive_and_another_file_are_no_backups(tmp_path: Path) -> None:
    path = forged(tmp_path / "a.zip", lambda archive: archive.writestr("a.txt", b"hello"))
    for wrong in (path, tmp_path, tmp_path / "missing"):
        with pytest.raises(NotABackupError):
            Archive.open(wrong)
    path.write_bytes(b"TY  - BOOK\n")
    with pytest.raises(NotABackupError, match="another program"):
        Archive.open(path)


def test_a_newer_form_asks_for_an_upgrade(tmp_path: Path) -> None:
    raw = Manifest.serialize(MANIFEST).replace(b'"version": 1', b'"version": 2')
    path = forged(tmp_path / "b", lambda archive: archive.writestr("manifest.json", raw))
    with pytest.raises(NewerBackupError, match="version 2"):
        Archive.open(path)


def manifest_of(path: Path, **altered: object) -> bytes:
    """The manifest of a backup, with something altered."""
    with Archive.open(path) as archive:
        return replace(archive.manifest, **altered).serialize()  # type: ignore[arg-type]


@pytest.mark.parametrize("form", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_content_that_is_packed_is_refused_before_it_is_unpacked(
    backup: Path, tmp_path: Path, form: int
) -> None:
    raw = manifest_of(backup)

    def write_entries(archive: zipfile.ZipFile) -> None:
        archive.writestr(DATABASE, LIBRARY)
        archive.writestr(CONTENT, PAPER, compress_type=form)
        archive.writestr("manifest.json", raw)

    with pytest.raises(DamagedBackupError, match="packed in another way"):
        Archive.open(forged(tmp_path / "forged", write_entries))


def test_a_library_that_unpacks_to_a_thousand_times_its_size_is_refused(
    backup: Path, tmp_path: Path
) -> None:
    size = 64 * 1024 * 1024
    entry = ManifestEntry(DATABASE, size, "0" * 64)
    raw = manifest_of(backup, entries=(entry,))

    def write_entries(archive: zipfile.ZipFile) -> None:
        archive.writestr(DATABASE, bytes(size), compress_type=zipfile.ZIP_DEFLATED)
        archive.writestr("manifest.json", raw)

    with pytest.raises(DamagedBackupError, match="more than can be true"):
        Archive.open(forged(tmp_path / "forged", write_entries))


def test_a_manifest_that_unpacks_to_more_than_its_entries_need_is_not_read(tmp_path: Path) -> None:
    def write_entries(archive: zipfile.ZipFile) -> None:
        bomb = b'{"format": "bifolio backup", "entries": [' + b"[]," * 20_000_000
        archive.writestr(DATABASE, LIBRARY)
        archive.writestr("manifest.json", bomb, compress_type=zipfile.ZIP_DEFLATED)

    path = forged(tmp_path / "forged", write_entries)
    tracemalloc.start()
    try:
        with pytest.raises(DamagedBackupError, match="too long"):
            Archive.open(path)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_entries_that_overlap_are_refused(backup: Path, tmp_path: Path) -> None:
    """Two names in the table of contents for the same bytes: a bomb without compression."""
    other = f"files/{'ab'}/{'ab' + '0' * 62}"
    with Archive.open(backup) as archive:
        entries = archive.manifest.entries
        raw = replace(
            archive.manifest, entries=(*entries, ManifestEntry(other, len(PAPER), HASH))
        ).serialize()
    path = tmp_path / "forged"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(DATABASE, LIBRARY)
        archive.writestr(CONTENT, PAPER)
        archive.writestr("manifest.json", raw)
        twice = copy(archive.getinfo(CONTENT))
        twice.filename = twice.orig_filename = other
        archive.filelist.append(twice)
    with pytest.raises(DamagedBackupError, match="overlap"):
        Archive.open(path)


def test_an_entry_whose_name_ends_early_is_refused(backup: Path) -> None:
    raw = backup.read_bytes()
    name = CONTENT.encode()
    backup.write_bytes(raw.replace(name, name[:-3] + b"\0ab"))
    with pytest.raises(DamagedBackupError):
        contents_of(backup)


def test_a_table_of_contents_of_millions_is_refused_before_it_is_read(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BACKUP_CONTENTS_BYTES_MAX", 200)
    with pytest.raises(DamagedBackupError, match="more files than"):
        Archive.open(backup)
