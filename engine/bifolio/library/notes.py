"""The notes and annotations of references: listed, added, edited, removed; each has an id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from bifolio import lazy, limits
from bifolio.clock import stamp_milliseconds
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import (
    InvalidValueError,
    NoteNotFoundError,
    TrashedReferenceError,
)
from bifolio.records import notes
from bifolio.records.edits import PARAGRAPH_BREAK
from bifolio.records.notes import ANNOTATION, NOTE, TAGS
from bifolio.records.reference import Value
from bifolio.records.values import check_tag, is_one_line
from bifolio.replica import lookup
from bifolio.replica.note_views import annotation_views, note_views
from bifolio.replica.replica import Replica
from bifolio.results import AnnotationView, NoteView
from bifolio.storage.derived import ReferenceRow

if TYPE_CHECKING:
    from bifolio.document import editing, field_kinds, view
else:
    editing = lazy.module("bifolio.document.editing")
    field_kinds = lazy.module("bifolio.document.field_kinds")
    view = lazy.module("bifolio.document.view")

#: What an annotation may be.
ANNOTATION_TYPES: Final = ("highlight", "underline", "note", "text", "image", "ink")

#: What of an annotation is one line.
_LINES: Final = ("page", "colour", "sort", "author", "file")


View = TypeVar("View", NoteView, AnnotationView)


class _Parts:
    """What notes and annotations have in common; ``kind`` is which of them."""

    def __init__(self, replica: Replica, kind: str) -> None:
        self._replica = replica
        self._kind = kind

    def _row(self, ref: str) -> ReferenceRow:
        row = lookup.find(self._replica, ref)
        if row.trashed:
            raise TrashedReferenceError(ref)
        return row

    def _add(self, ref: str, values: Mapping[str, Value | None]) -> tuple[ReferenceRow, str]:
        """Add one with these values by attribute, its text under the empty name; its row and id."""
        with self._replica.database.transaction():
            row = self._row(ref)
            made: list[str] = []

            def write(plan: Plan, entries: Entries) -> None:
                there = view.read_view(entries).values
                made.append(self._fresh_id(plan.writer.stamp, there))
                for attribute, value in values.items():
                    field = self._field(made[0], attribute)
                    if value:
                        field_kinds.field_kind(field).plan_set(plan, entries, field, value)

            self._replica.commit_inside([(row.id, write)])
        self._replica.mark_edit()
        return row, made[0]

    def _change(self, row: ReferenceRow, part_id: str, values: Mapping[str, Value | None]) -> None:
        """Give one other values by attribute; None: none."""

        def write(plan: Plan, entries: Entries) -> None:
            for attribute, value in values.items():
                field = self._field(part_id, attribute)
                kind = field_kinds.field_kind(field)
                if value:
                    kind.plan_set(plan, entries, field, value)
                else:
                    kind.plan_clear(plan, entries, field)
            editing.finish(plan, entries)

        self._replica.commit([(row.id, write)])

    def _remove(self, row: ReferenceRow, part_id: str) -> None:
        attributes = ("", *notes.ATTRIBUTES[self._kind])
        self._change(row, part_id, dict.fromkeys(attributes))

    def _field(self, part_id: str, attribute: str) -> str:
        if attribute:
            return notes.attribute_field(self._kind, part_id, attribute)
        return notes.text_field(self._kind, part_id)

    def _fresh_id(self, stamp: str, there: Mapping[str, Value]) -> str:
        """An id after those that are there: of this moment, or right after the latest."""
        now = stamp_milliseconds(stamp)
        parts = [part for name in there if (part := notes.read_part(name)) is not None]
        times = [notes.made_at(one.id) or 0 for one in parts if one.kind == self._kind]
        last = max((one for one in times if one <= now + limits.CLOCK_AHEAD_MS_MAX), default=0)
        return notes.make_id(max(now, last + 1), self._replica.runtime.random_bytes(6))

    def _meant(self, ref: str, views: Sequence[View], wanted: int | str) -> View:
        """The one with a number or an id."""
        for one in views:
            if one.n == wanted if isinstance(wanted, int) else wanted in (str(one.n), one.id):
                return one
        raise NoteNotFoundError(ref, str(wanted), kind=self._kind)


class Notes(_Parts):
    """The notes of the references of one library; each is merged by character."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica, NOTE)

    def list(self, ref: str) -> Sequence[NoteView]:
        """The notes of a reference, in their order.

        Raises:
            ReferenceNotFoundError, AmbiguousReferenceError.
        """
        return note_views(lookup.find(self._replica, ref))

    def get(self, ref: str, note: int | str) -> NoteView:
        """One note of a reference.

        Args:
            note: its number, as a number or in digits, or its id.

        Raises:
            NoteNotFoundError, ReferenceNotFoundError, AmbiguousReferenceError.
        """
        return self._pick(ref, lookup.find(self._replica, ref), note)

    def add(self, ref: str, text: str, *, tags: Sequence[str] = ()) -> NoteView:
        """Add a note behind the others. Two that are added on two computers are both kept.

        Raises:
            InvalidValueError: the text is blank, or a tag is none.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError.
        """
        row, made = self._add(ref, {"": _check_text(text), **_checked_tags(tags)})
        return self.get(row.id, made)

    def edit(
        self,
        ref: str,
        note: int | str,
        *,
        text: str | None = None,
        append: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> NoteView:
        """Change a note: where two computers change two paragraphs, both changes are kept.

        Args:
            note: its number, as a number or in digits, or its id.
            text: what it says from now on.
            append: a further paragraph.
            tags: its tags from now on.

        Raises:
            NoteNotFoundError, InvalidValueError: nothing was changed.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError.
        """
        row = self._row(ref)
        found = self._pick(ref, row, note)
        values: dict[str, Value | None] = {}
        if text is not None or append is not None:
            whole = found.text if text is None else _check_text(text)
            values[""] = whole if append is None else _joined(whole, _check_text(append))
        if tags is not None:
            values |= _checked_tags(tags)
        self._change(row, found.id, values)
        return self.get(row.id, found.id)

    def remove(self, ref: str, note: int | str) -> NoteView:
        """Remove a note. What another computer writes into it meanwhile is a conflict.

        Returns:
            the note as it was.

        Raises:
            NoteNotFoundError: nothing was changed.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError.
        """
        row = self._row(ref)
        found = self._pick(ref, row, note)
        self._remove(row, found.id)
        return found

    def _pick(self, ref: str, row: ReferenceRow, wanted: int | str) -> NoteView:
        return self._meant(ref, note_views(row), wanted)


class Annotations(_Parts):
    """The annotations of the files of the references of one library."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica, ANNOTATION)

    def list(self, ref: str) -> Sequence[AnnotationView]:
        """The annotations of a reference: by file and by place in it.

        Raises:
            ReferenceNotFoundError, AmbiguousReferenceError.
        """
        return annotation_views(lookup.find(self._replica, ref).fields)

    def get(self, ref: str, annotation: int | str) -> AnnotationView:
        """One annotation of a reference.

        Args:
            annotation: its number, as a number or in digits, or its id.

        Raises:
            NoteNotFoundError, ReferenceNotFoundError, AmbiguousReferenceError.
        """
        return self._pick(ref, lookup.find(self._replica, ref), annotation)

    def add(
        self, ref: str, values: Mapping[str, str], *, tags: Sequence[str] = ()
    ) -> AnnotationView:
        """Add an annotation.

        Args:
            values: of ``comment``, ``type``, ``text``, ``colour``, ``page``, ``position``,
                ``sort``, ``author`` and ``file``, as ``AnnotationView`` has them.

        Raises:
            InvalidValueError: a type that there is not, or nothing but a place.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError.
        """
        given = {name: one for name, one in _checked(values).items() if one}
        if not given.keys() & {"", "text", "type"}:
            expected = "a comment, or the text that it marks"
            raise InvalidValueError(ANNOTATION, expected=expected, got="neither")
        given.setdefault("type", "highlight" if "text" in given else NOTE)
        row, made = self._add(ref, {**given, **_checked_tags(tags)})
        return self.get(row.id, made)

    def edit(
        self,
        ref: str,
        annotation: int | str,
        values: Mapping[str, str],
        *,
        tags: Sequence[str] | None = None,
    ) -> AnnotationView:
        """Change an annotation; the comment is merged by character.

        Args:
            annotation: its number, as a number or in digits, or its id.
            values: as for ``add``; an empty text takes a value away.
            tags: its tags from now on.

        Raises:
            NoteNotFoundError, InvalidValueError: nothing was changed.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError.
        """
        row = self._row(ref)
        found = self._pick(ref, row, annotation)
        given: dict[str, Value | None] = dict(_checked(values))
        if tags is not None:
            given |= _checked_tags(tags)
        self._change(row, found.id, given)
        changed = annotation_views(lookup.find(self._replica, row.id).fields)
        left = next((one for one in changed if one.id == found.id), None)
        return found if left is None else left  # nothing is left of it: it is removed

    def remove(self, ref: str, annotation: int | str) -> AnnotationView:
        """Remove an annotation.

        Returns:
            the annotation as it was.

        Raises:
            NoteNotFoundError: nothing was changed.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError.
        """
        row = self._row(ref)
        found = self._pick(ref, row, annotation)
        self._remove(row, found.id)
        return found

    def _pick(self, ref: str, row: ReferenceRow, wanted: int | str) -> AnnotationView:
        return self._meant(ref, annotation_views(row.fields), wanted)


def _check_text(text: str) -> str:
    if not text.strip():
        raise InvalidValueError(NOTE, expected="a text that is not blank", got=f"'{text}'")
    return text


def _joined(text: str, paragraph: str) -> str:
    return f"{text.rstrip()}{PARAGRAPH_BREAK}{paragraph}" if text.strip() else paragraph


def _checked_tags(tags: Sequence[str]) -> dict[str, Value | None]:
    for one in tags:
        check_tag(one)
    return {TAGS: tuple(dict.fromkeys(tags))}


def _checked(values: Mapping[str, str]) -> dict[str, str]:
    """The values of an annotation by attribute, the comment under the empty name."""
    found = {}
    for name, value in values.items():
        if name != "comment" and (name not in notes.ATTRIBUTES[ANNOTATION] or name == TAGS):
            raise InvalidValueError(ANNOTATION, expected="what it has", got=f"'{name}'")
        if name == "type" and value not in ANNOTATION_TYPES:
            expected = f"{', '.join(ANNOTATION_TYPES[:-1])} or {ANNOTATION_TYPES[-1]}"
            raise InvalidValueError("type", expected=expected, got=f"'{value}'")
        if name in _LINES and not is_one_line(value):
            raise InvalidValueError(name, expected="one line", got=f"'{value}'")
        found["" if name == "comment" else name] = value
    return found
