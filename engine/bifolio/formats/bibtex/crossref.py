"""What an entry inherits from its parents by ``crossref`` and ``xdata``, as BibLaTeX has it.

An inherited tag has a mark before its name (``bibtex.values``); it is computed at import, kept
with the source and written only where a parent is not. A parent that is not in the file gives
nothing, and a circle ends where it closes: pandoc reads on for ever there, so that the entries of
one are marked, and written without their links.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from bifolio.formats.bibtex.blocks import BibtexEntry
from bifolio.formats.bibtex.values import (
    COMMENT_TAG,
    is_inherited,
    mark_inherited,
    name_of,
    pieces,
)
from bifolio.records.reference import Source

#: Parents of parents: a chapter, its volume, its series; biber itself warns of more.
_GENERATIONS_MAX: Final = 4

#: Longer circles are not looked for.
_CIRCLE_MAX: Final = 100
_LINK_NAMES: Final = ("crossref", "xdata")
_LINKS_AND_CARRIED: Final = frozenset({*_LINK_NAMES, *(f"x-bibtex-{one}" for one in _LINK_NAMES)})

#: What belongs to one entry alone.
_OWN: Final = frozenset(
    "crossref xref xdata ids shorthand label sortkey sorttitle presort entryset entrysubtype "
    "execute options related relatedtype relatedstring relatedoptions".split()
)
#: What a part does not take over from the whole.
_NOT_OF_THE_WHOLE: Final = _OWN | frozenset(
    "keywords abstract annotation annote note file pdf "
    "url urldate doi eprint eprinttype pages pagetotal shorttitle".split()
)

#: The whole's own title is the part's container.
_RENAMED: Final = {
    "title": "booktitle",
    "subtitle": "booksubtitle",
    "titleaddon": "booktitleaddon",
}
_MAIN: Final = {"title": "maintitle", "subtitle": "mainsubtitle", "titleaddon": "maintitleaddon"}
_JOURNAL: Final = {"title": "journaltitle", "subtitle": "journalsubtitle"}
_PART_TYPES: Final = frozenset(
    "inproceedings conference incollection inbook bookinbook suppbook suppcollection inreference "
    "article suppperiodical".split()
)
_BOOK_PARTS: Final = frozenset({"inbook", "bookinbook", "suppbook"})


#: Says that an entry inherits from itself; it has no text, and so no value.
_IN_A_CIRCLE: Final = mark_inherited("crossref")


class Parents:
    """The entries of one file that others name."""

    def __init__(self, named: Collection[str], entries: Iterable[BibtexEntry]) -> None:
        """Args:
        named: the keys of parents that any entry names (``find_parent_keys``).
        entries: all of the file; not read where nothing is named.
        """
        self._entries: dict[str, BibtexEntry] = {}
        for entry in entries if named else ():
            if entry.key.lower() in named:
                self._entries.setdefault(entry.key.lower(), entry)

    def find_inherited(self, entry: BibtexEntry) -> tuple[tuple[str, str], ...]:
        """The marked tags that the entry's parents give and it does not have itself."""
        if not self._entries:
            return ()
        have = {name.lower() for name, _ in entry.tags}
        found: list[tuple[str, str]] = []
        for name, raw in self._from_parents(entry, frozenset({entry.key.lower()})):
            if name not in have and not is_inherited(name):
                have.add(name)
                found.append((mark_inherited(name), raw))
        if self._is_in_a_circle(entry):
            found.append((_IN_A_CIRCLE, ""))
        return tuple(found)

    def _is_in_a_circle(self, entry: BibtexEntry) -> bool:
        """Whether a way by the links of an entry and of its parents leads back to it."""
        own = entry.key.lower()
        waiting = [key.lower() for _, key in _links(entry.tags)]
        seen: set[str] = set()
        while waiting and len(seen) < _CIRCLE_MAX:
            key = waiting.pop()
            if key == own:
                return True
            if key not in seen and (parent := self._entries.get(key)) is not None:
                seen.add(key)
                waiting += [one.lower() for _, one in _links(parent.tags)]
        return False

    def _from_parents(self, entry: BibtexEntry, seen: frozenset[str]) -> Iterator[tuple[str, str]]:
        for link, key in _links(entry.tags):
            parent = self._entries.get(key.lower())
            if parent is None or key.lower() in seen or len(seen) > _GENERATIONS_MAX:
                continue
            given = [(name.lower(), raw) for name, raw in parent.tags if name != COMMENT_TAG]
            given += self._from_parents(parent, seen | {key.lower()})
            if link == "xdata":
                yield from (pair for pair in given if pair[0] not in _LINKS_AND_CARRIED)
                continue
            names = {name for name, _ in given}
            for name, raw in given:
                for new in _names(name, entry.type.lower(), parent.type.lower(), names):
                    yield new, raw


