"""What a user may call a reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, owner_of_a_library

from bifolio.errors import AmbiguousReferenceError, ReferenceNotFoundError
from bifolio.library.trash import Trash
from bifolio.replica import lookup

PAPER, INK = "ab12" + "0" * 28, "ab13" + "0" * 28


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    computer = owner_of_a_library(tmp_path)
    computer.adds(PAPER, {"title": "On Paper"})
    return computer


def test_the_beginning_of_an_id_is_one_from_four_characters_on(office: Computer) -> None:
    for ref in ("ab12", "AB12", "ab120000", PAPER):
        assert lookup.find(office.replica, ref).id == PAPER
    for ref in ("a", "ab", "ab1", "ab13", PAPER + "0"):
        with pytest.raises(ReferenceNotFoundError):
            lookup.find(office.replica, ref)


def test_a_short_citation_key_finds_its_reference(office: Computer) -> None:
    office.adds(INK, {"title": "On Ink", "citation-key": "a"})
    assert lookup.find(office.replica, "a").id == INK


def test_a_beginning_of_two_ids_is_neither(office: Computer) -> None:
    office.adds("ab12" + "1" * 28, {"title": "On Ink"})
    with pytest.raises(AmbiguousReferenceError):
        lookup.find(office.replica, "ab12")


def test_what_went_with_the_trash_is_found_by_as_much_of_its_id(office: Computer) -> None:
    office.deletes(PAPER)
    Trash(office.replica).empty()
    with pytest.raises(ReferenceNotFoundError):
        Trash(office.replica).restore(["ab1"])
    Trash(office.replica).restore(["ab12"])
    assert lookup.find(office.replica, "ab12").title == "On Paper"
