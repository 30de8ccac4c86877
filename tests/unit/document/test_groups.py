"""The tree that groups make, whatever was moved and deleted at the same time."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.cases import each
from tests.unit.document.builders import Desk, desks, meet

from bifolio.document import groups
from bifolio.document.entries import Entries
from bifolio.document.groups import Edge, ignored_edges, read_group, shown_parents
from bifolio.document.plan import Plan


def tree(*placed: str) -> dict[str, Edge]:
    """Groups written ``A>B@3``: A was put under B at the time 3; ``A`` alone is at the top."""
    edges = {}
    for one in placed:
        name, _, rest = one.partition(">")
        parent, _, at = rest.partition("@")
        edges[name] = Edge(parent or None, at)
    return edges


def parents(edges: Mapping[str, Edge], *deleted: str) -> dict[str, str | None]:
    return shown_parents(edges, set(deleted))


@each(
    ("placed", "cut"),
    [
        (("G>H@1", "H>G@2"), "H"),
        (("G>H@2", "H>G@1"), "G"),
        (("A>B@1", "B>C@3", "C>A@2"), "B"),
        (("A>B@1", "B>C@2", "C>A@3"), "C"),
        (("A>A@1",), "A"),
    ],
)
def test_in_a_cycle_the_latest_move_is_ignored_and_its_group_stands_at_the_top(
    placed: tuple[str, ...], cut: str
) -> None:
    edges = tree(*placed)
    assert ignored_edges(edges) == {cut}
    shown = parents(edges)
    assert shown[cut] is None
    assert {one: edges[one].parent for one in edges if one != cut} == {
        one: parent for one, parent in shown.items() if one != cut
    }


def test_what_hangs_on_a_cycle_and_other_cycles_are_left_as_they_are() -> None:
    edges = tree("A>B@1", "B>A@2", "X>A@9", "Y>X@8", "C>D@4", "D>C@3")
    assert ignored_edges(edges) == {"B", "C"}
    assert parents(edges) == {"A": "B", "B": None, "X": "A", "Y": "X", "C": None, "D": "C"}


def test_equal_moments_in_a_cycle_are_decided_by_the_id() -> None:
    assert ignored_edges(tree("A>B@1", "B>A@1")) == {"B"}


def test_the_order_in_which_groups_are_read_does_not_matter() -> None:
    edges = tree("A>B@1", "B>C@3", "C>A@2", "X>C@1", "Y>A@5")
    assert parents(dict(reversed(edges.items()))) == parents(edges)


def test_children_of_a_deleted_group_stand_under_the_nearest_living_one_above() -> None:
    edges = tree("A", "B>A@1", "C>B@2", "D>C@3")
    assert parents(edges, "B", "C")["D"] == "A"
    assert parents(edges, "A", "B", "C")["D"] is None


def test_a_cycle_through_a_deleted_group_ends_too() -> None:
    edges = tree("A>B@1", "B>A@2")
    assert parents(edges, "A") == {"A": "B", "B": None}
    assert parents(edges, "B") == {"A": None, "B": None}


def test_under_a_parent_that_is_not_there_a_group_stands_at_the_top() -> None:
    assert parents(tree("A>nowhere@1")) == {"A": None}


def test_a_very_deep_tree_is_read_without_an_end_of_the_stack() -> None:
    edges = tree("0", *(f"{number}>{number - 1}@{number}" for number in range(1, 5000)))
    assert ignored_edges(edges) == set()
    assert parents(edges, "4998")["4999"] == "4997"


# --- one group's record ---------------------------------------------------------------------


def two_desks() -> tuple[Desk, Desk]:
    """Two computers that hold one group."""
    office, laptop = Desk("one"), Desk("two")

    def write(plan: Plan, entries: Entries) -> None:
        groups.plan_creation(
            plan, entries, {"name": "Reading", "parent": None, "order": "V", "colour": None}
        )

    office.writes(write)
    return office, laptop.learns(office)


def renames(desk: Desk, name: str) -> None:
    desk.writes(lambda plan, entries: groups.plan_change(plan, entries, {"name": name}))


def test_a_rename_and_a_move_at_the_same_time_both_hold() -> None:
    office, laptop = two_desks()
    renames(office, "To read")
    laptop.writes(
        lambda plan, entries: groups.plan_move(plan, entries, parent="ab" * 16, position="k")
    )
    meet(office, laptop)
    group = read_group(office.entries)
    assert (group.name, group.parent, group.position) == ("To read", "ab" * 16, "k")
    assert (group.colour, group.query, group.deleted) == (None, None, False)


def test_two_names_at_the_same_time_resolve_without_a_conflict_to_the_same_one() -> None:
    office, laptop = two_desks()
    renames(office, "First")
    renames(laptop, "Second")
    meet(office, laptop)
    assert read_group(office.entries) == read_group(laptop.entries)
    assert read_group(office.entries).name in ("First", "Second")


def test_a_move_to_where_it_stands_is_a_later_word_than_one_unseen() -> None:
    office, _ = two_desks()
    before = read_group(office.entries).parent_rank
    office.writes(lambda plan, entries: groups.plan_move(plan, entries, parent=None, position="k"))
    assert read_group(office.entries).parent_rank > before


def test_an_edit_unseen_by_the_deleter_revives_a_group() -> None:
    office, laptop = two_desks()
    office.deletes()
    assert read_group(office.entries).deleted
    renames(laptop, "Kept")
    meet(office, laptop)
    assert not read_group(office.entries).deleted
    office.deletes()
    laptop.learns(office).restores()
    assert not read_group(laptop.entries).deleted


def test_membership_is_a_set_of_the_reference_that_keeps_what_was_added_unseen() -> None:
    office, laptop = desks("one", "two")
    office.writes(lambda plan, entries: groups.plan_add(plan, entries, "aa" * 16))
    laptop.learns(office)
    laptop.writes(lambda plan, entries: groups.plan_add(plan, entries, "bb" * 16))
    office.writes(lambda plan, entries: groups.plan_remove(plan, entries, "aa" * 16))
    meet(office, laptop)
    assert office.values["groups"] == ("bb" * 16,)
    assert office.conflicts == {}
