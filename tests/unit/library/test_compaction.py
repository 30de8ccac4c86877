"""A library made as small as it can be, and nothing lost by it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bifolio import Library, limits
from bifolio.doctor.examination import examine
from bifolio.home import Home
from bifolio.library.compaction import compact
from bifolio.results import SavingKind
from bifolio.storage.packed_states import unpack_state


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", device_name="desk")


@pytest.fixture
def path(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with a long note, a file that no reference has, and a snapshot that was sent."""
    monkeypatch.setattr(limits, "UNNAMED_KEPT_S", 0.0)
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.4 " + bytes(50_000))
    with Library.create(tmp_path / "Thesis.bifolio", home=home) as library:
        library.add({"type": "book", "title": "On Paper", "note": "A long note. " * 2000})
        library.add({"type": "book", "title": "On Ink", "citation-key": "ink"})
        library.files.add("ink", [paper])
        library.files.remove("ink", "paper.pdf")
        replica = library._replica
        with replica.database.transaction():
            for number in range(8):
                replica.snapshots.add_chunk(b"s" * 32, number, bytes([number]) * 40_000)
            replica.database.execute("DELETE FROM snapshot_chunks WHERE number > 3")
            for record_id in replica.records.all_ids():  # as an earlier version stored it
                state = replica.records.state(record_id)
                replica.database.execute(
                    "UPDATE records SET state = ? WHERE id = ?", (state, record_id)
                )
    return tmp_path / "Thesis.bifolio"


def shown(path: Path, home: Home) -> object:
    with Library.open(path, home=home) as library:
        found = [one.id for one in library.search("ink")]
        return list(library.state_json()), [*map(repr, library.list())], found


def test_what_nobody_needs_goes_and_nothing_else_changes(path: Path, home: Home) -> None:
    before = shown(path, home)
    report = compact(path, home)
    kinds = {one.kind: one for one in report.savings}
    assert set(kinds) == set(SavingKind)
    assert kinds[SavingKind.FILES].count == 1
    assert kinds[SavingKind.SNAPSHOT_PARTS].count == 4
    assert kinds[SavingKind.STATES].count == 3
    assert report.bytes_after < report.bytes_before - 50_000
    assert report.bytes_after == sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    assert shown(path, home) == before
    found = examine(path, home, deep=True, offline=True)
    assert found.well, [one for one in found.checks if one.next]
    again = compact(path, home)
    assert {one.kind for one in again.savings} <= {SavingKind.UNUSED_ROOM}


def test_a_dry_run_changes_nothing_and_says_what_would_go(path: Path, home: Home) -> None:
    whole = {one: one.read_bytes() for one in path.rglob("*") if one.is_file()}
    report = compact(path, home, dry_run=True)
    assert report.dry_run
    assert {one.kind for one in report.savings} == set(SavingKind)
    assert report.bytes_after < report.bytes_before
    done = compact(path, home)
    assert done.bytes_after <= report.bytes_after
    assert {one for one in whole if not one.exists()} == {
        one for one in whole if one.parent.parent.name == "files"
    }


def test_a_compressed_state_is_the_state_that_it_was(path: Path, home: Home) -> None:
    def states() -> list[bytes]:
        with closing(sqlite3.connect(path / "library.sqlite")) as connection:
            rows = connection.execute("SELECT state FROM records ORDER BY id").fetchall()
            return [unpack_state(row[0]) for row in rows]

    before = states()
    compact(path, home)
    assert states() == before


def test_a_file_that_others_may_still_need_stays_and_is_said(
    path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNNAMED_KEPT_S", 24 * 3600.0)
    report = compact(path, home)
    assert SavingKind.FILES not in {one.kind for one in report.savings}
    assert (report.waiting_files, report.waiting_bytes) == (1, 50_009)
