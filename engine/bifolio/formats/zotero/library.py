"""Whole Zotero libraries: the rows of ``zotero.sqlite`` to references and groups.

An item's source lists what Zotero holds of it in an order that does not depend on the computer:
Zotero's own numbers differ on each, its keys do not. Notes, annotations and attachments belong to
the item above them; one that belongs to no item is a reference of its own. May not know what a
field means (``zotero.items``), nor where the files were found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from bifolio import limits
from bifolio.errors import FileFormatError, Next
from bifolio.formats.bounds import TOO_MANY, reason_against
from bifolio.formats.databases.foreign_attachments import file_name, locate_attachment
from bifolio.formats.databases.linked_files import LinkedFiles
from bifolio.formats.databases.saved_queries import ZoteroCondition, translate_zotero_query
from bifolio.formats.databases.sqlite import ForeignDatabase
from bifolio.formats.library_facts import add_facts
from bifolio.formats.zotero import items as zotero
from bifolio.formats.zotero.children import ChildNote, annotation_tag, note_tags
from bifolio.formats.zotero.rows import (
    ZoteroCollection,
    ZoteroItem,
    is_zotero,
    read_collections,
    read_items,
)
from bifolio.records.library_facts import LibraryFacts
from bifolio.records.reference import (
    ImportedFile,
    ImportedGroup,
    ImportedReference,
    LeftOut,
    SkippedRecord,
    Source,
)

Read = ImportedReference | ImportedGroup | SkippedRecord | LeftOut

_LINKED_URL: Final = 3
_STORED: Final = "storage:"
_LINKED_BASE: Final = "attachments:"

_NOT_ASKED_FOR: Final = "the library only links to it"
_PACKED: Final = "the library came in an archive, so what it links to is not on this computer"


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the library's files are looked for: Zotero's own folder, and links out of it."""

    folder: Path | None
    links: LinkedFiles | None
    packed: bool

    def find(self, path: str, key: str) -> ImportedFile:
        """Zotero's own file, or one that it only links to: of that the name alone is kept."""
        if path.startswith(_STORED):
            return locate_attachment(f"{key}/{path.removeprefix(_STORED)}", self.folder)
        written = path.removeprefix(_LINKED_BASE)
        plain = PureWindowsPath(written) if "\\" in written else PurePosixPath(written)
        name = file_name(plain.name)
        inside = f"linked/{key}/{name}"
        if self.links is None:
            return ImportedFile(inside, name, None, reason=_NOT_ASKED_FOR, is_unwanted_link=True)
        found = _PACKED if self.packed else self.links.find(path)
        if isinstance(found, str):
            return ImportedFile(inside, name, None, reason=found)
        return ImportedFile(inside, name, *found)


def read(
    database: ForeignDatabase,
    *,
    folder: Path | None,
    file: str,
    group: str | None = None,
    packed: bool = False,
    links: LinkedFiles | None = None,
) -> Iterator[Read]:
    """All collections, then all items of *My Library*, or of one of Zotero's group libraries.

    Args:
        folder: where Zotero keeps files (``storage``), None where it is not there.
        file: what the library is called in messages.
        group: the name of a group library.
        packed: it came out of an archive; files elsewhere that it links to are not looked for.
        links: where files may be that it only links to; without it none is looked at.

    Raises:
        FileFormatError: the database is none of Zotero's, damaged, or has no such group.
    """
    if not is_zotero(database):
        raise FileFormatError(file, expected="a Zotero library", got="another kind of database")
    chosen, prefix, others = _libraries(database, file, group)
    yield from others
    collections = read_collections(database, chosen)
    groups = list(_groups(collections, prefix))
    yield from groups
    items = read_items(database, chosen)
    kept = _Files(folder, links, packed)
    for item in items:
        if item.annotation is None:
            yield _reference(item, prefix, kept, file)
    yield from _searches(database, chosen, prefix, groups)
    yield from _list_left_out(collections, items)


