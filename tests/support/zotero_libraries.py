"""Zotero libraries made on the spot: the tables that carry a user's data, with Zotero's columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE libraries (libraryID INTEGER PRIMARY KEY, type TEXT NOT NULL);
CREATE TABLE groups (groupID INTEGER PRIMARY KEY, libraryID INT UNIQUE, name TEXT NOT NULL);
CREATE TABLE itemTypesCombined (itemTypeID INT NOT NULL PRIMARY KEY, typeName TEXT NOT NULL);
CREATE TABLE fieldsCombined (fieldID INT NOT NULL PRIMARY KEY, fieldName TEXT NOT NULL);
CREATE TABLE creatorTypes (creatorTypeID INTEGER PRIMARY KEY, creatorType TEXT);
CREATE TABLE items (itemID INTEGER PRIMARY KEY, itemTypeID INT NOT NULL, dateAdded TIMESTAMP,
 dateModified TIMESTAMP, libraryID INT NOT NULL, key TEXT NOT NULL, UNIQUE (libraryID, key));
CREATE TABLE itemDataValues (valueID INTEGER PRIMARY KEY, value UNIQUE);
CREATE TABLE itemData (itemID INT, fieldID INT, valueID, PRIMARY KEY (itemID, fieldID));
CREATE TABLE creators (creatorID INTEGER PRIMARY KEY, firstName TEXT, lastName TEXT, fieldMode INT);
CREATE TABLE itemCreators (itemID INT, creatorID INT, creatorTypeID INT, orderIndex INT);
CREATE TABLE itemNotes (itemID INTEGER PRIMARY KEY, parentItemID INT, note TEXT, title TEXT);
CREATE TABLE itemAttachments (itemID INTEGER PRIMARY KEY, parentItemID INT, linkMode INT,
 contentType TEXT, path TEXT);
CREATE TABLE itemAnnotations (itemID INTEGER PRIMARY KEY, parentItemID INT NOT NULL,
 type INTEGER NOT NULL, authorName TEXT, text TEXT, comment TEXT, color TEXT, pageLabel TEXT,
 sortIndex TEXT NOT NULL, position TEXT NOT NULL, isExternal INT NOT NULL);
CREATE TABLE tags (tagID INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE itemTags (itemID INT, tagID INT, type INT NOT NULL, PRIMARY KEY (itemID, tagID));
CREATE TABLE collections (collectionID INTEGER PRIMARY KEY, collectionName TEXT NOT NULL,
 parentCollectionID INT, libraryID INT NOT NULL, key TEXT NOT NULL);
CREATE TABLE collectionItems (collectionID INT, itemID INT, orderIndex INT NOT NULL DEFAULT 0);
CREATE TABLE deletedItems (itemID INTEGER PRIMARY KEY, dateDeleted);
CREATE TABLE deletedCollections (collectionID INTEGER PRIMARY KEY, dateDeleted);
CREATE TABLE savedSearches (savedSearchID INTEGER PRIMARY KEY, savedSearchName TEXT NOT NULL,
 libraryID INT NOT NULL, key TEXT NOT NULL);
CREATE TABLE savedSearchConditions (savedSearchID INT NOT NULL, searchConditionID INT NOT NULL,
 condition TEXT NOT NULL, operator TEXT, value TEXT);
CREATE TABLE relationPredicates (predicateID INTEGER PRIMARY KEY, predicate TEXT UNIQUE);
CREATE TABLE itemRelations (itemID INT, predicateID INT, object TEXT);
"""

_TYPES = (
    "annotation attachment book bookSection conferencePaper journalArticle letter note podcast "
    "preprint thesis webpage".split()
)


@dataclass(frozen=True)
class Item:
    """One item: its fields by Zotero's names; ``creators`` are (role, last, first).

    An annotation's and an attachment's own columns are in ``own``.
    """

    key: str
    type: str = "journalArticle"
    fields: Mapping[str, str] = field(default_factory=dict)
    creators: Sequence[tuple[str, str, str]] = ()
    tags: Mapping[str, int] = field(default_factory=dict)
    parent: str = ""
    note: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)
    trashed: bool = False
    relations: Sequence[str] = ()
    library: int = 1
    changed: str = "2024-01-01 00:00:00"


@dataclass(frozen=True)
class Collection:
    """A collection with the keys of the items in it."""

    key: str
    name: str
    items: Sequence[str] = ()
    parent: str = ""
    deleted: bool = False
    library: int = 1


