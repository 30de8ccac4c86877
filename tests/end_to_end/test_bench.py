"""``bifolio bench`` as a user runs it: what it measures is real, and no library is touched."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.support.computer import Computer

from bifolio import Library


@pytest.mark.heavy
def test_the_command_measures_and_leaves_nothing(desk: Computer, tmp_path: Path) -> None:
    picture = tmp_path / "bench.svg"
    report = desk.run("bench", "--references", "24", "--edits", "5", "--replicas", "3",
                      "--svg", str(picture))  # fmt: skip
    assert [one["name"] for one in report["steps"]] == ["import", "send", "fill", "edit", "merge"]
    assert report["steps"][-1]["count"] == 3 * 2 * 5
    assert report["growth"][-1]["references"] >= 20
    ElementTree.parse(picture)
    assert not desk.library.exists()


@pytest.mark.heavy
def test_a_library_of_the_users_is_only_copied(desk: Computer) -> None:
    desk.run("init")
    for number in range(9):
        desk.run("add", f"title=Own {number}")
    before = desk.run("status")["state"]
    report = desk.run("bench", "--edits", "2", "-L", str(desk.library))
    assert report["references"] >= 8
    assert desk.run("status")["state"] == before
    with Library.open(desk.library) as library:
        assert len(list(library.list())) == 9
