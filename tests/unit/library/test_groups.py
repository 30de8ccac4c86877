"""Groups on one computer and on several, through the replica."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library

from bifolio.document import groups
from bifolio.errors import (
    AmbiguousGroupError,
    GroupNotFoundError,
    GroupPlaceError,
    InvalidValueError,
    Next,
    NextStep,
    NotInGroupError,
    ReferenceNotFoundError,
    SmartGroupError,
    TrashedReferenceError,
)
from bifolio.exports import export
from bifolio.ids import random_record_id
from bifolio.library import status
from bifolio.library.groups import Groups
from bifolio.replication import joining
from bifolio.replication.outbox import Outbox
from bifolio.search import group_tree

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)


def on(computer: Computer) -> Groups:
    """The computer's groups; the clock goes on a little before each use."""
    computer.waits(0.001)
    return Groups(computer.replica)


def paths(computer: Computer) -> list[str]:
    return [one.path for one in on(computer).list()]


def titles(computer: Computer, group: str) -> list[str]:
    return sorted(str(one.fields["title"]) for one in on(computer).references(group))


def rebuilds_alike(computer: Computer) -> bool:
    replica = computer.replica
    before = (replica.references.all_rows(), replica.groups.all())
    status.rebuild(replica)
    return (replica.references.all_rows(), replica.groups.all()) == before


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    computer = owner_of_a_library(tmp_path, "office")
    computer.adds(ONE, {"title": "One", "citation-key": "one"})
    computer.adds(TWO, {"title": "Two", "citation-key": "two"})
    return computer


@pytest.fixture
def two(tmp_path: Path) -> tuple[Computer, Computer]:
    """Two computers with two references and the groups G and H."""
    office, laptop = members(tmp_path, "office", "laptop")
    office.adds(ONE, {"title": "One", "citation-key": "one"})
    office.adds(TWO, {"title": "Two", "citation-key": "two"})
    on(office).create("G")
    on(office).create("H")
    meet(office, laptop)
    return office, laptop


# --- one computer -------------------------------------------------------------------------------


def test_a_group_is_made_named_placed_coloured_and_listed(office: Computer) -> None:
    made = on(office).create("Reading", colour="#336699")
    on(office).create("Later", parent="Reading")
    on(office).create("Other")
    assert paths(office) == ["Reading", "Reading/Later", "Other"]
    assert on(office).rename("Reading/Later", "Some day").parent == made.id
    assert on(office).edit("Reading", colour="DarkSlateGrey").colour == "DarkSlateGrey"
    assert on(office).edit("Reading", colour="red").colour == "red"
    assert on(office).edit("Reading", colour="").colour is None
    assert paths(office) == ["Reading", "Reading/Some day", "Other"]
    assert rebuilds_alike(office)


def test_references_are_put_in_and_taken_out_and_their_groups_shown(office: Computer) -> None:
    on(office).create("Reading")
    assert [one.groups for one in on(office).add("Reading", ["one", "two", "one"])] == [
        ("Reading",),
        ("Reading",),
    ]
    assert on(office).list()[0].count == 2
    on(office).remove("Reading", ["one"])
    assert titles(office, "Reading") == ["Two"]
    assert office.shows(ONE).groups == ()
    assert rebuilds_alike(office)


def test_what_is_in_already_or_already_named_so_makes_no_change(office: Computer) -> None:
    on(office).create("Reading")
    on(office).add("Reading", ["one"])
    state = office.state
    on(office).add("Reading", ["one"])
    on(office).rename("Reading", "Reading")
    assert office.state == state
    with pytest.raises(NotInGroupError, match="two is not in the group 'Reading'"):
        on(office).remove("Reading", ["two"])
    assert office.state == state
    taken = on(office).remove("Reading", ["one", "two"])
    assert ([one.id for one in taken.references], set(taken.without)) == ([ONE, TWO], {TWO})
    with pytest.raises(NotInGroupError, match="None of one, two is in the group"):
        on(office).remove("Reading", ["one", "two"])


