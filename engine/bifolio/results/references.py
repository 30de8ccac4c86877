"""A reference and its conflicts, as they are shown."""

from __future__ import annotations

from typing import Any

from bifolio.results.base import Result


class ConflictChoice(Result, frozen=True):
    """One of the values of a conflict: ``n`` from 1, which is shown; who wrote it and when (ISO
    8601 in UTC; None for an import)."""

    n: int
    value: Any
    by: str
    at: str | None


class Conflict(Result, frozen=True):
    """A field with more than one live value.

    ``of`` says of what: "reference", or "group" for one that was deleted and edited at the same
    time; ``ref`` is its id then, and ``key`` what a command finds it by.
    """

    ref: str
    key: str
    field: str
    kind: str
    values: tuple[ConflictChoice, ...]
    of: str = "reference"


class NoteView(Result, frozen=True):
    """One note of a reference: ``n`` counts them from 1, ``id`` stays with it ("0" is the one that
    is also the field ``note``), ``field`` is what conflicts and history call its text. ``added`` is
    ISO 8601 in UTC, None where it is not known."""

    n: int
    id: str
    field: str
    text: str
    tags: tuple[str, ...] = ()
    added: str | None = None


class AnnotationView(Result, frozen=True):
    """One annotation of a file of a reference; ``n``, ``id``, ``field`` and ``added`` as of a note.

    ``type`` is highlight, underline, note, text, image or ink; ``text`` is what it marks,
    ``comment`` what was written to it; ``position`` is JSON of the program that made it, ``file``
    the hash of the content that it is in, or its name. Empty is what it does not have.
    """

    n: int
    id: str
    field: str
    type: str
    text: str
    comment: str
    page: str
    colour: str
    author: str
    file: str
    position: str
    sort: str
    tags: tuple[str, ...] = ()
    added: str | None = None


class CopyOrigin(Result, frozen=True):
    """What a reference is a copy of: the library's name and the key there when it was copied last
    (empty where that is not known), the ids of the library and of the reference, and when the copy
    was made (ISO 8601 in UTC; None where it is not known)."""

    library: str
    key: str
    library_id: str
    id: str
    at: str | None


class ReferenceView(Result, frozen=True):
    """A reference as it is shown. ``fields`` are CSL-JSON's; ``same_key`` are the keys of other
    references whose citation key is the same, as they are shown; ``merged_into`` is the id of the
    reference that one in the trash was merged into; ``deleted_by`` is the computer that deleted one
    which this replica goes on showing until that is confirmed, as it deleted most of the library.
    ``notes`` are all notes (the first one is ``fields.note`` too), ``annotations`` all annotations
    (``fields.annotation`` is their text), ``lost_files`` the files that no computer is known to
    have, ``copied_from`` what it is a copy of; lists leave these four out.
    """

    id: str
    key: str
    type: str
    fields: dict[str, Any]
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    trashed: bool = False
    conflicts: tuple[Conflict, ...] = ()
    same_key: tuple[str, ...] = ()
    merged_into: str | None = None
    deleted_by: str | None = None
    lost_files: tuple[str, ...] = ()
    notes: tuple[NoteView, ...] = ()
    annotations: tuple[AnnotationView, ...] = ()
    copied_from: CopyOrigin | None = None


class PurgedReference(Result, frozen=True):
    """A reference that went with an emptied trash."""

    id: str
    key: str
    title: str


class ConfirmedDeletions(Result, frozen=True):
    """How many references that others deleted are in the trash now, which were shown until now."""

    references: int


class EmptiedTrash(Result, frozen=True):
    """The references that went with an emptied trash."""

    removed: tuple[PurgedReference, ...]
