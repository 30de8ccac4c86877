"""Whole Zotero libraries: the rows of ``zotero.sqlite`` to references and groups.

An item's source lists what Zotero holds of it in an order that does not depend on the computer:
Zotero's own numbers differ on each, its keys do not. Notes, annotations and attachments belong to
the item above them; one that stands alone is a reference of its own. May not know what a field
means (``zotero``), nor where the files were found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from bifolio.errors import FileFormatError
from bifolio.formats import library_layer, zotero
from bifolio.formats.foreign_queries import Condition, of_zotero
from bifolio.formats.foreign_sqlite import ForeignDatabase
from bifolio.formats.kept_files import file_name, kept_file
from bifolio.formats.library_layer import Layer
from bifolio.records.canonical import canonical_json
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
_CHILDREN: Final = frozenset({"note", "attachment", "annotation"})


@dataclass(slots=True)
class _Item:
    """One row of ``items``, with all that hangs on it."""

    id: int
    key: str
    type: str
    added: str
    changed: str
    trashed: bool
    parent: int | None = None
    values: dict[str, str] = field(default_factory=dict)
    creators: list[tuple[int, str, str]] = field(default_factory=list)
    tags: list[tuple[str, int]] = field(default_factory=list)
    relations: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    note: str = ""
    attachment: dict[str, Any] | None = None
    annotation: dict[str, Any] | None = None
    children: list[_Item] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands among its like on every computer."""
        return (self.added, self.key)


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the library's files are looked for: Zotero's own folder, and links out of it."""

    folder: Path | None
    linked: bool

    def find(self, path: str, key: str) -> ImportedFile:
        """Zotero's own file, or one that it only links to: of that the name alone is kept."""
        if path.startswith(_STORED):
            return kept_file(f"{key}/{path.removeprefix(_STORED)}", self.folder)
        written = path.removeprefix(_LINKED_BASE)
        plain = PureWindowsPath(written) if "\\" in written else PurePosixPath(written)
        name = file_name(plain.name)
        place = Path(path)
        # A hidden file is nobody's paper: a library of unknown origin could name a key of yours.
        hidden = any(part.startswith(".") for part in place.parts)
        there = self.linked and place.is_absolute() and not hidden and place.is_file()
        return ImportedFile(f"linked/{key}/{name}", name, place if there else None)


def is_zotero(database: ForeignDatabase) -> bool:
    """Whether this is a database of Zotero's."""
    return {"itemID", "itemTypeID", "libraryID", "key"} <= set(database.columns("items"))


def read(
    database: ForeignDatabase,
    *,
    folder: Path | None,
    file: str,
    group: str | None = None,
    packed: bool = False,
) -> Iterator[Read]:
    """All collections, then all items of *My Library*, or of one of Zotero's group libraries.

    Args:
        folder: where Zotero keeps files (``storage``), None where it is not there.
        file: what the library is called in messages.
        group: the name of a group library.
        packed: it came out of an archive; files elsewhere that it links to are not looked for.

    Raises:
        FileFormatError: the database is none of Zotero's, damaged, or has no such group.
    """
    if not is_zotero(database):
        raise FileFormatError(file, expected="a Zotero library", got="another kind of database")
    chosen, prefix, others = _libraries(database, file, group)
    yield from others
    collections = list(_collections(database, chosen, prefix))
    yield from collections
    items = _items(database, chosen)
    for item in items.values():
        if item.parent in items:
            items[item.parent].children.append(item)
    for item in sorted(items.values(), key=lambda one: one.place):
        if item.parent is None and item.type != "annotation":
            yield _reference(item, prefix, _Files(folder, linked=not packed), file)
    yield from _searches(database, chosen, prefix, collections)
    yield from _left_out(database, chosen, items)


def _libraries(
    database: ForeignDatabase, file: str, group: str | None
) -> tuple[int, str, list[LeftOut]]:
    """(the library's number, what its keys begin with, the libraries that stay out)."""
    names = {int(row["libraryID"]): row for row in database.records("groups")}
    for number, row in names.items():
        if group is not None and row["name"] == group:
            return number, f"group-{row['groupID']}:", []
    if group is not None:
        known = ", ".join(f"'{row['name']}'" for row in names.values()) or "no group library"
        raise FileFormatError(
            file,
            expected=f"a Zotero group library '{group}'",
            got=known,
            next_step="Name one of those that are there, or leave the option out.",
        )
    mine = next(
        (int(row["libraryID"]) for row in database.records("libraries") if row["type"] == "user"), 1
    )
    others = [
        LeftOut(
            f"the group library '{row['name']}'",
            f"it is a library of its own; import it with --zotero-group '{row['name']}'",
        )
        for row in names.values()
    ]
    return mine, "", others


