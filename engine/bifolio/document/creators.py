"""Creators: names in roles, merged by element (DESIGN §4).

Each element has an id and two registers, name and position; it lives while a name lives. Two
people who add one author each get both; a corrected name and a move merge. Where a whole list
is replaced, the register ``creators␟ROLE`` says which elements belong together, so that two
replacements made at the same time are a conflict instead of a mixture.
"""

from __future__ import annotations

import bisect

from msgspec import Struct

from bifolio.document import positions
from bifolio.document.entries import Entries, Live, join
from bifolio.document.plan import Plan, check_storable
from bifolio.ids import SEPARATOR, base64url, digest
from bifolio.records.canonical import (
    canonical_json,
    exact_json,
    nfc,
    read_stored,
    reader_of,
    stored_json,
)
from bifolio.records.names import Name

ELEMENT = "creator"
LIST = "creators"

_ID_BYTES = 6

#: How the register of a name ends.
_NAME = SEPARATOR + "name"


class Creator(Struct, frozen=True):
    """One living element. ``names`` are its live names, the shown one first."""

    id: str
    role: str
    name: Name
    position: str
    names: tuple[tuple[Live, Name], ...]


def name_register(element_id: str) -> str:
    """The register of an element's name."""
    return join(ELEMENT, element_id, "name")


def position_register(element_id: str) -> str:
    """The register of an element's position."""
    return join(ELEMENT, element_id, "position")


def list_register(role: str) -> str:
    """The register that says which elements one replacement of a role's list put together."""
    return join(LIST, role)


def read_creators(entries: Entries) -> dict[str, list[Creator]]:
    """All living elements by role, in the order of their positions, whatever list they are of."""
    roles: dict[str, list[Creator]] = {}
    registers = entries.registers
    for name in entries.under(ELEMENT):
        if not name.endswith(_NAME):
            continue
        parts = name.split(SEPARATOR)
        if len(parts) != 3:
            continue
        names = []
        role = ""
        for live in registers[name]:
            parsed = _parse(live[2])
            if parsed is not None:
                role = role or parsed[0]
                names.append((live, parsed[1]))
        if names:
            places = registers.get(position_register(parts[1]))
            place = positions.read_position(places[0][2]) if places else ""
            roles.setdefault(role, []).append(
                Creator(parts[1], role, names[0][1], place, tuple(names))
            )
    for elements in roles.values():
        if len(elements) > 1:
            elements.sort(key=_place)
    return roles


def _place(element: Creator) -> tuple[bool, str, str]:
    return (not element.position, element.position, element.id)


def lists(entries: Entries, role: str) -> list[tuple[Live, list[str]]]:
    """The live replacements of a role's list, newest first, each with its element ids."""
    found = []
    for live in entries.live(list_register(role)):
        ids = stored_json(live.value)
        if isinstance(ids, list):
            found.append((live, [one for one in ids if isinstance(one, str)]))
    return found


def visible(entries: Entries, role: str, elements: list[Creator]) -> list[Creator]:
    """The elements that are shown: those of the greatest live list, and of no list at all."""
    if len(entries.live(list_register(role))) < 2:
        return elements  # as a rule, and without reading what one list says
    replacements = lists(entries, role)
    if len(replacements) < 2:
        return elements
    hidden = {one for _, ids in replacements[1:] for one in ids} - set(replacements[0][1])
    return [element for element in elements if element.id not in hidden]


def plan_set(plan: Plan, entries: Entries, role: str, names: tuple[Name, ...]) -> bool:
    """Plan the role's list to read like this. True where elements are removed only."""
    elements = read_creators(entries).get(role, [])
    seen = visible(entries, role, elements)
    replacements = lists(entries, role)
    kept = _match(seen, names)
    keeping = {element.id for element in kept if element is not None}
    gone = [element for element in elements if element.id not in keeping]
    for element in gone:
        _plan_remove(plan, entries, element.id)
    ids = _plan_order(plan, entries, role, names, kept)
    fresh_list = bool(entries.registers) and not keeping and bool(names)
    if len(replacements) > 1 or fresh_list:
        plan.put(list_register(role), canonical_json(ids), seen=entries.live(list_register(role)))
        return False
    return bool(gone) and all(element is not None for element in kept)


def plan_add(plan: Plan, entries: Entries, role: str, names: tuple[Name, ...]) -> None:
    """Plan further names at the end of the role's list."""
    elements = visible(entries, role, read_creators(entries).get(role, []))
    last = max((element.position for element in elements), default="")
    places = positions.run(last, None, slot=plan.writer.slot, count=len(names))
    for name, place in zip(names, places, strict=True):
        _plan_element(plan, entries, role, name, place)


