"""Contents that nothing names: kept for a day from when that began, and then dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, owner_of_a_library

from bifolio import limits
from bifolio.replica import collecting, filing

REF = "1" * 32


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    computer = owner_of_a_library(tmp_path)
    computer.adds(REF, {"title": "On Paper"})
    return computer


def attached(computer: Computer, path: Path) -> str:
    path.write_bytes(b"content")
    (file,) = filing.attach(computer.replica, REF, [path], None)
    return file.hash


def test_a_content_that_was_named_again_is_kept_for_a_day_from_its_second_removal(
    office: Computer, tmp_path: Path
) -> None:
    hash = attached(office, tmp_path / "paper.pdf")
    filing.detach(office.replica, REF, "paper.pdf")
    collecting.collect(office.replica)
    office.waits(limits.UNNAMED_KEPT_S + 1)
    attached(office, tmp_path / "paper.pdf")
    filing.detach(office.replica, REF, "paper.pdf")
    collecting.collect(office.replica)
    assert office.replica.contents.has(hash)
    office.waits(limits.UNNAMED_KEPT_S + 1)
    collecting.collect(office.replica)
    assert not office.replica.contents.has(hash)
