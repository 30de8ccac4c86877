"""C3: most of a library deleted on one computer; and the whole library as it was before."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from tests.support.arrangements import share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, sync_all
from tests.support.relay_process import RelayProcess

REFERENCES = 65
DELETED = 52


def moment() -> str:
    """Now, between two edits."""
    time.sleep(0.01)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    time.sleep(0.01)
    return now


def keys(number: int) -> list[str]:
    return [f"work{one}" for one in range(number)]


def listed(computer: Computer) -> dict[str, str | None]:
    return {one["key"]: one["deleted_by"] for one in computer.run("list")}


def test_a_mass_deletion_is_shown_on_until_it_is_confirmed(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop, entries=numbered_entries(REFERENCES))
    before = moment()
    desk.run("delete", *keys(DELETED))
    state = sync_all(desk, laptop)
    assert desk.run("status")["references"] == REFERENCES - DELETED

    shown = listed(laptop)
    assert len(shown) == REFERENCES
    assert {key for key, by in shown.items() if by == "desk"} == set(keys(DELETED))
    status = laptop.run("status")
    assert (status["references"], status["trashed"], status["shown_on"]) == (
        REFERENCES,
        0,
        DELETED,
    )
    (problem,) = status["refusals"]
    assert f"desk deleted {DELETED} of {REFERENCES} references" in problem["reason"]
    assert "trash confirm" in problem["next"]["text"]
    assert "not confirmed" in laptop.call("list").stdout
    assert "shown until you confirm it" in laptop.call("show", "work1").stdout

    # What is derived again is shown as it was.
    checks = laptop.run("doctor", "--rebuild", exits=3)["checks"]
    assert {one["check"] for one in checks if one["verdict"] != "well"} == {"pending"}
    assert listed(laptop) == shown

    # Edited, restored and deleted one by one.
    laptop.run("edit", "work0", "note=Still needed")
    laptop.run("restore", "work1")
    laptop.run("delete", "work2")
    assert laptop.run("status")["shown_on"] == DELETED - 3
    assert sync_all(laptop, desk) != state
    assert {"work0", "work1"} <= listed(desk).keys()
    assert "work2" not in listed(desk)

    assert laptop.run("trash", "confirm")["references"] == DELETED - 3
    assert laptop.run("trash", "confirm")["references"] == 0
    view = assert_converges(laptop, desk)
    assert len(view.keys) == REFERENCES - DELETED + 2

    report = laptop.run("restore", "--at", before, "--dry-run")
    assert (report["restored"], report["trashed"], report["id"]) == (DELETED - 2, 0, None)
    assert len(assert_converges(laptop, desk).keys) == REFERENCES - DELETED + 2
    report = laptop.run("restore", "--at", before)
    assert report["restored"] == DELETED - 2
    view = assert_converges(laptop, desk)
    assert len(view.keys) == REFERENCES
    assert "Still needed" not in str(view.fields("work0"))


@pytest.mark.heavy
def test_all_come_back_from_a_mass_deletion_that_was_purged_too(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop, entries=numbered_entries(REFERENCES))
    before = moment()
    desk.run_all([("delete", *keys(DELETED)), ("trash", "empty", "--yes")])
    sync_all(desk, laptop)
    assert len(listed(laptop)) == REFERENCES
    # The next step of status is what brings all back, on both.
    (problem,) = laptop.run("status")["refusals"]
    at = problem["next"]["facts"]["time"]
    assert at < before or at[:16] == before[:16]
    report = laptop.run("restore", "--at", before)
    assert (report["restored"], report["changed"], report["unknown"]) == (DELETED, 0, 0)
    assert laptop.run("status")["shown_on"] == 0
    view = assert_converges(laptop, desk)
    assert len(view.keys) == REFERENCES
    assert set(listed(laptop).values()) == {None}
    # Undone, it is as the other computer left it; for that one it is a mass deletion of its own.
    laptop.run("undo", report["id"])
    sync_all(laptop, desk)
    assert set(listed(desk).values()) == {None, "laptop"}
    assert desk.run("trash", "confirm")["references"] == DELETED
    view = assert_converges(laptop, desk)
    assert len(view.keys) == REFERENCES - DELETED


@pytest.mark.heavy
def test_a_few_deletions_and_those_before_a_newcomer_came_are_not_shown_on(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    ticket = share(relay.url, desk, entries=numbered_entries(REFERENCES))
    desk.run("delete", *keys(DELETED))
    desk.run("sync")
    laptop.run("attach", ticket, laptop.library)
    assert laptop.run("status")["shown_on"] == 0
    assert len(listed(laptop)) == REFERENCES - DELETED
    # Of the 16 that are left all may go: they are fewer than a mass deletion has.
    desk.run("delete", *[f"work{one}" for one in range(DELETED, REFERENCES)])
    sync_all(desk, laptop)
    assert (len(listed(laptop)), laptop.run("status")["shown_on"]) == (0, 0)


@pytest.mark.heavy
def test_the_library_goes_back_to_a_time_with_groups_tags_and_files(
    desk: Computer,
) -> None:
    paper = desk.home / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7\n")
    file = desk.home / "start.bib"
    file.write_text(numbered_entries(5), "utf-8")
    desk.run_all(
        [
            ("init",),
            ("import", str(file)),
            ("group", "create", "Shelf"),
            ("group", "add", "Shelf", "work0", "work1"),
            ("tag", "add", "red", "work0"),
            ("file", "add", "work0", str(paper)),
            ("delete", "work4"),
        ]
    )
    *_, then = desk.run_all([("list",), ("list", "--trash"), ("group", "list"), ("list",)])
    views = [("list",), ("list", "--trash"), ("group", "list")]
    before = desk.run_all(views)
    at = moment()
    desk.run_all(
        [
            ("edit", "work0", "title=Other", "author=Doe, Jane"),
            ("tag", "remove", "red", "work0"),
            ("file", "remove", "work0", "paper.pdf"),
            ("group", "remove", "Shelf", "work1"),
            ("group", "rename", "Shelf", "Board"),
            ("group", "create", "Later"),
            ("delete", "work2"),
            ("restore", "work4"),
            ("add", "type=book", "title=Made later", "citation-key=later"),
        ]
    )
    changed = desk.run_all(views)
    report = desk.run("restore", "--at", at)
    assert (report["restored"], report["changed"], report["unknown"]) == (1, 2, 0)
    assert report["trashed"] == 2
    after = desk.run_all(views)
    assert after[0] == before[0] == then
    assert after[2] == before[2]
    assert {one["key"] for one in after[1]} == {"work4", "later"}
    assert desk.run("restore", "--at", at)["changed"] == 0
    desk.run("undo", report["id"])
    assert desk.run_all(views) == changed
    assert "and not both" in desk.fails("restore", exits=2)
