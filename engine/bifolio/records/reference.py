"""A reference as plain values, and what an import brings of one.

The Python type of a value follows its form (``fields.Form``):

==========  ==================================================================
STRING      ``str``
TEXT        ``str``
DATE        ``dict``: a CSL date (``date-parts``, ``season``, ``circa``, ``literal``)
NAMES       ``tuple[Name, ...]``
STRINGS     ``tuple[str, ...]``
==========  ==================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from bifolio.errors import NextStep
from bifolio.ids import digest
from bifolio.records.canonical import exact_json, nfc, plain, read_stored, reader_of, stored_json
from bifolio.records.library_facts import LIBRARY_FORMATS, LibraryFacts, read_facts, split_facts
from bifolio.records.names import Name

Value = str | dict[str, Any] | tuple[Name, ...] | tuple[str, ...]
Values = dict[str, Value]

#: Where a source keeps the text that it was read from, which is no part of its value.
_STORED = "stored"


class Source(Struct, frozen=True, dict=True):
    """What one record of a file said, exactly: the source layer of a reference (DESIGN §9).

    ``tags`` are the record's (tag, raw value) pairs in the file's order, under whatever names the
    file has. ``blocks`` is the id of the record of kind *import* that holds the file's own blocks,
    empty where it has none. ``library`` is what the reader of a whole library found next to the
    record; a file of records has no way to say any of it.
    """

    format: str
    type: str
    id: str
    tags: tuple[tuple[str, str], ...]
    blocks: str = ""
    library: LibraryFacts | None = None

    @property
    def is_trashed(self) -> bool:
        """Whether the record is in the trash of the library that it comes from."""
        return self.library is not None and bool(self.library.trashed)

    def to_json(self) -> dict[str, Any]:
        """The JSON object that is stored with the reference."""
        facts = self.library.to_tags() if self.library is not None else ()
        tags, apart = self.tags, {}
        if self.format in LIBRARY_FORMATS:
            tags = (*tags, *facts)
        elif facts:
            apart = {"library": [list(pair) for pair in facts]}
        return {
            "format": self.format,
            "type": self.type,
            "id": self.id,
            "tags": [list(pair) for pair in tags],
            "blocks": self.blocks,
            **apart,
        }

    def text(self) -> str:
        """The canonical JSON that is stored with the reference; what was stored, unaltered."""
        return self.__dict__.get(_STORED) or exact_json(self.to_json())

    def content(self) -> bytes:
        """The hash of what the source says, the file around it aside: 16 bytes."""
        tags = self.tags if self.library is None else (*self.tags, *self.library.to_tags())
        said = {"format": self.format, "type": self.type, "id": self.id, "tags": tags, "blocks": ""}
        return digest(exact_json(said).encode(), size=16)

    @classmethod
    def from_text(cls, text: str | None) -> Source | None:
        """The source that a reference holds; None where it is of another version's form."""
        source: Source | None
        fast = read_stored(text, _READ_SOURCE)
        if fast is not None:
            source = cls._of(
                *(fast.format, fast.type, fast.id, fast.tags, fast.blocks, fast.library)
            )
        else:
            stored = stored_json(text)
            source = cls.from_json(stored) if isinstance(stored, dict) else None
        if source is not None:
            source.__dict__[_STORED] = text
        return source

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Source | None:
        """The source that ``to_json`` stored; None where it is of another version's form."""
        tags = stored.get("tags")
        texts = [stored.get("format"), stored.get("type"), stored.get("id")]
        texts.append(stored.get("blocks", ""))
        if not isinstance(tags, list) or not all(isinstance(text, str) for text in texts):
            return None
        if not all(
            isinstance(pair, list)
            and len(pair) == 2
            and all(isinstance(part, str) for part in pair)
            for pair in tags
        ):
            return None
        own = tuple((tag, raw) for tag, raw in tags)
        blocks, facts = stored.get("blocks", ""), stored.get("library")
        return cls._of(stored["format"], stored["type"], stored["id"], own, blocks, facts)

    @classmethod
    def _of(
        cls,
        format: str,
        type: str,
        id: str,
        tags: tuple[tuple[str, str], ...],
        blocks: str,
        facts: object,
    ) -> Source:
        if format in LIBRARY_FORMATS:
            tags, library = split_facts(tags)
        else:
            library = read_facts(facts)
        return cls(format=format, type=type, id=id, tags=tags, blocks=blocks, library=library)


class _StoredSource(Struct):
    """A source as it is stored: read in one go where it is of just this form."""

    format: str
    type: str
    id: str
    tags: tuple[tuple[str, str], ...]
    blocks: str = ""
    library: list[list[str]] | None = None


_READ_SOURCE = reader_of(_StoredSource)


class ImportedFile(Struct, frozen=True):
    """A file that belongs to a record of another program's library.

    ``path`` is where that library keeps it, relative to its own folder of files: it tells the
    file from the record's others and is the same on every computer. ``place`` is where it can be
    read now, and ``folder`` the one that it is in for sure, both resolved; they are None where it
    cannot be taken in, and ``reason`` says why. ``is_unwanted_link``: nobody asked for files that
    the library only links to.
    """

    path: str
    name: str
    place: Path | None
    folder: Path | None = None
    reason: str = "it is not where the library keeps its files"
    is_unwanted_link: bool = False


