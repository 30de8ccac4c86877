"""Cases I: what happened to a reference, and the ways back, on two computers through a relay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.relay_process import RelayProcess


def now() -> str:
    return datetime.now(UTC).isoformat()


def told(events: list[dict[str, Any]], field: str) -> list[tuple[Any, Any, str]]:
    """Before, after and by whom, for each event of a field."""
    return [(one["before"], one["after"], one["by"]) for one in events if one["field"] == field]


@pytest.mark.heavy
def test_history_tells_who_when_and_what_before_and_a_field_or_all_of_it_goes_back(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """I1: for each field, on both computers; one field or the whole reference can go back."""
    share(relay.url, desk, laptop)
    first = desk.run("show", "work0")
    title = first["fields"]["title"]
    before = now()
    desk.run_all(
        [
            ("edit", "work0", "title=Of the desk", "note=Sheets of paper.", "tags+=folding"),
            ("sync",),
        ]
    )
    between = now()
    laptop.run_all(
        [
            ("sync",),
            ("edit", "work0", "title=Of the laptop", "note=Sheets of linen.", "author+=Roe, Max"),
            ("sync",),
        ]
    )
    desk.run("sync")

    for computer in (desk, laptop):
        events = computer.run("history", "work0")
        assert told(events, "title") == [
            (None, title, "import"),
            (title, "Of the desk", "desk"),
            ("Of the desk", "Of the laptop", "laptop"),
        ]
        assert told(events, "note")[-1] == ("Sheets of paper.", "Sheets of linen.", "laptop")
        assert all(one["at"] and one["change"] for one in events)
        times = {one["by"]: one["at"] for one in events if one["field"] == "title"}
        assert before < times["desk"] < between < times["laptop"] < now()
        assert {one["source"] for one in events if one["by"] == "import"} == {"bibtex"}
    human = desk.call("history", "work0", exits=0).stdout
    assert "note: Sheets of paper. -> Sheets of linen." in human

    edited = next(one["change"] for one in events if one["after"] == "Of the laptop")
    one_field, again, whole = desk.run_all(
        [
            ("revert", "work0", "--field", "title", "--to", between),
            ("revert", "work0", "--to", edited),
            ("revert", "work0", "--to", before),
        ]
    )
    assert one_field["fields"]["title"] == "Of the desk"
    assert one_field["fields"]["note"] == "Sheets of linen."
    assert again["fields"]["title"] == "Of the laptop"
    assert "folding" in again["tags"]
    assert whole == first
    view = assert_converges(desk, laptop)
    assert view.fields("work0") == first["fields"]
    assert view.conflicts == []


@pytest.mark.heavy
def test_one_device_s_changes_of_one_day_are_undone_and_later_edits_of_others_stay(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """I3: gone, references and groups; what others edited later stays, and is named."""
    share(relay.url, desk, laptop)
    laptop.run_all([("edit", "work1", "volume=of an earlier day"), ("sync",)])
    _, first, earlier = desk.run_all([("sync",), ("show", "work0"), ("show", "work1")])
    since = now()
    laptop.run_all(
        [
            ("edit", "work0", "title=Wrong", "volume=99", "tags+=wrong", "author=Nobody, Max"),
            ("add", "type=book", "title=Made by mistake"),
            ("delete", "work2"),
            ("group", "create", "Wrong"),
            ("group", "add", "Wrong", "work1"),
            ("sync",),
        ]
    )
    desk.run_all([("sync",), ("edit", "work0", "volume=7")])

    planned = desk.run("undo", "--device", "laptop", "--since", since, "--dry-run", exits=3)
    assert desk.run("show", "work0")["fields"]["title"] == "Wrong"
    report = desk.run("undo", "--device", "laptop", "--since", since, exits=3)
    assert (report["references"], report["groups"]) == (4, 1)
    assert (planned["references"], planned["groups"]) == (4, 1)
    assert [(one["key"], one["field"], one["reason"]) for one in report["kept"]] == [
        ("work0", "volume", "edited-since")
    ]

    view = assert_converges(desk, laptop)
    assert view.keys == {"work0", "work1", "work2"}
    assert view.fields("work0") == first["fields"] | {"volume": "7"}
    assert {one["key"]: one["tags"] for one in view.references}["work0"] == first["tags"]
    assert view.fields("work1") == earlier["fields"]
    assert laptop.run("group", "list") == []
    assert view.conflicts == []

    # The undo is a command like any other: it can be undone itself.
    _, shown, trash = desk.run_all([("undo", report["id"]), ("show", "work0"), ("list", "--trash")])
    assert shown["fields"]["title"] == "Wrong"
    assert [one["key"] for one in trash] == ["work2"]


def test_commands_are_undone_one_by_one_after_they_were_synced(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    before, *_ = desk.run_all(
        [
            ("list",),
            ("tag", "add", "read", "work0", "work1", "work2"),
            ("tag", "rename", "read", "done"),
            ("delete", "work0", "work1"),
            ("sync",),
        ]
    )
    undone = desk.run_all([("undo",), ("undo",), ("undo",)])
    assert [one["references"] for one in undone] == [2, 3, 3]
    view = assert_converges(desk, laptop)
    assert view.references == before
    assert [one["undone"] for one in desk.run("log", "--limit", "6")] == 3 * [False] + 3 * [True]
    assert [one["by"] for one in laptop.run("log", "--device", "desk", "--limit", "1")] == ["desk"]
    # The import went before them; what the laptop received is no command of its own.
    assert "No command" in laptop.fails("undo")
    imported, left = desk.run_all([("undo",), ("list",)])
    assert ([one["kind"] for one in imported["what"]], left) == (["imported"], [])
    assert "bifolio undo ID" in desk.call("undo", exits=1).stderr


def test_a_time_a_change_or_a_device_that_is_not_there_is_said_so(desk: Computer) -> None:
    desk.run_all([("init",), ("add", "title=One", "key=one")])
    assert "was not in this library" in desk.fails("revert", "one", "--to", "1999-12-31")
    assert "a date" in desk.fails("revert", "one", "--to", "yesterday", exits=2)
    assert "bifolio log" in desk.fails("undo", "abcdef")
    assert "desk" in desk.fails("undo", "--device", "nobody", "--since", "2020-01-01")
    assert "--since" in desk.fails("undo", "--device", "desk", exits=2)
    assert "Give an ID or --device" in desk.fails(
        "undo", "abcdef", "--device", "desk", "--since", "2020-01-01", exits=2
    )
