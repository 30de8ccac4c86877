"""One long text, merged by character: abstract, annotation, note."""

from __future__ import annotations

from typing import Any

from bifolio.document import texts
from bifolio.document.conflicts import ConflictKind, ConflictValue, FieldConflict
from bifolio.document.entries import Entries, Live, find_new_values, without_superseded_imports
from bifolio.document.field_kinds.field_kind import FieldKind, Reading
from bifolio.document.plan import Plan
from bifolio.ids import SEPARATOR
from bifolio.records.edits import PARAGRAPH_BREAK
from bifolio.records.fields import MergeRule, known_rule
from bifolio.records.reference import Value


class TextKind(FieldKind):
    """Shared texts under the field's name, and the register that says which of them is current."""

    goes_back_whole = True

    def read(self, entries: Entries, field: str) -> Reading:
        """The current text; replaced ones that were edited unseen are a conflict with it."""
        standing = texts.values(entries, field)
        if len(standing) < 2:
            return Reading(standing[0].content if standing else None)
        listed = [ConflictValue(one.content, one.stamp, one.slot) for one in standing]
        conflict = FieldConflict(field, ConflictKind.TEXT, tuple(listed))
        return Reading(standing[0].content, (conflict,))

    def plan_set(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan an edit of the text where enough remains of it, otherwise another one."""
        texts.plan_set(plan, entries, field, str(value))

    def plan_clear(self, plan: Plan, entries: Entries, field: str) -> None:
        """Plan that there is no text."""
        texts.plan_set(plan, entries, field, None)

    def plan_add(self, plan: Plan, entries: Entries, field: str, given: tuple[str, ...]) -> None:
        """Plan further paragraphs at the end."""
        texts.plan_append(plan, entries, field, PARAGRAPH_BREAK.join(given))

    def plan_replace(self, plan: Plan, entries: Entries, field: str, value: Value | None) -> None:
        """Plan another text: what is edited in the old one unseen is no edit of this one."""
        texts.plan_replace(plan, entries, field, None if value is None else str(value))

    def plan_union(self, plan: Plan, entries: Entries, field: str, value: Value) -> None:
        """Plan another text, so that two of them do not add the same paragraph twice."""
        self.plan_replace(plan, entries, field, value)

    def plan_choice(self, plan: Plan, entries: Entries, name: str, chosen: Any) -> None:
        """Plan another text in the place of all that are seen."""
        texts.plan_replace(plan, entries, name, chosen)

    def plan_answer(self, plan: Plan, entries: Entries, name: str, text: str) -> None:
        """Plan another text in the place of all that are seen."""
        texts.plan_replace(plan, entries, name, text)

    def find_new_values(self, before: Entries, after: Entries, field: str) -> list[Live]:
        """What one change wrote in the register, and its marks of having edited a text."""
        marks = texts.edit_marks(before, field)
        edits = [mark for mark in texts.edit_marks(after, field) if mark not in marks]
        return [*find_new_values(before, after, field), *(live for _, live in edits)]

    def find_hidden_values(
        self, before: Entries, after: Entries, field: str, conflict: FieldConflict
    ) -> list[tuple[Any, Live]]:
        """The texts that one change wrote or edited, the shown one left out.

        An edit leaves no trace in the field's own register, and where two devices edited one
        text, the conflict names the later of them: so they are compared by name and content.
        """
        before, after = without_superseded_imports(before), without_superseded_imports(after)
        known = {(one.text, one.content) for one in texts.values(before, field)}
        marks = texts.edit_marks(before, field)
        edits = [mark for mark in texts.edit_marks(after, field) if mark not in marks]
        fresh = {(live.slot, live.stamp) for live in find_new_values(before, after, field)}
        found: list[tuple[Any, Live]] = []
        for one in texts.values(after, field)[1:]:
            if (one.text, one.content) in known:
                continue
            live = next((mark for text, mark in edits if text == one.text), None)
            if live is None and (one.slot, one.stamp) in fresh:
                live = Live(one.stamp, one.slot, None)
            if live is not None:
                found.append((one.content, live))
        return found

    def fields_that_differ(self, before: Entries, after: Entries) -> set[str]:
        """The fields of which a text or the register differs."""
        fields = {
            key.split(SEPARATOR, 1)[0]
            for key in before.texts.keys() | after.texts.keys()
            if before.texts.get(key) != after.texts.get(key)
        }
        return fields | {
            name
            for name in before.registers.keys() | after.registers.keys()
            if known_rule(name) is MergeRule.TEXT and before.live(name) != after.live(name)
        }
