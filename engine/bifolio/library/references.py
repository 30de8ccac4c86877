"""A new reference out of what a user wrote, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.ids import random_record_id
from bifolio.library.citation_keys import Keys
from bifolio.records.fields import canonical_field
from bifolio.records.reference import Values
from bifolio.records.values import parse_value
from bifolio.replica.replica import Replica

if TYPE_CHECKING:
    from bifolio.document import editing
else:
    editing = lazy.module("bifolio.document.editing")


def add(replica: Replica, fields: Mapping[str, str | Sequence[str]]) -> str:
    """Add a reference, with a citation key if it is given none; returns its id.

    Raises:
        UnknownFieldError, InvalidValueError: nothing was added.
    """
    values: Values = {}
    for name, given in fields.items():
        field = canonical_field(name)
        texts = (given,) if isinstance(given, str) else tuple(given)
        values[field] = parse_value(field, texts)
    values.setdefault("type", "document")
    record_id = random_record_id(replica.runtime.random_bytes)
    with replica.database.transaction():
        if "citation-key" not in values:
            values["citation-key"] = Keys(replica).fresh(values)

        def write(plan: Plan, entries: Entries) -> None:
            editing.plan_creation(plan, entries, kind="reference", values=values)

        replica.commit_inside([(record_id, write)])
    return record_id