def plan_remove(plan: Plan, entries: Entries, role: str, name: Name) -> bool:
    """Plan to remove every element of this name. False where there is none."""
    wanted = _name_key(name)
    found = [
        element
        for element in visible(entries, role, read_creators(entries).get(role, []))
        if _name_key(element.name) == wanted
    ]
    for element in found:
        _plan_remove(plan, entries, element.id)
    return bool(found)


def plan_rename(plan: Plan, entries: Entries, element_id: str, role: str, name: Name) -> None:
    """Plan a corrected name: the element stays, with its place."""
    register = name_register(element_id)
    plan.put(register, _encode(role, name), seen=entries.live(register))


def _match(seen: list[Creator], names: tuple[Name, ...]) -> list[Creator | None]:
    """For each wanted name the element that has it already."""
    free: dict[str, list[Creator]] = {}
    for element in seen:
        free.setdefault(_name_key(element.name), []).append(element)
    return [waiting.pop(0) if (waiting := free.get(_name_key(name))) else None for name in names]


def _plan_order(
    plan: Plan,
    entries: Entries,
    role: str,
    names: tuple[Name, ...],
    kept: list[Creator | None],
) -> list[str]:
    """Plan elements and positions so that the list is in this order; returns its ids.

    The longest ascending run of kept elements stays where it is; what lies between two of
    them gets a run of new positions there.
    """
    stays = _longest_ascending([element.position if element else None for element in kept])
    ids: list[str] = []
    low = ""
    index = 0
    while index < len(names):
        element = kept[index]
        if element is not None and index in stays:
            ids.append(element.id)
            low = element.position
            index += 1
            continue
        end = index
        while end < len(names) and end not in stays:
            end += 1
        after = kept[end] if end < len(names) else None
        high = after.position if after is not None else None
        places = positions.run(low, high, slot=plan.writer.slot, count=end - index)
        for name, moved, place in zip(names[index:end], kept[index:end], places, strict=True):
            if moved is None:
                ids.append(_plan_element(plan, entries, role, name, place))
            else:
                register = position_register(moved.id)
                plan.put(register, place, seen=entries.live(register))
                ids.append(moved.id)
        low = places[-1]
        index = end
    return ids


def _longest_ascending(places: list[str | None]) -> set[int]:
    """The indexes of the longest strictly ascending run among the places that are there."""
    tails: list[str] = []
    tail_indexes: list[int] = []
    previous: dict[int, int | None] = {}
    for index, place in enumerate(places):
        if not place:
            continue
        at = bisect.bisect_left(tails, place)
        if at == len(tails):
            tails.append(place)
            tail_indexes.append(index)
        else:
            tails[at] = place
            tail_indexes[at] = index
        previous[index] = tail_indexes[at - 1] if at else None
    chosen: set[int] = set()
    current = tail_indexes[-1] if tail_indexes else None
    while current is not None:
        chosen.add(current)
        current = previous[current]
    return chosen


def _plan_element(plan: Plan, entries: Entries, role: str, name: Name, place: str) -> str:
    """Plan a new element; its id is the first free hash of role, name and occurrence."""
    value = check_storable(_encode(role, name))
    occurrence = 0
    while True:
        raw = digest(role.encode(), _name_key(name).encode(), str(occurrence).encode())
        element_id = base64url(raw[:_ID_BYTES])
        register = name_register(element_id)
        taken = (
            entries.live(register)
            or entries.live(position_register(element_id))
            or join(register, plan.writer.slot) in plan.puts
        )
        if not taken:
            break
        occurrence += 1
    plan.put(register, value, seen=[])
    plan.put(position_register(element_id), place, seen=[])
    return element_id


def _plan_remove(plan: Plan, entries: Entries, element_id: str) -> None:
    plan.remove(name_register(element_id), entries.live(name_register(element_id)))
    place = position_register(element_id)
    plan.remove(place, entries.live(place))


def _name_key(name: Name) -> str:
    return nfc(exact_json(name.to_csl()))


def _encode(role: str, name: Name) -> str:
    return exact_json({"role": role, "name": name.to_csl()})


class _StoredElement(Struct):
    """An element as it is stored: read in one go where it is of just this form."""

    name: Name
    role: str = "author"


_READ_ELEMENT = reader_of(_StoredElement)


def _parse(value: str | None) -> tuple[str, Name] | None:
    fast = read_stored(value, _READ_ELEMENT)
    if fast is not None:
        return fast.role, fast.name
    stored = stored_json(value)
    if not isinstance(stored, dict) or not isinstance(stored.get("name"), dict):
        return None
    return str(stored.get("role", "author")), Name.from_csl(stored["name"])
