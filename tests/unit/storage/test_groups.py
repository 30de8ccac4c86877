"""The rows of groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.storage.builders import new_database

from bifolio.storage.groups import GroupRow, GroupTable

READING = GroupRow(
    "aa" * 16, "Reading", None, "", "V", "#336699", None, deleted=False, revived=True
)
SMART = GroupRow(
    "bb" * 16, "Recent", "aa" * 16, "rank", "", None, "folding", deleted=True, revived=False
)


@pytest.fixture
def groups(tmp_path: Path) -> GroupTable:
    return GroupTable(new_database(tmp_path))


def test_rows_come_back_as_they_were_written_by_id(groups: GroupTable) -> None:
    groups.write(SMART)
    groups.write(READING)
    assert groups.all() == [READING, SMART]


def test_writing_again_replaces_the_row(groups: GroupTable) -> None:
    groups.write(READING)
    renamed = replace(READING, name="To read", colour=None, deleted=True)
    groups.write(renamed)
    assert groups.all() == [renamed]


def test_only_a_living_group_has_a_name_to_show(groups: GroupTable) -> None:
    groups.write(READING)
    groups.write(SMART)
    assert groups.living_name(READING.id) == "Reading"
    assert groups.living_name(SMART.id) is None
    assert groups.living_name("cc" * 16) is None


def test_clearing_forgets_all(groups: GroupTable) -> None:
    groups.write(READING)
    groups.clear()
    assert groups.all() == []
