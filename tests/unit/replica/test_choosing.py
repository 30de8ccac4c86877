"""Settling conflicts by number, whatever the field is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members

from bifolio.replica import choosing, lookup
from bifolio.storage.derived import ReferenceRow

ONE = "1" * 32
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


def row(office: Computer) -> ReferenceRow:
    found = office.replica.references.read(ONE)
    assert found is not None
    return found


def test_a_conflict_in_a_field_with_a_colon_is_settled_by_number(office: Computer) -> None:
    (conflict,) = lookup.conflicts(office.replica, row(office))
    choosing.remember(office.replica, [conflict])
    choosing.resolve(office.replica, row(office), FIELD, take=2, value=None)
    assert office.shows(ONE).fields[FIELD] == conflict.values[1].value
    assert office.shows(ONE).conflicts == ()


def test_a_conflict_in_a_field_with_a_colon_is_settled_by_a_new_value(office: Computer) -> None:
    choosing.resolve(office.replica, row(office), FIELD, take=None, value="three")
    assert office.shows(ONE).fields[FIELD] == ["three"]
    assert office.shows(ONE).conflicts == ()