def _collections(database: ForeignDatabase, library: int, prefix: str) -> Iterator[ImportedGroup]:
    """Zotero's collections in the order in which Zotero shows them: by name."""
    deleted = {row["collectionID"] for row in database.records("deletedCollections")}
    rows = {
        row["collectionID"]: row
        for row in database.records("collections")
        if row["libraryID"] == library and row["collectionID"] not in deleted
    }
    places: defaultdict[Any, int] = defaultdict(int)
    for row in sorted(
        rows.values(), key=lambda one: (one["collectionName"].casefold(), one["key"])
    ):
        above = rows.get(row["parentCollectionID"])
        parent = prefix + above["key"] if above is not None else ""
        name = " ".join(str(row["collectionName"]).split()) or row["key"]
        yield ImportedGroup(zotero.NAME, prefix + row["key"], name, parent, places[parent])
        places[parent] += 1


def _items(database: ForeignDatabase, library: int) -> dict[int, _Item]:
    """All items of a library by Zotero's number, each with its own data."""
    types = {row["itemTypeID"]: row["typeName"] for row in _either(database, "itemTypes")}
    deleted = {row["itemID"] for row in database.records("deletedItems")}
    items = {
        row["itemID"]: _Item(
            row["itemID"], row["key"], types.get(row["itemTypeID"], "document"),
            str(row["dateAdded"]), str(row["dateModified"]), row["itemID"] in deleted,
        )
        for row in database.records("items")
        if row["libraryID"] == library
    }  # fmt: skip
    _add_fields(database, items)
    _add_creators(database, items)
    _add_sets(database, items)
    _add_children(database, items)
    return items


def _add_fields(database: ForeignDatabase, items: Mapping[int, _Item]) -> None:
    names = {row["fieldID"]: row["fieldName"] for row in _either(database, "fields")}
    for item_id, field_id, value in database.rows(
        "SELECT itemID, fieldID, value FROM itemData JOIN itemDataValues USING (valueID)"
    ):
        if (item := items.get(item_id)) is not None and value is not None:
            item.values[names.get(field_id, f"field-{field_id}")] = str(value)


def _add_creators(database: ForeignDatabase, items: Mapping[int, _Item]) -> None:
    roles = {row["creatorTypeID"]: row["creatorType"] for row in database.records("creatorTypes")}
    people = {row["creatorID"]: row for row in database.records("creators")}
    for row in database.records("itemCreators"):
        item, person = items.get(row["itemID"]), people.get(row["creatorID"])
        if item is None or person is None:
            continue
        first, last = str(person["firstName"] or ""), str(person["lastName"] or "")
        name = (
            {"name": last} if person["fieldMode"] == 1 else {"firstName": first, "lastName": last}
        )
        role = roles.get(row["creatorTypeID"], "contributor")
        item.creators.append((row["orderIndex"], role, canonical_json(name)))


def _add_sets(database: ForeignDatabase, items: Mapping[int, _Item]) -> None:
    """Tags, relations and collections."""
    for item_id, name, kind in database.rows(
        "SELECT itemID, name, type FROM itemTags JOIN tags USING (tagID)"
    ):
        if item_id in items:
            items[item_id].tags.append((str(name), int(kind or 0)))
    predicates = {
        row["predicateID"]: row["predicate"] for row in database.records("relationPredicates")
    }
    for row in database.records("itemRelations"):
        if row["itemID"] in items:
            said = f"{predicates.get(row['predicateID'], 'relation')} {row['object']}"
            items[row["itemID"]].relations.append(said)
    keys = {row["collectionID"]: row["key"] for row in database.records("collections")}
    gone = {row["collectionID"] for row in database.records("deletedCollections")}
    for row in database.records("collectionItems"):
        if row["itemID"] in items and row["collectionID"] in keys.keys() - gone:
            items[row["itemID"]].collections.append(keys[row["collectionID"]])


def _add_children(database: ForeignDatabase, items: Mapping[int, _Item]) -> None:
    """Notes, attachments and annotations, and the items that they belong to."""
    for table in ("itemNotes", "itemAttachments", "itemAnnotations"):
        for row in database.records(table):
            if (item := items.get(row["itemID"])) is None:
                continue
            item.parent = item.parent or row["parentItemID"]
            if table == "itemNotes":
                item.note = str(row["note"] or "")
                if item.type == "note" and row["title"]:
                    item.values["title"] = str(row["title"])
            elif table == "itemAttachments":
                item.attachment = row
            else:
                item.annotation = row


def _either(database: ForeignDatabase, table: str) -> Iterator[dict[str, Any]]:
    """Zotero's table with the user's own additions, or the plain one."""
    combined = f"{table}Combined"
    return database.records(combined if database.columns(combined) else table)


# --- one item --------------------------------------------------------------------------------


