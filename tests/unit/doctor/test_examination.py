"""The self-check: each check finds its fault in a library that really has it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.autosync.registry import Registry
from bifolio.clock import make_stamp
from bifolio.crypto.keys import load_or_create
from bifolio.doctor.examination import examine
from bifolio.errors import Next, NextStep, RelayUnreachableError
from bifolio.home import Home
from bifolio.results.doctor import CheckVerdict, Diagnosis, Finding
from bifolio_cli.text.next_steps import word as say

CHECKS = "place key integrity records index files membership relay clock pending autosync".split()


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(tmp_path_factory.mktemp("relay")) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", device_name="office")


@pytest.fixture
def path(tmp_path: Path, home: Home) -> Path:
    made = tmp_path / "Thesis.bifolio"
    with Library.create(made, home=home) as library:
        library.add({"type": "book", "title": "On Sync", "citation-key": "sync"})
        library.add({"type": "book", "title": "On Ink", "citation-key": "ink"})
        library.groups.create("Reading")
    return made


def of(diagnosis: Diagnosis, check: str) -> Finding:
    """The one finding of a check."""
    (found,) = [one for one in diagnosis.checks if one.check == check]
    return found


def alters(path: Path, statement: str, *values: object) -> None:
    """What no program should do to a library."""
    file = sqlite3.connect(path / "library.sqlite")
    with file:
        file.execute(statement, values)
    file.close()


def needs(diagnosis: Diagnosis, check: str, *words: str) -> None:
    """The check, and no other one but what follows from it, needs attention, with a next step."""
    found = of(diagnosis, check)
    assert found.verdict is CheckVerdict.ATTENTION, found
    assert found.next is not None
    for word in words:
        assert word in f"{found.message} {say(found.next)}", found
    assert not diagnosis.well


def test_a_library_in_order_is_well_in_every_check(
    path: Path, home: Home, relay: RelayProcess
) -> None:
    alone = examine(path, home)
    assert [one.check for one in alone.checks] == CHECKS
    assert alone.well, alone
    with Library.open(path, home=home) as library:
        library.attach(relay.url, backup=False)
    attached = examine(path, home, files=True)
    assert [one.check for one in attached.checks] == CHECKS
    assert {one.verdict for one in attached.checks} == {CheckVerdict.WELL}, attached
    assert "holds the library" in of(attached, "relay").message
    assert "relay's" in of(attached, "clock").message
    assert of(examine(path, home, offline=True), "relay").verdict is CheckVerdict.UNKNOWN


def test_the_check_changes_nothing(path: Path, home: Home) -> None:
    def everything() -> dict[str, bytes]:
        files = [one for one in path.parent.rglob("*") if one.is_file()]
        return {str(one): one.read_bytes() for one in files if "-shm" not in one.name}

    before = everything()
    examine(path, home, files=True)
    assert everything() == before


def test_a_library_in_a_cloud_folder_or_a_home_in_one_is_told(tmp_path: Path, home: Home) -> None:
    path = tmp_path / "Dropbox" / "Thesis.bifolio"
    Library.create(path, home=home).close()
    needs(examine(path, home), "place", "Dropbox", "out of that folder")
    other = Home(tmp_path / "OneDrive" / "home", device_name="office")
    sound = tmp_path / "Sound.bifolio"
    Library.create(sound, home=other).close()
    needs(examine(sound, other), "place", "OneDrive")


def test_no_library_and_a_file_of_another_program_are_told(tmp_path: Path, home: Home) -> None:
    needs(examine(tmp_path / "Missing.bifolio", home), "library", "nothing is there", "init")
    odd = tmp_path / "Odd.bifolio"
    odd.mkdir()
    (odd / "library.sqlite").write_bytes(b"x" * 5000)
    needs(examine(odd, home), "library", "damaged")


def test_a_torn_page_is_told_with_the_way_out(path: Path, home: Home) -> None:
    file = path / "library.sqlite"
    raw = bytearray(file.read_bytes())
    page = int.from_bytes(raw[16:18], "big")
    (root,) = (
        sqlite3.connect(file)
        .execute("SELECT rootpage FROM sqlite_master WHERE name = 'incarnations'")
        .fetchone()
    )
    raw[(root - 1) * page : root * page] = b"\x00" * page
    file.write_bytes(raw)
    diagnosis = examine(path, home)
    needs(diagnosis, "integrity", "damaged", "doctor --repair")
    assert "records" not in [one.check for one in diagnosis.checks]


@pytest.mark.parametrize("table", ["meta", "records", "refs", "changes", "quarantined_updates"])
def test_a_torn_page_in_any_table_is_told_beside_what_else_was_found(
    path: Path, home: Home, table: str
) -> None:
    file = path / "library.sqlite"
    raw = bytearray(file.read_bytes())
    page = int.from_bytes(raw[16:18], "big")
    reading = sqlite3.connect(file)
    (root,) = reading.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
    ).fetchone()
    reading.close()
    raw[(root - 1) * page : root * page] = b"\xff" * page
    file.write_bytes(raw)
    diagnosis = examine(path, home)
    assert not diagnosis.well
    checks = [one.check for one in diagnosis.checks]
    assert checks[:3] == ["place", "key", "integrity"]
    assert checks[-1] == "autosync"


def test_a_library_whose_trash_was_emptied_is_well(path: Path, home: Home) -> None:
    with Library.open(path, home=home) as library:
        library.delete(["ink"])
        library.trash.empty()
    assert examine(path, home).well


def test_a_record_that_cannot_be_read_is_told(path: Path, home: Home) -> None:
    alters(path, "UPDATE records SET state = x'ffff' WHERE kind = 'group'")
    diagnosis = examine(path, home)
    needs(diagnosis, "records", "1 of 4 references, groups and settings cannot be read")


def test_a_state_hash_that_is_not_the_sum_is_told(path: Path, home: Home) -> None:
    alters(path, "UPDATE meta SET value = ? WHERE key = 'state_hash'", b"\xc4\x20" + b"1" * 32)
    needs(examine(path, home), "records", "state hash")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE refs SET type = 'map' WHERE key = 'sync'",
        "DELETE FROM refs WHERE key = 'sync'",
        "UPDATE groups SET name = 'Another'",
    ],
)
def test_an_index_that_shows_something_else_is_told_and_can_be_rebuilt(
    path: Path, home: Home, statement: str
) -> None:
    alters(path, statement)
    needs(examine(path, home), "index", "doctor --rebuild")
    with Library.open(path, home=home) as library:
        library.rebuild_index()
    assert examine(path, home).well


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("INSERT INTO refs_fts (refs_fts, rowid, title) VALUES ('delete', 1, 'sync')", "2 rows"),
        ("INSERT INTO refs_fts (rowid, title) VALUES (1, 'other')", "2 rows"),
        ("INSERT INTO refs_fts (rowid, title) VALUES (77, 'other')", "1 row"),
        ("INSERT INTO refs_fts (refs_fts) VALUES ('delete-all')", "4 rows"),
        ("UPDATE refs_fts_data SET block = zeroblob(40) WHERE id > 10", "full-text"),
    ],
)
def test_a_full_text_index_that_is_out_of_step_is_told(
    path: Path, home: Home, statement: str, said: str
) -> None:
    alters(path, statement)
    needs(examine(path, home), "index", said, "doctor --rebuild")
    with Library.open(path, home=home) as library:
        library.rebuild_index()
    assert examine(path, home).well


def attach_file(path: Path, home: Home, name: str, content: bytes) -> str:
    """A file attached to 'sync'; the content's hash."""
    source = path.parent / name
    source.write_bytes(content)
    with Library.open(path, home=home) as library:
        library.files.add("sync", [source])
    (stored,) = [one for one in (path / "files").rglob("*") if one.is_file()]
    return stored.name


