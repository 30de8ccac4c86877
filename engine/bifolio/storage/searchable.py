"""What the search index is given of a reference: its texts as words, its marks, its places in
every order.

Pure. The migrations fill the index with it, and so does every write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from bifolio.records.folding import fold, words
from bifolio.records.notes import TAGS, is_part, read_part
from bifolio.records.terms import BOUNDARY, VALUES, marks_of

#: The columns of the index. The abstract is the first one, as FTS5 names the column of each word
#: but the first one's, and the marks are in front of it: most of the words of a reference take two
#: bytes less. Nobody can type a mark, so that none is found as a word.
INDEXED = (
    "abstract",
    "title",
    "author",
    "editor",
    "creators",
    "container",
    "note",
    "tags",
)

#: What a reference is sorted by, besides its number and id.
PLACES = ("year", "title", "author", "key")

#: The values of ``PLACES`` of one reference.
Places = tuple[int | None, str, str, str]

_TITLES = ("title-short", "translated-title", "original-title")
_CONTAINERS = (
    "container-title",
    "container-title-short",
    "collection-title",
    "event-title",
)
_NOTES = ("annotation", "annote")

#: What of a note or an annotation is searched, besides its text.
_PART_WORDS = ("", "text", TAGS)

#: The fields whose values are searched for, besides names; of the others, that they are there.
_SEARCHED = frozenset(
    (*_TITLES, *_CONTAINERS, *_NOTES, *(name for _, name in VALUES), "citation-key-aliases")
)

_NO_PLACES: Places = (None, "", "", "")

#: The names of the authors, of the editors, and of everybody else.
_Names = tuple[list[str], list[str], list[str]]

#: Characters of a text by which references are sorted: beyond, no list of works is told apart.
_PLACE_CHARACTERS = 80


class Searchable(Struct, frozen=True):
    """What of a reference can be searched for."""

    key: str
    type: str
    title: str | None
    abstract: str | None
    note: str | None
    fields: Mapping[str, Any]
    year: int | None
    conflicts: int

    def to_stored(
        self, *, with_places: bool = True, with_texts: bool = True
    ) -> tuple[Places, tuple[str, ...] | None]:
        """``places`` and ``index_texts``, as far as they are asked for."""
        if not with_places and not with_texts:
            return _NO_PLACES, None
        names = _names(self.fields)
        return (
            self._places(names) if with_places else _NO_PLACES,
            self._index_texts(names) if with_texts else None,
        )

    def index_texts(self) -> tuple[str, ...]:
        """The texts of the index's columns."""
        return self._index_texts(_names(self.fields))

    def _index_texts(self, names: _Names) -> tuple[str, ...]:
        author, editor, others = names
        columns = (("title", self.title), ("abstract", self.abstract), ("note", self.note))
        found = marks_of(
            key=self.key,
            type=self.type,
            fields=self.fields,
            columns=[name for name, text in columns if text],
            year=self.year,
            in_conflict=bool(self.conflicts),
        )
        abstract = fold(self.abstract) if self.abstract else ""
        return (
            " ".join((*dict.fromkeys(found), abstract)),
            _join_texts([self.title, *_texts(self.fields, _TITLES)]),
            _join_texts(author),
            _join_texts(editor),
            _join_texts(others),
            _join_texts(_texts(self.fields, _CONTAINERS)),
            _join_texts([self.note, *_texts(self.fields, _NOTES), *_of_parts(self.fields)]),
            _join_texts(_strings(self.fields.get("tags"))),
        )

    def places(self) -> Places:
        """The reference's place when a list is sorted: the values of ``PLACES``."""
        return self._places(_names(self.fields))

    def _places(self, names: _Names) -> Places:
        first = next((name for of_a_kind in names for name in of_a_kind), "")
        return (self.year, _place(self.title or ""), _place(first), _place(self.key))


def is_searched(name: str, before: object, after: object) -> bool:
    """Whether the index is given anything else where a field changes from one value to another
    (None: not there)."""
    if are_names(before) or are_names(after):
        return True
    return name in _SEARCHED or bool(before) != bool(after) or is_part(name)


def _names(fields: Mapping[str, Any]) -> _Names:
    """The names of the authors, of the editors, and of everybody else."""
    found: _Names = ([], [], [])
    for role, value in fields.items():
        if type(value) is str or not are_names(value):
            continue
        place = 0 if role == "author" else 1 if role == "editor" else 2
        found[place].extend(_name(one) for one in value if isinstance(one, dict))
    return found


def are_names(value: object) -> bool:
    """Whether a field's value is a list of names."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _name(parts: Mapping[str, Any]) -> str:
    """A name both ways round, so that a phrase finds ``Knuth, Donald`` and ``Donald Knuth``."""
    if parts.get("literal"):
        return str(parts["literal"])
    family = str(parts.get("family", ""))
    if len(parts) > 2:
        for particle in ("non-dropping-particle", "dropping-particle"):
            if parts.get(particle):
                family = f"{parts[particle]} {family}"
    given, suffix = parts.get("given", ""), parts.get("suffix", "")
    return f"{family} {given} {family} {suffix}" if given or suffix else family


def _texts(fields: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    return [fields[name] for name in names if name in fields and isinstance(fields[name], str)]


def _of_parts(fields: Mapping[str, Any]) -> list[str]:
    """The words of further notes, and of annotations: what they say and mark, and their tags."""
    found: list[str] = []
    for name, value in fields.items():
        if ":" not in name or not is_part(name):
            continue
        part = read_part(name)
        if part is not None and part.attribute in _PART_WORDS:
            found += _strings(value) if part.attribute == TAGS else [str(value)]
    return found


def _strings(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _join_texts(texts: Sequence[str | None]) -> str:
    given = [text for text in texts if text]
    if not given:
        return ""
    return fold(given[0]) if len(given) == 1 else f" {BOUNDARY} ".join(map(fold, given))


def _place(text: str) -> str:
    return " ".join(words(text[: 4 * _PLACE_CHARACTERS]))[:_PLACE_CHARACTERS]
