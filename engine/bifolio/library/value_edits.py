"""References added and changed by programs that have whole values, where a user writes texts.

``ValueEdits(library)``: what is not different stays as it is, so that a program that sends a whole
item changes only what it changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bifolio.document import editing, groups, sets, texts
from bifolio.document.entries import Entries
from bifolio.document.field_kinds import field_kind
from bifolio.document.plan import Plan
from bifolio.errors import ReferenceNotFoundError, TrashedReferenceError
from bifolio.ids import random_record_id
from bifolio.library.citation_keys import Keys
from bifolio.records.fields import canonical_field
from bifolio.records.reference import Value, Values
from bifolio.records.values import check_tag, parse_value

if TYPE_CHECKING:
    from bifolio.library.library import Library

_TAGS = "tags"
_CHECKED = ("type", "citation-key")


class ValueEdits:
    """Edits of one library by values."""

    def __init__(self, library: Library) -> None:
        self._replica = library._replica

    def add(self, values: Values, *, in_groups: Sequence[str] = ()) -> str:
        """Add a reference, with a citation key if it is given none; returns its id.

        Raises:
            UnknownFieldError, InvalidValueError: nothing was added.
        """
        values = _check(values)
        values.setdefault("type", "document")
        record_id = random_record_id(self._replica.runtime.random_bytes)
        with self._replica.database.transaction():
            if not values.get("citation-key"):
                values["citation-key"] = Keys(self._replica).fresh(values)

            def write(plan: Plan, entries: Entries) -> None:
                editing.plan_creation(plan, entries, kind="reference", values=values)
                for group_id in in_groups:
                    groups.plan_add(plan, entries, group_id)

            self._replica.commit_inside([(record_id, write)])
        self._replica.mark_edit()
        return record_id

    def change(
        self,
        record_id: str,
        values: Mapping[str, Value | None],
        *,
        in_groups: Sequence[str] | None = None,
    ) -> bool:
        """Give fields of a reference other values (None: none), all of them in one change.

        Args:
            in_groups: the ids of the groups that it is in from now on; None leaves them.

        Returns:
            whether anything was different.

        Raises:
            ReferenceNotFoundError, TrashedReferenceError, UnknownFieldError, InvalidValueError:
            nothing was changed.
        """
        given = _check({name: value for name, value in values.items() if value is not None})
        cleared = [canonical_field(name) for name, value in values.items() if value is None]
        row = self._replica.references.read(record_id)
        if row is None:
            raise ReferenceNotFoundError(record_id)
        if row.trashed:
            raise TrashedReferenceError(record_id)

        def write(plan: Plan, entries: Entries) -> None:
            for name, value in given.items():
                field_kind(name).plan_set(plan, entries, name, value)
            for name in cleared:
                field_kind(name).plan_clear(plan, entries, name)
            if in_groups is not None:
                sets.plan_set(plan, entries, groups.MEMBERSHIP, tuple(in_groups))
            if plan.removals and not plan.puts:
                texts.mark_modified(plan, entries)

        return bool(self._replica.commit([(record_id, write)]))


def _check(values: Values) -> Values:
    """The values, if a user may write them."""
    checked: Values = {}
    for name, value in values.items():
        field = canonical_field(name)
        if field in _CHECKED and isinstance(value, str):
            value = parse_value(field, (value,))
        if field == _TAGS and isinstance(value, tuple):
            for one in value:
                check_tag(str(one))
        checked[field] = value
    return checked
