"""A library that becomes part of another one offers what that one lacks, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.identities import brought
from tests.support.stored_changes import all_envelopes, sum_of_hashes
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library, ris

from bifolio import limits
from bifolio.history.history import History
from bifolio.ids import SETTINGS_ID
from bifolio.library import status
from bifolio.replication import joining
from bifolio.wire.changes import Change

ONE, TWO, THREE, FOUR = ("1" * 32, "2" * 32, "3" * 32, "4" * 32)
PAPER = {"ID": "1", "TI": "On Paper", "AU": "Doe, Jane"}


def begins(laptop: Computer, office: Computer) -> int:
    """The laptop leaves its library for the office's."""
    with laptop.replica.database.transaction():
        return joining.begin(laptop.replica, laptop.member_log, office.replica.library_id)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Computer, Computer]:
    """Two libraries on two computers, each with a reference of its own."""
    office = owner_of_a_library(tmp_path, "office")
    laptop = owner_of_a_library(tmp_path, "laptop")
    office.adds(ONE, {"title": "Of the office"})
    laptop.adds(TWO, {"title": "Of the laptop", "note": "A note."})
    return office, laptop


def test_both_hold_both_afterwards_and_can_go_on_editing(two: tuple[Computer, Computer]) -> None:
    office, laptop = two
    begins(laptop, office)
    laptop.joins(office)
    laptop.learns(office)
    assert joining.settle_offers(laptop.replica) == 1
    meet(office, laptop)
    assert office.titles() == ["Of the laptop", "Of the office"]
    office.sets(TWO, "note", "A note. And more.")
    laptop.sets(TWO, "volume", "7")
    meet(office, laptop)
    assert laptop.shows(TWO).fields["note"] == "A note. And more."
    assert office.shows(TWO).fields["volume"] == "7"
    assert office.shows(TWO).conflicts == ()


def test_its_references_stay_readable_while_it_joins(two: tuple[Computer, Computer]) -> None:
    office, laptop = two
    begins(laptop, office)
    assert laptop.titles() == ["Of the laptop"]
    assert laptop.replica.library_id == office.replica.library_id


def test_what_both_imported_is_not_offered_again(
    two: tuple[Computer, Computer], tmp_path: Path
) -> None:
    office, laptop = two
    for computer in two:
        computer.imports(*ris(tmp_path, PAPER))
    begins(laptop, office)
    laptop.joins(office)
    laptop.learns(office)
    assert joining.settle_offers(laptop.replica) == 1
    meet(office, laptop)
    assert office.titles() == ["Of the laptop", "Of the office", "On Paper"]


def test_what_it_edited_of_a_common_import_is_offered(
    two: tuple[Computer, Computer], tmp_path: Path
) -> None:
    office, laptop = two
    for computer in two:
        computer.imports(*ris(tmp_path, PAPER))
    (paper,) = [
        row.id
        for row in laptop.replica.references.iter_rows(trashed=False)
        if row.title == "On Paper"
    ]
    laptop.sets(paper, "title", "On Paper, as I say")
    begins(laptop, office)
    laptop.joins(office)
    laptop.learns(office)
    assert joining.settle_offers(laptop.replica) == 2
    meet(office, laptop)
    assert office.shows(paper).fields["title"] == "On Paper, as I say"


