"""Zotero's item types, fields and roles, as its interface lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bifolio.formats.mapping.zotero import CSL_TYPES, FIELD_OF, ROLE_OF
from bifolio.formats.mapping.zotero_types import (
    CHILDREN,
    CREATORS,
    FIELDS,
    SCHEMA_VERSION,
    localized,
)
from bifolio.formats.zotero.children import ANNOTATION_FIELDS
from bifolio.records.fields import FORMS, Form
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
    if kind == "annotation":
        said: dict[str, Any] = dict.fromkeys(ANNOTATION_FIELDS.values(), "")
        return {"itemType": "annotation", **said, "parentItem": "", "tags": [], "relations": {}}
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
    """All of it in one document: types, what each field is to CSL, and what everything is called;
    which field of a type stands for which of another is not in it."""
    types: list[dict[str, Any]] = [
        {
            "itemType": kind,
            "fields": type_fields_named(kind),
            "creatorTypes": [
                {"creatorType": one, **({"primary": True} if number == 0 else {})}
                for number, one in enumerate(CREATORS.get(kind, ()))
            ],
        }
        for kind in sorted((*FIELDS, *CHILDREN))
    ]
    fields = sorted({name for names in FIELDS.values() for name in names})
    roles = sorted({role for roles in CREATORS.values() for role in roles})
    return {
        "version": SCHEMA_VERSION,
        "itemTypes": types,
        "meta": {"fields": {name: {"type": "date"} for name in fields if _is(name, Form.DATE)}},
        "csl": _csl(fields, roles),
        "locales": {
            "en-US": {
                "itemTypes": {one["itemType"]: localized(one["itemType"]) for one in types},
                "fields": {one: localized(one) for one in fields},
                "creatorTypes": {one: localized(one) for one in roles},
            }
        },
    }


def type_fields_named(kind: str) -> list[dict[str, str]]:
    """The names of the fields of a type."""
    return [{"field": one["field"]} for one in type_fields(kind)]


def _csl(fields: Sequence[str], roles: Sequence[str]) -> dict[str, Any]:
    """What types, fields and roles are to CSL."""
    types: dict[str, list[str]] = {}
    for theirs, ours in sorted(CSL_TYPES.items()):
        types.setdefault(ours, []).append(theirs)
    texts: dict[str, list[str]] = {}
    dates: dict[str, str] = {}
    for name in fields:
        ours = FIELD_OF[name][0] if name in FIELD_OF else ""
        if ours not in FORMS:
            continue  # kept under its own name
        if FORMS[ours] is Form.DATE:
            dates.setdefault(ours, name)
        else:
            texts.setdefault(ours, []).append(name)
    names = {role: ROLE_OF[role] for role in roles if role in ROLE_OF}
    return {"types": types, "fields": {"text": texts, "date": dates}, "names": names}


def _is(name: str, form: Form) -> bool:
    return FORMS.get(FIELD_OF.get(name, ("", 0))[0]) is form


def _check(kind: str | None) -> str:
    if kind is None:
        raise Refusal(400, "'itemType' not provided")
    if kind not in FIELDS:
        raise Refusal(400, "Invalid item type")
    return kind
