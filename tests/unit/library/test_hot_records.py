"""A reference whose note was edited for years: what an edit costs, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.support.hot_record import age
from tests.support.hot_limits import every_record_is_hot

from bifolio import Library, limits
from bifolio.doctor.examination import examine
from bifolio.doctor.repairing import repair
from bifolio.document import texts
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.document.record import RecordDocument
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.replication import refilling


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", device_name="desk")


@pytest.fixture
def path(tmp_path: Path, home: Home) -> Path:
    path = tmp_path / "Thesis.bifolio"
    with Library.create(path, home=home) as library:
        library.add({"type": "book", "title": "On Paper", "citation-key": "paper"})
        library.add({"type": "book", "title": "On Ink", "citation-key": "ink"})
    return path


@pytest.fixture
def hot() -> Iterator[None]:
    with every_record_is_hot():
        yield


def note(library: Library, key: str = "ink") -> str:
    return str(library.show(key).fields["note"])


def set_note(library: Library, text: str, key: str = "ink") -> None:
    library.edit(key, [Edit("note", Act.SET, (text,))])


def log_bytes(path: Path) -> int:
    """The bytes that were written since the file was opened by the first."""
    return (path / "library.sqlite-wal").stat().st_size


def check_whole(library: Library, key: str = "ink") -> None:
    """What the core shows is what the whole record shows, and what its changes make of it."""
    replica, record_id = library._replica, library.show(key).id
    shown = replica.document(record_id).entries()
    assert RecordDocument(replica.records.state(record_id)).entries() == shown
    rebuilt = refilling.rebuild_record(replica, record_id)
    assert rebuilt is not None
    assert RecordDocument(rebuilt.state).entries() == shown


def edit_and_fail(library: Library) -> None:
    replica, record_id = library._replica, library.show("ink").id
    with replica.database.transaction():
        text = note(library) + " and more" * 40

        def write(plan: Plan, entries: Entries) -> None:
            texts.plan_set(plan, entries, "note", text)

        replica.commit_inside([(record_id, write)])
        _ = 1 / 0


def is_core(library: Library, key: str = "ink") -> bool:
    return library._replica.document(library.show(key).id).is_core


def test_an_edit_of_an_old_record_writes_what_one_of_a_fresh_record_does(
    path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HOT_STATE_BYTES_MIN", 16 * 1024)
    with Library.open(path, home=home) as library:
        age(library, "ink", 400)
        for number in range(6):  # a base and a core are made
            set_note(library, note(library) + f" {number}")
        assert is_core(library)
        set_note(library, "A fresh note, of some words. ", "paper")
    written = {}
    for key in ("paper", "ink"):
        with Library.open(path, home=home) as library:
            before = log_bytes(path)
            set_note(library, note(library, key) + " And a word", key)
            written[key] = log_bytes(path) - before
            check_whole(library)
    assert written["ink"] <= 1.2 * written["paper"]
    found = examine(path, home, deep=True, offline=True)
    assert found.well, [one for one in found.checks if one.next]


@pytest.mark.heavy
def test_an_old_record_is_stored_in_few_bytes_for_each_edit(path: Path, home: Home) -> None:
    with Library.open(path, home=home) as library:
        age(library, "ink", 1200)
        for number in range(6):
            set_note(library, note(library) + f" {number}")
        others = len(library._replica.records.state(library.show("paper").id) or b"")
        size = library._replica.records.size_bytes() - others - len(note(library).encode())
    assert size / 1200 <= 45


@pytest.mark.usefixtures("hot")
def test_two_programs_that_edit_in_turns_lose_nothing_where_a_core_is_made_between(
    path: Path, home: Home
) -> None:
    """The first one goes on under its names after the second one made a core without them."""
    with Library.open(path, home=home) as first:
        set_note(first, "A note of some words. ")
        for number in range(5):
            with Library.open(path, home=home) as second:
                for word in ("one", "two", "three"):
                    set_note(second, note(second) + f"{word} {number}. ")
                    check_whole(second)
                assert is_core(second)
            set_note(first, note(first) + f"First {number}. ")
            first.edit("ink", [Edit("title", Act.SET, (f"Title {number}",))])
            check_whole(first)
        assert all(f"First {number}. " in note(first) for number in range(5))
        state = list(first.state_json())
    with Library.open(path, home=home) as library:
        library.rebuild_index()
        assert list(library.state_json()) == state


@pytest.mark.usefixtures("hot")
def test_an_edit_that_is_rolled_back_leaves_base_and_core_as_they_were(
    path: Path, home: Home
) -> None:
    with Library.open(path, home=home) as library:
        for number in range(9):
            set_note(library, "A note of some words. " * 3 + f"{number}")
        database = library._replica.database
        tables = ("records", "record_bases", "changes", "incarnations")
        before = [database.rows(f"SELECT * FROM {one}") for one in tables]
        for _ in range(9):
            with pytest.raises(ZeroDivisionError):
                edit_and_fail(library)
            assert [database.rows(f"SELECT * FROM {one}") for one in tables] == before
        set_note(library, "What is written at last")
        check_whole(library)


_FLIPPED = "CAST(substr(state, 1, 40) || x'00' || substr(state, 42) AS BLOB)"

DAMAGES = {
    "the updates since": f"UPDATE records SET state = {_FLIPPED} "
    "WHERE substr(state, 1, 3) = x'808000'",
    "the base": f"UPDATE record_bases SET state = {_FLIPPED}",
    "another type": "UPDATE record_bases SET state = CAST(state AS TEXT)",
    "the names": "UPDATE record_bases SET names = x'00000000ff'",
    "no base": "DELETE FROM record_bases",
    "whose base": "UPDATE record_bases SET record = 'ab' || substr(record, 3)",
}


@pytest.mark.usefixtures("hot")
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(sql, id=name, marks=[] if name == "the base" else [pytest.mark.heavy])
        for name, sql in DAMAGES.items()
    ],
)
def test_a_damaged_base_or_tail_is_found_and_made_again(
    path: Path, home: Home, damage: str
) -> None:
    with Library.open(path, home=home) as library:
        for number in range(9):
            set_note(library, "A note of some words. " * 3 + f"{number}")
        state = list(library.state_json())
        assert is_core(library)
        library._replica.database.execute(damage)
    found = examine(path, home, deep=True, offline=True)
    assert not found.well
    repair(path, home, offline=True)
    assert examine(path, home, deep=True, offline=True).well
    with Library.open(path, home=home) as library:
        assert list(library.state_json()) == state
        check_whole(library)
        set_note(library, "It goes on. " * 9)
        check_whole(library)