def _reference(
    item: _Item, prefix: str, kept: _Files, file: str
) -> ImportedReference | SkippedRecord:
    """The reference of an item that stands for itself."""
    files: list[ImportedFile] = []
    tags = list(_tags(item, files, kept))
    if files and not item.values.get("title") and item.type == "attachment":
        tags.insert(0, ("title", files[0].name))
    if not tags and not files:
        return SkippedRecord(file, 0, f"the item {item.key} holds nothing but its type")
    layer: Layer = {
        library_layer.GROUPS: tuple(sorted(prefix + key for key in item.collections)),
        library_layer.FILES: (),
        library_layer.TRASH: ("1",) if item.trashed else (),
        library_layer.CHANGED: (item.changed,),
    }
    record = Source(zotero.NAME, item.type, prefix + item.key, tuple(tags))
    values = zotero.trace(record, None).values
    return ImportedReference(
        library_layer.layer_values(zotero.NAME, layer, values),
        library_layer.with_layer(record, layer),
        item.id,
        files=tuple(files),
        trashed=item.trashed,
    )


def _tags(item: _Item, files: list[ImportedFile], kept: _Files) -> Iterator[tuple[str, str]]:
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
    for child in sorted(item.children, key=lambda one: one.place):
        if child.trashed:
            continue
        if child.note:
            yield "note", child.note
        yield from _attachment_tags(child, files, kept)


def _attachment_tags(
    item: _Item, files: list[ImportedFile], kept: _Files
) -> Iterator[tuple[str, str]]:
    """A link, or a file with its annotations."""
    if item.attachment is None:
        return
    if item.attachment["linkMode"] == _LINKED_URL:
        if item.type == "attachment" and item.parent is not None:
            said = (item.values.get("title", ""), item.values.get("url", ""))
            yield "link", " ".join(filter(None, said))
    elif path := str(item.attachment["path"] or ""):
        files.append(kept.find(path, item.key))
    for child in sorted(item.children, key=_place_in_text):
        if child.annotation is not None and not child.trashed:
            yield "annotation", _annotation(child)


def _place_in_text(item: _Item) -> tuple[str, str]:
    return (str(item.annotation["sortIndex"]) if item.annotation else "", item.key)


def _annotation(item: _Item) -> str:
    row = item.annotation or {}
    said = {
        "type": str(row.get("type") or ""),
        "author": row.get("authorName"),
        "text": row.get("text"),
        "comment": row.get("comment"),
        "colour": row.get("color"),
        "page": row.get("pageLabel"),
        "tags": sorted(name for name, _ in item.tags),
    }
    return canonical_json({name: value for name, value in said.items() if value})


def _searches(
    database: ForeignDatabase, library: int, prefix: str, collections: Sequence[ImportedGroup]
) -> Iterator[ImportedGroup | LeftOut]:
    """Saved searches: smart groups behind the collections, where our language can say them."""
    conditions: defaultdict[int, list[Condition]] = defaultdict(list)
    for row in database.records("savedSearchConditions"):
        said = (str(row[name] or "") for name in ("condition", "operator", "value"))
        conditions[row["savedSearchID"]].append(Condition(*said))
    deleted = {row["savedSearchID"] for row in database.records("deletedSearches")}
    groups = {one.id.removeprefix(prefix): one.record_id() for one in collections}
    for row in database.records("savedSearches"):
        number, name = row["savedSearchID"], " ".join(str(row["savedSearchName"]).split())
        if row["libraryID"] != library or number in deleted:
            continue
        query = of_zotero(conditions[number], groups)
        if query is None:
            yield LeftOut(
                f"the saved search '{name}'",
                "not all of its conditions have an equal here; make a smart group with --query",
            )
        else:
            own = f"{prefix}search-{row['key']}"
            yield ImportedGroup(zotero.NAME, own, name, place=len(groups) + number, query=query)


# --- what stays out --------------------------------------------------------------------------


def _left_out(
    database: ForeignDatabase, library: int, items: Mapping[int, _Item]
) -> Iterator[LeftOut]:
    deleted = {row["collectionID"] for row in database.records("deletedCollections")}
    for row in database.records("collections"):
        if row["libraryID"] == library and row["collectionID"] in deleted:
            yield LeftOut(f"the collection '{row['collectionName']}'", "it is in Zotero's trash")
    children = [one for one in items.values() if one.parent is not None]
    trashed = sum(1 for one in children if one.trashed)
    if trashed:
        what = (
            "note, attachment or annotation"
            if trashed == 1
            else "notes, attachments or annotations"
        )
        yield LeftOut(f"{trashed} {what}", "in Zotero's trash, while the item itself is not")
    tagged = sum(1 for one in children if one.tags and one.type != "annotation")
    if tagged:
        what = "note or attachment" if tagged == 1 else "notes or attachments"
        yield LeftOut(f"the tags of {tagged} {what}", "tags belong to references here")