def test_the_trash_and_the_settings_stay_behind_and_are_counted(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    laptop.adds(THREE, {"title": "Thrown away"})
    laptop.deletes(THREE)
    assert begins(laptop, office) == 1
    laptop.joins(office)
    laptop.learns(office)
    joining.settle_offers(laptop.replica)
    meet(office, laptop)
    assert office.replica.records.read(THREE) is None
    assert laptop.replica.references.count(trashed=True) == 0
    assert office.replica.meta.name == "Thesis"


def test_nothing_of_the_old_library_s_log_or_keys_stays(two: tuple[Computer, Computer]) -> None:
    office, laptop = two
    laptop.envelopes()
    laptop.replica.newer_envelopes.add(
        envelope=b"e",
        envelope_hash=b"h" * 32,
        chain=b"c" * 16,
        position=1,
        needs="kind 2",
        formats="headers 1",
        of_member=True,
    )
    begins(laptop, office)
    assert list(all_envelopes(laptop.replica.database)) == []
    assert laptop.member_log.membership() is None
    assert not laptop.member_log.has_key()
    assert laptop.replica.meta.own_chain is None
    assert laptop.replica.meta.cursor is None
    assert laptop.replica.newer_envelopes.last_number() == 0


def test_the_state_hash_stays_the_sum_over_what_is_there(two: tuple[Computer, Computer]) -> None:
    office, laptop = two
    laptop.adds(THREE, {"title": "Thrown away"})
    laptop.deletes(THREE)
    begins(laptop, office)
    assert sum_of_hashes(laptop.replica.database) == laptop.replica.meta.state_hash


def test_settling_again_offers_nothing(two: tuple[Computer, Computer]) -> None:
    office, laptop = two
    begins(laptop, office)
    laptop.joins(office)
    joining.settle_offers(laptop.replica)
    unsent = laptop.replica.changes.unsent()
    assert joining.settle_offers(laptop.replica) == 0
    assert laptop.replica.changes.unsent() == unsent


def test_a_large_library_is_offered_in_bounded_changes(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    for number in range(16, 16 + 150):
        laptop.adds(f"{number:032x}", {"title": f"Title {number}", "note": "x" * 500})
    begins(laptop, office)
    laptop.joins(office)
    assert joining.settle_offers(laptop.replica) == 151
    sizes = [len(one.body) for one in laptop.replica.changes.unsealed(bytes_max=1 << 30)]
    assert len(sizes) > 1
    assert max(sizes) < 2 * limits.CHANGE_TARGET_BYTES


def test_records_that_no_envelope_could_hold_together_are_offered_apart(
    two: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, laptop = two
    laptop.adds(THREE, {"title": "Long", "note": "x" * 3000})
    laptop.adds(FOUR, {"title": "Long too", "note": "y" * 3000})
    monkeypatch.setattr(limits, "RECORD_UPDATE_BYTES_MAX", 5000)
    begins(laptop, office)
    laptop.joins(office)
    assert joining.settle_offers(laptop.replica) == 3
    changes = laptop.replica.changes.unsealed(bytes_max=1 << 30)
    assert max(len(one.body) for one in changes) < 5200
    meet(office, laptop)
    assert office.titles() == ["Long", "Long too", "Of the laptop", "Of the office"]


def test_a_record_that_no_envelope_could_hold_stays_here_and_is_named(
    two: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, laptop = two
    laptop.adds(THREE, {"title": "Long", "note": "x" * 9000})
    monkeypatch.setattr(limits, "RECORD_UPDATE_BYTES_MAX", 5000)
    begins(laptop, office)
    laptop.joins(office)
    assert joining.settle_offers(laptop.replica) == 1
    assert THREE[:12] in next(status.refusals(laptop.replica)).reason
    laptop.outbox.seal()
    office.learns(laptop)
    assert office.titles() == ["Of the laptop", "Of the office"]
    assert laptop.titles() == ["Long", "Of the laptop"]


def test_an_unreadable_update_is_set_aside_while_a_library_joins(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    with office.replica.database.transaction():
        office.replica.add_change(Change(office.replica.next_stamp(), ((TWO, b"\xff\xff"),)))
    begins(laptop, office)
    laptop.joins(office)
    laptop.learns(office)
    assert "set aside" in next(status.refusals(laptop.replica)).reason
    assert laptop.titles() == ["Of the laptop", "Of the office"]


def joins(laptop: Computer, office: Computer) -> None:
    """The laptop's library becomes a part of the office's, and both have exchanged all."""
    begins(laptop, office)
    laptop.joins(office)
    laptop.learns(office)
    joining.settle_offers(laptop.replica)
    meet(office, laptop)


def paper_of(computer: Computer) -> str:
    """The id of the one reference that was imported."""
    (row,) = [
        row
        for row in computer.replica.references.iter_rows(trashed=False)
        if not (row.title or "").startswith("Of the")
    ]
    return row.id


def conflicts_of(computer: Computer, record_id: str) -> dict[str, list[object]]:
    return {one.field: [v.value for v in one.values] for one in computer.shows(record_id).conflicts}


LONG = PAPER | {"AB": "Of paper.", "KW": "ink", "VL": "1", "DO": "10.1000/1"}


def test_everything_that_joins_bears_the_names_of_its_content(
    two: tuple[Computer, Computer], tmp_path: Path
) -> None:
    office, laptop = two
    laptop.imports(*ris(tmp_path, LONG))
    laptop.sets(paper_of(laptop), "title", "Mine")
    joins(laptop, office)
    for one in brought(office.replica):
        one.check()


def test_edits_of_both_sides_of_a_common_import_meet_as_if_it_were_one_library(
    two: tuple[Computer, Computer], tmp_path: Path
) -> None:
    office, laptop = two
    for computer in two:
        computer.imports(*ris(tmp_path, LONG))
    paper = paper_of(laptop)
    laptop.sets(paper, "title", "On Paper, as I say")
    laptop.sets(paper, "tags", "glue")
    laptop.sets(paper, "abstract", "Of paper. And of glue.")
    office.sets(paper, "volume", "2")
    office.sets(paper, "publisher", "Blue")
    joins(laptop, office)
    for computer in (office, laptop):
        fields = computer.shows(paper).fields
        assert fields["title"] == "On Paper, as I say"
        assert computer.shows(paper).tags == ("glue",)
        assert fields["volume"] == "2"
        assert fields["abstract"] == "Of paper. And of glue."
        assert [one["family"] for one in fields["author"]] == ["Doe"]
        assert conflicts_of(computer, paper) == {}


def test_what_both_sides_edited_of_a_common_import_is_a_conflict(
    two: tuple[Computer, Computer], tmp_path: Path
) -> None:
    office, laptop = two
    for computer in two:
        computer.imports(*ris(tmp_path, LONG))
    paper = paper_of(laptop)
    laptop.waits(1)
    office.sets(paper, "title", "Of the office")
    laptop.sets(paper, "title", "Of the laptop")
    joins(laptop, office)
    assert conflicts_of(office, paper) == {"title": ["Of the laptop", "Of the office"]}


def test_a_file_goes_on_where_the_joined_record_stands(
    two: tuple[Computer, Computer], tmp_path: Path
) -> None:
    office, laptop = two
    laptop.imports(*ris(tmp_path, LONG))
    paper = paper_of(laptop)
    laptop.sets(paper, "title", "Mine")
    laptop.sets(paper, "x.own", "1")
    joins(laptop, office)
    newer = LONG | {"VL": "2", "AB": "Of ink.", "KW": "glue"}
    for computer in two:
        assert len(computer.imports(*ris(tmp_path, newer)).updated_keys) == 1
    meet(office, laptop)
    for computer in two:
        fields = computer.shows(paper).fields
        assert fields["title"] == "Mine"
        assert fields["volume"] == "2"
        assert fields["abstract"] == "Of ink."
        assert computer.shows(paper).tags == ("glue",)
        assert [one["family"] for one in fields["author"]] == ["Doe"]
        assert conflicts_of(computer, paper) == {}
    for one in brought(office.replica):
        one.check()


def test_two_computers_that_join_with_equal_records_bring_one(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path, "office")
    laptop, home = members(tmp_path, "laptop", "home")
    laptop.imports(*ris(tmp_path, LONG))
    laptop.sets(paper_of(laptop), "title", "Mine")
    laptop.adds(TWO, {"title": "Of the laptop", "note": "A note."})
    meet(laptop, home)
    before = {row.id: row.title for row in laptop.replica.references.iter_rows(trashed=False)}
    for computer in (laptop, home):
        begins(computer, office)
        computer.joins(office)
    joining.settle_offers(laptop.replica)
    laptop.outbox.seal()
    assert joining.settle_offers(home.replica) == 2  # it has not heard of the laptop yet
    for computer in (office, laptop, home):
        membership = office.member_log.membership()
        known = computer.member_log.membership()
        assert membership is not None
        assert known is not None
        computer.member_log.learn(membership.records[len(known.records) :])
    meet(office, laptop, home)
    for computer in (office, laptop, home):
        rows = computer.replica.references.iter_rows(trashed=False)
        assert {row.id: row.title for row in rows} == before
        assert all(conflicts_of(computer, one) == {} for one in before)


def test_an_edit_of_the_meantime_comes_after_what_is_offered(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    begins(laptop, office)
    laptop.joins(office)
    laptop.sets(TWO, "title", "Edited in the meantime")
    edits = [Change.parse(one.body) for one in laptop.replica.changes.unsealed_edits()]
    laptop.learns(office)
    joining.settle_offers(laptop.replica)
    laptop.outbox.seal()
    assert [one.record_id for one in brought(laptop.replica)][-2:] == [TWO, SETTINGS_ID]
    meet(office, laptop)
    assert office.shows(TWO).fields["title"] == "Edited in the meantime"
    assert conflicts_of(office, TWO) == {}
    edited = [one for one in History(laptop.replica).of(TWO) if one.change == edits[0].id.hex()]
    assert [(one.field, one.after) for one in edited] == [("title", "Edited in the meantime")]
