"""The trash: emptied on one computer, and what another one did without knowing of it."""

from __future__ import annotations

import pty
import subprocess
from os import close, fdopen

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import BIFOLIO, Computer
from tests.support.convergence import assert_converges, sync_all
from tests.support.relay_process import RelayProcess


def test_an_emptied_trash_gives_back_only_what_was_edited_meanwhile(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """C2: R is back with B's edit, flagged; what B never touched stays away on both."""
    share(relay.url, desk, laptop)
    laptop.run("edit", "work0", "title=Edited while away", "tags+=kept")
    listed, _, emptied, *nothing, status = desk.run_all(
        [
            ("list",),
            ("delete", "work0", "work1"),
            ("trash", "empty", "--yes"),
            ("list", "--trash"),
            ("trash", "list"),
            ("search", "1"),
            ("status",),
        ]
    )
    assert {one["key"] for one in emptied["removed"]} == {"work0", "work1"}
    assert nothing == [[], [], []]
    assert (status["references"], status["trashed"]) == (1, 0)

    view = assert_converges(desk, laptop)
    assert (view.keys, view.trash_keys) == ({"work0", "work2"}, set())
    assert view.fields("work0")["title"] == "Edited while away"
    (before,) = [one for one in listed if one["key"] == "work0"]
    assert view.fields("work0")["note"] == before["fields"]["note"]
    (conflict,) = view.conflicts
    assert (conflict["key"], conflict["kind"]) == ("work0", "revived")
    assert {one["by"] for one in conflict["values"]} == {"desk", "laptop"}

    desk.run_all([("delete", "work0"), ("trash", "empty", "--yes")])
    view = assert_converges(desk, laptop)
    assert (view.keys, view.trash_keys, view.conflicts) == ({"work2"}, set(), [])


@pytest.mark.heavy
def test_a_deleted_reference_comes_back_with_its_groups_and_tags(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """C5: out of the trash, and out of an emptied one, on the computer that did not delete it."""
    share(relay.url, desk, laptop)
    *_, before, _ = desk.run_all(
        [
            ("group", "create", "Shelf"),
            ("group", "add", "Shelf", "work0"),
            ("tag", "add", "red", "work0"),
            ("show", "work0"),
            ("delete", "work0"),
        ]
    )
    sync_all(desk, laptop)
    tags, restored, *_ = laptop.run_all(
        [
            ("tag", "list"),
            ("restore", "work0"),
            ("delete", "work0"),
            ("trash", "empty", "--yes"),
        ]
    )
    assert (tags, restored) == ([], [before])
    sync_all(laptop, desk)
    trash, restored, shown, groups = desk.run_all(
        [("list", "--trash"), ("restore", "work0"), ("show", "work0"), ("group", "list")]
    )
    assert (trash, restored, shown) == ([], [before], before)
    assert [group["count"] for group in groups] == [1]
    assert len(assert_converges(desk, laptop).references) == 3


def test_a_file_that_holds_a_removed_reference_names_it_and_does_not_bring_it_back(
    desk: Computer,
) -> None:
    make_library(desk, numbered_entries(3))
    file = str(desk.home / "start.bib")
    _, emptied, asked, imported, removed = desk.run_all(
        [
            ("delete", "work0"),
            ("trash", "empty", "--yes"),
            ("import", "--dry-run", file),
            ("import", file),
            ("trash", "list", "--emptied"),
        ]
    )
    assert (asked["unchanged"], asked["purged_keys"]) == (2, ["work0"])
    assert imported == asked
    assert removed == emptied["removed"]
    (gone,) = removed
    assert "work0" in desk.call("import", file, exits=0).stdout
    assert gone["id"][:12] in desk.call("trash", "list", "--emptied", exits=0).stdout
    assert "work0" in desk.fails("show", "work0")
    restored, removed = desk.run_all([("restore", gone["id"]), ("trash", "list", "--emptied")])
    assert ([one["key"] for one in restored], removed) == (["work0"], [])


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
