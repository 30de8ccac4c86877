"""The log: commands and received changes in words, the latest first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library, ris

from bifolio.document import deletion, sets
from bifolio.errors import DeviceNotFoundError
from bifolio.history.history import History
from bifolio.library.groups import Groups
from bifolio.library.tags import Tags
from bifolio.results import Action, ActionKind
from bifolio_cli.text.history_text import actions_text

ONE, TWO = ("1" * 32, "2" * 32)


def told(computer: Computer, limit: int = 50) -> list[str]:
    return [actions_text(one.what) for one in History(computer.replica).log(limit=limit)]


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "One", "citation-key": "one"})
    return office


def test_each_command_is_one_line_with_what_it_did(office: Computer, tmp_path: Path) -> None:
    office.sets(ONE, "title", "Two")
    office.adds(TWO, {"title": "Two", "citation-key": "two", "tags": ("x",)})
    office.commits(ONE, lambda plan, entries: sets.plan_add(plan, entries, "tags", "x"))
    Tags(office.replica).rename("x", "y")
    office.deletes(ONE)
    office.commits(ONE, deletion.plan_restore)
    office.imports(*ris(tmp_path, {"ID": "doe", "TI": "Imported"}))
    groups = Groups(office.replica)
    groups.create("A")
    groups.create("B", parent="A")
    groups.rename("B", "C")
    groups.move("C")
    groups.edit("C", colour="red")
    groups.delete("C")
    assert told(office)[::-1] == [
        "named the library Thesis",
        "added one",
        "edited title of one",
        "added two",
        "edited tags of one",
        "edited tags of 2 references",
        "deleted one",
        "restored one",
        "imported doe from ris",
        "created the group A",
        "created the group B",
        "renamed the group B to C",
        "moved the group C",
        "changed the group C",
        "deleted the group C",
    ]


def test_a_command_that_said_what_it_does_is_told_so(office: Computer) -> None:
    with office.replica.journal.command() as command:
        office.sets(ONE, "title", "Two")
        office.sets(ONE, "volume", "2")
        command.actions = (Action(ActionKind.TEXT, text="tidied up"),)
    assert told(office)[0] == "tidied up"
    History(office.replica).undo()
    first, second = History(office.replica).log(limit=2)
    assert (actions_text(first.what), first.undone) == ("undid: tidied up", False)
    assert (actions_text(second.what), second.undone) == ("tidied up", True)
    assert (second.command, second.changes) == (True, 2)
    History(office.replica).undo(first.id)
    assert told(office)[0] == "redid: tidied up"


def test_changes_of_others_are_told_by_device_and_time(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "One", "citation-key": "one"})
    meet(office, home)
    home.waits(60)
    home.sets(ONE, "title", "Two")
    meet(office, home)
    (latest, *_) = log = History(office.replica).log()
    assert (latest.by, actions_text(latest.what), latest.command) == (
        "home",
        "edited title of one",
        False,
    )
    assert latest.at == "2023-11-14T22:14:20.001Z"
    history = History(office.replica)
    assert [one.by for one in history.log(device="home")] == ["home"]
    since = datetime.fromtimestamp(home.wall_s - 1, UTC)
    assert history.log(since=since) == [latest]
    assert history.log(limit=2) == log[:2]
    with pytest.raises(DeviceNotFoundError, match="home, office"):
        history.log(device="laptop")


def test_a_command_over_many_changes_counts_what_it_touched(office: Computer) -> None:
    with office.replica.journal.command():
        for number in range(20):
            office.adds(f"{number + 100:032x}", {"title": f"Title {number}"})
    assert told(office, limit=1) == ["added 20 references"]


def test_words_that_an_earlier_version_kept_are_shown_as_they_are(office: Computer) -> None:
    with office.replica.journal.command() as command:
        office.sets(ONE, "title", "Two")
    assert command.number is not None
    with office.replica.database.transaction():
        office.replica.journal.operations.describe(command.number, "imported 2 references")
    assert told(office)[0] == "imported 2 references"
    History(office.replica).undo()
    assert told(office)[0] == "undid: imported 2 references"
