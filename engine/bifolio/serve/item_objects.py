"""References, their notes and their files as the objects of Zotero's interface."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from bifolio.formats.zotero.interface_items import (
    creator_summary,
    fields_of_item,
    item_type,
)
from bifolio.library.short_names import AWAITED, ShortKey
from bifolio.records.dates import date_text
from bifolio.results import WindowRow
from bifolio.serve.answers import encode_json
from bifolio.serve.note_objects import (
    FILE,
    added_of,
    annotation_data,
    is_annotation,
    is_in,
    is_note,
    note_data,
    parent_part,
)
from bifolio.serve.served_library import ServedLibrary

_NO_TIME: Final = "1970-01-01T00:00:00Z"


class Entry(Struct, frozen=True):
    """One item of a list: a reference, or a part of one; its key, and its parent's."""

    row: WindowRow
    key: str
    part: str = ""
    parent: str = ""
    #: That of the part; None where it is the reference's.
    own_version: int | None = None

    @property
    def version(self) -> int:
        """That of the last change of the item."""
        return self.row.version if self.own_version is None else self.own_version

    @property
    def kind(self) -> str:
        """Zotero's type of it."""
        if not self.part:
            return item_type(self.row.type, self.row.fields)
        if is_note(self.part):
            return "note"
        return "annotation" if is_annotation(self.part) else "attachment"

    @property
    def file_name(self) -> str:
        """The name of the file that it is."""
        return self.part.partition("/")[2].partition("/")[2]

    @property
    def content_hash(self) -> str:
        """The hash of the content of the file that it is; empty for one that is awaited."""
        return self.part.split("/")[1] if self.part.startswith(FILE) else ""