def test_a_rotten_file_is_told_by_name_when_files_are_read(path: Path, home: Home) -> None:
    hashed = attach_file(path, home, "paper.pdf", b"%PDF" * 1000)
    assert examine(path, home, files=True).well
    stored = path / "files" / hashed[:2] / hashed
    stored.chmod(0o644)
    stored.write_bytes(b"rotten")
    unread = of(examine(path, home), "files")
    assert unread.verdict is CheckVerdict.UNKNOWN
    assert unread.next == NextStep(Next.CHECK_FILES)
    needs(examine(path, home, files=True), "files", "paper.pdf", "backup")


def test_a_file_that_is_dropped_while_files_are_read_is_no_finding(path: Path, home: Home) -> None:
    source = path.parent / "paper.pdf"
    with Library.open(path, home=home) as library:
        for raw in (b"one", b"two", b"three"):
            source.write_bytes(raw)
            library.files.add("sync", [source])
        library.files.remove("sync", "paper.pdf")
    told: list[int] = []

    def drops_the_rest(what: str, done: int, _total: int) -> None:
        if what == "checking-files" and not told:
            told.append(done)
            with Library.open(path, home=home) as other:
                other.files.clean()

    found = of(examine(path, home, files=True, progress=drops_the_rest), "files")
    assert (found.verdict, found.message) == (
        CheckVerdict.WELL,
        "Every attached file here is whole (1 file).",
    )


