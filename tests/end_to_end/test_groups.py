"""Cases D, and the groups and tags of C5: what is done with groups on two computers apart."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, sync_all
from tests.support.relay_process import RelayProcess

Groups = list[dict[str, Any]]


def same_groups(*computers: Computer) -> Groups:
    """Sync everybody; the groups, which then are the same everywhere, order included."""
    assert_converges(*computers)
    lists = [computer.run("group", "list") for computer in computers]
    assert all(listed == lists[0] for listed in lists[1:])
    groups: Groups = lists[0]
    return groups


def keys_in(computer: Computer, group: str) -> set[str]:
    """The citation keys of the references in a group."""
    return {one["key"] for one in computer.run("list", "--group", group)}


def shape(groups: Groups) -> dict[str, str | None]:
    """Each group's name and that of the group that it stands under."""
    names = {one["id"]: one["name"] for one in groups}
    return {one["name"]: names.get(one["parent"]) for one in groups}


@pytest.mark.heavy
def test_a_rename_and_additions_meet_a_move_and_a_removal(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """D1: A renames G and adds three references; B moves G under H and removes one."""
    share(relay.url, desk, laptop, entries=numbered_entries(6))
    made = desk.run("group", "create", "G")
    desk.run("group", "create", "H")
    desk.run("group", "add", "G", "work0", "work1")
    sync_all(desk, laptop)

    desk.run("group", "rename", "G", "To read")
    desk.run("group", "add", "To read", "work2", "work3", "work4")
    laptop.run("group", "move", "G", "--parent", "H")
    laptop.run("group", "remove", "G", "work0")

    groups = same_groups(desk, laptop)
    assert shape(groups) == {"H": None, "To read": "H"}
    assert [one["count"] for one in groups] == [0, 4]
    for computer in (desk, laptop):
        for named in ("To read", "H/To read", made["id"]):
            assert keys_in(computer, named) == {"work1", "work2", "work3", "work4"}
        assert computer.run("show", "work2")["groups"] == ["To read"]
        assert computer.run("show", "work0")["groups"] == []


def test_two_groups_moved_under_each_other_stay_a_tree_with_all_that_is_in_them(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """D2: the later move is ignored, its group at the top; a later one by hand holds."""
    share(relay.url, desk, laptop)
    for name, ref in (("G", "work0"), ("H", "work1")):
        desk.run("group", "create", name)
        desk.run("group", "add", name, ref)
    sync_all(desk, laptop)
    desk.run("group", "move", "G", "--parent", "H")
    laptop.run("group", "move", "H", "--parent", "G")

    groups = same_groups(desk, laptop)
    assert shape(groups) == {"H": None, "G": "H"}
    assert [one["count"] for one in groups] == [1, 1]
    assert keys_in(laptop, "H/G") == {"work0"}

    laptop.run("group", "move", "G", "--top")
    laptop.run("group", "move", "H", "--parent", "G")
    assert shape(same_groups(laptop, desk)) == {"G": None, "H": "G"}


@pytest.mark.heavy
def test_a_cycle_of_three_moves_is_cut_once(
    relay: RelayProcess, desk: Computer, laptop: Computer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """D2 with three computers: A under B, B under C, C under A."""
    tablet = Computer.make(tmp_path_factory.mktemp("third"), "tablet")
    share(relay.url, desk, laptop, tablet)
    for name in "ABC":
        desk.run("group", "create", name)
    sync_all(desk, laptop, tablet)
    desk.run("group", "move", "A", "--parent", "B")
    laptop.run("group", "move", "B", "--parent", "C")
    tablet.run("group", "move", "C", "--parent", "A")

    groups = same_groups(desk, laptop, tablet)
    assert shape(groups) == {"C": None, "B": "C", "A": "B"}


@pytest.mark.heavy
def test_adding_to_a_group_that_was_deleted_shows_when_it_is_restored(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """D3: G stays deleted, R is live; restoring G shows R in it, on both."""
    share(relay.url, desk, laptop)
    desk.run("group", "create", "G")
    sync_all(desk, laptop)
    desk.run("group", "delete", "G")
    laptop.run("group", "add", "G", "work0")

    assert same_groups(desk, laptop) == []
    assert "work0" in {one["key"] for one in desk.run("list")}
    assert desk.run("show", "work0")["groups"] == []
    assert "There is no group" in desk.fails("list", "--group", "G")
    assert [one["name"] for one in laptop.run("group", "list", "--trash")] == ["G"]

    desk.run("group", "restore", "G")
    assert [(one["name"], one["count"]) for one in same_groups(desk, laptop)] == [("G", 1)]
    for computer in (desk, laptop):
        assert keys_in(computer, "G") == {"work0"}
        assert computer.run("show", "work0")["groups"] == ["G"]


def test_smart_groups_order_colours_ratings_and_read_status_are_equal_on_both(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """D4: made on both computers at the same time."""
    share(relay.url, desk, laptop, entries=numbered_entries(4))
    desk.run("group", "create", "Sets", "--colour", "#336699")
    sync_all(desk, laptop)
    desk.run("group", "create", "Zero", "--parent", "Sets", "--query", "work0")
    desk.run("group", "create", "First", "--parent", "Sets")
    desk.run("group", "move", "First", "--parent", "Sets", "--before", "Zero")
    desk.run("edit", "work0", "rating=4", "read-status=read")
    laptop.run("group", "create", "Mine", "--colour", "red")
    laptop.run("group", "edit", "Sets", "--colour", "teal")
    laptop.run("edit", "work1", "rating=0", "read-status=unread")

    groups = same_groups(desk, laptop)
    listed = [(one["path"], one["kind"], one["count"], one["colour"]) for one in groups]
    assert listed == [
        ("Sets", "manual", 0, "teal"),
        ("Sets/First", "manual", 0, None),
        ("Sets/Zero", "smart", 1, None),
        ("Mine", "manual", 0, "red"),
    ]
    for computer in (desk, laptop):
        assert keys_in(computer, "Zero") == {"work0"}
        shown = [computer.run("show", key)["fields"] for key in ("work0", "work1")]
        assert [one["rating"] for one in shown] == ["4", "0"]
        assert [one["read-status"] for one in shown] == ["read", "unread"]
        assert "0, 1, 2, 3, 4 or 5" in computer.fails("edit", "work0", "rating=6", exits=2)
        assert "read or unread" in computer.fails("edit", "work0", "read-status=no", exits=2)


@pytest.mark.heavy
def test_a_deleted_reference_comes_back_with_its_groups_and_tags(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """C5: deleted on one computer, restored on the other."""
    share(relay.url, desk, laptop)
    for name in ("Reading", "Later"):
        desk.run("group", "create", name)
        desk.run("group", "add", name, "work0", "work1")
    desk.run("tag", "add", "folding", "work0", "work1")
    desk.run("delete", "work0")

    groups = same_groups(desk, laptop)
    assert [one["count"] for one in groups] == [1, 1]
    assert laptop.run("tag", "list") == [{"name": "folding", "count": 1}]
    (trashed,) = laptop.run("list", "--trash")
    assert (trashed["groups"], trashed["tags"]) == (["Reading", "Later"], ["folding"])

    (restored,) = laptop.run("restore", "work0")
    assert (restored["groups"], restored["tags"]) == (["Reading", "Later"], ["folding"])
    assert [one["count"] for one in same_groups(laptop, desk)] == [2, 2]
    assert desk.run("tag", "list") == [{"name": "folding", "count": 2}]
    assert keys_in(desk, "Reading") == {"work0", "work1"}


@pytest.mark.heavy
def test_a_tag_renamed_on_one_computer_keeps_what_the_other_tagged_meanwhile(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """Tags as a whole: counted, put on and off several references, renamed."""
    share(relay.url, desk, laptop)
    desk.run("tag", "add", "old", "work0", "work1")
    sync_all(desk, laptop)
    assert desk.run("tag", "rename", "old", "new") == {"name": "new", "renamed": 2}
    laptop.run("tag", "add", "old", "work2")
    laptop.run("tag", "add", "new", "work0")
    laptop.run("tag", "remove", "old", "work1")

    assert_converges(desk, laptop)
    for computer in (desk, laptop):
        tags = {one["name"]: one["count"] for one in computer.run("tag", "list")}
        assert tags == {"new": 2, "old": 1}
        assert computer.run("show", "work2")["tags"] == ["old"]


@pytest.mark.heavy
def test_a_library_that_joins_another_brings_its_groups(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """With their parents, what is in them, and none twice when both sync again."""
    ticket = share(relay.url, desk)
    desk.run("group", "create", "Of the desk")
    make_library(laptop, numbered_entries(5))
    laptop.run("group", "create", "Shelf")
    laptop.run("group", "create", "Row", "--parent", "Shelf", "--query", "work1")
    laptop.run("group", "create", "Mine", "--parent", "Shelf")
    laptop.run("group", "add", "Shelf/Mine", "work0", "work4")
    laptop.run("attach", ticket, "--join")

    groups = same_groups(laptop, desk)
    assert shape(groups) == {"Of the desk": None, "Shelf": None, "Row": "Shelf", "Mine": "Shelf"}
    assert keys_in(desk, "Mine") == {"work0", "work4"}
    assert keys_in(desk, "Row") == {"work1"}


def test_what_is_no_group_or_several_is_said_with_a_next_step(desk: Computer) -> None:
    """The edges of the commands: exit codes 1, 2 and 3."""
    make_library(desk, numbered_entries(2))
    first = desk.run("group", "create", "Reading")
    desk.run("group", "create", "A")
    second = desk.run("group", "create", "Reading", "--parent", "A")
    said = desk.fails("group", "add", "Reading", "work0")
    assert first["id"] in said
    assert second["id"] in said
    assert [one["key"] for one in desk.run("group", "add", second["id"], "work0")] == ["work0"]
    assert keys_in(desk, "A/Reading") == {"work0"}

    assert "nobody" in desk.call("group", "add", "A", "work1", "nobody", exits=3).stderr
    assert keys_in(desk, "A") == {"work1"}
    assert "under itself" in desk.fails("group", "move", "A", "--parent", "A/Reading")
    assert "--top" in desk.fails("group", "move", "A", exits=2)
    assert "--trash" in desk.fails("list", "--group", "A", "--trash", exits=2)
    assert "colour" in desk.fails("group", "create", "B", "--colour", "#1", exits=2)
    assert "query" in desk.fails("group", "edit", "A", "--query", "x")
    desk.run("group", "create", "Smart", "--query", "x")
    assert "query" in desk.fails("group", "add", "Smart", "work0")
    assert "tag list" in desk.fails("tag", "rename", "nothing", "something")
    assert desk.call("group", exits=2).stdout == ""


@pytest.mark.heavy
def test_a_group_deleted_and_edited_at_the_same_time_is_a_conflict_until_someone_decides(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    made = desk.run("group", "create", "To read")
    assert_converges(desk, laptop)
    desk.run("group", "delete", "To read")
    laptop.run("group", "edit", "To read", "--colour", "red")
    (conflict,) = assert_converges(desk, laptop).conflicts
    assert (conflict["of"], conflict["ref"], conflict["key"]) == ("group", made["id"], "To read")
    assert (conflict["field"], conflict["kind"]) == ("deleted", "revived")
    assert desk.run("status")["conflicts"] == 1
    told = desk.call("conflicts", exits=0).stdout
    assert "group To read: deleted and edited" in told
    assert "bifolio group restore 'To read'" in told
    assert "bifolio group restore" in desk.fails(
        "resolve", "To read", "deleted", "--take", "1", exits=2
    )

    laptop.run("group", "restore", "To read")
    assert assert_converges(laptop, desk).conflicts == []
    assert [one["name"] for one in desk.run("group", "list")] == ["To read"]


def test_a_person_reads_groups_and_tags_as_lines(desk: Computer) -> None:
    make_library(desk, numbered_entries(1))
    assert desk.call("group", "create", "Shelf", exits=0).stdout == "The group Shelf is created.\n"
    desk.call("group", "create", "Row", "--parent", "Shelf", "--query", "work0", exits=0)
    assert desk.call("group", "add", "Shelf", "work0").stdout == "work0 is in the group Shelf.\n"
    listed = desk.call("group", "list", exits=0).stdout
    assert listed == "Shelf\t1 reference\nShelf/Row\t1 reference\tfinds: work0\n"
    assert desk.call("tag", "add", "red", "work0").stdout == "work0 has the tag red.\n"
    assert desk.call("tag", "list").stdout == "red\t1 reference\n"
    assert "  groups: Shelf\n" in desk.call("show", "work0").stdout
