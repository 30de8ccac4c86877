"""Kinds of fields: how a field is stored in a record's entries and how its concurrent edits meet.

All that depends on a field's merge rule is asked of its kind: what it reads, how it is set, added
to, cleared, settled, compared and undone. A further kind is a module here and a line in ``_KINDS``;
nothing outside this package tells one rule from another. What a value looks like (formats,
command line) is its form (``records.fields.Form``), whatever its kind.

============ ==============================================================
``field_kind`` what every kind can do: the class that all of them derive from
``scalars``  one value in one register: strings and dates
``lists``    several strings that are one value
``texts``    one long text, merged by character
``creators`` names in a role, merged by element
``sets``     strings, each of which is added and removed by itself
============ ==============================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bifolio.document.conflicts import ELEMENT_MARK, FieldConflict
from bifolio.document.entries import Entries
from bifolio.document.field_kinds.creators import CreatorsKind
from bifolio.document.field_kinds.field_kind import FieldKind
from bifolio.document.field_kinds.lists import ListKind
from bifolio.document.field_kinds.scalars import ScalarKind
from bifolio.document.field_kinds.sets import SetKind
from bifolio.document.field_kinds.texts import TextKind
from bifolio.document.groups import MEMBERSHIP
from bifolio.ids import SEPARATOR
from bifolio.records.fields import FIELDS, Form, MergeRule, known_rule, merge_rule
from bifolio.records.reference import Values

#: The kind of each merge rule; in this order the fields of composed kinds are read.
_KINDS: dict[MergeRule, FieldKind] = {
    MergeRule.SCALAR: ScalarKind(Form.STRING),
    MergeRule.DATE: ScalarKind(Form.DATE),
    MergeRule.TEXT: TextKind(Form.TEXT),
    MergeRule.LIST: ListKind(Form.STRINGS),
    MergeRule.CREATORS: CreatorsKind(Form.NAMES),
    MergeRule.SET: SetKind(Form.STRINGS),
}

KINDS: tuple[FieldKind, ...] = tuple(_KINDS.values())
_STRING = _KINDS[MergeRule.SCALAR]

#: The fields whose value is a text in one register, and those that are one long text.
STRING_FIELDS = frozenset(name for name, rule in FIELDS.items() if rule is MergeRule.SCALAR)
TEXT_FIELDS = frozenset(name for name, rule in FIELDS.items() if rule is MergeRule.TEXT)

#: Being in groups is no field that a user edits, but a set as well.
_BY_FIELD = {field: _KINDS[rule] for field, rule in FIELDS.items()} | {
    MEMBERSHIP: _KINDS[MergeRule.SET]
}


def known_kind(field: str) -> FieldKind | None:
    """The kind of a field; None for one of a newer version, or what is no field at all."""
    kind = _BY_FIELD.get(field)
    if kind is not None:
        return kind
    rule = known_rule(field)
    return None if rule is None else _KINDS[rule]


def field_kind(field: str) -> FieldKind:
    """The kind of a field, or of being in groups.

    Raises:
        UnknownFieldError: neither known nor extra.
    """
    return known_kind(field) or _KINDS[merge_rule(field)]


def element_of(conflict: str) -> str | None:
    """The field whose element a conflict of this name is about; None where it is about a field."""
    field, mark, _ = conflict.partition(ELEMENT_MARK)
    kind = known_kind(field)
    return field if mark and kind is not None and kind.has_elements else None


def locate_conflict(conflict: str) -> tuple[str, FieldKind]:
    """The field that a conflict of this name is in, and its kind.

    Raises:
        UnknownFieldError: neither a field nor an element of one.
    """
    field = element_of(conflict) or conflict
    return field, field_kind(field)


def fields_in(entries: Entries) -> Iterator[tuple[str, FieldKind]]:
    """The fields that a record holds, each with its kind; what a newer version wrote is left out.

    First those with a register of their own name, sorted, then those of each composed kind.
    """
    for name in sorted(entries.by_head()[""]):
        kind = known_kind(name)
        if kind is not None and not kind.is_composed:
            yield name, kind
    for kind in KINDS:
        for field in kind.composed_fields(entries):
            if known_kind(field) is kind:
                yield field, kind


def read_fields(entries: Entries) -> tuple[Values, list[FieldConflict]]:
    """What is shown of every field that a record holds, empty ones left out, and their conflicts;
    in the order of ``fields_in``."""
    values: Values = {}
    conflicts: list[FieldConflict] = []
    for field, kind in fields_in(entries):
        if kind is _STRING:  # of ten fields eight, and nearly always of one value, which is a text
            lives = entries.registers[field]
            if len(lives) == 1:
                if (text := lives[0][2]) is not None:
                    values[field] = text
                continue
        value, more = kind.read(entries, field)
        if value is not None:
            values[field] = value
        if more:
            conflicts += more
    return values, conflicts


def field_of(register: str, values: Iterable[str | None]) -> str:
    """The field that a register is of, as a user calls it; ``values`` have been in it."""
    found = (kind.field_of(register, values) for kind in KINDS)
    named = next((field for field in found if field is not None), None)
    return named if named is not None else register.split(SEPARATOR, 1)[0]
