"""What the search index is given of a reference: its texts as words, its marks, its places in
every order.

Pure. The migrations fill the index with it, and so does every write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bifolio.records.folding import fold, words
from bifolio.records.marks import BOUNDARY, marks_of

#: The columns of the index; a word without an operator is searched in all but the last one.
INDEXED = (
    "title",
    "author",
    "editor",
    "creators",
    "container",
    "abstract",
    "note",
    "tags",
    "marks",
)

#: What a reference is sorted by, beside its number and id.
PLACES = ("year", "title", "author", "key")

_TITLES = ("title-short", "translated-title", "original-title")
_CONTAINERS = (
    "container-title",
    "container-title-short",
    "collection-title",
    "event-title",
)
_NOTES = ("annotation", "annote")

#: Characters of a text by which references are sorted: beyond, no list of works is told apart.
_PLACE_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Searchable:
    """What of a reference can be searched for."""

    key: str
    type: str
    title: str | None
    abstract: str | None
    note: str | None
    fields: Mapping[str, Any]
    year: int | None
    conflicts: int

    def indexed(self) -> tuple[str, ...]:
        """The texts of the index's columns."""
        names = dict(_names(self.fields))
        others = [name for role, name in _each_name(names) if role not in ("author", "editor")]
        columns = (("title", self.title), ("abstract", self.abstract), ("note", self.note))
        found = marks_of(
            key=self.key,
            type=self.type,
            fields=self.fields,
            columns=[name for name, text in columns if text],
            year=self.year,
            in_conflict=bool(self.conflicts),
        )
        return (
            _joined(self.title, *_texts(self.fields, _TITLES)),
            _joined(*names.get("author", ())),
            _joined(*names.get("editor", ())),
            _joined(*others),
            _joined(*_texts(self.fields, _CONTAINERS)),
            _joined(self.abstract),
            _joined(self.note, *_texts(self.fields, _NOTES)),
            _joined(*_listed(self.fields.get("tags"))),
            " ".join(dict.fromkeys(found)),
        )

    def places(self) -> tuple[int | None, str, str, str]:
        """Where the reference stands when a list is sorted: the values of ``PLACES``."""
        first = next((name for _, name in _each_name(dict(_names(self.fields)))), "")
        return (self.year, _place(self.title or ""), _place(first), _place(self.key))


def _names(fields: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The names of each role, authors and editors first."""
    roles = [
        role
        for role, value in fields.items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    for role in sorted(roles, key=lambda one: (one != "author", one != "editor", one)):
        yield role, [_name(one) for one in fields[role] if isinstance(one, dict)]


def _each_name(names: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    for role, of_role in names.items():
        for name in of_role:
            yield role, name


def _name(parts: Mapping[str, Any]) -> str:
    """A name both ways round, so that a phrase finds ``Knuth, Donald`` and ``Donald Knuth``."""
    if parts.get("literal"):
        return str(parts["literal"])
    family = " ".join(
        str(parts[part])
        for part in ("dropping-particle", "non-dropping-particle", "family")
        if parts.get(part)
    )
    given, suffix = str(parts.get("given", "")), str(parts.get("suffix", ""))
    return f"{family} {given} {family} {suffix}" if given or suffix else family


def _texts(fields: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            yield value


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _joined(*texts: str | None) -> str:
    folded = [fold(text) for text in texts if text]
    return folded[0] if len(folded) == 1 else f" {BOUNDARY} ".join(folded)


def _place(text: str) -> str:
    return " ".join(words(text[: 4 * _PLACE_CHARACTERS]))[:_PLACE_CHARACTERS]
