"""What a large batch brings is durable first and derived afterwards, before anybody reads it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members

from bifolio import limits
from bifolio.doctor import content
from bifolio.document import deletion, sets
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.library import reading, status
from bifolio.records.attachments import Attachment
from bifolio.repair.mender import Mender
from bifolio.replica import folder
from bifolio.replica.derived_tables import rebuild_lists
from bifolio.results import CheckVerdict
from bifolio.storage.database import Database
from bifolio.storage.references import References
from bifolio.storage.underived import Underived

COUNT = 7


def ids(count: int = COUNT) -> list[str]:
    return [f"{number:032x}" for number in range(1, count + 1)]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Computer, Computer]:
    """An office with references that the laptop has received, and not derived."""
    monkeypatch.setattr(limits, "DERIVED_LATER_MIN", 1)
    monkeypatch.setattr(limits, "DERIVED_AT_ONCE", 3)
    office, laptop = members(tmp_path, "office", "laptop")
    for number, one in enumerate(ids()):
        office.adds(one, {"title": f"Work {number}", "tags": ("red",), "citation-key": "same"})
    laptop.receives(office.envelopes())
    return office, laptop


def waits(computer: Computer) -> int:
    return Underived(computer.replica.database).count()


def listed(computer: Computer) -> int:
    return References(computer.replica.database).count(trashed=False)


def test_the_records_and_the_hash_are_there_before_anything_is_derived(
    pair: tuple[Computer, Computer],
) -> None:
    office, laptop = pair
    assert waits(laptop) == COUNT
    assert listed(laptop) == 0
    assert laptop.replica.meta.state_hash == office.replica.meta.state_hash
    assert laptop.replica.records.present(ids()) == set(ids())


def test_who_reads_has_all_derived_first(pair: tuple[Computer, Computer]) -> None:
    office, laptop = pair
    assert laptop.replica.references.count(trashed=False) == COUNT
    assert waits(laptop) == 0
    assert laptop.replica.references.all_rows() == office.replica.references.all_rows()


def test_upkeep_is_what_a_rebuild_gives_and_in_the_same_order(
    pair: tuple[Computer, Computer],
) -> None:
    _, laptop = pair
    by_arrival = "SELECT id FROM refs ORDER BY number"
    kept = laptop.replica.references.all_rows()
    order = laptop.replica.database.rows(by_arrival)
    with laptop.replica.database.transaction():
        rebuild_lists(laptop.replica.database)
    assert laptop.replica.references.all_rows() == kept
    assert laptop.replica.database.rows(by_arrival) == order


def test_a_process_that_ends_before_it_derives_leaves_it_to_the_next(
    pair: tuple[Computer, Computer],
) -> None:
    office, laptop = pair
    again = laptop.reopened()
    assert waits(again) == COUNT
    assert sorted(again.titles()) == sorted(office.titles())


def test_a_process_that_ends_while_it_derives_leaves_the_rest_to_the_next(
    pair: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, laptop = pair
    stored = References.store
    calls: list[int] = []

    def ends(self: References, references: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        stored(self, references)  # type: ignore[arg-type]

    monkeypatch.setattr(References, "store", ends)
    with pytest.raises(KeyboardInterrupt):
        laptop.replica.drain()
    monkeypatch.setattr(References, "store", stored)
    again = laptop.reopened()
    assert waits(again) == COUNT - 3
    assert again.replica.references.all_rows() == office.replica.references.all_rows()


def test_an_edit_before_all_is_derived_is_of_what_is_committed(
    pair: tuple[Computer, Computer],
) -> None:
    office, laptop = pair
    laptop.sets(ids()[0], "title", "Edited")
    meet(office, laptop)
    assert office.replica.meta.state_hash == laptop.replica.meta.state_hash
    assert laptop.replica.references.all_rows() == office.replica.references.all_rows()
    assert "Edited" in laptop.titles()


def test_a_small_batch_behind_a_large_one_keeps_its_place(
    pair: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, laptop = pair
    monkeypatch.setattr(limits, "DERIVED_LATER_MIN", 100)
    last = "f" * 32
    office.adds(last, {"title": "Last"})
    laptop.receives(office.envelopes())
    assert waits(laptop) == COUNT + 1
    rows = laptop.replica.references  # drains
    assert rows.count(trashed=False) == COUNT + 1
    assert laptop.replica.database.rows("SELECT id FROM refs ORDER BY number")[-1] == (last,)


def test_small_batches_are_derived_with_their_commit(
    tmp_path: Path,
) -> None:
    office, laptop = members(tmp_path, "office", "laptop")
    office.adds(ids()[0], {"title": "One"})
    laptop.receives(office.envelopes())
    assert waits(laptop) == 0
    assert listed(laptop) == 1


def test_a_snapshot_has_all_derived(pair: tuple[Computer, Computer]) -> None:
    _, laptop = pair
    with laptop.replica.snapshot():
        assert laptop.replica.references.count(trashed=False) == COUNT


def test_what_is_only_tried_has_all_derived_too(pair: tuple[Computer, Computer]) -> None:
    _, laptop = pair
    with laptop.replica.database.rehearsal():
        assert laptop.replica.references.count(trashed=False) == COUNT
    assert waits(laptop) == COUNT
    assert laptop.replica.references.count(trashed=False) == COUNT


def test_a_library_that_cannot_be_written_shows_what_was_not_derived(
    pair: tuple[Computer, Computer], tmp_path: Path
) -> None:
    _, laptop = pair
    laptop.replica.database.close()
    copy = tmp_path / "read only"
    shutil.copytree(laptop.replica.path, copy)
    database = reading._open_image(copy, lambda: laptop.replica.keys)
    try:
        assert database.is_read_only
        assert References(database).count(trashed=False) == COUNT
    finally:
        database.close()
    stored = Database.open(copy / folder.FILE)
    assert Underived(stored).count() == COUNT
    stored.close()


def test_what_was_not_derived_is_no_damage(pair: tuple[Computer, Computer]) -> None:
    _, laptop = pair
    assert content.index(laptop.replica).verdict is CheckVerdict.WELL
    assert waits(laptop) == 0 or listed(laptop) == 0  # tried on a copy
    assert Mender(laptop.replica, has_keys=True).mend().found == {}


def test_a_rebuild_leaves_nothing_to_derive(pair: tuple[Computer, Computer]) -> None:
    office, laptop = pair
    assert status.rebuild(laptop.replica) == COUNT
    assert waits(laptop) == 0
    assert laptop.replica.references.all_rows() == office.replica.references.all_rows()


def test_a_mass_deletion_that_is_derived_later_is_shown_on(
    pair: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DELETED_BY_OTHERS_MAX", 2)
    office, laptop = pair
    laptop.replica.drain()
    with laptop.replica.database.transaction():
        laptop.replica.deletion_guard.end_session()
    for one in ids()[:-1]:
        office.replica.commit([(one, deletion.plan_delete)])
    laptop.receives(office.envelopes())
    assert waits(laptop) == COUNT - 1
    again = laptop.reopened()
    assert again.replica.deletion_guard.is_holding
    assert again.replica.references.count(trashed=False) == COUNT


def test_a_record_that_cannot_be_read_stops_no_reader(pair: tuple[Computer, Computer]) -> None:
    laptop = pair[1].reopened()
    database = laptop.replica.database
    with database.transaction():
        database.execute("UPDATE records SET state = ? WHERE id = ?", (b"\x01\xff", ids()[2]))
    assert laptop.replica.references.count(trashed=False) == COUNT - 1
    assert waits(laptop) == 0


def test_a_content_that_waits_to_be_named_is_known(pair: tuple[Computer, Computer]) -> None:
    """Otherwise it would be collected as one that no reference names, or not be fetched."""
    office, laptop = pair
    laptop.replica.drain()
    named = Attachment(hash="ab" * 32, name="one.pdf", size=7)

    def attach(plan: Plan, entries: Entries) -> None:
        sets.plan_add(plan, entries, "files", named.to_element())

    office.replica.commit([(ids()[0], attach)])
    laptop.receives(office.envelopes())
    assert waits(laptop) == 1
    assert laptop.replica.transfers.knows(named.hash)
    assert waits(laptop) == 0