def test_a_file_that_is_nowhere_is_told(path: Path, home: Home) -> None:
    hashed = attach_file(path, home, "paper.pdf", b"%PDF" * 1000)
    (path / "files" / hashed[:2] / hashed).unlink()
    needs(
        examine(path, home), "files", "1 of 1 attached file is not on this computer", "backup list"
    )


def test_a_key_that_others_can_read_is_told_and_left_as_it_is(path: Path, home: Home) -> None:
    key = home.path / "device.key"
    key.chmod(0o644)
    needs(examine(path, home), "key", "Other users", "chmod 600")
    assert key.stat().st_mode & 0o777 == 0o644


def test_a_damaged_key_is_told_and_none_is_made(path: Path, home: Home) -> None:
    key = home.path / "device.key"
    key.write_text(key.read_text().replace("a", "b", 1))
    needs(examine(path, home), "key", "cannot be used")
    key.unlink()
    assert "no key yet" in of(examine(path, home), "key").message
    assert not key.exists()


def test_a_copy_on_another_computer_is_told_to_ask_for_a_ticket(
    path: Path, tmp_path: Path, relay: RelayProcess, home: Home
) -> None:
    with Library.open(path, home=home) as library:
        library.attach(relay.url, backup=False)
    other = Home(tmp_path / "other", device_name="laptop")
    load_or_create(other.path, name="laptop", use_keyring=False, random_bytes=lambda n: b"7" * n)
    diagnosis = examine(path, other)
    needs(diagnosis, "membership", "not a member", "attach TICKET")
    needs(diagnosis, "relay", "as a member")


def test_a_relay_that_is_away_or_lost_the_library_is_told(
    path: Path, home: Home, tmp_path: Path
) -> None:
    with RelayProcess(tmp_path) as own:
        with Library.open(path, home=home) as library:
            library.attach(own.url, backup=False)
        own.stop()
        needs(examine(path, home), "relay", "cannot be reached", "running")
        own.wipe()
        own.start()
        needs(examine(path, home), "relay", "does not hold", "bifolio sync")


def test_clocks_that_are_wrong_are_told(path: Path, home: Home) -> None:
    later = int((time.time() + 7200) * 1000)
    stamp = make_stamp(milliseconds=later, counter=0)
    packed = bytes([0xA0 + len(stamp)]) + stamp.encode()
    alters(path, "UPDATE meta SET value = ? WHERE key = 'clock'", packed)
    needs(examine(path, home), "clock", "120 minutes in the future", "clock")


def test_work_that_waits_is_told(path: Path, home: Home, tmp_path: Path) -> None:
    with RelayProcess(tmp_path) as own:
        with Library.open(path, home=home) as library:
            library.attach(own.url, backup=False)
            library.add({"title": "Not sent yet"})
            own.stop()
            with pytest.raises(RelayUnreachableError):
                library.sync()
        needs(examine(path, home, offline=True), "pending", "not sent yet", "bifolio sync")
        alters(path, "INSERT INTO pending (hash, envelope) VALUES (x'00', x'00')")
        found = [one for one in examine(path, home, offline=True).checks if one.check == "pending"]
        assert len(found) == 2
        assert "1 received change waiting for earlier ones" in found[1].message


def test_what_was_refused_or_set_aside_is_told(path: Path, home: Home) -> None:
    alters(
        path,
        "INSERT INTO quarantined_updates (record, contents, reason) "
        "VALUES ('ab', x'00', 'it is damaged')",
    )
    needs(examine(path, home), "pending", "1 change to ab was set aside: it is damaged")


def test_automatic_sync_that_is_on_and_does_not_run_is_told(path: Path, home: Home) -> None:
    Registry(home).add(path)
    needs(examine(path, home), "autosync", "is not running", "autosync on")