class Objects:
    """Makes objects of one library at one moment.

    Args:
        base: the address of the interface, such as ``http://127.0.0.1:23119/api``.
    """

    def __init__(self, served: ServedLibrary, base: str) -> None:
        self._served = served
        self._base = f"{base}/{served.prefix}"
        self.library = {
            "type": "user" if served.group is None else "group",
            "id": served.group or 0,
            "name": served.library.name,
            "links": {"alternate": {"href": self._base, "type": "text/html"}},
        }

    @cached_property
    def _collections(self) -> dict[str, str]:
        return self._served.collection_keys

    def entries(self, rows: Sequence[WindowRow], *, with_children: bool) -> Iterator[Entry]:
        """References as items of a list, each with its children behind it if they are wanted."""
        names = self._served.names.named([row.id for row in rows])
        for row in rows:
            keys = names[row.id]
            if "" not in keys:
                continue  # it came a moment ago, and has no key yet
            yield Entry(row, keys[""].key)
            if with_children:
                yield from self._children(row, keys)

    def children(self, row: WindowRow) -> list[Entry]:
        """The notes and files of a reference."""
        return list(self._children(row, self._served.names.named([row.id])[row.id]))

    def listed(self, numbers: Sequence[int]) -> bytes:
        """References as a JSON array of objects, in the order of their numbers: each is made once
        for as long as nothing of what is stored of it is different."""
        made = self._served.made_objects
        made.begin((self._base, self._served.library.name, self._collections))
        as_before = {one: found for one in numbers if (found := made.of_now(one)) is not None}
        rows = self._served.windows.stored([one for one in numbers if one not in as_before])
        records = [
            *(one.stored.record for one in as_before.values()),
            *(one.record for one in rows),
        ]
        self._served.names.check(records)
        texts = {number: one.text for number, one in as_before.items()}
        for stored in rows:
            text = made.find(stored)
            if text is None:
                keys = stored.names()
                if "" not in keys:
                    continue  # it came a moment ago, and has no key yet
                entry = Entry(self._served.windows.show(stored), keys[""])
                text = encode_json(self._object(entry, keys))
                made.keep(stored, text)
            texts[stored.number] = text
        return b"[" + b",".join([texts[one] for one in numbers if one in texts]) + b"]"

    def objects(self, entries: Sequence[Entry]) -> list[dict[str, Any]]:
        """Items as objects, with their data."""
        parents = [one.row.id for one in entries if not one.part]
        parts = self._served.names.of(parents)
        return [self._object(one, parts.get(one.row.id, {})) for one in entries]

    def _object(self, entry: Entry, parts: dict[str, str]) -> dict[str, Any]:
        row = entry.row
        address = f"{self._base}/items/{entry.key}"
        links: dict[str, Any] = {"self": {"href": address, "type": "application/json"}}
        meta: dict[str, Any] = {}
        if entry.part:
            up = f"{self._base}/items/{entry.parent}"
            links["up"] = {"href": up, "type": "application/json"}
            data = self._child_data(entry)
            if entry.content_hash:
                inside = (is_in(one, entry.part) for one in row.annotations)
                meta["numChildren"] = sum(inside)
        else:
            data = self._data(entry)
            meta = _meta(row, parts)
            if (file := next((one for one in parts if one.startswith(FILE)), None)) is not None:
                kind, _ = mimetypes.guess_type(file.rpartition("/")[2])
                links["attachment"] = {
                    "href": f"{self._base}/items/{parts[file]}",
                    "type": "application/json",
                    "attachmentType": kind or "application/octet-stream",
                }
        return {
            "key": entry.key,
            "version": entry.version,
            "library": self.library,
            "links": links,
            "meta": meta,
            "data": data,
        }

    def _data(self, entry: Entry) -> dict[str, Any]:
        row = entry.row
        collections = self._collections
        data = {
            "key": entry.key,
            "version": row.version,
            **fields_of_item(row.type, row.fields, row.key),
            "tags": [{"tag": one} for one in row.tags],
            "collections": [collections[one] for one in row.groups if one in collections],
            "relations": {},
            **_times(row, row.added),
        }
        if row.trashed:
            data["deleted"] = 1
        return data

    def _child_data(self, entry: Entry) -> dict[str, Any]:
        row = entry.row
        data: dict[str, Any] = {
            "key": entry.key,
            "version": entry.version,
            "parentItem": entry.parent,
            "itemType": entry.kind,
        }
        if entry.kind == "note":
            data |= note_data(row, entry.part)
        elif entry.kind == "annotation":
            data |= annotation_data(row, entry.part)
        else:
            kind, charset = mimetypes.guess_type(entry.file_name)
            data |= {
                "linkMode": "imported_file",
                "title": entry.file_name,
                "accessDate": "",
                "url": "",
                "note": "",
                "contentType": kind or "application/octet-stream",
                "charset": charset or "",
                "filename": entry.file_name,
                "md5": self._served.md5_of(entry.content_hash),
                "mtime": None,
                "tags": [],
            }
        data |= {"relations": {}, **_times(row, added_of(row, entry.part))}
        if row.trashed:
            data["deleted"] = 1
        return data

    def _children(self, row: WindowRow, keys: dict[str, ShortKey]) -> Iterator[Entry]:
        for part, one in keys.items():
            if part.startswith((FILE, AWAITED)) or is_note(part) or is_annotation(part):
                parent = keys[parent_part(row, part, keys)].key
                yield Entry(row, one.key, part, parent, one.version)


def _meta(row: WindowRow, parts: dict[str, str]) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    if summary := creator_summary(row.fields):
        meta["creatorSummary"] = summary
    issued = row.fields.get("issued")
    if isinstance(issued, dict) and (parsed := date_text(issued)) and "date-parts" in issued:
        meta["parsedDate"] = parsed.partition("/")[0].rstrip("~")
    children = [part for part in parts if part and not parent_part(row, part, parts)]
    meta["numChildren"] = len(children)
    return meta


def _times(row: WindowRow, added: str | None) -> dict[str, str]:
    return {"dateAdded": second_of(added), "dateModified": second_of(row.modified)}


def second_of(moment: str | None) -> str:
    """A moment as Zotero writes it, to the second."""
    return f"{moment[:19]}Z" if moment else _NO_TIME
