"""One value in one register: strings and dates, of which every concurrent value is kept."""

from __future__ import annotations

from typing import Any

from bifolio.document import registers
from bifolio.document.conflicts import ConflictKind, ConflictValue, FieldConflict
from bifolio.document.entries import Entries
from bifolio.document.field_kinds.field_kind import FieldKind, Reading
from bifolio.document.plan import Plan
from bifolio.records.fields import Form
from bifolio.records.reference import Value, value_from_json, value_to_json
from bifolio.records.values import decode_register, encode_register


class ScalarKind(FieldKind):
    """A register whose text is a value of the form."""

    def read(self, entries: Entries, field: str) -> Reading:
        """The greatest value; several different ones are a conflict."""
        lives = registers.distinct(entries.live(field))
        if not lives:
            return Reading(None)
        if len(lives) == 1 and self.form is Form.STRING:
            return Reading(lives[0].value)
        value = None if lives[0].value is None else decode_register(self.form, lives[0].value)
        if len(lives) == 1:
            return Reading(value)
        listed = [ConflictValue(self._json(one.value), one.stamp, one.slot) for one in lives]
        return Reading(value, (FieldConflict(field, ConflictKind.VALUE, tuple(listed)),))

    def plan_set(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan a write; nothing where that value is alone already."""
        registers.plan_set(plan, entries, field, encode_register(value))

    def plan_clear(self, plan: Plan, entries: Entries, field: str) -> None:
        """Plan an explicit null."""
        registers.plan_set(plan, entries, field, None)

    def plan_choice(self, plan: Plan, entries: Entries, name: str, chosen: Any) -> None:
        """Plan one of the values to be the only one."""
        stored = None if chosen is None else encode_register(value_from_json(chosen))
        registers.plan_set(plan, entries, name, stored)

    def _json(self, text: str | None) -> Any:
        return None if text is None else value_to_json(decode_register(self.form, text))
