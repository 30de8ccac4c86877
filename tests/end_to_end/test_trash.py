"""The trash: emptied on one computer, and what another one did without knowing of it."""

from __future__ import annotations

import pty
import subprocess
from os import close, fdopen

from tests.support.arrangements import make_library, share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import BIFOLIO, Computer
from tests.support.convergence import assert_converges
from tests.support.relay_process import RelayProcess


def test_an_emptied_trash_gives_back_only_what_was_edited_meanwhile(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """C2: R is back with B's edit, flagged; what B never touched stays away on both."""
    share(relay.url, desk, laptop)
    (edited,) = [one for one in desk.run("list") if one["key"] == "work0"]
    laptop.run("edit", "work0", "title=Edited while away", "tags+=kept")
    desk.run("delete", "work0", "work1")
    removed = desk.run("trash", "empty", "--yes")["removed"]
    assert {one["key"] for one in removed} == {"work0", "work1"}
    assert desk.run("list", "--trash") == desk.run("trash", "list") == []
    assert desk.run("status")["trashed"] == 0
    assert desk.run("search", "Work number 1") == []

    view = assert_converges(desk, laptop)
    assert (view.keys, view.trash_keys) == ({"work0", "work2"}, set())
    assert view.fields("work0")["title"] == "Edited while away"
    assert view.fields("work0")["note"] == edited["fields"]["note"]
    (conflict,) = view.conflicts
    assert (conflict["key"], conflict["kind"]) == ("work0", "revived")
    assert {one["by"] for one in conflict["values"]} == {"desk", "laptop"}

    desk.run("delete", "work0")
    desk.run("trash", "empty", "--yes")
    view = assert_converges(desk, laptop)
    assert (view.keys, view.trash_keys, view.conflicts) == ({"work2"}, set(), [])


def test_a_deleted_reference_comes_back_with_its_groups_and_tags(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """C5: out of the trash, and out of an emptied one; on the computer that did not delete it."""
    share(relay.url, desk, laptop)
    desk.run("group", "create", "Shelf")
    desk.run("group", "add", "Shelf", "work0")
    desk.run("tag", "add", "red", "work0")
    before = desk.run("show", "work0")
    for emptied in (False, True):
        desk.run("delete", "work0")
        if emptied:
            desk.run("trash", "empty", "--yes")
        assert "work0" not in assert_converges(desk, laptop).keys
        assert laptop.run("tag", "list") == []
        (restored,) = laptop.run("restore", "work0")
        assert restored == before
        assert_converges(desk, laptop)
        assert desk.run("show", "work0") == before
        (group,) = desk.run("group", "list")
        assert group["count"] == 1


def test_a_file_that_holds_a_removed_reference_names_it_and_does_not_bring_it_back(
    desk: Computer,
) -> None:
    make_library(desk, numbered_entries(3))
    desk.run("delete", "work0")
    (gone,) = desk.run("trash", "empty", "--yes")["removed"]
    asked = desk.run("import", "--dry-run", desk.home / "start.bib")
    assert (asked["unchanged"], asked["purged_keys"]) == (2, ["work0"])
    assert desk.run("import", desk.home / "start.bib") == asked
    assert "work0" in desk.call("import", desk.home / "start.bib", exits=0).stdout
    assert "work0" in desk.fails("show", "work0")
    assert desk.run("trash", "list", "--emptied") == [gone]
    assert gone["id"][:12] in desk.call("trash", "list", "--emptied", exits=0).stdout
    assert [one["key"] for one in desk.run("restore", gone["id"])] == ["work0"]
    assert desk.run("trash", "list", "--emptied") == []


def test_nobody_at_the_keyboard_empties_the_trash_by_accident(desk: Computer) -> None:
    make_library(desk, numbered_entries(3))
    assert desk.run("trash", "empty") == {"removed": []}
    desk.run("delete", "work0", "work1")
    assert "--yes" in desk.fails("trash", "empty", exits=2)
    for answer, code in (("n", 1), ("y", 0)):
        ended = _answer(desk, answer)
        assert (ended.returncode, "2 references" in ended.stderr) == (code, True), ended
        assert len(desk.run("trash", "list")) == (0 if answer == "y" else 2)
    assert desk.call("trash", "empty", exits=0).stdout == "The trash is empty.\n"


def _answer(computer: Computer, answer: str) -> subprocess.CompletedProcess[str]:
    """``trash empty`` with somebody at the keyboard, who answers."""
    keyboard, terminal = pty.openpty()
    with fdopen(keyboard, "wb", buffering=0) as hands:
        hands.write(answer.encode() + b"\n")
        ended = subprocess.run(
            [BIFOLIO, "trash", "empty"],
            env=computer.environment,
            stdin=terminal,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        close(terminal)
    return ended
