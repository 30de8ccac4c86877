"""Zotero's item types, fields and roles, as its interface lists them."""

from __future__ import annotations

from typing import Any

from bifolio.formats.mapping.zotero_types import (
    CHILDREN,
    CREATORS,
    FIELDS,
    SCHEMA_VERSION,
    localized,
)
from bifolio.serve.answers import Refusal


def item_types() -> list[dict[str, str]]:
    """Every type."""
    names = sorted((*FIELDS, *CHILDREN))
    return [{"itemType": one, "localized": localized(one)} for one in names]


def item_fields() -> list[dict[str, str]]:
    """Every field of any type."""
    names = sorted({name for fields in FIELDS.values() for name in fields})
    return [{"field": one, "localized": localized(one)} for one in names]


def type_fields(kind: str | None) -> list[dict[str, str]]:
    """The fields of a type."""
    if kind in CHILDREN:
        fields = ("title", "accessDate", "url") if kind == "attachment" else ()
        return [{"field": one, "localized": localized(one)} for one in fields]
    return [{"field": one, "localized": localized(one)} for one in FIELDS[_check(kind)]]


def type_creators(kind: str | None) -> list[dict[str, str]]:
    """The roles of a type, the first of which is its author."""
    if kind in CHILDREN:
        return []
    return [{"creatorType": one, "localized": localized(one)} for one in CREATORS[_check(kind)]]


def creator_fields() -> list[dict[str, str]]:
    """The parts of a name."""
    words = {"firstName": "First", "lastName": "Last", "name": "Name"}
    return [{"field": one, "localized": text} for one, text in words.items()]


def template(kind: str | None, link_mode: str | None) -> dict[str, Any]:
    """An item of a type with nothing in it, for a program to fill."""
    sets: dict[str, Any] = {"tags": [], "collections": [], "relations": {}}
    if kind == "note":
        return {"itemType": "note", "note": "", **sets}
    if kind == "attachment":
        fields = "title accessDate url note contentType charset filename md5 mtime".split()
        empty: dict[str, Any] = dict.fromkeys(fields, "")
        empty |= {"md5": None, "mtime": None, "linkMode": link_mode or "imported_file"}
        return {"itemType": "attachment", **empty, **sets}
    found: dict[str, Any] = {"itemType": _check(kind)}
    for name in FIELDS[_check(kind)]:
        found[name] = ""
        if len(found) == 2:  # after the title, as Zotero has it
            first = CREATORS[_check(kind)][0]
            found["creators"] = [{"creatorType": first, "firstName": "", "lastName": ""}]
    return {**found, **sets}


def whole_schema() -> dict[str, Any]:
    """All of it in one document."""
    types = [
        {
            "itemType": kind,
            "fields": [{"field": one} for one in FIELDS[kind]],
            "creatorTypes": [
                {"creatorType": one, **({"primary": True} if number == 0 else {})}
                for number, one in enumerate(CREATORS[kind])
            ],
        }
        for kind in FIELDS
    ]
    return {"version": SCHEMA_VERSION, "itemTypes": types}


def _check(kind: str | None) -> str:
    if kind is None:
        raise Refusal(400, "'itemType' not provided")
    if kind not in FIELDS:
        raise Refusal(400, "Invalid item type")
    return kind
