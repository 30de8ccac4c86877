"""The replica's file: transactions, several processes, and SQLite's errors as ours."""

from __future__ import annotations

import gc
import multiprocessing
import sqlite3
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio import limits
from bifolio.errors import (
    BusyLibraryError,
    DamagedLibraryError,
    LibraryError,
    NewerLibraryError,
    NotALibraryError,
)
from bifolio.storage.database import APPLICATION_ID, Database, integrity_of
from bifolio.storage.meta import Meta
from bifolio.storage.migrations import LATEST


class Interrupted(Exception):
    """What a test raises in the middle."""


def interrupted(meta: Meta, error: BaseException) -> None:
    """Write, and be interrupted."""
    meta.store("a", "written")
    assert meta.stored("a") == "written"
    raise error


def test_what_is_written_before_an_exception_is_not_written(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    meta = Meta(database)
    with pytest.raises(Interrupted), database.transaction():
        interrupted(meta, Interrupted())
    assert meta.stored("a") is None
    with database.transaction():
        meta.store("a", "again")
    assert meta.stored("a") == "again"


def test_an_exception_of_the_process_undoes_a_transaction_too(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    with pytest.raises(KeyboardInterrupt), database.transaction():
        interrupted(Meta(database), KeyboardInterrupt())
    assert Meta(database).stored("a") is None


def test_an_exception_inside_a_snapshot_ends_it(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    with pytest.raises(Interrupted), database.snapshot():
        raise Interrupted
    with database.transaction():
        Meta(database).store("a", "written")
    assert Meta(database).stored("a") == "written"


def test_a_snapshot_sees_one_moment_while_another_process_writes(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    other = Database.open(tmp_path / "library.sqlite")
    with database.snapshot():
        assert Meta(database).stored("a") is None
        with other.transaction():
            Meta(other).store("a", "written")
        assert Meta(database).stored("a") is None
    assert Meta(database).stored("a") == "written"


def test_what_is_written_in_a_snapshot_is_not_kept(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    with database.snapshot():
        Meta(database).store("a", "written")
    assert Meta(database).stored("a") is None


@pytest.mark.parametrize("collects", [True, False])
def test_no_garbage_is_searched_for_in_a_transaction_and_after_it_as_before(
    tmp_path: Path, collects: bool
) -> None:
    database = new_database(tmp_path)
    was_collecting = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        with database.transaction():
            assert not gc.isenabled()
        assert gc.isenabled() is collects
        with pytest.raises(Interrupted), database.transaction():
            raise Interrupted
        assert gc.isenabled() is collects
    finally:
        (gc.enable if was_collecting else gc.disable)()


def test_what_a_transaction_remembers_of_tables_and_facts_is_what_is_there(
    tmp_path: Path,
) -> None:
    database = new_database(tmp_path)
    meta, large = Meta(database), {"device": "n" * 5000}
    for _ in range(2):
        with database.transaction():
            assert meta.devices == {}
            assert database.is_empty("purged")
            assert database.is_empty("underived")
    with database.transaction():
        database.execute("INSERT INTO underived (record) VALUES ('one')")
        database.note_row("underived")
        assert database.is_empty("purged")
        assert not database.is_empty("underived"), "also where it was noted before any was asked"
        meta.devices, meta.clock = large, "1" * 18
        assert (meta.devices, meta.clock) == (large, "1" * 18)
    with database.transaction():
        assert not database.is_empty("underived")
        assert (meta.devices, meta.clock) == (large, "1" * 18)
        meta.devices = {}
        assert meta.devices == {}
        database.execute("DELETE FROM underived")
        assert database.is_empty("underived")


def test_a_rehearsal_sees_its_own_transactions_and_leaves_nothing(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    meta = Meta(database)
    with database.rehearsal():
        with database.transaction():
            meta.store("a", "rehearsed")
        with database.transaction():
            assert meta.stored("a") == "rehearsed"
    assert meta.stored("a") is None
    with database.transaction():
        meta.store("a", "meant")
    assert Meta(Database.open(tmp_path / "library.sqlite")).stored("a") == "meant"


def test_an_exception_inside_a_rehearsed_transaction_undoes_that_one_alone(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    meta = Meta(database)
    with database.rehearsal():
        with database.transaction():
            meta.store("b", "rehearsed")
        with pytest.raises(Interrupted), database.transaction():
            interrupted(meta, Interrupted())
        assert (meta.stored("a"), meta.stored("b")) == (None, "rehearsed")
    assert meta.stored("b") is None


def test_an_exception_inside_a_rehearsal_ends_it(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    meta = Meta(database)
    with pytest.raises(Interrupted), database.rehearsal(), database.transaction():
        interrupted(meta, Interrupted())
    with database.transaction():
        meta.store("a", "meant")
    assert meta.stored("a") == "meant"


def test_a_committed_transaction_is_there_for_every_other_process(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    with database.transaction():
        Meta(database).store("a", "written")
    assert Meta(Database.open(tmp_path / "library.sqlite")).stored("a") == "written"


def hold(path: Path, ready: Connection) -> None:
    """In another process: hold the write lock until told to let go, then commit."""
    database = Database.open(path)
    with database.transaction():
        meta = Meta(database)
        ready.send("held")
        ready.recv()
        meta.last_sync_ms += 1
    database.close()


def test_a_second_process_waits_for_the_first_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    database = new_database(tmp_path)
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=hold, args=(path, theirs))
    other.start()
    assert ours.poll(30)
    ours.recv()
    ours.send("let go as soon as we wait")
    with database.transaction():
        meta = Meta(database)
        meta.last_sync_ms += 1
    other.join(30)
    assert other.exitcode == 0
    assert Meta(database).last_sync_ms == 2


def test_four_processes_count_together(tmp_path: Path) -> None:
    new_database(tmp_path).close()
    program = (
        "import sys; from pathlib import Path\n"
        "from bifolio.storage.database import Database; from bifolio.storage.meta import Meta\n"
        "database = Database.open(Path(sys.argv[1]))\n"
        "for _ in range(25):\n"
        "    with database.transaction():\n"
        "        Meta(database).last_sync_ms += 1\n"
    )
    path = tmp_path / "library.sqlite"
    running = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    assert Meta(Database.open(path)).last_sync_ms == 100


def test_a_file_held_too_long_is_busy_and_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BUSY_TIMEOUT_S", 0.05)
    database = new_database(tmp_path)
    other = Database.open(tmp_path / "library.sqlite")
    with (
        database.transaction(),
        pytest.raises(BusyLibraryError, match="Nothing was changed"),
        other.transaction(),
    ):
        pass


def test_a_fresh_file_is_durable_and_marked_as_ours(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    pragmas = {
        name: database.rows(f"PRAGMA {name}")[0][0]
        for name in (
            "application_id",
            "user_version",
            "journal_mode",
            "synchronous",
            "foreign_keys",
        )
    }
    assert pragmas == {
        "application_id": APPLICATION_ID,
        "user_version": LATEST,
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
    }


def test_opening_sets_the_same_durability(tmp_path: Path) -> None:
    new_database(tmp_path).close()
    database = Database.open(tmp_path / "library.sqlite")
    assert database.rows("PRAGMA synchronous") == [(2,)]
    assert database.rows("PRAGMA journal_mode") == [("wal",)]


def test_a_file_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    new_database(tmp_path).close()
    path = tmp_path / "library.sqlite"
    plain = sqlite3.connect(path)
    plain.execute(f"PRAGMA user_version = {LATEST + 1}")
    plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    plain.close()
    before = path.read_bytes()
    with pytest.raises(NewerLibraryError) as caught:
        Database.open(path)
    assert (caught.value.version, caught.value.known) == (LATEST + 1, LATEST)
    assert path.read_bytes() == before


def test_another_program_s_file_is_no_library_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    plain = sqlite3.connect(path)
    plain.execute("CREATE TABLE mine (x)")
    plain.commit()
    plain.close()
    before = path.read_bytes()
    with pytest.raises(NotALibraryError, match="another program"):
        Database.open(path)
    assert path.read_bytes() == before


def test_an_empty_file_is_no_library(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    path.touch()
    with pytest.raises(NotALibraryError):
        Database.open(path)
    assert path.read_bytes() == b""


def test_a_folder_without_a_file_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(NotALibraryError, match=r"library\.sqlite"):
        Database.open(tmp_path / "library.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_sqlite_is_damaged_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    path.write_bytes(b"this is a shopping list, not a library" * 100)
    before = path.read_bytes()
    with pytest.raises(DamagedLibraryError):
        Database.open(path)
    assert path.read_bytes() == before


def test_a_damaged_page_is_named_and_never_an_empty_library(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    with database.transaction():
        for number in range(200):
            Meta(database).store(f"key {number}", "x" * 500)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    path = tmp_path / "library.sqlite"
    content = bytearray(path.read_bytes())
    content[4096 * 2 : -4096] = b"\xa5" * len(content[4096 * 2 : -4096])
    path.write_bytes(content)
    with pytest.raises(DamagedLibraryError):  # noqa: PT012 - where it shows is SQLite's business
        damaged = Database.open(path)
        damaged.rows("SELECT * FROM meta")
        damaged.rows("SELECT * FROM refs")


def test_a_folder_that_is_not_there_cannot_hold_a_file(tmp_path: Path) -> None:
    with pytest.raises(LibraryError):
        Database.create(tmp_path / "missing" / "library.sqlite")


def test_a_name_with_every_odd_character_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "50% of #1? & ‘ü’"
    new_database(folder).close()
    Database.open(folder / "library.sqlite").close()
    assert (folder / "library.sqlite").is_file()


def test_a_fault_of_our_own_is_no_fault_of_the_library(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        new_database(tmp_path).execute("SELECT nonsense FROM nowhere")


def test_closing_twice_is_no_error(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    database.close()
    database.close()


def test_a_copy_is_a_whole_library_in_one_file(tmp_path: Path) -> None:
    database = new_database(tmp_path / "a.bifolio")
    with database.transaction():
        for number in range(3000):
            Meta(database).store(f"key {number}", "x" * 500)
    told: list[tuple[int, int]] = []
    target = tmp_path / "a.sqlite"
    database.back_up(target, progress=lambda *done: told.append(done))
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a.sqlite"]
    assert integrity_of(target) == "ok"
    copy = Database.open(target)
    assert copy.integrity() == "ok"
    assert copy.rows("SELECT * FROM meta ORDER BY key") == database.rows(
        "SELECT * FROM meta ORDER BY key"
    )
    assert told[-1][0] == told[-1][1] > 1


def test_a_copy_inside_a_snapshot_is_of_the_snapshot_s_moment(tmp_path: Path) -> None:
    database = new_database(tmp_path / "a.bifolio")
    other = Database.open(database.path)
    with database.snapshot():
        assert Meta(database).stored("later") is None
        with other.transaction():
            Meta(other).store("later", "yes")
        database.back_up(tmp_path / "a.sqlite")
    assert Meta(Database.open(tmp_path / "a.sqlite")).stored("later") is None
    assert Meta(database).stored("later") == "yes"


@pytest.mark.parametrize("page", [1, 2])
def test_a_copy_of_a_damaged_file_fails_by_the_name_of_that_file(tmp_path: Path, page: int) -> None:
    database = new_database(tmp_path / "a.bifolio")
    with database.transaction():
        for number in range(500):
            Meta(database).store(f"key {number}", "x" * 200)
    database.close()
    raw = bytearray(database.path.read_bytes())
    size = int.from_bytes(raw[16:18], "big")
    raw[page * size : (page + 20) * size] = bytes(20 * size)
    opened = Database.open(database.path)
    database.path.write_bytes(raw)
    elsewhere = tmp_path / "backups" / "a.sqlite"
    elsewhere.parent.mkdir()
    with pytest.raises(DamagedLibraryError) as raised:
        opened.back_up(elsewhere)
    assert raised.value.path == database.path.parent


def test_a_copy_that_cannot_be_written_fails_by_its_own_name(tmp_path: Path) -> None:
    database = new_database(tmp_path / "a.bifolio")
    elsewhere = tmp_path / "missing" / "a.sqlite"
    with pytest.raises(LibraryError) as raised:
        database.back_up(elsewhere)
    assert raised.value.path == elsewhere.parent


def test_the_integrity_of_a_file_is_told_without_a_change_to_it(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    database = Database.create(path)
    with database.transaction():
        for number in range(500):
            Meta(database).store(f"key {number}", "x" * 200)
    database.close()
    whole = path.read_bytes()
    assert integrity_of(path) == "ok"
    assert path.read_bytes() == whole
    torn = bytearray(whole)
    torn[len(whole) // 2 :] = bytes(len(whole) - len(whole) // 2)
    path.write_bytes(torn)
    assert integrity_of(path) != "ok"
    assert path.read_bytes() == torn


def test_a_file_that_is_cut_off_in_its_header_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    Database.create(path).close()
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DamagedLibraryError, match="cut off"):
        Database.open(path)


def test_a_file_of_ours_without_a_version_is_damaged_and_not_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    database = Database.create(path)
    database.execute("PRAGMA user_version = 0")
    database.close()
    with pytest.raises(DamagedLibraryError, match="version"):
        Database.open(path)


def test_a_text_that_is_no_text_any_more_is_a_damaged_library(tmp_path: Path) -> None:
    database = Database.create(tmp_path / "library.sqlite")
    with pytest.raises(DamagedLibraryError, match="not valid text"):
        database.rows("SELECT CAST(x'ff61' AS TEXT)")
    database.close()


def test_rows_of_which_some_were_read_may_be_dropped_after_the_file_is_closed(
    tmp_path: Path,
) -> None:
    """A server that ends while it makes an order reported an error that nobody can mend."""
    database = new_database(tmp_path)
    rows = database.iterate("SELECT name FROM sqlite_master")
    next(rows)
    database.close()
    del rows
    gc.collect()  # what is raised there is a warning, and so a failure
