"""How notes and annotations read to a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bifolio.records.notes import FIRST
from bifolio.results import AnnotationView, NoteView
from bifolio_cli.text.history_text import local_time

_MARGIN = "    "


def note_lines(note: NoteView) -> Iterator[str]:
    """A note: its number, its id, when it was added and its tags; then its text."""
    yield _heading(f"note {note.n}", note.id, note.added, note.tags)
    yield from _indented(note.text)


def annotation_lines(annotation: AnnotationView) -> Iterator[str]:
    """An annotation: its number and what it is, where it is; what it marks, quoted; the comment."""
    words = [f"annotation {annotation.n}"]
    words += [f"({annotation.type})"] if annotation.type else []
    words += [f"p. {annotation.page}"] if annotation.page else []
    words += [annotation.colour] if annotation.colour else []
    words += [f"by {annotation.author}"] if annotation.author else []
    yield _heading(" ".join(words), annotation.id, annotation.added, annotation.tags)
    if annotation.text:
        yield from (f"{_MARGIN}> {line}" for line in annotation.text.split("\n"))
    yield from _indented(annotation.comment)


def _heading(words: str, part_id: str, added: str | None, tags: Sequence[str]) -> str:
    shown = [words]
    shown += [part_id] if part_id != FIRST else []
    shown += [local_time(added)] if added else []
    shown += [f"[{', '.join(tags)}]"] if tags else []
    return "   ".join(shown)


def _indented(text: str) -> Iterator[str]:
    if text:
        yield from (_MARGIN + line if line else line for line in text.split("\n"))
