"""What every kind of field can do.

A kind has no state: it reads entries and plans writes. What only some kinds do has an answer for
the others here, so that the caller need not know which one it has before it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from bifolio.document.conflicts import FieldConflict
from bifolio.document.entries import Entries, Live, find_new_values
from bifolio.document.plan import Plan
from bifolio.errors import Next, UsageError, next_step
from bifolio.records.fields import Form
from bifolio.records.reference import Value
from bifolio.records.values import parse_value


class Reading(NamedTuple):
    """What is shown of a field, None where it is empty, and what is not settled in it."""

    value: Value | None
    conflicts: tuple[FieldConflict, ...] = ()


class FieldKind(ABC):
    """How a field of one kind is stored in a record, and how its concurrent edits meet."""

    #: Whether the field is stored in several registers, under names of their own.
    is_composed: ClassVar[bool] = False
    #: Whether one element of the field can be in a conflict by itself (``ELEMENT_MARK``).
    has_elements: ClassVar[bool] = False
    #: Whether an undo takes the field back as a whole, and not each register by itself.
    goes_back_whole: ClassVar[bool] = False

    def __init__(self, form: Form) -> None:
        """``form`` is what its values look like."""
        self.form = form

    @abstractmethod
    def read(self, entries: Entries, field: str) -> Reading:
        """What is shown of the field, and its conflicts."""

    def composed_fields(self, entries: Entries) -> Iterable[str]:
        """The fields of a composed kind that a record holds, sorted; none of any other."""
        return ()

    # --- edits --------------------------------------------------------------------------------

    @abstractmethod
    def plan_set(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan the field to have this value, with as little change as may be."""

    @abstractmethod
    def plan_clear(self, plan: Plan, entries: Entries, field: str) -> None:
        """Plan the field to be empty."""

    def plan_add(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan what a user wrote to be added to what is there.

        Raises:
            UsageError: the field holds one value.
            InvalidValueError: what was written is no value of this field.
        """
        raise _one_value(field)

    def plan_remove(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan what a user wrote to be removed from what is there.

        Raises:
            UsageError: the field holds one value.
            NothingToRemoveError: it is not there.
            InvalidValueError: what was written is no value of this field.
        """
        raise _one_value(field)

    def plan_replace(self, plan: Plan, entries: Entries, field: str, value: Value | None) -> None:
        """Plan another version of the field (a file's, an earlier one), None for an empty one."""
        if value is None:
            self.plan_clear(plan, entries, field)
        else:
            self.plan_set(plan, entries, field, value)

    def plan_union(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan a value that holds what is there and what a merged reference brings, so that the
        same merge made on two computers is the same twice."""
        self.plan_set(plan, entries, field, value)

    # --- conflicts ----------------------------------------------------------------------------

    @abstractmethod
    def plan_choice(self, plan: Plan, entries: Entries, name: str, chosen: Any) -> None:
        """Plan a conflict to be settled with one of its values.

        Args:
            name: the conflict's: the field's, or an element's of it.
            chosen: the value as it was listed, None for an empty field.
        """

    def plan_answer(self, plan: Plan, entries: Entries, name: str, text: str) -> None:
        """Plan a conflict to be settled with another value, as a user wrote it.

        Raises:
            InvalidValueError: it is no value of this field.
        """
        self.plan_set(plan, entries, name, parse_value(name, (text,)))

    # --- history ------------------------------------------------------------------------------

    def registers(self, entries: Entries, field: str) -> list[str]:
        """The registers in which the field is stored."""
        return [field]

    def find_new_values(self, before: Entries, after: Entries, field: str) -> list[Live]:
        """What one change wrote for the field."""
        names = self.registers(after, field)
        return [live for name in names for live in find_new_values(before, after, name)]

    def find_hidden_values(
        self, before: Entries, after: Entries, field: str, conflict: FieldConflict
    ) -> list[tuple[Any, Live]]:
        """The values of a conflict that one change wrote and that are not shown, as JSON."""
        fresh = {(live.slot, live.stamp) for live in self.find_new_values(before, after, field)}
        return [
            (one.value, Live(one.stamp, one.slot, None))
            for one in conflict.values[1:]
            if (one.slot, one.stamp) in fresh
        ]

    def fields_that_differ(self, before: Entries, after: Entries) -> set[str]:
        """Of a kind that goes back as a whole: the fields in which two states differ."""
        return set()

    def field_of(self, register: str, values: Iterable[str | None]) -> str | None:
        """Of a composed kind: the field that a register of its is of, None for other registers."""
        return None


def _one_value(field: str) -> UsageError:
    return UsageError(
        f"The field '{field}' holds one value: nothing can be added to it or removed from it.",
        next_step=next_step(Next.SET_OR_CLEAR_FIELD, field=field),
    )
