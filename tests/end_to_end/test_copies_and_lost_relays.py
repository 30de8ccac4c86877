"""Cases F: a replica's folder copied, and a relay that lost what it stored."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, sync_all
from tests.support.relay_process import RelayProcess


def copy_of(original: Computer, target: Path) -> Path:
    """The replica's folder, as a file manager copies it."""
    shutil.copytree(original.library, target)
    return target


@pytest.mark.heavy
def test_a_copy_on_the_same_computer_and_its_original_converge_without_an_edit_lost(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """F2: the folder is copied beside the original, with an edit inside that was not sent yet."""
    share(relay.url, desk, laptop)
    desk.run("edit", "work0", "title=Made before the copy")
    copy = desk.with_library(copy_of(desk, desk.home / "Copy.bifolio"))

    desk.run("edit", "work1", "title=Made in the original", "volume=71")
    copy.run("edit", "work1", "page=5-9", "note+=Made in the copy")
    copy.run("add", "title=New in the copy", "key=fresh")
    for replica in (copy, desk, copy):
        replica.run("sync")
    copy.run("edit", "work2", "title=Later in the copy")
    desk.run("edit", "work2", "volume=72")

    view = assert_converges(desk, copy, laptop)
    assert view.keys == {"work0", "work1", "work2", "fresh"}
    assert view.fields("work0")["title"] == "Made before the copy"
    edited = view.fields("work1")
    assert (edited["title"], edited["volume"]) == ("Made in the original", "71")
    assert (edited["page"], edited["note"][-16:]) == ("5-9", "Made in the copy")
    later = view.fields("work2")
    assert (later["title"], later["volume"]) == ("Later in the copy", "72")
    for replica in (desk, copy, laptop):
        status = replica.run("status")
        assert (status["unsent"], status["waiting"], status["refusals"]) == (0, 0, [])


@pytest.mark.heavy
def test_a_copy_on_another_device_asks_for_a_ticket_and_then_converges(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """F2: the folder is copied to another home with another device, which is no member yet."""
    ticket = share(relay.url, desk)
    desk.run("edit", "work0", "title=Made before the copy")
    copy_of(desk, laptop.library)

    desk.run("edit", "work1", "title=Made in the original")
    laptop.run("edit", "work1", "page=5-9")
    laptop.run("edit", "work2", "title=Made in the copy")
    desk.run("sync")
    assert "bifolio attach TICKET" in laptop.fails("sync")
    (refusal,) = laptop.run("status")["refusals"]
    assert set(refusal) == {"reason", "next"}
    assert "bifolio attach TICKET" in refusal["next"]["text"]
    laptop.run("edit", "work2", "volume=73")

    laptop.run("attach", ticket, "--join")
    view = assert_converges(desk, laptop)
    assert view.fields("work0")["title"] == "Made before the copy"
    assert view.fields("work1")["title"] == "Made in the original"
    assert view.fields("work1")["page"] == "5-9"
    assert view.fields("work2")["title"] == "Made in the copy"
    assert view.fields("work2")["volume"] == "73"
    for replica in (desk, laptop):
        status = replica.run("status")
        assert (status["unsent"], status["waiting"], status["refusals"]) == (0, 0, [])


def test_a_wiped_relay_is_offered_everything_again_by_every_replica(
    own_relay: RelayProcess, desk: Computer, laptop: Computer, tmp_path: Path
) -> None:
    """F5: a third computer, which comes after it, gets the whole library."""
    ticket = share(own_relay.url, desk, laptop)
    laptop.run("edit", "work0", "title=Acknowledged before the wipe")
    sync_all(desk, laptop)
    own_relay.stop()
    own_relay.wipe()
    desk.run("edit", "work1", "title=Unsent at the desk")
    laptop.run("edit", "work1", "page=3")
    own_relay.start()

    newcomer = Computer.make(tmp_path, "newcomer")
    assert "bifolio sync" in newcomer.fails("attach", ticket, newcomer.library)
    assert not newcomer.library.exists()

    laptop.run("sync")
    newcomer.run("attach", ticket, newcomer.library)
    view = assert_converges(desk, laptop, newcomer)
    assert view.fields("work0")["title"] == "Acknowledged before the wipe"
    assert view.fields("work1")["title"] == "Unsent at the desk"
    assert view.fields("work1")["page"] == "3"
    assert len(view.references) == 3
    assert desk.run("status")["unsent"] == laptop.run("status")["unsent"] == 0
