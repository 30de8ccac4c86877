"""Several strings that are one value: extra fields (``x.*``)."""

from __future__ import annotations

from bifolio.document.entries import Entries
from bifolio.document.field_kinds.scalars import ScalarKind
from bifolio.document.plan import Plan
from bifolio.errors import NothingToRemoveError
from bifolio.records.reference import strings_of
from bifolio.records.values import parse_value


class ListKind(ScalarKind):
    """A register whose text is a list: it is written as a whole, and read as one value."""

    def plan_add(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan the list with further strings at its end."""
        listed = self._listed(entries, field)
        self.plan_set(plan, entries, field, listed + strings_of(parse_value(field, given)))

    def plan_remove(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan the list without these strings, each taken away once."""
        listed = list(self._listed(entries, field))
        for one in strings_of(parse_value(field, given)):
            if one not in listed:
                raise NothingToRemoveError(field, one)
            listed.remove(one)
        self.plan_replace(plan, entries, field, tuple(listed) or None)

    def _listed(self, entries: Entries, field: str) -> tuple[str, ...]:
        return strings_of(self.read(entries, field).value)
