"""Which change touched which record, kept with every write, and a record's changes replayed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.newer_envelopes import golden_library
from tests.unit.replica.builders import Computer, members, new_computer, owner_of_a_library, ris

from bifolio.crypto.membership import library_id_of
from bifolio.document.view import read_view
from bifolio.history import replay
from bifolio.history.replay import Replay
from bifolio.replication import joining

ONE, TWO = ("1" * 32, "2" * 32)


def titles(computer: Computer, record_id: str) -> list[object]:
    """The title after each change of a reference."""
    steps = Replay(computer.replica).steps(record_id)
    return [read_view(step.after).values.get("title") for step in steps]


def rebuilds_to_the_same(computer: Computer) -> bool:
    """Whether the index, made anew from the changes, is what its upkeep gave."""
    before = computer.replica.journal.index.all_rows()
    assert before
    with computer.replica.database.transaction():
        replay.rebuild_index(computer.replica)
    return computer.replica.journal.index.all_rows() == before


@pytest.fixture
def pair(tmp_path: Path) -> list[Computer]:
    return members(tmp_path, "office", "home")


def test_a_record_is_replayed_before_and_after_its_changes_are_sealed(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "One"})
    office.adds(TWO, {"title": "Another"})
    office.sets(ONE, "title", "Two")
    assert titles(office, ONE) == ["One", "Two"]
    assert rebuilds_to_the_same(office)
    office.outbox.seal()
    assert titles(office, ONE) == ["One", "Two"]
    assert rebuilds_to_the_same(office)


def test_what_a_newer_program_merged_here_is_left_out_by_an_older_one(
    tmp_path: Path,
) -> None:
    golden = golden_library("body-version-3")
    newer = new_computer(
        tmp_path,
        "newer",
        library=library_id_of(golden.members[0]),
        keys=golden.keys,
        formats=golden.newer.formats,
    )
    newer.member_log.learn(golden.members)
    with newer.replica.database.transaction():
        newer.member_log._keep_key(0, golden.content_key)
    newer.receives(golden.log[:2])
    assert titles(newer, ONE) == ["On Paper", "On Ink"]
    older = newer.reopened()
    assert titles(older, ONE) == ["On Paper"]


def test_own_changes_with_received_ones_between_them_keep_their_places_when_sealed(
    pair: list[Computer],
) -> None:
    office, home = pair
    office.adds(ONE, {"title": "One"})
    home.learns(office)
    home.sets(ONE, "title", "Two")
    office.sets(ONE, "volume", "1")
    office.learns(home)
    office.sets(ONE, "title", "Three")
    office.adds(TWO, {"title": "Another"})
    office.outbox.seal()
    assert titles(office, ONE)[-1] == "Three"
    assert titles(office, TWO) == ["Another"]
    assert rebuilds_to_the_same(office)


def test_what_others_wrote_is_replayed_too(pair: list[Computer], tmp_path: Path) -> None:
    office, home = pair
    office.imports(*ris(tmp_path, {"ID": "1", "TI": "Imported"}))
    home.learns(office)
    (record_id,) = [row.id for row in home.replica.references.iter_rows(trashed=False)]
    home.sets(record_id, "title", "Edited")
    assert titles(home, record_id) == ["Imported", "Edited"]
    assert rebuilds_to_the_same(home)


def test_changes_of_a_refused_envelope_are_found_in_the_one_that_replaces_it(
    tmp_path: Path,
) -> None:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "One"})
    office.outbox.seal()
    office.sets(ONE, "title", "Two")
    office.outbox.seal()
    chain = office.replica.meta.own_chain
    assert chain is not None
    office.outbox.restart_own_chain(chain.head)
    assert titles(office, ONE) == ["One", "Two"]
    assert rebuilds_to_the_same(office)


def test_the_past_of_a_library_that_joins_another_one_begins_there(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path, "office")
    laptop = owner_of_a_library(tmp_path, "laptop")
    laptop.adds(TWO, {"title": "One"})
    laptop.sets(TWO, "title", "Two")
    with laptop.replica.database.transaction():
        joining.begin(laptop.replica, laptop.member_log, office.replica.library_id)
    assert titles(laptop, TWO) == []
    assert laptop.replica.journal.operations.last() is None
    laptop.joins(office)
    joining.settle_offers(laptop.replica)
    assert titles(laptop, TWO) == ["Two"]
    # What was offered is one operation, so that a mistaken join can be taken back.
    assert laptop.replica.journal.operations.last() is not None
    assert rebuilds_to_the_same(laptop)


def test_a_copied_folder_keeps_what_its_device_cannot_open_in_the_index(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "One"})
    office.outbox.seal()
    stranger = new_computer(tmp_path, "stranger")
    copied = Computer(office.replica.path, "stranger", stranger.keys, office.replica.database)
    copied.sets(ONE, "title", "Two")
    assert titles(copied, ONE) == ["Two"]
    assert rebuilds_to_the_same(copied)


def test_a_file_of_an_earlier_version_is_read_the_first_time_that_someone_asks(
    tmp_path: Path,
) -> None:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "One"})
    kept = office.replica.journal.index.all_rows()
    with office.replica.database.transaction():
        office.replica.journal.index.clear()
        office.replica.meta.history_unread = True
    replay.ensure_index(office.replica)
    assert office.replica.journal.index.all_rows() == kept
    assert office.replica.meta.history_unread is False
