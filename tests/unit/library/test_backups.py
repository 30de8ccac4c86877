"""Backups through the facade: made, checked, listed, and restored as new replicas."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import zipfile
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.errors import (
    BackupTakenError,
    DamagedBackupError,
    ForeignSchemaError,
    NewerBackupError,
    PathTakenError,
)
from bifolio.home import Home
from bifolio.library.backups import SUFFIX, list_backups, restore, verify
from bifolio.storage.manifest import Manifest, parse

PAPER = b"%PDF-1.7 a paper\n" * 4000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", device_name="office")


@pytest.fixture
def library(tmp_path: Path, home: Home) -> Library:
    made = Library.create(tmp_path / "Thesis.bifolio", home=home)
    made.add({"type": "book", "title": "On Sync", "citation-key": "sync"})
    made.add({"type": "book", "title": "On Ink", "citation-key": "ink"})
    made.delete(["ink"])
    return made


def keep(library: Library, content: bytes) -> str:
    """A content in the library's folder, as one that was attached; its hash."""
    hashed = hashlib.blake2b(content, digest_size=32).hexdigest()
    place = library.path / "files" / hashed[:2] / hashed
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    return hashed


def names_in(backup: Path) -> set[str]:
    with zipfile.ZipFile(backup) as archive:
        return set(archive.namelist())


def test_a_backup_is_one_file_in_the_home_with_the_library_and_its_files(
    library: Library, home: Home
) -> None:
    hashed = keep(library, PAPER)
    made = library.backups.create()
    assert made.path.parent == home.backups
    assert [path.name for path in home.backups.iterdir()] == [made.path.name]
    assert re.fullmatch(rf"Thesis-\d{{8}}-\d{{6}}-[0-9a-f]{{4}}{SUFFIX}", made.path.name)
    assert names_in(made.path) == {
        "library.sqlite",
        f"files/{hashed[:2]}/{hashed}",
        "manifest.json",
    }
    assert (made.library, made.name, made.device) == (library.id, "Thesis", "office")
    assert (made.references, made.trashed, made.files, made.contents) == (1, 1, 1, "all")
    assert made.state == library.status().state
    assert made.verified
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert verify(made.path) == made


def test_a_backup_without_files_says_so(library: Library) -> None:
    keep(library, PAPER)
    made = library.backups.create(files=False)
    assert (made.files, made.contents) == (0, "none")
    assert names_in(made.path) == {"library.sqlite", "manifest.json"}


