"""The self-check through the command: exit codes, and the way from a fault to its mending."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess


def test_a_fault_is_found_with_its_next_step_which_mends_it(
    relay: RelayProcess, desk: Computer
) -> None:
    share(relay.url, desk)
    well = desk.run("doctor")
    assert well["well"]
    assert {one["verdict"] for one in well["checks"]} <= {"well", "unknown"}
    assert {"place", "key", "integrity", "records", "index", "relay", "autosync"} <= {
        one["check"] for one in well["checks"]
    }

    (desk.home / "device.key").chmod(0o644)
    file = sqlite3.connect(desk.library / "library.sqlite")
    with file:
        file.execute("UPDATE refs SET type = 'map' WHERE key = 'work0'")
    file.close()
    ill = desk.run("doctor", exits=3)
    bad = {
        one["check"]: one["next"]["text"] for one in ill["checks"] if one["verdict"] == "attention"
    }
    assert set(bad) == {"key", "index"}
    assert "chmod 600" in bad["key"]
    assert "doctor --rebuild" in bad["index"]

    Path(desk.home / "device.key").chmod(0o600)
    assert desk.run("doctor", "--rebuild", "--files")["well"]
    with desk.opened() as library:
        shown = library.show("work0")
    assert (shown.type, shown.fields["title"]) == ("article-journal", "Work number 0")


def test_a_library_that_is_not_there_is_told_and_not_made(desk: Computer) -> None:
    ill = desk.run("doctor", exits=3)
    assert [one["check"] for one in ill["checks"] if one["verdict"] == "attention"] == ["library"]
    assert not desk.library.exists()
    assert not (desk.home / "device.key").exists()
