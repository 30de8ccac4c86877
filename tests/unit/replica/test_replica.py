"""One commit of edits: all of it or nothing; who writes under which name, and when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.stored_changes import sum_of_hashes
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library

from bifolio import limits
from bifolio.clock import make_stamp, stamp_milliseconds
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import InvalidValueError, RecordTooLargeError
from bifolio.ids import SETTINGS_ID
from bifolio.library import status
from bifolio.records.attachments import Attachment
from bifolio.search.search import Searches
from bifolio.wire.changes import Change

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    return owner_of_a_library(tmp_path)


def bodies(computer: Computer) -> list[Change]:
    return [Change.parse(one.body) for one in computer.replica.changes.unsealed(bytes_max=1 << 30)]


def slots(computer: Computer) -> list[str]:
    rows = computer.replica.database.rows("SELECT slot FROM incarnations ORDER BY rowid")
    return [slot for (slot,) in rows]


def slot_of(computer: Computer, record_id: str, field: str) -> str:
    return computer.replica.document(record_id).entries().live(field)[0].slot


def test_a_commit_is_one_change_with_its_records(office: Computer) -> None:
    before = len(bodies(office))

    def write(plan: Plan, _: Entries) -> None:
        plan.put("kind", "reference", seen=[])
        plan.put("title", "On Paper", seen=[])

    assert office.replica.commit([(ONE, write), (TWO, write)]) == [ONE, TWO]
    (change,) = bodies(office)[before:]
    assert [record_id for record_id, _ in change.records] == [ONE, TWO]
    assert office.titles() == ["On Paper", "On Paper"]


def test_a_write_that_raises_leaves_nothing_of_its_commit(office: Computer) -> None:
    office.adds(ONE, {"title": "On Paper"})
    before = office.tables()

    def write(plan: Plan, _: Entries) -> None:
        plan.put("title", "On Ink", seen=[])

    def refuse(plan: Plan, _: Entries) -> None:
        plan.put("title", "broken \ud800", seen=[])

    with pytest.raises(InvalidValueError):
        office.replica.commit([(ONE, write), (TWO, write), (THREE, refuse)])
    assert office.tables() == before
    assert office.titles() == ["On Paper"]


def test_a_record_too_large_leaves_nothing_of_its_commit(
    office: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.adds(ONE, {"title": "On Paper"})
    before = office.tables()
    monkeypatch.setattr(limits, "RECORD_UPDATE_BYTES_MAX", 1000)
    with pytest.raises(RecordTooLargeError):
        office.sets(ONE, "note", "x" * 2000)
    assert office.tables() == before


def test_a_plan_without_effect_makes_no_change(office: Computer) -> None:
    office.adds(ONE, {"title": "On Paper"})
    count, state = len(bodies(office)), office.state
    office.sets(ONE, "title", "On Paper")
    assert (len(bodies(office)), office.state) == (count, state)


def test_every_opening_writes_under_a_fresh_slot(office: Computer) -> None:
    office.adds(ONE, {"title": "On Paper"})
    office.sets(ONE, "title", "On Ink")
    first = slot_of(office, ONE, "title")
    again = office.reopened()
    again.sets(ONE, "title", "On Glue")
    second = slot_of(again, ONE, "title")
    assert first != second
    assert first[:8] == second[:8] == office.keys.tag
    assert slots(again) == [first, second]


def test_an_opening_that_only_reads_takes_no_slot(office: Computer) -> None:
    office.adds(ONE, {"title": "On Paper"})
    before = slots(office)
    again = office.reopened()
    assert again.titles() == ["On Paper"]
    assert slots(again) == before


def test_a_machine_that_slept_or_was_cloned_takes_a_new_slot(office: Computer) -> None:
    office.adds(ONE, {"title": "On Paper"})
    office.waits(3600)
    office.sets(ONE, "volume", "1")
    assert slot_of(office, ONE, "volume") == slot_of(office, ONE, "title")
    office.wall_s += limits.CLOCK_JUMP_S + 1
    office.sets(ONE, "volume", "2")
    assert slot_of(office, ONE, "volume") != slot_of(office, ONE, "title")
    office.wall_s -= 3600
    office.sets(ONE, "volume", "3")
    assert len(set(slots(office))) == 3


def test_a_slot_that_the_replica_has_used_is_drawn_again(office: Computer) -> None:
    office.adds(ONE, {"title": "On Paper"})
    used = slots(office)[0]
    draws = iter([b"\x00\x00\x00", b"\x00\x00\x01"])
    same = office.keys.tag + "AAAA"
    office.replica.database.execute(
        "INSERT INTO incarnations (slot, client_id) VALUES (?, 1)", (same,)
    )
    again = office.reopened()
    draw = again.draw
    again.draw = lambda count: next(draws) if count == 3 else draw(count)
    again.sets(ONE, "volume", "1")
    assert slots(again)[-1] not in (used, same)


def test_stamps_rise_across_openings_and_with_a_clock_set_back(office: Computer) -> None:
    office.adds(ONE, {"title": "On Paper"})
    again = office.reopened()
    again.wall_s -= 60
    again.sets(ONE, "title", "On Ink")
    stamps = [change.stamp for change in bodies(again)]
    assert stamps == sorted(set(stamps))


def test_a_stored_stamp_far_ahead_does_not_bind_the_next_opening(office: Computer) -> None:
    office.wall_s += 10 * 365 * 86400
    office.adds(ONE, {"title": "On Paper"})
    again = office.reopened()
    again.wall_s -= 10 * 365 * 86400
    again.sets(ONE, "title", "On Ink")
    stamp = again.replica.document(ONE).entries().live("title")[0].stamp
    assert abs(stamp_milliseconds(stamp) - again.replica.runtime.now_ms()) < 1000
    assert again.shows(ONE).fields["title"] == "On Ink"


def test_a_device_introduces_itself_once_and_by_name(office: Computer) -> None:
    office.adds(ONE, {"title": "On Paper"})
    again = office.reopened()
    again.sets(ONE, "title", "On Ink")
    named = again.replica.document(SETTINGS_ID).entries().live(f"device\x1f{office.keys.tag}")
    assert [json.loads(live.value or "")["name"] for live in named] == ["office"]
    settings = [
        change for change in bodies(again) if SETTINGS_ID in [one for one, _ in change.records]
    ]
    assert len(settings) == 1


def test_who_wrote_is_known_on_every_computer(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    home.learns(office)
    office.sets(ONE, "title", "On Ink")
    home.waits(10)
    home.sets(ONE, "title", "On Glue")
    meet(office, home)
    for computer in (office, home):
        (conflict,) = computer.shows(ONE).conflicts
        assert [(one.n, one.value, one.by) for one in conflict.values] == [
            (1, "On Glue", "home"),
            (2, "On Ink", "office"),
        ]


def test_the_kept_state_hash_equals_the_one_summed_anew(office: Computer) -> None:
    for number in range(20):
        office.adds(f"{number:032x}", {"title": f"Title {number}"})
    office.deletes(f"{3:032x}")
    office.sets(f"{4:032x}", "note", "A note.")
    assert sum_of_hashes(office.replica.database) == office.replica.meta.state_hash
    assert int(office.state, 16) == office.replica.meta.state_hash


def test_a_rebuild_gives_what_upkeep_gave(office: Computer) -> None:
    for number in range(1, 10):
        office.adds(
            f"{number:032x}",
            {"title": f"Title {number}", "citation-key": "same", "tags": ("a", "b")},
        )
    paper = Attachment("paper.pdf", "ab" * 32, 7)
    for number in (1, 3):
        office.adds(f"{number:032x}", {"files": (paper.to_element(), "of a newer version")})
    office.deletes(f"{3:032x}")
    office.sets(f"{4:032x}", "note", "A note.")
    office.sets(f"{5:032x}", "issued", "2024-05")
    before, found = office.replica.references.all_rows(), office.titles()
    assert status.rebuild(office.replica) == 9
    assert office.replica.references.all_rows() == before
    assert office.titles() == found
    files = office.replica.references.attachments.with_content(paper.hash)
    assert [(one.reference, one.name) for one in files] == [
        (f"{number:032x}", "paper.pdf") for number in (1, 3)
    ]
    assert [row.id for row in Searches(office.replica).rows("note")] == [f"{4:032x}"]


def test_a_clock_that_is_ahead_is_named_and_its_edits_are_kept(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    home.wall_s += 86400
    home.adds(ONE, {"title": "From tomorrow"})
    office.learns(home)
    assert office.titles() == ["From tomorrow"]
    (refusal,) = status.refusals(office.replica)
    assert "clock of home is ahead" in refusal.reason
    office.adds(TWO, {"title": "From today"})
    stamp = office.replica.document(TWO).entries().live("title")[0].stamp
    assert stamp < make_stamp(milliseconds=int((office.wall_s + 60) * 1000), counter=0)
    office.waits(2 * 86400)
    assert list(status.refusals(office.replica)) == []


def test_an_incarnation_whose_first_write_was_refused_is_noted_with_the_next(
    tmp_path: Path,
) -> None:
    office = owner_of_a_library(tmp_path).reopened()
    with pytest.raises(InvalidValueError):
        office.adds(ONE, {"title": "half \udc80"})
    office.adds(ONE, {"title": "On Paper"})
    assert slot_of(office, ONE, "title") in slots(office)
