"""Groups: one record each, and the tree that all of them make (DESIGN §4).

A group's name, parent, position, colour and query are registers of which the greatest
(stamp, slot) is shown, without a conflict. Membership is no part of it: it lives in the
references, as the observed-remove set ``groups`` of group ids. The tree is a function of all
groups alone, so that every replica shows the same one; nothing derived is ever written back.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from msgspec import Struct

from bifolio.document import deletion, positions, registers, sets
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan

#: The kind of a group's record, and the set of a reference that holds the ids of its groups.
GROUP = "group"
MEMBERSHIP = "groups"

NAME, PARENT, POSITION, COLOUR, QUERY = "name", "parent", "order", "colour", "query"

#: What a group has and a reference has not.
OWN_FIELDS = (PARENT, POSITION, COLOUR, QUERY)

_KIND = "kind"


class Group(Struct, frozen=True):
    """One group as its record says; ``parent_rank`` is the (stamp, slot) of its place."""

    name: str
    parent: str | None
    parent_rank: str
    position: str
    colour: str | None
    query: str | None
    deleted: bool
    revived: bool


class Edge(Struct, frozen=True):
    """A group's place in the tree as it was written: its parent, and (stamp, slot) of that."""

    parent: str | None
    rank: str


def read_group(entries: Entries) -> Group:
    """What a group's record says."""
    parent = registers.read_shown(entries, PARENT)
    return Group(
        name=_shown_value(entries, NAME) or "",
        parent=parent.value if parent else None,
        parent_rank="".join(parent.rank) if parent else "",
        position=positions.read_position(_shown_value(entries, POSITION)),
        colour=_shown_value(entries, COLOUR),
        query=_shown_value(entries, QUERY),
        deleted=deletion.is_trashed(entries),
        revived=deletion.is_revived(entries),
    )


def plan_creation(plan: Plan, entries: Entries, values: Mapping[str, str | None]) -> None:
    """Plan a new group with these registers."""
    registers.plan_set(plan, entries, _KIND, GROUP)
    plan_change(plan, entries, values)


def plan_change(plan: Plan, entries: Entries, values: Mapping[str, str | None]) -> None:
    """Plan registers of a group to hold these values."""
    for name, value in values.items():
        registers.plan_set(plan, entries, name, value)


def plan_move(plan: Plan, entries: Entries, *, parent: str | None, position: str) -> None:
    """Plan a group to be under a parent (None: at the top) at a position there.

    The parent is written even where it is the same already: a move is the latest word on the place.
    """
    plan.put(PARENT, parent, seen=entries.live(PARENT))
    plan.put(POSITION, position, seen=entries.live(POSITION))


def plan_add(plan: Plan, entries: Entries, group_id: str) -> None:
    """Plan a reference to be in a group."""
    sets.plan_add(plan, entries, MEMBERSHIP, group_id)


def plan_remove(plan: Plan, entries: Entries, group_id: str) -> bool:
    """Plan a reference not to be in a group. False where it is not."""
    return sets.plan_remove(plan, entries, MEMBERSHIP, group_id)


def ignored_edges(edges: Mapping[str, Edge]) -> set[str]:
    """In each cycle of parents the group whose edge has the greatest (stamp, slot).

    A group has one parent at most, so no two cycles share a group and each is cut on its own.
    """
    ignored: set[str] = set()
    done: set[str] = set()
    for start in edges:
        path: dict[str, None] = {}
        current: str | None = start
        while current is not None and current in edges and current not in done:
            if current in path:
                cycle = list(path)[list(path).index(current) :]
                ignored.add(max(cycle, key=lambda one: (edges[one].rank, one)))
                break
            path[current] = None
            current = edges[current].parent
        done.update(path)
    return ignored


def shown_parents(edges: Mapping[str, Edge], deleted: Set[str]) -> dict[str, str | None]:
    """Each group's parent as it is shown: the nearest living one above it, None at the top.

    Args:
        edges: every group that is known, the deleted ones too.
        deleted: the ids of the deleted ones.

    Returns:
        the shown parent of every group, deleted ones included (where one would come back to).
    """
    ignored = ignored_edges(edges)

    def above(group: str) -> str | None:
        parent = edges[group].parent
        return None if group in ignored or parent not in edges else parent

    shown: dict[str, str | None] = {}
    for group in edges:
        parent = above(group)
        while parent is not None and parent in deleted:
            parent = above(parent)
        shown[group] = parent
    return shown


def _shown_value(entries: Entries, name: str) -> str | None:
    live = registers.read_shown(entries, name)
    return live.value if live else None
