"""What a whole library says of a record next to the record itself: groups, files, trash and marks.

The readers of EndNote's and Zotero's libraries make these facts, and those of the fields in which
JabRef, Mendeley and BibDesk name groups and files; no name in a file of records is one. In memory
they are a struct of their own (``Source.library``). Stored, they are behind the record's tags:
``@library`` with the kinds that could be said at all, then one tag for each fact. That form is read
only in a source whose format is one of ``LIBRARY_FORMATS``: a record of such a format comes out of
a database, where the facts are always the last tags, or out of XML, whose names never begin with
``@``. A plain file's ``@library`` is a tag as any other: the facts of its records are stored apart
from their tags.

Another replica may have written it, so whatever does not fit says nothing.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from bifolio.records.attachments import Attachment
from bifolio.records.canonical import canonical_json, stored_json

Tags = tuple[tuple[str, str], ...]

#: The formats of records that come in whole libraries.
LIBRARY_FORMATS: Final = frozenset({"endnote-xml", "zotero"})

_MARK: Final = "@library"
_TRASHED: Final = "1"


class LibraryFile(Struct, frozen=True):
    """A file that the library keeps for the record.

    ``path`` is where it keeps it, relative to its own folder of files; without an attachment the
    file was not found there.
    """

    path: str
    name: str
    attachment: Attachment | None = None

    def to_text(self) -> str:
        """The text of the file's tag: canonical JSON."""
        stored: dict[str, Any] = {"path": self.path, "name": self.name}
        if (found := self.attachment) is not None:
            stored |= {"hash": found.hash, "name": found.name, "size": found.size}
        return canonical_json(stored)

    @classmethod
    def from_text(cls, text: str) -> LibraryFile | None:
        """The file that a tag names; None for a text of another form."""
        stored = stored_json(text)
        if not isinstance(stored, dict):
            return None
        path, name = stored.get("path"), stored.get("name")
        if not isinstance(path, str) or not isinstance(name, str):
            return None
        return cls(path, name, Attachment.from_element(text))


class LibraryFacts(Struct, frozen=True):
    """What a library says of one record; None is what it could not say.

    An XML export of an EndNote library says nothing of groups, which is not the same as a record
    that is in none. ``changed`` is when the record was changed there: it becomes no value, but it
    distinguishes a value that was changed back from an old version.
    """

    groups: tuple[str, ...] | None = None
    files: tuple[LibraryFile, ...] | None = None
    tags: tuple[str, ...] | None = None
    rating: str | None = None
    read_status: str | None = None
    trashed: bool | None = None
    changed: str | None = None

    def to_tags(self) -> Tags:
        """The facts as they are stored, in a fixed order."""
        texts: dict[str, tuple[str, ...]] = {}
        for kind, said in (("groups", self.groups), ("files", self.files), ("tags", self.tags)):
            if said is not None:
                texts[kind] = tuple(
                    one.to_text() if isinstance(one, LibraryFile) else one for one in said
                )
        for kind, text in (("rating", self.rating), ("read-status", self.read_status)):
            if text is not None:
                texts[kind] = (text,) if text else ()
        if self.trashed is not None:
            texts["trash"] = (_TRASHED,) if self.trashed else ()
        if self.changed is not None:
            texts["changed"] = (self.changed,)
        facts = [(_TAG_OF[kind], text) for kind, said in texts.items() for text in said]
        return ((_MARK, " ".join(texts)), *facts)

    @classmethod
    def from_tags(cls, tags: Tags) -> LibraryFacts:
        """The facts that ``to_tags`` wrote; a tag of an unknown kind says nothing."""
        (_, kinds), *rest = tags
        texts: dict[str, list[str]] = {kind: [] for kind in kinds.split() if kind in _TAG_OF}
        for tag, text in rest:
            if (kind := _KIND_OF.get(tag, "")) in texts:
                texts[kind].append(text)
        found = {kind: tuple(said) for kind, said in texts.items()}
        files = [LibraryFile.from_text(text) for text in found.get("files", ())]
        return cls(
            groups=found.get("groups"),
            files=tuple(one for one in files if one is not None) if "files" in found else None,
            tags=found.get("tags"),
            rating=_first(found.get("rating")),
            read_status=_first(found.get("read-status")),
            trashed=bool(found["trash"]) if "trash" in found else None,
            changed=_first(found.get("changed")),
        )


#: The tag of each kind.
_TAG_OF: Final = {
    "groups": "@group",
    "files": "@file",
    "tags": "@tag",
    "rating": "@rating",
    "read-status": "@read-status",
    "trash": "@trash",
    "changed": "@changed",
}
_KIND_OF: Final = {tag: kind for kind, tag in _TAG_OF.items()}


def split_facts(tags: Tags) -> tuple[Tags, LibraryFacts | None]:
    """The record's own tags and the library's facts in a stored source of ``LIBRARY_FORMATS``.

    The last mark counts: a field of that name in somebody's database is before it.
    """
    for place in range(len(tags) - 1, -1, -1):
        if tags[place][0] == _MARK:
            return tags[:place], LibraryFacts.from_tags(tags[place:])
    return tags, None


def read_facts(stored: object) -> LibraryFacts | None:
    """The facts that are stored apart from tags; None for what is of another form."""
    if not isinstance(stored, list) or not stored:
        return None
    if not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
        for pair in stored
    ):
        return None
    tags = tuple((tag, text) for tag, text in stored)
    return LibraryFacts.from_tags(tags) if tags[0][0] == _MARK else None


def _first(texts: tuple[str, ...] | None) -> str | None:
    if texts is None:
        return None
    return texts[0] if texts else ""
