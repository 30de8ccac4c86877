"""Notes that a file holds as one text, and the reference as the several notes that they were.

A format of references has one note: an export joins all of them. Where somebody changed such a
file, its record comes in as a newer version with the joined text. What of it the reference's other
notes say already is taken out of that text again, as an edit of this computer's; the rest is new.
Annotations in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bifolio.document import texts
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.records.edits import PARAGRAPH_BREAK
from bifolio.records.notes import (
    ANNOTATION,
    FIRST,
    NOTE,
    annotations_of,
    is_part,
    notes_of,
)
from bifolio.records.reference import Values

_KINDS: Final = (NOTE, ANNOTATION)


def brings_joined(before: Values, given: Values) -> bool:
    """Whether a record of a file may hold as one text what a reference has as several."""
    return any(kind in given for kind in _KINDS) and any(map(is_part, before))


class KnownNotes:
    """What a reference had as several notes before a version of a file was merged."""

    def __init__(self, before: Values) -> None:
        self._before = before
        self._known = {
            NOTE: [one.text for one in notes_of(before) if one.id != FIRST],
            ANNOTATION: [
                one.as_text() for one in annotations_of(before) if one.id != FIRST or one.type
            ],
        }

    def write(self, plan: Plan, entries: Entries) -> None:
        """Plan to take out of what came as one text what the reference has as notes of their own.

        Where all that differs is what they say, nothing is left to be decided between either.
        """
        for kind in _KINDS:
            before = self._before.get(kind)
            contents = [one.content or "" for one in texts.values(entries, kind)]
            if contents in ([], [before]) or not self._known[kind]:
                continue
            own = before if isinstance(before, str) else ""
            rests = [_without(text, own, self._known[kind]) for text in contents]
            wanted = {rest for rest in rests if rest}
            is_in_other = own and any(_begins_with(one, own) for one in wanted - {own})
            if is_in_other:
                wanted.discard(own)
            if (is_in_other or rests != contents) and len(wanted) <= 1:
                texts.plan_replace(plan, entries, kind, wanted.pop() if wanted else None)


def _without(text: str, own: str, known: Sequence[str]) -> str:
    """A text without the paragraphs of known ones, after the own one that it may begin with."""
    paragraphs = _paragraphs(text)
    start = len(_paragraphs(own)) if _begins_with(text, own) else 0
    kept, rest = paragraphs[:start], paragraphs[start:]
    for one in sorted((_paragraphs(one) for one in known), key=len, reverse=True):
        places = range(len(rest) - len(one) + 1)
        found = next((at for at in places if _same(rest[at : at + len(one)]) == _same(one)), None)
        if found is not None:
            del rest[found : found + len(one)]
    if len(kept) + len(rest) == len(paragraphs):
        return text
    return own if not rest and kept else PARAGRAPH_BREAK.join([*kept, *rest])


def _begins_with(text: str, own: str) -> bool:
    start = _same(_paragraphs(own))
    return _same(_paragraphs(text))[: len(start)] == start


def _paragraphs(text: str) -> list[str]:
    return [one for one in text.split(PARAGRAPH_BREAK) if one.strip()]


def _same(paragraphs: Sequence[str]) -> list[str]:
    """Paragraphs as they are compared: a format may break their lines elsewhere."""
    return [" ".join(one.split()) for one in paragraphs]