def test_a_reference_in_the_trash_is_in_its_groups_again_when_it_is_restored(
    office: Computer,
) -> None:
    on(office).create("Reading")
    on(office).add("Reading", ["one"])
    office.deletes(ONE)
    assert on(office).list()[0].count == 0
    assert titles(office, "Reading") == []
    with pytest.raises(TrashedReferenceError):
        on(office).add("Reading", ["one"])


def test_a_deleted_group_is_hidden_and_comes_back_with_what_is_in_it(office: Computer) -> None:
    on(office).create("Shelf")
    on(office).create("Reading", parent="Shelf")
    on(office).create("Later", parent="Reading")
    on(office).add("Reading", ["one"])
    on(office).delete("Reading")
    assert paths(office) == ["Shelf", "Shelf/Later"]
    assert office.shows(ONE).groups == ()
    with pytest.raises(GroupNotFoundError):
        on(office).rename("Reading", "X")
    assert [one.name for one in on(office).list(deleted=True)] == ["Reading"]
    assert on(office).delete("Reading").count == 1
    assert on(office).restore("Reading").path == "Shelf/Reading"
    assert titles(office, "Reading") == ["One"]
    assert paths(office) == ["Shelf", "Shelf/Reading", "Shelf/Reading/Later"]


def test_a_smart_group_holds_what_its_query_finds(office: Computer) -> None:
    made = on(office).create("Ones", query="one")
    assert (made.kind, made.count, made.query) == ("smart", 1, "one")
    assert titles(office, "Ones") == ["One"]
    assert on(office).edit("Ones", query="two").count == 1
    assert titles(office, "Ones") == ["Two"]
    on(office).create("By hand")
    for act in (
        lambda: on(office).add("Ones", ["one"]),
        lambda: on(office).remove("Ones", ["one"]),
        lambda: on(office).edit("By hand", query="x"),
    ):
        with pytest.raises(SmartGroupError):
            act()


def test_siblings_keep_the_order_that_they_were_given(office: Computer) -> None:
    for name in "ABCD":
        on(office).create(name)
    on(office).move("D", before="B")
    assert paths(office) == ["A", "D", "B", "C"]
    on(office).move("C", before="A")
    assert paths(office) == ["C", "A", "D", "B"]
    on(office).move("C", parent=None)
    assert paths(office) == ["A", "D", "B", "C"]
    on(office).move("B", parent="A")
    on(office).move("C", parent="A", before="A/B")
    assert paths(office) == ["A", "A/C", "A/B", "D"]
    with pytest.raises(GroupPlaceError):
        on(office).move("D", before="B")


def test_a_group_cannot_be_moved_under_itself(office: Computer) -> None:
    on(office).create("A")
    on(office).create("B", parent="A")
    for parent in ("A", "A/B"):
        with pytest.raises(GroupPlaceError):
            on(office).move("A", parent=parent)
    assert paths(office) == ["A", "A/B"]


def test_a_group_is_found_by_name_path_id_or_its_beginning(office: Computer) -> None:
    on(office).create("A")
    made = on(office).create("B", parent="A")
    imported = random_record_id(office.draw)
    office.commits(
        imported, lambda plan, entries: groups.plan_creation(plan, entries, {groups.NAME: "x/y"})
    )
    for name in ("B", "A/B", "/A/B", made.id, made.id[:8], made.id[:8].upper()):
        assert on(office).rename(name, "B").id == made.id
    assert on(office).rename("x/y", "y").id == imported


def test_groups_of_one_path_are_named_and_told_apart_by_their_ids(office: Computer) -> None:
    first = on(office).create("Reading")
    second = on(office).create("Reading")
    assert on(office).namesakes(first.id) == [second.id]
    assert on(office).namesakes(second.id) == [first.id]
    with pytest.raises(AmbiguousGroupError) as caught:
        on(office).add("Reading", ["one"])
    assert caught.value.next_step == NextStep(Next.GIVE_GROUP_ID)
    assert on(office).rename(second.id[:8], "Later").id == second.id
    assert on(office).namesakes(first.id) == []


