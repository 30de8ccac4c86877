"""Assignments: ``field=value``, ``field+=value``, ``field-=value`` and ``field=`` as edits.

Pure: text in, ``Edit`` objects out, or a usage error that says what to write instead. What a
value means (a name, a date) is the library's to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bifolio.errors import InvalidValueError, UsageError
from bifolio.lazy import pattern
from bifolio.records.edits import PARAGRAPH_BREAK, Act, Edit
from bifolio.records.fields import Form, canonical_field, form_of
from bifolio.records.values import check_tag

# The shortest name, so that the operator is the first one. CSL has underscores in a few names
# (archive_location), which is why it has an underscore; further notes have colons.
_ASSIGNMENT = pattern(r"([A-Za-z0-9._:-]+?)(\+=|-=|=)(.*)", re.DOTALL)

#: Names under which other programs have all tags in one text, parted by semicolons or commas.
_LISTED = frozenset({"keyword", "keywords"})

#: What a user calls an article in a journal; CSL has the word for a preprint.
_ARTICLE = "article"

_ACTS = {"=": Act.SET, "+=": Act.ADD, "-=": Act.REMOVE}
_OPERATORS = {act: operator for operator, act in _ACTS.items()}


class Assignment(Struct, frozen=True):
    """One argument, split; ``field`` is the field's own name."""

    field: str
    act: Act
    value: str


def parse_assignment(text: str) -> Assignment:
    """Split one argument at its first operator.

    Raises:
        UsageError: no assignment at all, or a field that is not known.
        InvalidValueError: a value that is no text, blank, or missing after += or -=.
    """
    found = _ASSIGNMENT.fullmatch(text)
    if found is None:
        raise UsageError(
            f"'{_printable(text)}' is not an assignment.",
            next_step="Write field=value, field+=value, field-=value, or field= to clear it; "
            "for example title='A history of printing'.",
        )
    name, operator, value = found.groups()
    field = canonical_field(name)
    whole_text(value, field=field)
    if operator != "=" and not value:
        raise InvalidValueError(field, expected=f"a value after {operator}", got="nothing")
    if operator != "-=":  # what came blank with an import can be removed
        _check_written(field, value)
    if field == "type" and value.strip().lower() == _ARTICLE:
        value = "article-journal"
    return Assignment(field, _ACTS[operator], value)


def _name_of(text: str) -> str:
    """The field's name as the argument has it."""
    found = _ASSIGNMENT.fullmatch(text)
    return found.group(1) if found is not None else ""


def _parts(whole: Assignment) -> list[Assignment]:
    """The tags of a text of keywords, each by itself; one that parts nothing is one tag."""
    separator = ";" if ";" in whole.value else ","
    parts = [one.strip() for one in whole.value.split(separator) if one.strip()]
    return [replace(whole, value=one) for one in parts] or [whole]


def _check_written(field: str, value: str) -> None:
    if value and not value.strip():
        raise InvalidValueError(
            field, expected="a value that is not blank, or none to clear it", got=f"'{value}'"
        )
    if field == "tags" and value:
        check_tag(value)


def parse_edits(texts: Sequence[str]) -> list[Edit]:
    """The edits of one command, by field in the order in which the fields first appear.

    Raises:
        UsageError: an argument that is no assignment, or several that cannot be meant together.
    """
    by_field: dict[str, list[Assignment]] = {}
    for text in texts:
        assignment = parse_assignment(text)
        listed = _parts(assignment) if _name_of(text) in _LISTED else [assignment]
        by_field.setdefault(assignment.field, []).extend(listed)
    return [edit for field, given in by_field.items() for edit in _field_edits(field, given)]


def new_fields(edits: Iterable[Edit]) -> dict[str, str | list[str]]:
    """The fields of a new reference: what ``Library.add`` takes.

    Raises:
        UsageError: something is to be removed from a reference that has nothing yet, or nothing
            is said of it but its type.
    """
    fields: dict[str, str | list[str]] = {}
    for edit in edits:
        if edit.act is Act.REMOVE:
            raise UsageError(
                f"A new reference has no '{edit.field}' from which something could be removed.",
                next_step=f"Write {edit.field}=VALUE to set it.",
            )
        if edit.act is Act.CLEAR:
            continue
        several = form_of(edit.field).holds_several
        fields[edit.field] = list(edit.values) if several else PARAGRAPH_BREAK.join(edit.values)
    if not fields.keys() - {"type"}:
        raise UsageError(
            "The new reference has no fields.",
            next_step="Give it at least a title: title='A history of printing'.",
        )
    return fields


def whole_text(text: str, *, field: str) -> str:
    """The text itself, if it is text: bytes of another encoding come from a shell as surrogates.

    Raises:
        InvalidValueError: it is not.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidValueError(
            field, expected="text in UTF-8", got=f"other bytes ('{_printable(text)}')"
        ) from None
    return text


def _field_edits(field: str, given: list[Assignment]) -> list[Edit]:
    form = form_of(field)
    acts = {assignment.act for assignment in given}
    if Act.SET in acts and len(acts) > 1:
        other = _OPERATORS[next(act for act in Act if act in acts and act is not Act.SET)]
        raise UsageError(
            f"'{field}' is given both with = and with {other}.",
            next_step=f"Use = for the whole value of '{field}', or += and -= for changes to it.",
        )
    for act in (Act.ADD, Act.REMOVE):
        if act in acts:
            _check_operator(field, form, act)
    if acts == {Act.SET}:
        return [_setting(field, form, given)]
    return [
        Edit(field, act, tuple(one.value for one in given if one.act is act))
        for act in (Act.REMOVE, Act.ADD)
        if act in acts
    ]


def _check_operator(field: str, form: Form, act: Act) -> None:
    """Refuse += and -= where there is nothing to add to or to remove from."""
    if form.holds_several or (form is Form.TEXT and act is Act.ADD):
        return
    operator = _OPERATORS[act]
    kind = "a text" if form is Form.TEXT else "one value"
    raise UsageError(
        f"'{field}' is {kind}; {operator} is for lists and sets such as author or tags.",
        next_step=f"Write {field}=VALUE to replace it, or {field}= to clear it.",
    )


def _setting(field: str, form: Form, given: list[Assignment]) -> Edit:
    values = tuple(assignment.value for assignment in given)
    if values == ("",):
        return Edit(field, Act.CLEAR)
    if len(values) > 1 and not form.holds_several:
        raise UsageError(
            f"'{field}' takes one value and was given {len(values)} times.",
            next_step=f"Write {field}=VALUE once.",
        )
    if "" in values:
        raise UsageError(
            f"'{field}' is both cleared and set.",
            next_step=f"Leave out the empty '{field}=': = alone replaces all that was there.",
        )
    return Edit(field, Act.SET, values)


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
