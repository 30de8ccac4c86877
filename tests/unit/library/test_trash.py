"""Emptying the trash: gone from everything that lists, counts or finds; and back when asked."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library

from bifolio import limits
from bifolio.document import sets
from bifolio.errors import AmbiguousReferenceError, ReferenceNotFoundError
from bifolio.library import merge_duplicates, status
from bifolio.library.citation_keys import Keys
from bifolio.library.groups import Groups
from bifolio.library.trash import Trash
from bifolio.records.attachments import FIELD, Attachment
from bifolio.replica import lookup
from bifolio.search.search import Searches

PAPER, INK, GLUE = (f"{letter * 32}" for letter in "abc")
CONTENT = "d" * 64


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    computer = owner_of_a_library(tmp_path)
    fill(computer)
    return computer


def fill(computer: Computer) -> None:
    """Three references; the first two have a group, a tag and a file, and one citation key."""
    group = Groups(computer.replica).create("Shelf").id
    file = Attachment("a.pdf", CONTENT, 7).to_element()
    for record, title in ((PAPER, "On Paper"), (INK, "On Ink")):
        computer.adds(
            record,
            {"type": "book", "title": title, "citation-key": "doe", "tags": ("red",)},
        )
        Groups(computer.replica).add(group, [record])
        computer.commits(record, partial(sets.plan_add, field=FIELD, element=file))
    computer.adds(GLUE, {"type": "book", "title": "On Glue", "citation-key": "roe"})


def test_what_is_emptied_is_in_no_list_count_search_or_index(office: Computer) -> None:
    for record in (PAPER, INK):
        office.deletes(record)
    removed = Trash(office.replica).empty()
    assert [(one.id, one.key, one.title) for one in removed] == [
        (PAPER, "doe", "On Paper"),
        (INK, "doe", "On Ink"),
    ]
    references = office.replica.references
    assert [row.id for row in references.iter_rows(trashed=False)] == [GLUE]
    assert list(references.iter_rows(trashed=True)) == []
    assert (references.count(trashed=False), references.count(trashed=True)) == (1, 0)
    assert Searches(office.replica).count("on") == 1
    assert references.ids_with_key("doe") == []
    assert references.elements.counts("tags") == {}
    assert list(references.attachments.contents()) == []
    with pytest.raises(ReferenceNotFoundError):
        lookup.find(office.replica, PAPER)
    assert len(list(status.state_json(office.replica))) == len(office.replica.records.all_ids()) - 2


def test_a_content_that_another_reference_names_stays_named(office: Computer) -> None:
    office.deletes(PAPER)
    Trash(office.replica).empty()
    assert list(office.replica.references.attachments.contents()) == [(CONTENT, 7)]


def test_a_restored_reference_has_its_groups_tags_and_files_again(office: Computer) -> None:
    """C5, after the trash was emptied."""
    before = office.shows(PAPER)
    for record in (PAPER, INK):
        office.deletes(record)
    Trash(office.replica).empty()
    Trash(office.replica).restore([PAPER[:12], INK])
    assert office.shows(PAPER) == before
    assert [row.hash for row in office.replica.references.attachments.of(PAPER)] == [CONTENT]
    assert list(Trash(office.replica).emptied()) == []


def test_what_was_deleted_is_restored_though_a_living_one_has_its_key(office: Computer) -> None:
    trash = Trash(office.replica)
    office.deletes(PAPER)
    assert [one.id for one in trash.restore(["doe"])] == [PAPER]
    office.deletes(PAPER)
    trash.empty()
    assert [one.id for one in trash.restore(["doe"])] == [PAPER]
    assert [one.id for one in trash.restore(["doe"])] == [PAPER]
    assert office.titles() == ["On Glue", "On Ink", "On Paper"]
    with pytest.raises(ReferenceNotFoundError):
        trash.restore(["nobody"])


def test_several_of_one_key_in_the_trash_are_told_apart_by_their_ids(office: Computer) -> None:
    trash = Trash(office.replica)
    for emptied in (False, True):
        for record in (PAPER, INK):
            office.deletes(record)
        if emptied:
            trash.empty()
        with pytest.raises(AmbiguousReferenceError) as raised:
            trash.restore(["doe"])
        assert raised.value.candidates == (f"doe ({PAPER[:12]})", f"doe ({INK[:12]})")
        assert [one.id for one in trash.restore([INK[:12]])] == [INK]
        assert [one.id for one in trash.restore(["doe"])] == [PAPER]


def test_a_merged_reference_is_restored_by_the_key_that_the_kept_one_took_over(
    office: Computer,
) -> None:
    office.sets(INK, "citation-key", "doeb")
    merge_duplicates.merge(office.replica, ["doe", "doeb"])
    assert lookup.find(office.replica, "doeb").id == PAPER
    assert [one.id for one in Trash(office.replica).restore(["doeb"])] == [INK]
    assert lookup.find(office.replica, "doeb").id == INK
    assert office.titles() == ["On Glue", "On Ink", "On Paper"]


def test_what_came_back_by_itself_and_what_was_deleted_of_one_key_are_told_apart(
    tmp_path: Path,
) -> None:
    office, home = members(tmp_path, "office", "home")
    fill(office)
    meet(office, home)
    home.deletes(PAPER)
    office.sets(PAPER, "volume", "7")
    meet(office, home)
    home.deletes(INK)
    trash = Trash(home.replica)
    with pytest.raises(AmbiguousReferenceError):
        trash.restore(["doe"])
    (settled,) = trash.restore([PAPER[:12]])
    assert (settled.id, settled.conflicts) == (PAPER, ())
    assert [one.id for one in trash.restore(["doe"])] == [INK]


def test_what_lies_in_the_trash_is_found_by_earlier_keys_behind_the_living(
    office: Computer,
) -> None:
    keys = Keys(office.replica)
    keys.pin(["roe"], key="glue")
    office.deletes(GLUE)
    assert lookup.find(office.replica, "roe").id == GLUE
    keys.pin([PAPER], key="roe")
    assert lookup.find(office.replica, "roe").id == PAPER
    assert [one.id for one in Trash(office.replica).restore(["roe"])] == [GLUE]


def test_only_what_was_shown_is_removed(office: Computer) -> None:
    for record in (PAPER, INK):
        office.deletes(record)
    trash = Trash(office.replica)
    assert [one.id for one in trash.empty([INK, GLUE])] == [INK]
    assert [one.id for one in trash.list()] == [PAPER]


def test_a_large_trash_is_emptied_in_several_changes(
    office: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PURGED_AT_ONCE", 2)
    for record in (PAPER, INK, GLUE):
        office.deletes(record)
    before = office.replica.changes.unsent()
    assert len(Trash(office.replica).empty()) == 3
    assert office.replica.changes.unsent() == before + 2
    assert Trash(office.replica).empty() == []


def test_an_emptied_trash_is_empty_on_every_replica_and_a_rebuilt_index_is_the_same(
    tmp_path: Path,
) -> None:
    office, home = members(tmp_path, "office", "home")
    fill(office)
    office.deletes(PAPER)
    meet(office, home)
    Trash(office.replica).empty()
    meet(office, home)
    for computer in (office, home):
        assert [one.id for one in Trash(computer.replica).emptied()] == [PAPER]
        before = computer.replica.references.all_rows()
        status.rebuild(computer.replica)
        assert computer.replica.references.all_rows() == before
    home.sets(INK, "volume", "7")
    meet(office, home)
    assert [one.id for one in Trash(home.replica).emptied()] == [PAPER]
