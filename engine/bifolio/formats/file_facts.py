"""Groups and files that a file of references says next to them: facts, as of a library.

A file is looked for only next to the file of references, in its folder and those below, in no
hidden one; anywhere else only where somebody asked for linked files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from msgspec.structs import replace

from bifolio.formats.bibtex import library_fields
from bifolio.formats.bibtex.values import name_of
from bifolio.formats.databases.foreign_attachments import locate_beside
from bifolio.formats.databases.linked_files import LinkedFiles
from bifolio.formats.library_facts import add_facts
from bifolio.formats.zotero.json_collections import Collections
from bifolio.records.library_facts import LibraryFacts
from bifolio.records.reference import (
    ImportedFile,
    ImportedGroup,
    ImportedReference,
    LeftOut,
    Source,
)

_NAMELESS: Final = "the file does not say what they are called; import Zotero's own folder"
_INTERNAL: Final = re.compile(r"\s*internal-pdf:/*", re.IGNORECASE)
_SEARCHES: Final = "Bifolio has no search of its kind; make a smart group of it"


class BibtexFacts:
    """What one BibTeX file says of its entries beyond their texts."""

    def __init__(self, path: Path, blocks: Sequence[str], links: LinkedFiles | None) -> None:
        self._path = path
        self._links = links
        self._groups = library_fields.groups_of(blocks)
        self._told = 0

    def new_groups(self) -> Iterator[ImportedGroup]:
        """The groups that were not given yet: those of blocks, then those that entries name."""
        while self._told < len(self._groups.groups):
            yield self._groups.groups[self._told]
            self._told += 1

    def left_out(self) -> Iterator[LeftOut]:
        """Groups that searches fill."""
        if count := self._groups.searches:
            noun = "group that a search fills" if count == 1 else "groups that searches fill"
            yield LeftOut(f"{count:,} {noun}", _SEARCHES)

    def add_to(self, reference: ImportedReference) -> ImportedReference:
        """The reference with its groups and its files."""
        key, tags = reference.source.id, reference.source.tags
        groups = self._groups
        said = [(tag.lower(), raw) for tag, raw in tags if library_fields.says_more(tag)]
        if not said and not groups.is_listed:
            return reference
        in_groups = library_fields.entry_groups(groups, key, said) if said or groups.of_key else ()
        named = any(name.endswith("groups") for name, _ in said)
        files = self._files(said)
        facts = LibraryFacts(
            groups=in_groups if groups.is_listed or named else None,
            files=() if files else None,
        )
        if facts == LibraryFacts():
            return reference
        values = add_facts(reference.values, facts, format=reference.source.format)
        source = replace(reference.source, library=facts)
        return replace(reference, values=values, source=source, files=files)

    def _files(self, said: Sequence[tuple[str, str]]) -> tuple[ImportedFile, ...]:
        paths = (
            path
            for name, raw in said
            if library_fields.is_file_field(name_of(name))
            for path in library_fields.paths_of(name, raw)
        )
        return tuple(locate_beside(one, self._path, self._links) for one in dict.fromkeys(paths))


class ZoteroFacts:
    """What a JSON export of Zotero's says of its items beyond their texts: collections, files."""

    def __init__(self, path: Path, collections: Iterable[Any], links: LinkedFiles | None) -> None:
        """Args: collections: what the file has under that name, each as its JSON."""
        self._path = path
        self._links = links
        self._collections = Collections(collections)
        self.groups = self._collections.groups

    def left_out(self) -> Iterator[LeftOut]:
        """Collections of which the file has no more than the key."""
        if count := self._collections.unnamed:
            noun = "reference" if count == 1 else "references"
            yield LeftOut(f"the collections of {count:,} {noun}", _NAMELESS)

    def with_facts(self, source: Source, item: Mapping[str, Any]) -> Source:
        """The source of an item that says its groups."""
        groups = self._collections.of(item)
        if groups is None:
            return source
        facts = replace(source.library or LibraryFacts(), groups=groups)
        return replace(source, library=facts)

    def add_to(self, reference: ImportedReference, item: Mapping[str, Any]) -> ImportedReference:
        """The reference of an item with its groups and its files."""
        source = reference.source
        values = add_facts(reference.values, source.library, format=source.format)
        attached = item.get("attachments")
        paths = (
            path
            for one in (attached if isinstance(attached, list) else ())
            if isinstance(one, dict)
            for path in (one.get("path") or one.get("localPath"),)
            if isinstance(path, str) and path.strip()
        )
        files = tuple(locate_beside(one, self._path, self._links) for one in dict.fromkeys(paths))
        if files:
            facts = replace(source.library or LibraryFacts(), files=())
            source = replace(source, library=facts)
        return replace(reference, values=values, source=source, files=files)


class RisFacts:
    """The files that the lines ``L1`` of one RIS file name."""

    def __init__(self, path: Path, links: LinkedFiles | None) -> None:
        self._path = path
        self._links = links

    def add_to(self, reference: ImportedReference) -> ImportedReference:
        """The reference with its files."""
        lines = (raw for tag, raw in reference.source.tags if tag == "L1" and raw.strip())
        found = (file for line in lines for file in self._files(line))
        files = tuple({file.path: file for file in found}.values())
        if not files:
            return reference
        source = replace(reference.source, library=LibraryFacts(files=()))
        return replace(reference, source=source, files=files)

    def _files(self, line: str) -> Iterator[ImportedFile]:
        """The file of a line; where there is none, the files that semicolons part. EndNote names
        those that are in its library's own folder."""
        if (inside := _INTERNAL.match(line)) is not None:
            path = unquote(line[inside.end() :])
            yield locate_beside(path, self._path, self._links)
            return
        for path in library_fields.paths_of("local-url", line):
            whole = locate_beside(path, self._path, self._links)
            if whole.place is not None or ";" not in line:
                yield whole
                return
        for part in filter(None, map(str.strip, line.split(";"))) if ";" in line else ():
            for path in library_fields.paths_of("local-url", part):
                yield locate_beside(path, self._path, self._links)
