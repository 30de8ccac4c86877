"""Strings, each of which is added and removed by itself: tags, groups, files, ISBN, ISSN, URL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bifolio.document import sets
from bifolio.document.entries import Entries
from bifolio.document.field_kinds.field_kind import FieldKind, Reading
from bifolio.document.plan import Plan
from bifolio.errors import NothingToRemoveError
from bifolio.ids import SEPARATOR
from bifolio.records.reference import Value, strings_of
from bifolio.records.values import parse_value


class SetKind(FieldKind):
    """One key for each element and writer. Two sets never conflict: they are united."""

    is_composed = True

    def composed_fields(self, entries: Entries) -> Iterable[str]:
        """The sets that have an element."""
        return sorted(sets.fields_in(entries))

    def read(self, entries: Entries, field: str) -> Reading:
        """The elements, in (stamp, slot, element) order."""
        return Reading(tuple(sets.elements(entries, field)) or None)

    def plan_set(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan the set to hold just these elements."""
        sets.plan_set(plan, entries, field, strings_of(value))

    def plan_clear(self, plan: Plan, entries: Entries, field: str) -> None:
        """Plan every element that is seen to be removed."""
        sets.plan_set(plan, entries, field, ())

    def plan_add(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan further elements."""
        self.plan_union(plan, entries, field, parse_value(field, given))

    def plan_remove(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan what is seen of these elements to be removed."""
        for element in strings_of(parse_value(field, given)):
            if not sets.plan_remove(plan, entries, field, element):
                raise NothingToRemoveError(field, element)

    def plan_union(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan the elements as further ones."""
        for element in strings_of(value):
            sets.plan_add(plan, entries, field, element)

    def plan_choice(self, plan: Plan, entries: Entries, name: str, chosen: Any) -> None:
        """Plan the set to hold just these elements; no conflict asks for it."""
        sets.plan_set(plan, entries, name, tuple(map(str, chosen or ())))

    def registers(self, entries: Entries, field: str) -> list[str]:
        """The register of each element."""
        return entries.under(sets.MARK + field)

    def field_of(self, register: str, values: Iterable[str | None]) -> str | None:
        """The field, which the register's name begins with."""
        first = register.split(SEPARATOR, 1)[0]
        return first[len(sets.MARK) :] if first.startswith(sets.MARK) else None