def test_a_backup_goes_where_it_is_told_and_overwrites_nothing(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    assert library.backups.create(folder).path.parent == folder
    named = tmp_path / "new" / "thesis.backup"
    assert library.backups.create(named).path == named
    before = named.read_bytes()
    with pytest.raises(BackupTakenError):
        library.backups.create(named)
    assert named.read_bytes() == before


def test_files_that_are_elsewhere_are_counted(library: Library, tmp_path: Path) -> None:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(PAPER)
    library.files.add("sync", [paper])
    assert (library.backups.create().files, library.backups.create().absent) == (1, 0)
    (stored,) = [one for one in (library.path / "files").rglob("*") if one.is_file()]
    stored.chmod(0o644)
    stored.unlink()
    made = library.backups.create()
    assert (made.files, made.absent) == (0, 1)
    assert verify(made.path).absent == 1


def test_a_restored_library_knows_which_of_its_files_are_there(
    library: Library, home: Home, tmp_path: Path
) -> None:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(PAPER)
    library.files.add("sync", [paper])
    for files, place in ((True, "With.bifolio"), (False, "Without.bifolio")):
        made = library.backups.create(files=files)
        with Library.open(restore(made.path, tmp_path / place).path, home=home) as again:
            (list_backups,) = again.files.list("sync")
            assert (list_backups.state == "missing") is not files, list_backups
            if files:
                out = again.files.export("sync", "paper.pdf", tmp_path / "out.pdf")
                assert out.read_bytes() == PAPER


def test_a_backup_before_a_join_has_the_files_that_only_the_trash_names(
    library: Library, tmp_path: Path
) -> None:
    library.restore(["ink"])
    for number, refs in enumerate((["sync"], ["ink"], ["sync", "ink"])):
        file = tmp_path / f"{number}.pdf"
        file.write_bytes(PAPER + bytes([number]))
        for ref in refs:
            library.files.add(ref, [file])
    library.delete(["ink"])
    only_in_trash = hashlib.blake2b(PAPER + b"\x01", digest_size=32).hexdigest()
    made = library.backups.create_before_join()
    assert (made.contents, made.files, made.absent) == ("trashed", 1, 0)
    assert f"files/{only_in_trash[:2]}/{only_in_trash}" in names_in(made.path)
    assert library.backups.create_before_attach().files == 0
    restored = restore(made.path, tmp_path / "Again.bifolio")
    assert restored.files == 1


def test_what_is_half_written_or_of_others_is_in_no_backup(library: Library) -> None:
    incoming = library.path / "files" / "incoming"
    incoming.mkdir()
    (incoming / ("a" * 32)).write_bytes(b"half")
    strange = library.path / "files" / "ab"
    strange.mkdir()
    (strange / ".DS_Store").write_bytes(b"finder")
    (strange / ("cd" * 32)).write_bytes(b"in the wrong folder")
    assert library.backups.create().files == 0


def test_a_file_that_rotted_on_the_disk_is_taken_as_it_is_and_named(
    library: Library, tmp_path: Path
) -> None:
    hashed = keep(library, PAPER)
    place = library.path / "files" / hashed[:2] / hashed
    place.write_bytes(b"rotten")
    made = library.backups.create()
    assert made.damaged == (hashed,)
    assert verify(made.path).damaged == (hashed,)
    restored = restore(made.path, tmp_path / "Again.bifolio")
    assert (restored.path / "files" / hashed[:2] / hashed).read_bytes() == b"rotten"


def test_no_secret_of_the_device_is_in_a_backup(library: Library, home: Home) -> None:
    keys = (home.path / "device.key").read_text()
    seeds = re.findall(r'"([0-9a-f]{64})"', keys)
    assert len(seeds) == 2
    made = library.backups.create()
    with zipfile.ZipFile(made.path) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    for content in [made.path.read_bytes(), *contents]:
        for seed in seeds:
            assert seed.encode() not in content
            assert bytes.fromhex(seed) not in content
            assert b64encode(bytes.fromhex(seed)).rstrip(b"=") not in content


def test_a_backup_that_fails_leaves_nothing_behind(library: Library, home: Home) -> None:
    hashed = keep(library, PAPER)
    (library.path / "files" / hashed[:2] / hashed).unlink()
    (library.path / "files" / hashed[:2] / hashed).mkdir()
    with pytest.raises(IsADirectoryError):
        library.backups.create()
    assert list(home.backups.iterdir()) == []


def test_progress_is_told_of_every_stage_to_its_end(library: Library, tmp_path: Path) -> None:
    keep(library, PAPER)
    told: dict[str, tuple[int, int]] = {}

    def tell(stage: str, done: int, total: int) -> None:
        told[stage] = (done, total)

    made = library.backups.create(progress=tell)
    restore(made.path, tmp_path / "Again.bifolio", progress=tell)
    assert set(told) == {"copying", "packing", "checking", "restoring"}
    assert all(done == total > 0 for done, total in told.values())


def test_a_restored_backup_is_another_replica_of_the_same_library(
    library: Library, home: Home, tmp_path: Path
) -> None:
    hashed = keep(library, PAPER)
    shown = library.show("sync")
    made = library.backups.create()
    restored = restore(made.path, tmp_path / "Again.bifolio")
    assert (restored.library, restored.name) == (library.id, "Thesis")
    assert (restored.references, restored.files) == (1, 1)
    assert restored.replica != library.replica_id
    with Library.open(restored.path, home=home) as again:
        assert again.replica_id == restored.replica
        assert again.show("sync") == shown
        assert again.status().state == library.status().state
        assert [one.key for one in again.list(trash=True)] == ["ink"]
    content = restored.path / "files" / hashed[:2] / hashed
    assert content.read_bytes() == PAPER
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_restored_backup_writes_under_names_of_its_own(
    library: Library, home: Home, tmp_path: Path
) -> None:
    """PITFALLS 1: a client id or a slot used twice diverges for ever."""
    made = library.backups.create()
    path = restore(made.path, tmp_path / "Again.bifolio").path
    with Library.open(path, home=home) as again:
        again.add({"title": "In the restored one"})
    library.add({"title": "In the original"})

    def names(folder: Path) -> set[tuple[str, int]]:
        with sqlite3.connect(folder / "library.sqlite") as opened:
            found = set(opened.execute("SELECT slot, client_id FROM incarnations"))
        opened.close()
        return found

    common = names(library.path) & names(path)
    assert {slot for slot, _ in names(path) - common}.isdisjoint(
        slot for slot, _ in names(library.path)
    )
    assert len(names(path) - common) == 1


def test_nothing_is_restored_over_anything(library: Library) -> None:
    made = library.backups.create()
    before = sorted(path.name for path in library.path.parent.iterdir())
    with pytest.raises(PathTakenError):
        restore(made.path, library.path)
    assert library.show("sync").key == "sync"
    assert sorted(path.name for path in library.path.parent.iterdir()) == before


def test_a_damaged_backup_restores_nothing(library: Library, tmp_path: Path) -> None:
    keep(library, PAPER)
    made = library.backups.create()
    raw = bytearray(made.path.read_bytes())
    at = raw.index(PAPER[:100])
    raw[at + 50] ^= 1
    made.path.write_bytes(raw)
    target = tmp_path / "new" / "Again.bifolio"
    with pytest.raises(DamagedBackupError):
        verify(made.path)
    with pytest.raises(DamagedBackupError):
        restore(made.path, target)
    assert not target.exists()
    assert list(target.parent.iterdir()) == []


def rewritten(made: Path, target: Path, library: bytes | None = None, **altered: object) -> Path:
    """A backup made by hand of another one, with hashes that are right."""
    with zipfile.ZipFile(made) as archive, zipfile.ZipFile(target, "w") as out:
        content = archive.read("library.sqlite") if library is None else library
        hashed = hashlib.blake2b(content, digest_size=32).hexdigest()
        account = json.loads(archive.read("manifest.json")) | altered
        account["entries"] = [["library.sqlite", len(content), hashed]]
        out.writestr("library.sqlite", content)
        out.writestr("manifest.json", json.dumps(account))
    return target


def test_a_library_that_sqlite_finds_damaged_is_not_restored(
    library: Library, tmp_path: Path
) -> None:
    """Its hash is right: it was damaged when it was packed, by another program."""
    made = library.backups.create().path
    with zipfile.ZipFile(made) as archive:
        content = bytearray(archive.read("library.sqlite"))
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    forged = rewritten(made, tmp_path / "forged", bytes(content))
    for act in (lambda: verify(forged), lambda: restore(forged, tmp_path / "Again.bifolio")):
        with pytest.raises(DamagedBackupError, match="fails SQLite's check"):
            act()
    assert not (tmp_path / "Again.bifolio").exists()


def test_a_backup_of_a_newer_bifolio_asks_for_an_upgrade(library: Library, tmp_path: Path) -> None:
    made = library.backups.create().path
    newer = rewritten(made, tmp_path / "newer", storage_version=999)
    with pytest.raises(NewerBackupError, match="999"):
        restore(newer, tmp_path / "Again.bifolio")
    assert not (tmp_path / "Again.bifolio").exists()


def test_the_list_is_the_newest_first_and_says_what_cannot_be_used(
    library: Library, home: Home, tmp_path: Path
) -> None:
    first = library.backups.create()
    other = Library.create(tmp_path / "Other.bifolio", home=home)
    second = other.backups.create()
    broken = home.backups / f"broken{SUFFIX}"
    broken.write_bytes(first.path.read_bytes()[:500])
    (home.backups / "notes.txt").write_text("not one of ours")
    found = list_backups(home)
    assert {one.path for one in found[:2]} == {first.path, second.path}
    assert [one.made_at for one in found] == sorted((one.made_at for one in found), reverse=True)
    assert found[2].path == broken
    assert found[2].fault
    assert not any(one.verified for one in found)
    assert [one.verified for one in list_backups(home, check=True)] == [True, True, False]


def test_a_home_without_backups_lists_none(home: Home) -> None:
    assert list_backups(home) == []


def test_a_name_of_half_characters_still_makes_a_manifest_that_can_be_read() -> None:
    account = Manifest(
        made_at="2026-11-26T08:00:00Z",
        device="caf\udce9",
        library="",
        name="",
        references=0,
        trashed=0,
        state="",
        storage_version=1,
        files="none",
    )
    read = parse(account.serialize())
    assert read is not None
    assert read.device == "caf?"


#: What hangs every edit of the library that it is in.
ENDLESS = (
    "CREATE TRIGGER hang AFTER INSERT ON changes BEGIN SELECT count(*) FROM "
    "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n); END"
)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (ENDLESS, "the trigger 'hang' on the table 'changes'"),
        ("CREATE VIEW more AS SELECT * FROM records", "the view 'more'"),
        ("CREATE TABLE more (a)", "the table 'more'"),
        ("ALTER TABLE refs ADD COLUMN more TEXT", "the column 'more' of the table 'refs'"),
        ("CREATE INDEX more ON refs (hex(body))", "the index 'more' on the table 'refs'"),
        ("DROP TABLE purged", "lacks the table 'purged'"),
        ("PRAGMA user_version = 0", "the schema version 0"),
        ("PRAGMA application_id = 7", "another program's file"),
    ],
)
def test_a_backup_whose_library_somebody_altered_is_refused_and_the_part_is_named(
    library: Library, tmp_path: Path, statement: str, named: str
) -> None:
    made = library.backups.create().path
    altered = tmp_path / "altered.sqlite"
    with zipfile.ZipFile(made) as archive:
        altered.write_bytes(archive.read("library.sqlite"))
    with closing(sqlite3.connect(altered, isolation_level=None)) as connection:
        connection.execute(statement)
    forged = rewritten(made, tmp_path / "forged", altered.read_bytes())
    for act in (lambda: verify(forged), lambda: restore(forged, tmp_path / "Again.bifolio")):
        with pytest.raises(DamagedBackupError) as caught:
            act()
        assert named in caught.value.message
    assert not (tmp_path / "Again.bifolio").exists()


def test_a_library_that_somebody_gave_a_trigger_is_not_opened(library: Library, home: Home) -> None:
    library.close()
    with closing(sqlite3.connect(library.path / "library.sqlite")) as connection:
        connection.execute(ENDLESS)
    with pytest.raises(ForeignSchemaError, match="the trigger 'hang' on the table 'changes'"):
        Library.open(library.path, home=home)