def _libraries(
    database: ForeignDatabase, file: str, group: str | None
) -> tuple[int, str, list[LeftOut]]:
    """(the library's number, what its keys begin with, the libraries that stay out)."""
    theirs = list(database.table("groups", numbers="libraryID groupID", texts="name"))
    for row in theirs:
        if group is not None and row["name"] == group:
            return row["libraryID"], f"group-{row['groupID']}:", []
    if group is not None:
        raise FileFormatError(
            file,
            expected=f"a Zotero group library '{group}'",
            got=", ".join(f"'{row['name']}'" for row in theirs) or "no group library",
            next_step=Next.CHOOSE_ZOTERO_GROUP,
        )
    libraries = database.table("libraries", numbers="libraryID", texts="type")
    mine = next((row["libraryID"] for row in libraries if row["type"] == "user"), 1)
    others = [
        LeftOut(
            f"the group library '{row['name']}'",
            f"it is a library of its own: import the group library '{row['name']}' by itself",
        )
        for row in theirs
    ]
    return mine, "", others


def _groups(collections: Sequence[ZoteroCollection], prefix: str) -> Iterator[ImportedGroup]:
    """The collections that are not in Zotero's trash, in their order."""
    living = {one.id: one for one in collections if not one.trashed}
    places: defaultdict[str, int] = defaultdict(int)
    for one in living.values():
        parent = prefix + living[one.parent].key if one.parent in living else ""
        yield ImportedGroup(zotero.NAME, prefix + one.key, one.name, parent, places[parent])
        places[parent] += 1


# --- one item --------------------------------------------------------------------------------


def _reference(
    item: ZoteroItem, prefix: str, kept: _Files, file: str
) -> ImportedReference | SkippedRecord:
    """The reference of an item that belongs to no other."""
    files: list[ImportedFile] = []
    tags = list(_tags(item, files, kept))
    if files and not item.values.get("title") and item.type == "attachment":
        tags.insert(0, ("title", files[0].name))
    if not tags and not files:
        return SkippedRecord(file, 0, f"the item {item.key} holds nothing but its type")
    many = max(len(files), len(item.collections)) > limits.IMPORT_RECORD_VALUES_MAX
    if reason := TOO_MANY if many else reason_against(tags):
        return SkippedRecord(file, 0, f"the item {item.key}: {reason}")
    facts = LibraryFacts(
        groups=tuple(sorted(prefix + key for key in item.collections)),
        files=(),
        trashed=item.trashed,
        changed=item.changed,
    )
    source = Source(zotero.NAME, item.type, prefix + item.key, tuple(tags), library=facts)
    mapped = zotero.trace(source, None)
    if mapped.is_cut:
        return SkippedRecord(file, 0, f"the item {item.key}: {TOO_MANY}")
    return ImportedReference(
        add_facts(mapped.values, facts, format=zotero.NAME), source, item.id, files=tuple(files)
    )


def _tags(item: ZoteroItem, files: list[ImportedFile], kept: _Files) -> Iterator[tuple[str, str]]:
    """What Zotero holds of an item and of what hangs on it; its files are added to the list."""
    for name in sorted(item.values):
        yield name, item.values[name]
    for _, role, name in sorted(item.creators):
        yield f"creator/{role}", name
    for name, kind in sorted(item.tags):
        yield ("tag/automatic" if kind else "tag"), name
    if item.note:
        yield "note", item.note
    for relation in sorted(item.relations):
        yield "relation", relation
    yield from _attachment_tags(item, files, kept)
    children = [one for one in item.children if not one.trashed]
    first = not item.note
    for child in sorted(children, key=lambda one: one.place):
        if child.note:
            note = ChildNote(child.note, child.key, child.added, _names_of_tags(child))
            yield from note_tags([note], is_first=first)
            first = False
        yield from _attachment_tags(child, files, kept)


