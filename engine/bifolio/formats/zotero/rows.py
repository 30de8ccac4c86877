"""The tables of ``zotero.sqlite`` as items, each with all that hangs on it.

Only what Zotero's tables say: what an item becomes is ``zotero.library``'s. A cell may hold
anything: the database is another program's, and perhaps somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bifolio.formats.databases.sqlite import ForeignDatabase, as_number, as_text
from bifolio.records.canonical import canonical_json


@dataclass(slots=True)
class ZoteroItem:
    """One row of ``items``, with its own data and the items that belong to it."""

    id: int
    key: str
    type: str
    added: str
    changed: str
    trashed: bool
    parent: int = 0
    values: dict[str, str] = field(default_factory=dict)
    creators: list[tuple[int, str, str]] = field(default_factory=list)
    tags: list[tuple[str, int]] = field(default_factory=list)
    relations: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    note: str = ""
    attachment: dict[str, Any] | None = None
    annotation: dict[str, Any] | None = None
    children: list[ZoteroItem] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, str]:
        """Its place among its like on every computer."""
        return (self.added, self.key)


@dataclass(frozen=True, slots=True)
class ZoteroCollection:
    """One row of ``collections``; its parent is 0 at the top."""

    id: int
    key: str
    name: str
    parent: int
    trashed: bool


def is_zotero(database: ForeignDatabase) -> bool:
    """Whether this is a database of Zotero's."""
    return {"itemID", "itemTypeID", "libraryID", "key"} <= set(database.columns("items"))


def read_items(database: ForeignDatabase, library: int) -> list[ZoteroItem]:
    """The items of a library that belong to no other, in the same order on every computer."""
    types = dict(_names(database, "itemTypes", "itemTypeID", "typeName"))
    deleted = _ids(database, "deletedItems", "itemID")
    items: dict[int, ZoteroItem] = {}
    for row in database.table(
        "items", numbers="itemID itemTypeID libraryID", texts="key dateAdded dateModified"
    ):
        if row["libraryID"] == library:
            kind = types.get(row["itemTypeID"], "document")
            own, trashed = row["itemID"], row["itemID"] in deleted
            items[own] = ZoteroItem(
                own, row["key"], kind, row["dateAdded"], row["dateModified"], trashed
            )
    _add_fields(database, items)
    _add_creators(database, items)
    _add_sets(database, items)
    _add_children(database, items)
    for item in items.values():
        if item.parent in items and item.parent != item.id:
            items[item.parent].children.append(item)
        else:
            item.parent = 0
    return sorted((item for item in items.values() if not item.parent), key=lambda one: one.place)


def read_collections(database: ForeignDatabase, library: int) -> list[ZoteroCollection]:
    """The collections of a library, those in Zotero's trash too, as Zotero shows them: by name."""
    deleted = _ids(database, "deletedCollections", "collectionID")
    found = [
        ZoteroCollection(
            row["collectionID"],
            row["key"],
            " ".join(row["collectionName"].split()) or row["key"],
            row["parentCollectionID"],
            row["collectionID"] in deleted,
        )
        for row in database.table(
            "collections",
            numbers="collectionID parentCollectionID libraryID",
            texts="collectionName key",
        )
        if row["libraryID"] == library
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.key))


def _add_fields(database: ForeignDatabase, items: Mapping[int, ZoteroItem]) -> None:
    names = dict(_names(database, "fields", "fieldID", "fieldName"))
    for item_id, field_id, value in database.rows(
        "SELECT itemID, fieldID, value FROM itemData JOIN itemDataValues USING (valueID)"
    ):
        if (item := items.get(as_number(item_id))) is not None and as_text(value):
            name = names.get(as_number(field_id)) or f"field-{as_number(field_id)}"
            item.values[name] = as_text(value)


def _add_creators(database: ForeignDatabase, items: Mapping[int, ZoteroItem]) -> None:
    roles = dict(_names(database, "creatorTypes", "creatorTypeID", "creatorType"))
    people = {
        row["creatorID"]: row
        for row in database.table(
            "creators", numbers="creatorID fieldMode", texts="firstName lastName"
        )
    }
    for row in database.table("itemCreators", numbers="itemID creatorID creatorTypeID orderIndex"):
        item, person = items.get(row["itemID"]), people.get(row["creatorID"])
        if item is None or person is None:
            continue
        first, last = person["firstName"], person["lastName"]
        name = {"name": last} if person["fieldMode"] else {"firstName": first, "lastName": last}
        role = roles.get(row["creatorTypeID"]) or "contributor"
        item.creators.append((row["orderIndex"], role, canonical_json(name)))


def _add_sets(database: ForeignDatabase, items: Mapping[int, ZoteroItem]) -> None:
    """Tags, relations and collections."""
    tags = dict(_names(database, "tags", "tagID", "name"))
    for row in database.table("itemTags", numbers="itemID tagID type"):
        if row["itemID"] in items and (name := tags.get(row["tagID"])):
            items[row["itemID"]].tags.append((name, row["type"]))
    predicates = dict(_names(database, "relationPredicates", "predicateID", "predicate"))
    for row in database.table("itemRelations", numbers="itemID predicateID", texts="object"):
        if row["itemID"] in items:
            said = f"{predicates.get(row['predicateID'], 'relation')} {row['object']}"
            items[row["itemID"]].relations.append(said)
    keys = dict(_names(database, "collections", "collectionID", "key"))
    for gone in _ids(database, "deletedCollections", "collectionID"):
        keys.pop(gone, None)
    for row in database.table("collectionItems", numbers="itemID collectionID"):
        if row["itemID"] in items and row["collectionID"] in keys:
            items[row["itemID"]].collections.append(keys[row["collectionID"]])


def _add_children(database: ForeignDatabase, items: Mapping[int, ZoteroItem]) -> None:
    """Notes, attachments and annotations, and the items that they belong to."""
    for row in database.table("itemNotes", numbers="itemID parentItemID", texts="note title"):
        if (item := items.get(row["itemID"])) is not None:
            item.parent, item.note = row["parentItemID"], row["note"]
            if item.type == "note" and row["title"]:
                item.values["title"] = row["title"]
    for row in database.table(
        "itemAttachments", numbers="itemID parentItemID linkMode", texts="path"
    ):
        if (item := items.get(row["itemID"])) is not None:
            item.parent, item.attachment = item.parent or row["parentItemID"], row
    for row in database.table(
        "itemAnnotations",
        numbers="itemID parentItemID type",
        texts="authorName text comment color pageLabel sortIndex position",
    ):
        if (item := items.get(row["itemID"])) is not None:
            item.parent, item.annotation = item.parent or row["parentItemID"], row


def _names(
    database: ForeignDatabase, table: str, number: str, name: str
) -> Iterator[tuple[int, str]]:
    """A table of names; Zotero's own with the user's additions, where there is such a one."""
    combined = f"{table}Combined"
    for row in database.table(
        combined if database.columns(combined) else table, numbers=number, texts=name
    ):
        yield row[number], row[name]


def _ids(database: ForeignDatabase, table: str, number: str) -> set[int]:
    return {row[number] for row in database.table(table, numbers=number)}