@dataclass(frozen=True)
class ZoteroLibrary:
    """What a data folder holds. ``files`` are contents by ``KEY/name`` below ``storage``.

    ``first_id`` is where Zotero's own numbers begin: they differ on every computer.
    """

    items: Sequence[Item]
    collections: Sequence[Collection] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    #: Name to conditions, each of name, operator and value.
    searches: Mapping[str, Sequence[tuple[str, str, str]]] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    first_id: int = 1

    def write(self, folder: Path) -> Path:
        """A Zotero data folder; returns its ``zotero.sqlite``."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "zotero.sqlite"
        path.unlink(missing_ok=True)
        for name, content in self.files.items():
            (folder / "storage" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "storage" / name).write_bytes(content)
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a test's file need not survive
            connection.execute("PRAGMA journal_mode = MEMORY")
            self._fill(connection)
            connection.commit()
        finally:
            connection.close()
        return path

    def _fill(self, connection: sqlite3.Connection) -> None:
        connection.executescript(_SCHEMA)
        connection.execute("INSERT INTO libraries VALUES (1, 'user')")
        for place, (name, number) in enumerate(self.groups.items(), 2):
            connection.execute("INSERT INTO libraries VALUES (?, 'group')", (place,))
            connection.execute("INSERT INTO groups VALUES (?, ?, ?)", (number, place, name))
        for number, name in enumerate(_TYPES, 1):
            connection.execute("INSERT INTO itemTypesCombined VALUES (?, ?)", (number, name))
        connection.execute("INSERT INTO relationPredicates VALUES (1, 'dc:relation')")
        ids = {item.key: place for place, item in enumerate(self.items, self.first_id)}
        for item in self.items:
            _fill_item(connection, item, ids)
        rows = {one.key: place for place, one in enumerate(self.collections, self.first_id)}
        for one in self.collections:
            number, parent = rows[one.key], rows.get(one.parent)
            connection.execute(
                "INSERT INTO collections VALUES (?, ?, ?, ?, ?)",
                (number, one.name, parent, one.library, one.key),
            )
            if one.deleted:
                connection.execute("INSERT INTO deletedCollections VALUES (?, '')", (number,))
            for key in one.items:
                connection.execute(
                    "INSERT INTO collectionItems VALUES (?, ?, 0)", (number, ids[key])
                )
        for number, (name, conditions) in enumerate(self.searches.items(), 1):
            connection.execute(
                "INSERT INTO savedSearches VALUES (?, ?, 1, ?)", (number, name, name)
            )
            for place, condition in enumerate(conditions):
                connection.execute(
                    "INSERT INTO savedSearchConditions VALUES (?, ?, ?, ?, ?)",
                    (number, place, *condition),
                )


def _fill_item(connection: sqlite3.Connection, item: Item, ids: Mapping[str, int]) -> None:
    number, parent = ids[item.key], ids.get(item.parent)
    connection.execute(
        "INSERT INTO items VALUES (?, ?, '2024-01-01 00:00:00', ?, ?, ?)",
        (number, _TYPES.index(item.type) + 1, item.changed, item.library, item.key),
    )
    for name, value in item.fields.items():
        field_id = _number(connection, "fieldsCombined", "fieldID", "fieldName", name)
        value_id = _number(connection, "itemDataValues", "valueID", "value", value)
        connection.execute("INSERT INTO itemData VALUES (?, ?, ?)", (number, field_id, value_id))
    for place, (role, last, first) in enumerate(item.creators):
        role_id = _number(connection, "creatorTypes", "creatorTypeID", "creatorType", role)
        person = connection.execute(
            "INSERT INTO creators (firstName, lastName, fieldMode) VALUES (?, ?, ?)",
            (first, last, 0 if first else 1),
        ).lastrowid
        connection.execute(
            "INSERT INTO itemCreators VALUES (?, ?, ?, ?)", (number, person, role_id, place)
        )
    for name, kind in item.tags.items():
        tag = _number(connection, "tags", "tagID", "name", name)
        connection.execute("INSERT INTO itemTags VALUES (?, ?, ?)", (number, tag, kind))
    for said in item.relations:
        connection.execute("INSERT INTO itemRelations VALUES (?, 1, ?)", (number, said))
    if item.trashed:
        connection.execute("INSERT INTO deletedItems VALUES (?, '')", (number,))
    if item.type == "note":
        title = item.note.replace("<p>", "").partition("</p>")[0]
        connection.execute(
            "INSERT INTO itemNotes VALUES (?, ?, ?, ?)", (number, parent, item.note, title)
        )
    if item.type == "attachment":
        connection.execute(
            "INSERT INTO itemAttachments VALUES (?, ?, ?, 'application/pdf', ?)",
            (number, parent, item.own.get("linkMode", 0), item.own.get("path")),
        )
    if item.type == "annotation":
        connection.execute(
            "INSERT INTO itemAnnotations VALUES "
            "(?, ?, ?, 'Reader', ?, ?, '#ffd400', ?, ?, '{}', 0)",
            (
                number,
                parent,
                item.own.get("type", 1),
                item.own.get("text"),
                item.own.get("comment"),
                item.own.get("pageLabel", ""),
                item.own.get("sortIndex", "0"),
            ),
        )


def _number(connection: sqlite3.Connection, table: str, id: str, column: str, value: str) -> int:
    """The id of a value in a table of values, which gets it where it is new."""
    row = connection.execute(f"SELECT {id} FROM {table} WHERE {column} = ?", (value,)).fetchone()
    if row is not None:
        return int(row[0])
    number = connection.execute(f"SELECT count(*) + 1 FROM {table}").fetchone()[0]
    connection.execute(f"INSERT INTO {table} ({id}, {column}) VALUES (?, ?)", (number, value))
    return int(number)