class ImportedReference(Struct, frozen=True):
    """One record of a file, read: its mapped values, its source, and the files to be taken in.

    What a whole library says next to the record (groups, files, trash) is the source's too
    (``Source.library``); ``files`` are only those whose content is still to be looked at.
    """

    values: Values
    source: Source
    line: int
    files: tuple[ImportedFile, ...] = ()

    def content_hash(self) -> bytes:
        """The hash of exactly what an import of this record writes: 16 bytes."""
        return digest(
            values_text(self.values).encode(),
            self.source.text().encode(),
            size=16,
        )

    def record_id(self) -> str:
        """The record id: the hash of all identifying values that the source gives (DESIGN §4)."""
        values = self.values
        creators = [
            [role, name.to_csl()]
            for role, names in sorted(values.items())
            if isinstance(names, tuple)
            for name in names
            if isinstance(name, Name)
        ]
        identifying = {name: _plain(values[name]) for name in _IDENTIFYING if name in values}
        text = exact_json(
            {
                "format": self.source.format,
                "id": self.source.id,
                "creators": creators,
                "values": identifying,
            }
        )
        return digest(b"bifolio reference", nfc(text).encode(), size=16).hex()


_IDENTIFYING = "type title DOI PMID ISBN issued volume issue number page article-number".split()


class ImportedBlocks(Struct, frozen=True):
    """A file's own blocks (``@string``, preamble, comments): a record of kind *import*."""

    format: str
    blocks: tuple[str, ...]

    def record_id(self) -> str:
        """The record id: the hash of the blocks, so that the same file has the same one."""
        return digest(
            b"bifolio import", self.format.encode(), *map(str.encode, self.blocks), size=16
        ).hex()


class ImportedGroup(Struct, frozen=True):
    """A group of another program's library; its own id there tells it from all others.

    ``parent`` is the id of the group above it, empty at the top; ``place`` its number among those
    next to it.
    """

    format: str
    id: str
    name: str
    parent: str = ""
    place: int = 0
    query: str | None = None
    colour: str | None = None

    def record_id(self) -> str:
        """The record id: the hash of the group's own id, so that every import has the same one."""
        return group_record_id(self.format, self.id)

    def to_json(self) -> dict[str, Any]:
        """The JSON object that is stored with the group."""
        return {
            "format": self.format,
            "id": self.id,
            "name": self.name,
            "parent": self.parent,
            "place": self.place,
            "query": self.query,
            "colour": self.colour,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ImportedGroup | None:
        """The group that ``to_json`` stored; None where it is of another version's form."""
        texts = [stored.get(name) for name in ("format", "id", "name", "parent")]
        texts += [stored.get(name) or "" for name in ("query", "colour")]
        if not all(isinstance(text, str) for text in texts) or type(stored.get("place")) is not int:
            return None
        return cls(
            format=stored["format"],
            id=stored["id"],
            name=stored["name"],
            parent=stored["parent"],
            place=stored["place"],
            query=stored.get("query"),
            colour=stored.get("colour"),
        )


def group_record_id(format: str, group_id: str) -> str:
    """The record id of a group that another program's library calls by this id."""
    return digest(b"bifolio group", format.encode(), group_id.encode(), size=16).hex()


class LeftOut(Struct, frozen=True):
    """Something of a library that an import did not take over, and why."""

    what: str
    reason: str


class SkippedRecord(Struct, frozen=True):
    """A piece of a file that could not be read, and why: counted and named, never silent.

    ``is_remark`` where nothing is missing, but something had to be guessed. ``next`` is what can be
    done about a whole file that could not be read; None: nothing that is the file's own.
    """

    file: str
    line: int
    reason: str
    is_remark: bool = False
    next: NextStep | None = None


class ExportedReference(Struct, frozen=True):
    """A reference on its way out: its values now, and the newest source that it came from.

    ``foreign`` where the source may be another member's words: it is written as it is only where
    it can do no harm. ``groups`` are names as the format has them, ``files`` the paths of copies
    that an export made; None where the export says nothing of them.
    """

    id: str
    values: Values
    source: Source | None = None
    foreign: bool = False
    groups: tuple[str, ...] | None = None
    files: tuple[str, ...] | None = None


class LostValue(Struct, frozen=True):
    """A value that the target format could not carry.

    ``reference`` is the record's id; ``key`` is what a library calls it, empty where none does.
    """

    reference: str
    field: str
    reason: str
    key: str = ""


class ExportReport(Struct):
    """What an export wrote and what it could not carry."""

    exported: int = 0
    lost: list[LostValue] = field(default_factory=list)


def value_to_json(value: Value) -> Any:
    """A value as JSON: names as CSL objects, tuples as lists."""
    if isinstance(value, tuple):
        return [item.to_csl() if isinstance(item, Name) else item for item in value]
    return value


def value_from_json(stored: Any) -> Value:
    """The string, date or list of strings that ``value_to_json`` made this of."""
    if isinstance(stored, list):
        return tuple(str(one) for one in stored)
    return stored if isinstance(stored, dict) else str(stored)


def names_of(value: Value | None) -> tuple[Name, ...]:
    """The names in a value; none where it is of another form."""
    return tuple(one for one in value if isinstance(one, Name)) if isinstance(value, tuple) else ()


def strings_of(value: Value | None) -> tuple[str, ...]:
    """The strings in a list or set; none where the value is of another form."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()


def values_to_json(values: Mapping[str, Value]) -> dict[str, Any]:
    """All values as one JSON object."""
    return {name: value_to_json(value) for name, value in values.items()}


def values_text(values: Mapping[str, Value]) -> str:
    """All values as canonical JSON."""
    return exact_json({name: _plain(value) for name, value in values.items()})


def _plain(value: Value) -> Any:
    """A value as JSON without floats; only a date may hold any."""
    return plain(value) if isinstance(value, dict) else value_to_json(value)