def test_several_groups_of_one_name_are_named_with_their_ids(office: Computer) -> None:
    first = on(office).create("Reading")
    on(office).create("A")
    second = on(office).create("Reading", parent="A")
    with pytest.raises(AmbiguousGroupError) as caught:
        on(office).add("Reading", ["one"])
    assert first.id in str(caught.value)
    assert f"A/Reading ({second.id})" in str(caught.value)
    assert on(office).delete("A/Reading").id == second.id
    assert on(office).delete("Reading").id == first.id


@pytest.mark.parametrize(
    "act",
    [
        lambda groups: groups.create("  "),
        lambda groups: groups.create("two\nlines"),
        lambda groups: groups.create("X", colour="#12"),
        lambda groups: groups.create("X", query=" "),
        lambda groups: groups.create("X\udc80"),
        lambda groups: groups.create("a/b"),
        lambda groups: groups.create("X", colour="blurple"),
        lambda groups: groups.rename("G", "G/H"),
        lambda groups: groups.rename("G", ""),
        lambda groups: groups.edit("G", colour="no colour"),
    ],
)
def test_what_no_group_can_be_is_refused_and_nothing_changed(
    office: Computer, act: Callable[[Groups], object]
) -> None:
    on(office).create("G")
    state = office.state
    with pytest.raises(InvalidValueError):
        act(on(office))
    assert office.state == state


def test_nothing_is_put_in_where_one_reference_is_not_there(office: Computer) -> None:
    on(office).create("G")
    with pytest.raises(ReferenceNotFoundError):
        on(office).add("G", ["one", "nobody"])
    assert on(office).list()[0].count == 0
    with pytest.raises(GroupNotFoundError):
        on(office).add("nowhere", ["one"])


def test_an_export_names_the_groups_that_it_leaves_behind_but_no_deleted_ones(
    office: Computer,
) -> None:
    for name in ("Reading", "Gone"):
        on(office).create(name)
        on(office).add(name, ["one"])
    on(office).delete("Gone")

    def lost() -> list[tuple[str, str]]:
        report = export.export(office.replica, io.BytesIO(), export.ExportOptions("ris"))
        return [(one.key, one.field) for one in report.lost]

    assert lost() == [("one", "groups")]
    on(office).delete("Reading")
    assert lost() == []


# --- two computers ------------------------------------------------------------------------------


def test_a_rename_a_move_additions_and_a_removal_all_hold(two: tuple[Computer, Computer]) -> None:
    office, laptop = two
    on(office).add("G", ["one"])
    meet(office, laptop)
    on(office).rename("G", "Renamed")
    on(office).add("Renamed", ["two"])
    on(laptop).move("G", parent="H")
    on(laptop).remove("G", ["one"])
    meet(office, laptop)
    for computer in two:
        assert paths(computer) == ["H", "H/Renamed"]
        assert titles(computer, "Renamed") == ["Two"]
        assert rebuilds_alike(computer)


def test_two_groups_each_moved_under_the_other_make_a_tree(two: tuple[Computer, Computer]) -> None:
    office, laptop = two
    on(office).move("G", parent="H")
    laptop.waits(1)
    on(laptop).move("H", parent="G")
    meet(office, laptop)
    for computer in two:
        # The laptop's move was the later one: it is ignored, and H stands at the top.
        assert paths(computer) == ["H", "H/G"]


