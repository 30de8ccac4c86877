"""References as a front end reads them that shows a part of a library at a time."""

from __future__ import annotations

from typing import Any

from bifolio.results.base import Result
from bifolio.results.references import AnnotationView, NoteView


class WindowRow(Result, frozen=True):
    """A reference in a window: what is shown, without what takes a look at other tables.

    ``key`` is the citation key as it is shown, ``fields`` are CSL-JSON's with title, abstract and
    note; ``groups`` are ids. ``version`` is that of the last change that touched it (0: its history
    begins later); ``added`` and ``modified`` are ISO 8601 in UTC, None where they are not known.
    ``notes`` and ``annotations`` are empty where there are no more of them than the fields ``note``
    and ``annotation``, otherwise they are all of them.
    """

    id: str
    key: str
    type: str
    fields: dict[str, Any]
    tags: tuple[str, ...]
    groups: tuple[str, ...]
    trashed: bool
    version: int
    added: str | None
    modified: str | None
    notes: tuple[NoteView, ...] = ()
    annotations: tuple[AnnotationView, ...] = ()


class LibraryChanges(Result, frozen=True):
    """What changed since a version: the library's version now, the ids of the records that were
    touched, and the numbers of the references among them, by which windows are read."""

    version: int
    records: tuple[str, ...]
    numbers: tuple[int, ...]
