"""Names in a role, merged by element: author, editor, translator and the like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bifolio.document import creators
from bifolio.document.conflicts import (
    ELEMENT_MARK,
    ConflictKind,
    ConflictValue,
    FieldConflict,
)
from bifolio.document.entries import Entries
from bifolio.document.field_kinds.field_kind import FieldKind, Reading
from bifolio.document.plan import Plan
from bifolio.errors import NothingToRemoveError
from bifolio.ids import SEPARATOR
from bifolio.records.canonical import stored_json
from bifolio.records.names import Name, parse_name
from bifolio.records.reference import Value, names_of
from bifolio.records.values import parse_value

#: Between two names where a user writes a whole list as one text.
_BETWEEN_NAMES = ";"

#: What a name is called whose register does not say its role any more.
_SOME_ROLE = "names"


class CreatorsKind(FieldKind):
    """Elements with a name and a position each, and the register of whole lists."""

    is_composed = True
    has_elements = True

    def composed_fields(self, entries: Entries) -> Iterable[str]:
        """The roles that have a living element."""
        return sorted(entries.read_once(creators.read_creators))

    def read(self, entries: Entries, field: str) -> Reading:
        """The names of the greatest list and of none, in order; lists replaced at the same time
        are a conflict, and single names corrected at the same time."""
        elements = entries.read_once(creators.read_creators).get(field, [])
        shown = creators.visible(entries, field, elements)
        conflicts = tuple(_conflicts(entries, field, elements, shown))
        return Reading(tuple(element.name for element in shown) or None, conflicts)

    def plan_set(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan the list to read like this; elements whose name is there already are kept."""
        creators.plan_set(plan, entries, field, names_of(value))

    def plan_clear(self, plan: Plan, entries: Entries, field: str) -> None:
        """Plan every element to be removed."""
        creators.plan_set(plan, entries, field, ())

    def plan_add(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan further names at the end."""
        creators.plan_add(plan, entries, field, names_of(parse_value(field, given)))

    def plan_remove(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan every element of these names to be removed."""
        for name in names_of(parse_value(field, given)):
            if not creators.plan_remove(plan, entries, field, name):
                raise NothingToRemoveError(field, str(name))

    def plan_union(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan the names as further ones: their ids are the same on two computers."""
        creators.plan_add(plan, entries, field, names_of(value))

    def plan_choice(self, plan: Plan, entries: Entries, name: str, chosen: Any) -> None:
        """Plan one of the lists, or one of an element's names."""
        role, mark, element = name.partition(ELEMENT_MARK)
        if mark:
            creators.plan_rename(plan, entries, element, role, Name.from_csl(chosen))
        else:
            names = tuple(Name.from_csl(one) for one in chosen)
            creators.plan_set(plan, entries, role, names)

    def plan_answer(self, plan: Plan, entries: Entries, name: str, text: str) -> None:
        """Plan another list, its names with a semicolon between them, or another name."""
        role, mark, element = name.partition(ELEMENT_MARK)
        if mark:
            creators.plan_rename(plan, entries, element, role, parse_name(text, field=role))
        else:
            written = [one for one in text.split(_BETWEEN_NAMES) if one.strip()]
            self.plan_set(plan, entries, role, parse_value(role, written))

    def registers(self, entries: Entries, field: str) -> list[str]:
        """The register of whole lists, and those of all elements, whatever their role is."""
        return [creators.list_register(field), *entries.under(creators.ELEMENT)]

    def field_of(self, register: str, values: Iterable[str | None]) -> str | None:
        """The role: in the name of a list's register, in the value of an element's."""
        first, *rest = register.split(SEPARATOR)
        if first == creators.LIST and rest:
            return rest[0]
        if first != creators.ELEMENT:
            return None
        for value in values:
            stored = stored_json(value)
            if isinstance(stored, dict) and "role" in stored:
                return str(stored["role"])
        return _SOME_ROLE


def _conflicts(
    entries: Entries,
    role: str,
    elements: list[creators.Creator],
    shown: list[creators.Creator],
) -> Iterable[FieldConflict]:
    replaced = len(entries.live(creators.list_register(role))) > 1
    replacements = creators.lists(entries, role) if replaced else []
    if len(replacements) > 1:
        by_id = {element.id: element for element in elements}
        listed = []
        for live, ids in replacements:
            names = [by_id[one].name.to_csl() for one in ids if one in by_id]
            listed.append(ConflictValue(names, live.stamp, live.slot))
        yield FieldConflict(role, ConflictKind.LIST, tuple(listed))
    for element in shown:
        if len(element.names) == 1:
            continue
        different = {str(name.to_csl()): (live, name) for live, name in reversed(element.names)}
        if len(different) > 1:
            pairs = sorted(different.values(), key=lambda pair: pair[0].rank, reverse=True)
            listed = [ConflictValue(name.to_csl(), live.stamp, live.slot) for live, name in pairs]
            yield FieldConflict(role + ELEMENT_MARK + element.id, ConflictKind.VALUE, tuple(listed))
