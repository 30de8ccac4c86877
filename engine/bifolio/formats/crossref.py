"""What an entry inherits from its parents by ``crossref`` and ``xdata``, as BibLaTeX has it.

An inherited tag carries ``^`` before its name; it is computed at import, kept with the source and
never written. A parent that is not in the file gives nothing, and a circle ends where it closes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bifolio.formats.bibtex import INHERITED
from bifolio.formats.bibtex_blocks import Entry
from bifolio.formats.bibtex_values import COMMENT_TAG, pieces

#: Parents of parents: a chapter, its volume, its series; biber itself warns of more.
_GENERATIONS_MAX: Final = 4

#: What a part does not take over from the whole.
_NOT_INHERITED: Final = frozenset(
    "crossref xref xdata ids shorthand label sortkey sorttitle presort entryset entrysubtype "
    "execute options related relatedtype keywords abstract annotation annote note file pdf "
    "url urldate doi eprint eprinttype pages pagetotal shorttitle".split()
)

#: The whole's own title is the part's container.
_RENAMED: Final = {"title": "booktitle", "subtitle": "booksubtitle", "author": "bookauthor"}
_PART_TYPES: Final = frozenset(
    "inproceedings conference incollection inbook bookinbook suppbook suppcollection inreference "
    "article suppperiodical".split()
)


class Parents:
    """The entries of one file that others name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        named = {key.lower() for entry in entries for _, key in _links(entry)}
        self._entries: dict[str, Entry] = {}
        for entry in entries if named else ():
            if entry.key.lower() in named:
                self._entries.setdefault(entry.key.lower(), entry)

    def inherited(self, entry: Entry) -> tuple[tuple[str, str], ...]:
        """The marked tags that the entry's parents give and it does not have itself."""
        if not self._entries:
            return ()
        have = {name.lower() for name, _ in entry.tags}
        found: list[tuple[str, str]] = []
        for name, raw in self._from_parents(entry, frozenset({entry.key.lower()})):
            if name not in have:
                have.add(name)
                found.append((INHERITED + name, raw))
        return tuple(found)

    def _from_parents(self, entry: Entry, seen: frozenset[str]) -> Iterator[tuple[str, str]]:
        for link, key in _links(entry):
            parent = self._entries.get(key.lower())
            if parent is None or key.lower() in seen or len(seen) > _GENERATIONS_MAX:
                continue
            whole = link == "crossref"
            given = [(name.lower(), raw) for name, raw in parent.tags if name != COMMENT_TAG]
            given += self._from_parents(parent, seen | {key.lower()})
            names = {name for name, _ in given}
            for name, raw in given:
                if not whole:
                    if name not in ("crossref", "xdata"):
                        yield name, raw
                    continue
                if name in _NOT_INHERITED:
                    continue
                new = _renamed(name, entry.type.lower(), names)
                if new:
                    yield new, raw


def _renamed(name: str, kind: str, names: set[str]) -> str:
    """The name under which a part takes a field of the whole; empty if it does not."""
    if kind not in _PART_TYPES:
        return name
    if name in ("title", "subtitle") and kind in ("article", "suppperiodical"):
        return "journaltitle" if name == "title" else ""
    if name in ("title", "subtitle") and _RENAMED[name] in names:
        return ""  # the whole states its title as a container itself
    if name == "author":
        return "bookauthor" if kind in ("inbook", "bookinbook", "suppbook") else ""
    return _RENAMED.get(name, name)


def _links(entry: Entry) -> Iterator[tuple[str, str]]:
    for name, raw in entry.tags:
        link = name.lower()
        if link in ("crossref", "xdata"):
            text = "".join(part for _, part in pieces(raw))
            for key in re.split(r"\s*,\s*", text) if link == "xdata" else (text,):
                if key.strip():
                    yield link, key.strip()