def test_a_move_in_a_tree_that_was_cut_holds_and_cuts_nothing_else(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    on(office).create("K")
    on(office).move("G", parent="H")
    laptop.waits(1)
    on(laptop).move("H", parent="G")
    meet(office, laptop)
    office.waits(2)
    on(office).move("K", parent="H")
    on(office).move("G", parent="K")
    assert paths(office) == ["H", "H/K", "H/K/G"]
    meet(office, laptop)
    assert paths(laptop) == ["H", "H/K", "H/K/G"]


def test_adding_to_a_group_that_was_deleted_does_not_revive_it(
    two: tuple[Computer, Computer],
) -> None:
    office, laptop = two
    on(office).delete("G")
    on(laptop).add("G", ["one"])
    meet(office, laptop)
    for computer in two:
        assert paths(computer) == ["H"]
        assert computer.shows(ONE).groups == ()
        assert not computer.shows(ONE).trashed
    on(office).restore("G")
    meet(office, laptop)
    for computer in two:
        assert titles(computer, "G") == ["One"]
        assert computer.shows(ONE).groups == ("G",)


def revived(two: tuple[Computer, Computer]) -> None:
    """G, deleted on one computer and renamed on the other."""
    office, laptop = two
    on(office).delete("G")
    on(laptop).rename("G", "Reading")
    meet(office, laptop)


@pytest.mark.parametrize("settle", [Groups.restore, Groups.delete])
def test_a_group_that_an_unseen_edit_brought_back_is_listed_until_somebody_settles_it(
    two: tuple[Computer, Computer], settle: Callable[[Groups, str], object]
) -> None:
    revived(two)
    for computer in two:
        assert paths(computer) == ["Reading", "H"]
        (conflict,) = group_tree.revived_groups(computer.replica)
        assert (conflict.of, conflict.key, conflict.kind) == ("group", "Reading", "revived")
        assert conflict.ref == on(computer).list()[0].id
        assert [one.by for one in conflict.values] == ["laptop", "office"]
        assert status.conflict_count(computer.replica) == 1
        assert rebuilds_alike(computer)
    settle(on(two[1]), "Reading")
    meet(*two)
    for computer in two:
        assert group_tree.revived_groups(computer.replica) == []
        assert status.conflict_count(computer.replica) == 0
        assert paths(computer) == (["Reading", "H"] if settle is Groups.restore else ["H"])


def test_a_revived_group_is_named_by_its_id_where_its_name_finds_another(
    two: tuple[Computer, Computer],
) -> None:
    revived(two)
    made = on(two[0]).create("Reading")
    for delete in (lambda: None, lambda: on(two[0]).delete(made.id)):
        delete()
        (conflict,) = group_tree.revived_groups(two[0].replica)
        assert conflict.key == conflict.ref != made.id
    on(two[0]).restore(conflict.key)
    assert group_tree.revived_groups(two[0].replica) == []


def test_a_library_that_joins_another_brings_its_groups_with_their_parents(
    tmp_path: Path,
) -> None:
    office = owner_of_a_library(tmp_path, "office")
    laptop = owner_of_a_library(tmp_path, "laptop")
    on(office).create("Of the office")
    laptop.adds(THREE, {"title": "Three", "citation-key": "three"})
    on(laptop).create("Shelf", colour="red")
    on(laptop).create("Reading", parent="Shelf")
    on(laptop).create("Gone")
    on(laptop).add("Reading", ["three"])
    on(laptop).add("Gone", ["three"])
    on(laptop).delete("Gone")
    with laptop.replica.database.transaction():
        joining.begin(laptop.replica, laptop.member_log, office.replica.library_id)
    laptop.joins(office)
    laptop.learns(office)
    joining.settle_offers(laptop.replica)
    Outbox(laptop.replica, laptop.member_log).seal()
    meet(office, laptop)
    for computer in (office, laptop):
        assert set(paths(computer)) == {"Of the office", "Shelf", "Shelf/Reading"}
        assert computer.shows(THREE).groups == ("Reading",)
        assert rebuilds_alike(computer)
    on(office).restore("Gone")
    assert titles(office, "Gone") == ["Three"]