def find_parent_keys(entry: BibtexEntry) -> frozenset[str]:
    """The keys of the parents that an entry names, in small letters."""
    return frozenset(key.lower() for _, key in _links(entry.tags))


def resolve_inheritance(source: Source, keys: Collection[str]) -> Source:
    """The source with its inherited tags as its own if a parent of it is not among the keys.

    A child whose parents are written next to it inherits again; one that goes alone has to say
    itself what they gave.
    """
    if (_IN_A_CIRCLE, "") in source.tags:
        tags = [pair for pair in source.tags if pair != (_IN_A_CIRCLE, "")]
        source = replace(source, tags=tuple(unlink(tags)))
    elif all(key in keys for key in find_needed_parents(source)):
        return source
    own = ((name_of(tag) if is_inherited(tag) else tag, raw) for tag, raw in source.tags)
    return replace(source, tags=tuple(own))


def inherit_again(tags: Iterable[tuple[str, str]], before: Source) -> list[tuple[str, str]]:
    """The tags of an entry as its reader will have them, next to its parents: what it inherited
    before it inherits again, unless it says it itself."""
    own = [pair for pair in tags if not is_inherited(pair[0])]
    said = {name_of(tag).lower() for tag, _ in own}
    inherited = [pair for pair in before.tags if is_inherited(pair[0])]
    return own + [pair for pair in inherited if name_of(pair[0]) not in said]


def find_needed_parents(source: Source) -> frozenset[str]:
    """The keys, in small letters, of the parents from which an entry inherits anything."""
    if not any(is_inherited(tag) for tag, _ in source.tags):
        return frozenset()
    return frozenset(key.lower() for _, key in _links(source.tags))


def has_links(source: Source) -> bool:
    """Whether an entry names a parent, or has a field that one gives."""
    return any(is_inherited(tag) for tag, _ in source.tags) or any(
        True for _ in _links(source.tags)
    )


def unlink(tags: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The tags of an entry that is composed, which says all by itself and must inherit nothing.

    What it referred to is carried: it is data, and no link any more.
    """
    return [
        (f"x-bibtex-{tag.lower()}" if tag.lower() in _LINK_NAMES else tag, raw) for tag, raw in tags
    ]


def _names(name: str, kind: str, whole: str, names: set[str]) -> tuple[str, ...]:
    """The names under which an entry takes a field of its parent; none if it does not."""
    if name.startswith("x-"):
        return ()  # a round-trip field says what the entry itself has
    if kind == whole:
        return () if name in _OWN else (name,)
    if name in _NOT_OF_THE_WHOLE:
        return ()
    if whole.startswith("mv") and name in _MAIN:
        return (_MAIN[name],)
    if kind not in _PART_TYPES:
        return (name,)
    if name in _RENAMED:
        if kind in ("article", "suppperiodical"):
            return (_JOURNAL[name],) if name in _JOURNAL else ()
        # Where the whole states its title as a container itself, that is it.
        return () if _RENAMED[name] in names else (_RENAMED[name],)
    if name == "author":
        return ("bookauthor", "author") if kind in _BOOK_PARTS else ()
    return (name,)


def _links(tags: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, raw in tags:
        link = name.lower()
        if link in _LINK_NAMES:
            text = "".join(part for _, part in pieces(raw))
            for key in re.split(r"\s*,\s*", text) if link == "xdata" else (text,):
                if key.strip():
                    yield link, key.strip()