def _attachment_tags(
    item: ZoteroItem, files: list[ImportedFile], kept: _Files
) -> Iterator[tuple[str, str]]:
    """A link, or a file with its annotations."""
    if item.attachment is None:
        return
    found = ""
    if item.attachment["linkMode"] == _LINKED_URL:
        if item.type == "attachment" and item.parent:
            said = (item.values.get("title", ""), item.values.get("url", ""))
            yield "link", " ".join(filter(None, said))
    elif path := str(item.attachment["path"] or ""):
        files.append(kept.find(path, item.key))
        found = files[-1].path
    for place, child in enumerate(sorted(item.children, key=_place_in_text), start=1):
        if child.annotation is not None and not child.trashed:
            made = _annotation(child, found)
            tag = annotation_tag(made, key=child.key, added=child.added, place=place)
            if tag is not None:
                yield tag


def _place_in_text(item: ZoteroItem) -> tuple[str, str]:
    return (str(item.annotation["sortIndex"]) if item.annotation else "", item.key)


def _annotation(item: ZoteroItem, file: str) -> dict[str, Any]:
    """What an annotation says, by the names of ``records.notes``; its file is a path here."""
    row = item.annotation or {}
    return {
        "type": str(row.get("type") or ""),
        "author": row.get("authorName"),
        "text": row.get("text"),
        "comment": row.get("comment"),
        "colour": row.get("color"),
        "page": row.get("pageLabel"),
        "position": row.get("position"),
        "sort": row.get("sortIndex"),
        "file": file,
        "tags": _names_of_tags(item),
    }


def _names_of_tags(item: ZoteroItem) -> list[str]:
    return sorted(name for name, _ in item.tags)


def _searches(
    database: ForeignDatabase, library: int, prefix: str, groups: Sequence[ImportedGroup]
) -> Iterator[ImportedGroup | LeftOut]:
    """Saved searches: smart groups behind the collections, where our language can say them."""
    conditions: defaultdict[int, list[ZoteroCondition]] = defaultdict(list)
    for row in database.table(
        "savedSearchConditions", numbers="savedSearchID", texts="condition operator value"
    ):
        said = ZoteroCondition(row["condition"], row["operator"], row["value"])
        conditions[row["savedSearchID"]].append(said)
    gone = database.table("deletedSearches", numbers="savedSearchID")
    deleted = {row["savedSearchID"] for row in gone}
    known = {one.id.removeprefix(prefix): one.record_id() for one in groups}
    rows = database.table(
        "savedSearches", numbers="savedSearchID libraryID", texts="savedSearchName key"
    )
    for place, row in enumerate(rows, start=len(groups)):
        name = " ".join(row["savedSearchName"].split()) or row["key"]
        if row["libraryID"] != library or row["savedSearchID"] in deleted:
            continue
        query = translate_zotero_query(conditions[row["savedSearchID"]], known)
        if query is None:
            yield LeftOut(
                f"the saved search '{name}'",
                "some of its conditions do not exist here; make a smart group here instead",
            )
        else:
            own = f"{prefix}search-{row['key']}"
            yield ImportedGroup(zotero.NAME, own, name, place=place, query=query)


# --- what stays out --------------------------------------------------------------------------


def _list_left_out(
    collections: Sequence[ZoteroCollection], items: Sequence[ZoteroItem]
) -> Iterator[LeftOut]:
    for one in collections:
        if one.trashed:
            yield LeftOut(f"the collection '{one.name}'", "it is in Zotero's trash")
    children = list(_children_of(items))
    trashed = sum(1 for one in children if one.trashed)
    if trashed:
        what = (
            "note, attachment or annotation"
            if trashed == 1
            else "notes, attachments or annotations"
        )
        yield LeftOut(f"{trashed} {what}", "in Zotero's trash, while the item itself is not")
    tagged = sum(1 for one in children if one.tags and one.attachment and not one.note)
    if tagged:
        what = "attachment" if tagged == 1 else "attachments"
        yield LeftOut(f"the tags of {tagged} {what}", "a file has no tags of its own here")


def _children_of(items: Sequence[ZoteroItem]) -> Iterator[ZoteroItem]:
    for item in items:
        yield from item.children
        yield from _children_of(item.children)
