"""Backups through the command: made by hand and unasked, and restored beside the living replica."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, assert_same_library
from tests.support.relay_process import RelayProcess


def test_an_old_backup_restored_beside_the_living_replica_brings_nothing_old_back(
    relay: RelayProcess, desk: Computer
) -> None:
    """F4: the backup knows an older title, an undeleted and a deleted reference, unsent edits."""
    share(relay.url, desk, entries=numbered_entries(5))
    _, _, made, *_, status = desk.run_all(
        [
            ("delete", "work3"),
            ("edit", "work4", "title=Unsent when the backup was made"),
            ("backup", "create"),
            ("edit", "work0", "title=After the backup"),
            ("delete", "work1"),
            ("restore", "work3"),
            ("edit", "work4", "title=Edited again"),
            ("sync",),
            ("edit", "work2", "volume=72"),
            ("status",),
        ]
    )
    restored = desk.run("backup", "restore", made["path"])
    assert restored["path"] == str(desk.home / "Library-restored.bifolio")
    assert restored["library"] == status["library_id"]
    assert restored["replica"] != status["replica_id"]
    old = desk.with_library(Path(restored["path"]))
    shown, *_ = old.run_all(
        [
            ("show", "work0"),
            ("edit", "work2", "title=In the restored one"),
            ("add", "title=New in the restored one", "key=fresh"),
            ("sync",),
        ]
    )
    assert shown["fields"]["title"] == "Work number 0"

    view = assert_converges(desk, old)
    assert view.conflicts == []
    assert view.keys == {"work0", "work2", "work3", "work4", "fresh"}
    assert view.trash_keys == {"work1"}
    assert view.fields("work0")["title"] == "After the backup"
    assert view.fields("work2")["title"] == "In the restored one"
    assert view.fields("work2")["volume"] == "72"
    assert view.fields("work4")["title"] == "Edited again"


@pytest.mark.heavy
def test_the_restored_one_and_the_original_both_go_on_writing(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """F4: with a third replica between them."""
    share(relay.url, desk, laptop)
    made = desk.run("backup", "create")
    restored = desk.run("backup", "restore", made["path"])
    old = desk.with_library(Path(restored["path"]))
    for number in range(3):
        for replica in (old, desk, laptop):
            replica.run_all([("edit", f"work{number}", f"note+=Of {replica.library}."), ("sync",)])
    view = assert_converges(desk, old, laptop)
    for number in range(3):
        for replica in (old, desk, laptop):
            assert f"Of {replica.library}." in view.fields(f"work{number}")["note"]
    for replica in (old, desk, laptop):
        status = replica.run("status")
        assert (status["unsent"], status["waiting"], status["refusals"]) == (0, 0, [])


@pytest.mark.heavy
def test_a_backup_restored_on_another_computer_edits_and_asks_for_a_ticket_to_sync(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """F4: the content keys in it are sealed to the desk."""
    ticket = share(relay.url, desk)
    made = desk.run("backup", "create", "-o", laptop.home / "stick.bifolio-backup")
    desk.run("edit", "work1", "title=After the backup")
    desk.run("sync")
    restored = laptop.run("backup", "restore", made["path"])
    assert restored["path"] == str(laptop.library), "the place of the library was free"
    laptop.run("edit", "work0", "title=Edited at once")
    assert "bifolio attach TICKET" in laptop.fails("sync")

    laptop.run("attach", ticket, "--join")
    view = assert_converges(desk, laptop)
    assert view.fields("work0")["title"] == "Edited at once"
    assert view.fields("work1")["title"] == "After the backup"
    assert view.conflicts == []


@pytest.mark.heavy
def test_a_backup_replaces_a_library_and_a_relay_that_are_lost(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk)
    made = desk.run("backup", "create")
    own_relay.stop()
    own_relay.wipe()
    own_relay.start()
    again = desk.with_library(desk.home / "Again.bifolio")
    desk.run("backup", "restore", made["path"], again.library)
    again.run("sync")
    ticket = again.run("invite")["ticket"]
    laptop.run("attach", ticket, laptop.library)
    assert len(assert_same_library(again, laptop).references) == 3


@pytest.mark.heavy
def test_attaching_and_joining_make_a_backup_that_restores_what_was_there_before(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    make_library(desk, numbered_entries(2))
    attached = desk.run("attach", relay.url)
    make_library(laptop, numbered_entries(4))
    _, status, joined = laptop.run_all(
        [("delete", "work3"), ("status",), ("attach", attached["ticket"])]
    )
    assert joined["left_out"] == 1

    before = laptop.with_library(laptop.home / "Before.bifolio")
    (listed,), verified, _ = laptop.run_all(
        [
            ("backup", "list"),
            ("backup", "verify", joined["backup"]),
            ("backup", "restore", joined["backup"], str(before.library)),
        ]
    )
    assert (listed["path"], verified["verified"]) == (joined["backup"], True)
    assert [one["path"] for one in desk.run("backup", "list")] == [attached["backup"]]
    restored, trash = before.run_all([("status",), ("list", "--trash")])
    assert (restored["state"], restored["relay"]) == (status["state"], None)
    assert [one["key"] for one in trash] == ["work3"]


def test_what_cannot_be_restored_is_told_and_touches_nothing(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    made, before = desk.run_all([("backup", "create"), ("status",)])
    whole = Path(made["path"])
    broken = whole.with_name("broken.bifolio-backup")
    broken.write_bytes(whole.read_bytes()[:-100])
    target = desk.home / "New.bifolio"

    assert "damaged" in desk.fails("backup", "restore", broken, target)
    assert not target.exists()
    assert "not empty" in desk.fails("backup", "restore", whole, desk.library)
    assert desk.run("status") == before

    said = desk.call("backup", "list", "--verify", exits=3).stdout
    assert "checked now" in said
    assert "damaged" in said
