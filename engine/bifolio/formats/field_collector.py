"""The mapped values of one record while they are gathered from its tags.

Several tags may feed one field (``year`` and ``month``; every ``AU``), and one field may be
claimed by several tags that disagree. The gathering settles that in one way for every format:

- a set, a creators' list and a text take all that comes, in the file's order;
- of a scalar's candidates the best rank wins, then the first; equal ones feed it too; the others
  become extra fields, so that nothing of the file is without a place.

It also remembers which fields each tag fed: an export to the same format needs that to write the
tag's own text back where none of them was changed. May not know any format.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from bifolio import limits
from bifolio.formats.roundtrip_fields import RESTORE_CLEARED, RestoredField
from bifolio.records.canonical import nfc
from bifolio.records.dates import date_text
from bifolio.records.fields import Form, form_of, is_extra
from bifolio.records.names import Name
from bifolio.records.reference import Value, Values

#: A field's name is part of a document's key, which such characters would break.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@lru_cache(maxsize=4096)
def _make_printable(field: str) -> str:
    return _UNPRINTABLE.sub("_", field) if is_extra(field) else field


class MappedRecord(Struct, frozen=True):
    """A record's values and, for each of its tags, the fields that the tag fed."""

    values: Values
    feeds: tuple[frozenset[str], ...]
    #: Whether there were more values than a record may have: the others are not among these.
    is_cut: bool = False


class _Candidate(Struct, frozen=True):
    rank: int
    index: int
    value: Value
    extra: str


class FieldCollector:
    """Takes what the tags of one record say, in any order; ``finish`` settles it."""

    def __init__(self, tags: int) -> None:
        self._values: dict[str, list[tuple[int, str | Name]]] = {}
        self._candidates: dict[str, list[_Candidate]] = {}
        self._restored: list[tuple[int, RestoredField]] = []
        self._feeds: list[set[str]] = [set() for _ in range(tags)]
        self._room = limits.IMPORT_RECORD_VALUES_MAX

    def candidate(
        self, index: int, field: str, value: Value, *, rank: int = 0, extra: str = ""
    ) -> None:
        """One claim to a scalar or a date; ``extra`` is where it goes if another claim wins."""
        if value == "":
            return
        self._candidates.setdefault(field, []).append(_Candidate(rank, index, value, extra))

    def append(self, index: int, field: str, value: str | Name) -> None:
        """One element of a set or list, one name, or one piece of a text."""
        if value == "":
            return
        self._room -= 1
        if self._room < 0:
            return
        self._values.setdefault(_make_printable(field), []).append((index, value))

    def derive(self, field: str, value: Value) -> None:
        """A value that no tag says (it follows from the type or an address).

        Any tag's claim beats it, and no tag has to change when it does.
        """
        self._candidates.setdefault(field, []).append(_Candidate(1_000, -1, value, ""))

    def restore(self, index: int, restored: RestoredField) -> None:
        """What a round-trip field of an earlier export says: it beats whatever the tags gave."""
        self._restored.append((index, restored))

    def feed(self, index: int, field: str) -> None:
        """The tag said something of the field that another tag says too."""
        self._feeds[index].add(field)

    def first(self, field: str) -> Value | None:
        """The value that the scalar would have by now."""
        candidates = self._candidates.get(field)
        if not candidates:
            return None
        return min(candidates, key=lambda one: (one.rank, one.index)).value

    def finish(self) -> MappedRecord:
        """Settle all claims."""
        values: Values = {}
        for field, candidates in self._candidates.items():
            values[field] = self._settle(field, candidates)
        for field, pieces in self._values.items():
            values[field] = self._assemble(field, pieces)
        for index, restored in self._restored:
            field = _UNPRINTABLE.sub("_", restored.field)
            self._feeds[index].add(field)
            if restored.value is RESTORE_CLEARED:
                values.pop(field, None)
            elif restored.append and isinstance(before := values.get(field), tuple):
                values[field] = (*before, *restored.value)
            else:
                values[field] = restored.value
        feeds = tuple(frozenset(fed) for fed in self._feeds)
        return MappedRecord(values, feeds, is_cut=self._room < 0)

    def _settle(self, field: str, candidates: list[_Candidate]) -> Value:
        if len(candidates) == 1:
            (only,) = candidates
            if only.index >= 0:
                self._feeds[only.index].add(field)
            return only.value
        best = min(candidates, key=lambda one: (one.rank, one.index))
        for one in candidates:
            if one.index < 0:
                continue
            if one.value == best.value or not one.extra:
                self._feeds[one.index].add(field)
            elif isinstance(one.value, str):
                self.append(one.index, one.extra, one.value)
            elif isinstance(one.value, dict):
                self.append(one.index, one.extra, date_text(one.value))
        return best.value

    def _assemble(self, field: str, pieces: list[tuple[int, str | Name]]) -> Value:
        for index, _ in pieces:
            self._feeds[index].add(field)
        form = form_of(field)
        if form is Form.NAMES:
            return tuple(value for _, value in pieces if isinstance(value, Name))
        texts = [value for _, value in pieces if isinstance(value, str)]
        if form is Form.TEXT:
            return "\n\n".join(dict.fromkeys(texts))  # ``N2`` often repeats ``AB``
        if form is Form.STRINGS and not is_extra(field):
            first: dict[str, str] = {}
            for text in texts:
                first.setdefault(nfc(text), text)
            return tuple(first.values())
        if form is Form.STRING:
            return "\n".join(texts)
        return tuple(texts)
