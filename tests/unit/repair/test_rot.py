"""One flipped bit in a replica's file or a relay's: found, named, mended, and nothing lost.

A small sister of ``tests.support.rot_table``, which goes through every tree of both files.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support import rot_table, rot_values
from tests.support.relay_process import RelayProcess
from tests.support.rot_table import Bench, Place

from bifolio import Library
from bifolio.doctor.repairing import repair
from bifolio.errors import NewerLibraryError, StorageFullError
from bifolio.salvage.pages import Pages
from bifolio.salvage.trees import Trees
from bifolio.storage.database import Database
from bifolio.storage.migrations import LATEST


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("rot")
    with RelayProcess(folder) as relay:
        yield Bench(folder, relay, references=6)


def place_in(path: Path, tree: str) -> Place:
    return next(one for one in rot_table.places(path) if one.tree == tree)


@pytest.mark.parametrize("tree", ["records", "changes"])
def test_a_bit_of_a_replica_is_found_and_mended(bench: Bench, tree: str) -> None:
    line = rot_table.damage_replica(bench, place_in(bench.path / "library.sqlite", tree))
    assert line.is_well, line


@pytest.mark.heavy
@pytest.mark.parametrize("tree", ["meta", "members", "content_keys", "refs", "refs_fts_data"])
def test_a_bit_of_any_other_table_is_found_and_mended(bench: Bench, tree: str) -> None:
    line = rot_table.damage_replica(bench, place_in(bench.path / "library.sqlite", tree))
    assert line.is_well, line


@pytest.mark.parametrize("tree", ["entry", "member", "library"])
def test_a_bit_of_a_relay_is_found_and_mended(bench: Bench, tree: str) -> None:
    place = place_in(bench.relay_copy() / "relay.sqlite", tree)
    assert rot_table.damage_relay(bench, place).is_well


def test_what_is_whole_is_read_while_lists_are_damaged_and_the_damaged_file_is_kept(
    bench: Bench,
) -> None:
    path = bench.copy()
    file = path / "library.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'refs'"
        ).fetchone()
    raw = bytearray(file.read_bytes())
    raw[(root - 1) * 4096] ^= 4
    file.write_bytes(raw)
    with Library.open(path, home=bench.home, reading=True) as library:
        assert library.show("work0").fields["title"] == "Work number 0 on décay"
        assert len(list(library.list())) == 4
        assert library.backups.create(path.parent / "whole.bifolio-backup").references == 4
        assert "damaged" in library.notices[-1].message
    done = repair(path, bench.home, offline=True)
    assert done.kept is not None
    assert done.kept.read_bytes() == bytes(raw)
    assert any("'refs'" in one for one in done.mended)
    assert bench.state_of(path) == bench.state


def test_the_rows_of_a_file_are_read_as_sqlite_reads_them(bench: Bench) -> None:
    file = bench.path / "library.sqlite"
    with closing(Pages(file)) as pages, closing(sqlite3.connect(file)) as connection:
        trees = Trees(pages)
        for part in trees.schema():
            if part.kind == "table" and part.root:
                found = trees.read(part.root)
                count = f"SELECT count(*) FROM {part.name}"
                assert (len(found.rows), found.lost) == (connection.execute(count).fetchone()[0], 0)


def test_what_is_only_tried_leaves_no_mark_of_an_edit(bench: Bench) -> None:
    path = bench.copy()
    with Library.open(path, home=bench.home) as library:
        moment = datetime.now(UTC)
        library.delete(["work0"])
        library.history.restore(moment, dry_run=True)
    with Library.open(path, home=bench.home) as library:
        assert not [one for one in library.notices if "-wal" in one.message]


def test_a_log_that_was_removed_is_noticed_at_the_next_opening(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.copy()
    library = Library.open(path, home=bench.home)
    library.add({"type": "book", "title": "Only in the log"})
    library._replica.mark_edit()
    fresh = path.with_name("Fresh.bifolio")
    shutil.copytree(path, fresh, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    library.close()
    with monkeypatch.context() as disk:
        disk.setattr(Database, "transaction", _full)
        with Library.open(fresh, home=bench.home, reading=True) as opened:
            assert opened.status().references == 4
    with Library.open(fresh, home=bench.home) as opened:
        assert "library.sqlite-wal is gone" in opened.notices[-1].message
        assert opened.status().references == 4
    repair(fresh, bench.home, offline=True)
    with Library.open(fresh, home=bench.home) as opened:
        assert not any("-wal is gone" in one.message for one in opened.notices)


def _full(database: Database) -> None:
    raise StorageFullError(database.path.parent)


def test_a_flipped_bit_of_the_version_is_mended_and_a_newer_program_s_file_is_not(
    bench: Bench,
) -> None:
    """Mending the latter would leave out what the newer program wrote."""
    path = bench.copy()
    file = path / "library.sqlite"
    assert rot_table.damage_replica(bench, Place("header", "version", 63, 3)).is_well
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE of_later (value TEXT)")
        connection.execute(f"PRAGMA user_version = {LATEST + 1}")
    before = file.read_bytes(), sorted(path.rglob("*"))
    with pytest.raises(NewerLibraryError):
        repair(path, bench.home, offline=True)
    assert (file.read_bytes(), sorted(path.rglob("*"))) == before


@pytest.mark.parametrize("table", ["unconfirmed_deletions", "log_hashes", "members"])
def test_an_altered_value_of_a_valid_row_is_found(bench: Bench, table: str) -> None:
    places = [one for one in rot_values.values(bench.path / "library.sqlite") if one.table == table]
    assert places
    assert False not in [rot_values.found_in_replica(bench, one) for one in places]


def test_whose_a_chain_is_on_the_relay_is_compared_with_its_envelopes(bench: Bench) -> None:
    places = [
        one
        for one in rot_values.values(bench.relay_copy() / "relay.sqlite")
        if one.name == "chain.device"
    ]
    assert [rot_values.found_in_relay(bench, one) for one in places] == [True]


@pytest.mark.heavy
def test_an_altered_value_of_any_table_is_found_in_both_copies(bench: Bench) -> None:
    for file, look in (
        (bench.path / "library.sqlite", rot_values.found_in_replica),
        (bench.relay_copy() / "relay.sqlite", rot_values.found_in_relay),
    ):
        missed = [one.name for one in rot_values.values(file) if look(bench, one) is False]
        assert set(missed) <= rot_values.NO_MATTER
