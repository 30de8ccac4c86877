"""Settling conflicts by number, whatever the field is called."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members

from bifolio import Library
from bifolio.document import editing
from bifolio.document.conflicts import DELETED
from bifolio.errors import ConflictChoiceError, StorageFullError
from bifolio.home import Home
from bifolio.library import conflicts
from bifolio.records.edits import Act, Edit
from bifolio.replica import lookup
from bifolio.storage.derived import ReferenceRow

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)
FIELD = "x.bibtex.note:private"


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    """A replica that shows a conflict in an extra field whose name looks like a creator's."""
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    meet(office, home)
    office.sets(ONE, FIELD, "one")
    home.sets(ONE, FIELD, "two")
    meet(office, home)
    return office


def row(office: Computer, record_id: str = ONE) -> ReferenceRow:
    found = office.replica.references.read(record_id)
    assert found is not None
    return found


def test_a_conflict_in_a_field_with_a_colon_is_settled_by_number(office: Computer) -> None:
    (conflict,) = lookup.conflicts(office.replica, row(office))
    conflicts.remember(office.replica, [conflict])
    conflicts.resolve(office.replica, row(office), FIELD, take=2, value=None)
    assert office.shows(ONE).fields[FIELD] == conflict.values[1].value
    assert office.shows(ONE).conflicts == ()


def test_a_conflict_in_a_field_with_a_colon_is_settled_by_a_new_value(office: Computer) -> None:
    conflicts.resolve(office.replica, row(office), FIELD, take=None, value="three")
    assert office.shows(ONE).fields[FIELD] == ["three"]
    assert office.shows(ONE).conflicts == ()


def test_a_conflict_is_shown_where_it_cannot_be_noted_that_it_was(
    office: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise StorageFullError(office.replica.path)

    monkeypatch.setattr(office.replica.listings, "write", fails)
    (conflict,) = lookup.conflicts(office.replica, row(office))
    conflicts.remember(office.replica, [conflict])
    with pytest.raises(ConflictChoiceError, match="not listed"):
        conflicts.resolve(office.replica, row(office), FIELD, take=1, value=None)


def test_nothing_is_written_into_a_damaged_file_that_is_only_read(office: Computer) -> None:
    path = office.replica.path
    office.replica.database.close()
    file = path / "library.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'refs'"
        ).fetchone()
    raw = bytearray(file.read_bytes())
    raw[(root - 1) * 4096] ^= 4
    file.write_bytes(raw)
    with Library.open(path, home=Home(path.parent / "home"), reading=True) as library:
        assert [one.field for one in library.show(ONE).conflicts] == [FIELD]
        assert [one.field for one in library.conflicts()] == [FIELD]
        assert "damaged" in library.notices[-1].message
    assert file.read_bytes() == raw


def test_what_cannot_be_chosen_is_named_as_it_is_shown(tmp_path: Path) -> None:
    """Another reference may keep the key: a command with it would be about that one."""
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper", "citation-key": "doe"})
    office.adds(TWO, {"title": "On Ink", "citation-key": "doe"})
    office.adds(THREE, {"title": "On Glue"})
    meet(office, home)
    for record_id in (TWO, THREE):
        office.deletes(record_id)
        home.sets(record_id, "volume", "2")
    meet(office, home)
    for record_id, key in ((TWO, "doe-222222"), (THREE, THREE[:12])):
        found = row(office, record_id)
        with pytest.raises(ConflictChoiceError, match=f"'{key}' was deleted and edited"):
            conflicts.resolve(office.replica, found, DELETED, take=None, value="kept")
        with pytest.raises(ConflictChoiceError, match=f"'{key}' has no conflict in 'title'"):
            conflicts.resolve(office.replica, found, "title", take=[1], value=None)
        assert lookup.find(office.replica, key).id == record_id


def test_texts_begun_on_two_computers_apart_are_joined_as_paragraphs(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    meet(office, home)
    for computer, paragraph in ((office, "Mine."), (home, "Yours.")):
        edit = Edit("note", Act.ADD, (paragraph,))
        computer.commits(ONE, partial(editing.plan_edits, edits=[edit]))
    meet(office, home)
    (conflict,) = lookup.conflicts(office.replica, row(office))
    assert {one.value for one in conflict.values} == {"Mine.", "Yours."}
    conflicts.remember(office.replica, [conflict])
    with pytest.raises(ConflictChoiceError):
        conflicts.resolve(office.replica, row(office), "note", take=[1, 3], value=None)
    conflicts.resolve(office.replica, row(office), "note", take=[2, 1, 2], value=None)
    meet(office, home)
    for computer in (office, home):
        shown = computer.shows(ONE)
        second, first = (one.value for one in conflict.values)
        assert (shown.fields["note"], shown.conflicts) == (f"{first}\n\n{second}", ())


def test_values_that_are_no_texts_are_not_joined(office: Computer) -> None:
    (conflict,) = lookup.conflicts(office.replica, row(office))
    conflicts.remember(office.replica, [conflict])
    with pytest.raises(ConflictChoiceError, match="not texts"):
        conflicts.resolve(office.replica, row(office), FIELD, take=[1, 2], value=None)
    assert len(office.shows(ONE).conflicts) == 1
