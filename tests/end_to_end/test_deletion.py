"""Cases C: deletions, alone and against edits that did not know of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.relay_process import RelayProcess


def revived(desk: Computer, laptop: Computer, url: str) -> dict[str, Any]:
    """``work0`` deleted at the desk and edited on the laptop, merged; its one conflict."""
    share(url, desk, laptop)
    assert [one["trashed"] for one in desk.run("delete", "work0")] == [True]
    laptop.run("edit", "work0", "title=Edited without knowing")
    view = assert_converges(desk, laptop)
    assert len(view.references) == 3
    (conflict,) = view.conflicts
    return conflict


@pytest.mark.parametrize(
    ("settled_by", "lives"),
    [("delete", False), pytest.param("restore", True, marks=pytest.mark.heavy)],
)
def test_an_edit_unseen_by_the_deleter_revives_the_reference_until_someone_decides(
    relay: RelayProcess, desk: Computer, laptop: Computer, settled_by: str, lives: bool
) -> None:
    """C1: live on both with the edit and listed; deleting again deletes, restoring keeps it."""
    conflict = revived(desk, laptop, relay.url)
    assert (conflict["key"], conflict["field"], conflict["kind"]) == (
        "work0",
        "deleted",
        "revived",
    )
    shown = desk.run("show", "work0")
    assert shown["trashed"] is False
    assert shown["fields"]["title"] == "Edited without knowing"
    assert shown["conflicts"] == [conflict]

    desk.run(settled_by, "work0")
    view = assert_converges(desk, laptop)
    assert ("work0" in view.keys) is lives
    assert view.trash_keys == (set() if lives else {"work0"})
    assert view.conflicts == []


@pytest.mark.heavy
def test_a_reference_that_the_other_never_touched_stays_in_the_trash(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """C4: the other computer, away, edits other references; nothing resurrects the deleted one."""
    share(relay.url, desk, laptop)
    desk.run("delete", "work0")
    laptop.run("edit", "work1", "title=Something else")

    assert assert_converges(desk, laptop).trash_keys == {"work0"}
    laptop.run("edit", "work2", "title=And later")
    view = assert_converges(laptop, desk)
    assert (view.keys, view.trash_keys) == ({"work1", "work2"}, {"work0"})
    assert view.conflicts == []
    assert "restore" in laptop.fails("edit", "work0", "title=Too late")


@pytest.mark.heavy
def test_a_reference_deleted_on_both_is_in_the_trash_without_a_conflict(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """C6: and restoring it on one computer restores it on the other."""
    share(relay.url, desk, laptop)
    desk.run("delete", "work0")
    laptop.run("delete", "work0")

    view = assert_converges(desk, laptop)
    assert (view.keys, view.trash_keys) == ({"work1", "work2"}, {"work0"})
    assert view.conflicts == []

    laptop.run("restore", "work0")
    view = assert_converges(laptop, desk)
    assert (len(view.references), view.trash, view.conflicts) == (3, [], [])
